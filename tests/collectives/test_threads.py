"""What is particular to ranks that are threads; what they share with MPI is tested in ``tests/mpi``."""

import threading

import numpy as np
import pytest

from simpar.collectives import run_threads
from simpar.context import current
from simpar.errors import WorldError


def test_results_come_in_rank_order() -> None:
    assert run_threads(4, lambda base: base + current().world.rank, 10) == [10, 11, 12, 13]


def test_each_rank_has_a_context_of_its_own() -> None:
    def change() -> int | None:
        current().seed = current().world.rank
        current().world.communicator.barrier()
        return current().seed

    assert run_threads(3, change) == [0, 1, 2]
    assert current().seed is None


def test_an_error_on_one_rank_releases_the_others_and_names_its_rank() -> None:
    def fail() -> None:
        if current().world.rank == 1:
            raise ValueError("no data")
        current().world.communicator.barrier()

    with pytest.raises(ValueError, match="no data") as raised:
        run_threads(3, fail)
    assert raised.value.__notes__ == ["raised on rank 1 of 3"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rank ")]


def test_different_collectives_are_an_error_that_names_both() -> None:
    def disagree() -> None:
        group, part = current().world.communicator, np.zeros(2)
        if group.rank == 0:
            group.all_reduce(part)
        else:
            group.broadcast(part)

    with pytest.raises(WorldError, match=r"rank \d calls .* while another rank of group \(0, 1\) calls") as raised:
        run_threads(2, disagree)
    assert "all_reduce (sum)" in str(raised.value)
    assert "broadcast (root 0)" in str(raised.value)


def test_a_rank_that_stays_away_is_an_error_and_no_hang() -> None:
    def stay_away() -> None:
        if current().world.rank != 2:
            current().world.communicator.all_reduce(np.zeros(1))

    with pytest.raises(WorldError, match=r"rank 0 waits in all_reduce \(sum\); rank 1 waits .*; 1 of 3 have ended"):
        run_threads(3, stay_away)


def test_two_ranks_that_both_receive_first_are_an_error_and_no_hang() -> None:
    def receive_first() -> None:
        group, got = current().world.communicator, np.zeros(1)
        group.receive(got, 1 - group.rank)
        group.send(got, 1 - group.rank)

    with pytest.raises(WorldError, match="rank 0 waits in receive; rank 1 waits in receive"):
        run_threads(2, receive_first)


def test_an_array_with_strides_is_refused_with_the_way_out() -> None:
    def strided() -> None:
        current().world.communicator.all_reduce(np.zeros((4, 4))[:, ::2])

    with pytest.raises(WorldError, match=r"not C-contiguous\. Pass np\.ascontiguousarray"):
        run_threads(2, strided)


def test_a_start_does_not_wait() -> None:
    def crossed() -> float:
        """Rank 0 starts a sum of all before the other group meets, rank 1 after it."""
        world, total = current().world, np.ones(1)
        early = world.communicator.start_all_reduce(total) if world.rank == 0 else None
        world.group((1, 0)).barrier()
        (early or world.communicator.start_all_reduce(total)).wait()
        return float(total[0])

    assert run_threads(2, crossed) == [2.0, 2.0]
