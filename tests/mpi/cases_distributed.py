"""Collectives that run at once, and those of unlike parts, over whatever carries them."""

from importlib import import_module
from typing import Any

import numpy as np

from simpar import Tensor, ops
from simpar.collectives import World
from tests.mpi.harness import on_ranks

dist: Any = import_module("simpar.mint.distributed")


def counted(n: int, start: float) -> Tensor:
    return Tensor(np.arange(n, dtype="f4") + start)


@on_ranks(3)
def case_tensors_are_written_into_by_all_ranks(world: World) -> None:
    rank, total = world.rank, counted(2, world.rank)
    handle = dist.all_reduce(total, "avg", async_op=True)
    assert handle is not None
    parts = [counted(1, 0), counted(2, 0), counted(3, 0)]
    dist.all_gather_into_tensor_uneven(joined := counted(6, 0), counted(rank + 1, 10 * rank), [1, 2, 3])
    dist.all_to_all([Tensor(np.zeros(rank + 1, "f4")) for _ in range(3)], parts)
    handle.wait()
    assert total.tolist() == [1, 2]
    assert joined.tolist() == [0, 10, 11, 20, 21, 22]


@on_ranks(3)
def case_a_message_that_is_not_awaited_arrives(world: World) -> None:
    there, before = (world.rank + 1) % 3, (world.rank - 1) % 3
    dist.isend(counted(50_000, world.rank), there)  # longer than what MPI sends without being asked for it
    came = counted(50_000, 0)
    dist.recv(came, before)
    assert came[0].item() == before
    told = [None] * 3
    dist.all_gather_object(told, {"rank": world.rank})
    assert told == [{"rank": 0}, {"rank": 1}, {"rank": 2}]


@on_ranks(3)
def case_parts_of_unlike_length_find_their_ranks(world: World) -> None:
    rank = world.rank
    taken, expected = (([0, 1, 2], [10, 20, 21]), ([1, 1, 1], [0, 11, 22]), ([0, 0, 0], 0))[rank]
    assert ops.AlltoAllV()(counted(3, 10 * rank), [rank, 1, 0], taken).tolist() == expected
    gathered = ops.AllGatherV()(counted(rank + 1, 10 * rank), [1, 2, 3])
    assert gathered.tolist() == [0, 10, 11, 20, 21, 22]
    ops.Barrier()()
