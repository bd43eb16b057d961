"""Every collective against numpy: each rank knows what every rank holds, so it can say what must come out."""

from functools import partial
from typing import Any

import numpy as np

from simpar.collectives import World
from simpar.collectives.communicator import COMBINE, Array
from simpar.dtype import as_dtype
from simpar.errors import WorldError
from tests.mpi.harness import on_ranks, refusal

TYPES = ("bool", "int8", "uint16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")
COUNT = 6


def types() -> list[np.dtype[Any]]:
    return [as_dtype(name).numpy for name in TYPES]


def held_by(rank: int, dtype: np.dtype[Any], count: int = COUNT) -> Array:
    """What a rank holds: small whole numbers, so that sums are exact in every type."""
    return ((np.arange(count) * 3 + rank) % 4 - (dtype.kind not in "ub")).astype(dtype)


def combined(parts: list[Array], combine: str) -> Array:
    total = parts[0].copy()
    for part in parts[1:]:
        COMBINE[combine](total, part, out=total)
    return total


def case_all_reduce_combines_every_type_in_every_way(world: World) -> None:
    for dtype in types():
        for combine in ("sum", "prod") if dtype == "complex64" else COMBINE:
            buffer = held_by(world.rank, dtype)
            world.communicator.all_reduce(buffer, combine)
            expected = combined([held_by(r, dtype) for r in range(world.size)], combine)
            np.testing.assert_array_equal(buffer, expected, err_msg=f"{dtype} {combine}")


def case_all_reduce_of_a_long_buffer_is_the_sum_of_all(world: World) -> None:
    buffer = np.arange(700_001, dtype=np.float32) + world.rank  # three pieces, the last shorter
    world.communicator.all_reduce(buffer)
    expected = world.size * np.arange(700_001, dtype=np.float64) + sum(range(world.size))
    np.testing.assert_allclose(buffer, expected, rtol=1e-6)


def case_all_reduce_takes_a_scalar_and_an_empty_array(world: World) -> None:
    scalar, empty = np.array(2.0), np.zeros((0, 3))
    world.communicator.all_reduce(scalar)
    world.communicator.all_reduce(empty)
    assert scalar == 2.0 * world.size


def case_all_gather_puts_blocks_in_rank_order(world: World) -> None:
    for dtype in types():
        receive = np.zeros((world.size, 2, 3), dtype)
        world.communicator.all_gather(held_by(world.rank, dtype).reshape(2, 3), receive)
        expected = np.stack([held_by(r, dtype).reshape(2, 3) for r in range(world.size)])
        np.testing.assert_array_equal(receive, expected, err_msg=str(dtype))


def case_all_gather_in_place_sends_its_own_block(world: World) -> None:
    receive = np.zeros((world.size, COUNT))
    receive[world.rank] = held_by(world.rank, np.dtype(np.float64))
    world.communicator.all_gather(receive[world.rank], receive)
    np.testing.assert_array_equal(receive, np.stack([held_by(r, np.dtype(np.float64)) for r in range(world.size)]))


def case_reduce_scatter_gives_each_rank_its_combined_block(world: World) -> None:
    for dtype in types():
        for combine in ("sum", "prod") if dtype == "complex64" else COMBINE:
            receive = np.zeros(COUNT, dtype)
            world.communicator.reduce_scatter(held_by(world.rank, dtype, COUNT * world.size), receive, combine)
            parts = [held_by(r, dtype, COUNT * world.size) for r in range(world.size)]
            expected = combined(parts, combine).reshape(world.size, COUNT)[world.rank]
            np.testing.assert_array_equal(receive, expected, err_msg=f"{dtype} {combine}")


def case_all_to_all_sends_block_s_to_rank_s(world: World) -> None:
    for dtype in types():
        send = held_by(world.rank, dtype, COUNT * world.size)
        receive = np.zeros((world.size, COUNT), dtype)
        world.communicator.all_to_all(send, receive)
        everyone = [held_by(r, dtype, COUNT * world.size).reshape(world.size, COUNT) for r in range(world.size)]
        np.testing.assert_array_equal(receive, np.stack([each[world.rank] for each in everyone]), err_msg=str(dtype))


def case_broadcast_copies_from_every_root(world: World) -> None:
    for root in range(world.size):
        for dtype in types():
            buffer = held_by(world.rank, dtype)
            world.communicator.broadcast(buffer, root)
            np.testing.assert_array_equal(buffer, held_by(root, dtype))


def case_started_collectives_end_in_any_order(world: World) -> None:
    total, gathered = np.ones(3), np.zeros((world.size, 3))
    part = np.zeros(1)
    requests = [
        world.communicator.start_all_reduce(total),
        world.communicator.start_all_gather(np.full(3, world.rank, float), gathered),
        world.communicator.start_reduce_scatter(np.arange(float(world.size)), part, "max"),
    ]
    for request in reversed(requests):
        request.wait()
    np.testing.assert_array_equal(total, np.full(3, world.size))
    np.testing.assert_array_equal(gathered[:, 0], np.arange(world.size))
    assert part == world.rank


def case_a_ring_of_sends_moves_values_one_on(world: World) -> None:
    following, previous = (world.rank + 1) % world.size, (world.rank - 1) % world.size
    for dtype in types():
        got = np.zeros(COUNT, dtype)
        sending = world.communicator.start_send(held_by(world.rank, dtype), following, tag=7)
        world.communicator.start_receive(got, previous, tag=7).wait()
        sending.wait()
        np.testing.assert_array_equal(got, held_by(previous, dtype))


