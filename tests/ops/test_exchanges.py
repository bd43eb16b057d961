"""Collectives of unlike parts: what each rank gets, and the gradients that come back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.communication import create_group, get_rank, init
from simpar.errors import DTypeError, RuleError, WorldError

COUNTS = np.array([[1, 0, 2], [3, 1, 0], [0, 2, 2]])
"""How many elements the rank of a row sends to that of a column."""


def given(rank: int, length: int = 6) -> Tensor:
    return Tensor(np.arange(length, dtype="f4") + 10 * rank)


def values(collective: Callable[[int], Any], n: int, length: int = 6, mode: int = 1) -> list[Any]:
    """Return of each rank the result, and the gradient of its sum times the rank's number from 1."""

    def play() -> Any:
        init()
        ms.set_context(mode=mode)
        ms.set_auto_parallel_context(parallel_mode="hybrid_parallel")
        rank = get_rank()
        op = collective(rank)
        made = op(given(rank, length)).tolist()
        slope = ms.grad(lambda x: (op(x) * (rank + 1)).sum())(given(rank, length)).tolist()
        return made, slope

    return run_threads(n, play)


def test_reduce_combines_on_one_rank_and_its_slope_goes_to_all() -> None:
    first, second = values(lambda _: ops.Reduce(1), 2, 2)
    assert first == ([0], [2, 2])
    assert second == ([10, 12], [2, 2])


def test_reduce_takes_the_largest() -> None:
    assert values(lambda _: ops.Reduce(0, ops.ReduceOp.MAX), 2, 2)[0] == ([10, 11], [0, 0])


@pytest.mark.parametrize("mode", [0, 1])
def test_gather_and_scatter_are_each_others_gradient(mode: int) -> None:
    gathered = values(lambda _: ops.CollectiveGather(0), 2, 2, mode)
    assert gathered == [([0, 1, 10, 11], [1, 1]), ([0], [1, 1])]
    scattered = values(lambda _: ops.CollectiveScatter(1), 2, 4, mode)
    assert scattered == [([10, 11], [0] * 4), ([12, 13], [1, 1, 2, 2])]


def moved(rank: int) -> tuple[list[int], list[int]]:
    """Return what a rank gets by COUNTS, and the slope of what it gave."""
    starts = COUNTS.cumsum(1) - COUNTS
    made = [10 * s + starts[s, rank] + k for s in range(3) for k in range(COUNTS[s, rank])]
    slope = [to + 1 for to in range(3) for _ in range(COUNTS[rank, to])]
    return made, slope + [0] * (6 - len(slope))


def test_parts_of_any_length_go_to_every_rank() -> None:
    def by_lists(rank: int) -> Any:
        return lambda x: ops.AlltoAllV()(x, COUNTS[rank].tolist(), COUNTS[:, rank].tolist())

    def by_matrix(_: int) -> Any:
        return lambda x: ops.AlltoAllVC()(x, COUNTS.reshape(-1).tolist())

    def turned(_: int) -> Any:
        return lambda x: ops.AlltoAllVC(transpose=True)(x, COUNTS.T.reshape(-1).tolist())

    for collective in (by_lists, by_matrix, turned):
        assert values(collective, 3) == [moved(rank) for rank in range(3)]


def test_blocks_are_counted_instead_of_elements() -> None:
    made = values(lambda rank: lambda x: ops.AlltoAllV(block_size=2)(x, [1, 1], [1, 1]), 2)
    assert [value for value, _ in made] == [[0, 1, 10, 11], [2, 3, 12, 13]]


def test_one_who_gives_nothing_still_gets_and_one_who_gets_nothing_still_gives() -> None:
    counts = [0, 0, 6, 0]  # rank 1 sends 6 elements to rank 0
    first, second = values(lambda _: lambda x: ops.AlltoAllVC()(x, counts), 2)
    assert first == ([10, 11, 12, 13, 14, 15], [0] * 6)
    assert second == (0, [1] * 6)


def test_joined_and_shared_out_by_unlike_lengths() -> None:
    def gather(rank: int) -> Any:
        return lambda x: ops.AllGatherV()(x[: 1 + 2 * rank], [1, 3])

    def scatter(_: int) -> Any:
        return lambda x: ops.ReduceScatterV()(x, [2, 4])

    assert values(gather, 2, 3) == [([0, 10, 11, 12], [3, 0, 0]), ([0, 10, 11, 12], [3, 3, 3])]
    assert values(scatter, 2) == [([10, 12], [1, 1, 2, 2, 2, 2]), ([14, 16, 18, 20], [1, 1, 2, 2, 2, 2])]


def test_a_batch_of_messages_keeps_the_place_of_each() -> None:
    def play() -> Any:
        init()
        rank = get_rank()
        move = ops.BatchISendIRecv(("irecv", "isend"), [1 - rank] * 2, [(2,)], [ms.float32])
        return [made.tolist() for made in move((given(rank, 2),))]

    assert run_threads(2, play) == [[[10, 11], 0], [[0, 1], 0]]


def test_a_barrier_waits_for_all_of_its_group() -> None:
    arrived: list[int] = []

    def play() -> int:
        init()
        create_group("pair", [0, 2])
        if get_rank() == 1:
            return 0
        arrived.append(get_rank())
        ops.Barrier("pair")()
        return len(arrived)

    assert run_threads(3, play) == [2, 0, 2]


def test_what_does_not_fit_is_refused() -> None:
    init()
    x = given(0)
    with pytest.raises(WorldError, match="dest_rank is 3, but the group's places are 0 to 0"):
        ops.Reduce(3)
    with pytest.raises(RuleError, match="AlltoAllV moves parts of a flat Tensor, not of shape"):
        ops.AlltoAllV()(x.reshape(2, 3), [6], [6])
    with pytest.raises(RuleError, match="adds up to 7, but x has 6 elements"):
        ops.AlltoAllV()(x, [7], [7])
    with pytest.raises(RuleError, match="the group wants 1 lengths"):
        ops.AllGatherV()(x, [3, 3])
    with pytest.raises(DTypeError, match="give a list of whole numbers"):
        ops.ReduceScatterV()(x, "all")  # type: ignore[arg-type]
    with pytest.raises(RuleError, match="give one for each"):
        ops.BatchISendIRecv(("irecv",), [0])


def test_axes_of_all_to_all_may_be_counted_from_the_last() -> None:
    def named(rank: int) -> Any:
        return lambda x: ops.AlltoAll(2, -2, -1)(x.reshape(2, 2))

    assert values(named, 2, 4) == [([[0, 1, 10, 11]], [1, 1, 2, 2]), ([[2, 3, 12, 13]], [1, 1, 2, 2])]