def case_letters_of_one_tag_arrive_in_order(world: World) -> None:
    first, second, other = np.zeros(1), np.zeros(1), np.zeros(1)
    sent = [world.communicator.start_send(np.array([v]), world.rank, tag) for v, tag in ((1.0, 0), (2.0, 0), (3.0, 1))]
    world.communicator.receive(other, world.rank, 1)
    world.communicator.receive(first, world.rank, 0)
    world.communicator.receive(second, world.rank, 0)
    for request in sent:
        request.wait()
    assert (first, second, other) == (1, 2, 3)


def case_exchange_moves_rows_to_columns(world: World) -> None:
    n, communicator = world.size, world.communicator
    for dtype in types():
        whole = (np.arange(2 * n * 3 * n) % 7).reshape(2 * n, 3 * n).astype(dtype)
        rows, columns = whole[2 * world.rank : 2 * world.rank + 2].copy(), np.zeros((2 * n, 3), dtype)
        send = [(slice(None), slice(3 * r, 3 * r + 3)) for r in range(n)]
        receive = [(slice(2 * r, 2 * r + 2), slice(None)) for r in range(n)]
        exchange = communicator.prepare_exchange(rows, send, columns, receive)
        assert exchange.volume_bytes == (n - 1) * 2 * 3 * rows.itemsize
        for _ in range(2):
            columns[...] = 0
            exchange.run()
            np.testing.assert_array_equal(columns, whole[:, 3 * world.rank : 3 * world.rank + 3], err_msg=str(dtype))


def case_exchange_takes_strided_arrays_and_leaves_gaps(world: World) -> None:
    n, source = world.size, np.arange(40.0).reshape(4, 10)[::2, ::3] + 100 * world.rank  # (2, 4), not contiguous
    target = np.full((n, 6), -1.0).T[::2]  # (3, n), not contiguous
    send: list[Any] = [None] * n
    receive: list[Any] = [None] * n
    send[0] = (slice(0, 2), slice(1, 2))
    if world.rank == 0:
        receive = [(slice(0, 2), slice(r, r + 1)) for r in range(n)]
    world.communicator.prepare_exchange(source, send, target, receive).run()
    if world.rank == 0:
        np.testing.assert_array_equal(target[:2], np.array([[3.0], [23.0]]) + 100 * np.arange(n))
    assert (target[2] == -1).all()


def case_a_group_numbers_its_ranks_in_its_own_order(world: World) -> None:
    ranks = tuple(reversed(range(world.rank % 2, world.size, 2)))  # the odd ones, the even ones
    group = world.group(ranks)
    assert (group.ranks, group.size, group.ranks[group.rank]) == (ranks, len(ranks), world.rank)
    gathered = np.zeros(group.size)
    group.all_gather(np.array([float(world.rank)]), gathered)
    np.testing.assert_array_equal(gathered, ranks)
    assert world.group(ranks) is group


def case_groups_that_overlap_do_not_mix(world: World) -> None:
    total = np.zeros(1)
    for first in range(world.size - 1):
        if world.rank in (first, first + 1):
            total[...] = world.rank
            world.group((first, first + 1)).all_reduce(total)
            assert total == 2 * first + 1


def case_a_group_of_strangers_is_refused(world: World) -> None:
    for ranks in ((world.rank, world.size), (world.rank, world.rank), ((world.rank + 1) % world.size, -1), ()):
        assert str(ranks) in refusal(WorldError, partial(world.group, ranks))


def case_objects_reach_every_rank(world: World) -> None:
    assert world.communicator.gather_objects({"rank": world.rank}) == [{"rank": r} for r in range(world.size)]
    assert world.communicator.broadcast_object(("from", world.rank), root=world.size - 1) == ("from", world.size - 1)


def case_letters_reach_rank_0_and_nobody_waits(world: World) -> None:
    mailbox = world.mailbox()
    mailbox.send(b"one")
    mailbox.send(b"x" * 100_000)
    arrived: list[tuple[int, bytes]] = []
    while world.rank == 0 and len(arrived) < 2 * world.size:
        arrived += mailbox.poll()
    for rank in range(world.size if world.rank == 0 else 0):
        assert [letter for sender, letter in arrived if sender == rank] == [b"one", b"x" * 100_000]
    assert world.rank == 0 or mailbox.poll() == []
    world.communicator.barrier()


def case_an_unknown_way_to_combine_is_refused(world: World) -> None:
    assert "'mean'" in refusal(WorldError, partial(world.communicator.all_reduce, np.zeros(1), "mean"))


def case_blocks_that_do_not_divide_are_refused(world: World) -> None:
    if world.size > 1:
        send, receive = np.zeros(world.size + 1), np.zeros(world.size + 1)
        refused = refusal(WorldError, partial(world.communicator.all_to_all, send, receive))
        assert f"{2 * world.size} elements" in refused


def case_buffers_start_on_a_cache_line_and_hold_zeros(world: World) -> None:
    buffer = world.communicator.allocate(1000)
    assert buffer.ctypes.data % 64 == 0
    assert buffer.shape == (1000,)
    assert not buffer.any()


@on_ranks(2, 4)
def case_ranks_count_the_same_size(world: World) -> None:
    assert world.communicator.gather_objects(world.size) == [world.size] * world.size
