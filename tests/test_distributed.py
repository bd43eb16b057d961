"""``mint.distributed``, ``communication.comm_func`` and ``ops.communication``: what each rank has after a call."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor
from simpar.collectives import run_threads
from simpar.communication import comm_func, either
from simpar.errors import ContextError, DTypeError, ModeError, NotYetError, RuleError, WorldError

dist: Any = import_module("simpar.mint.distributed")


def on(n: int, play: Callable[[int], Any]) -> list[Any]:
    """Return what each rank makes."""

    def run() -> Any:
        dist.init_process_group()
        return play(dist.get_rank())

    return run_threads(n, run)


def wrong(given: object) -> Any:
    """Return what no type checker would let pass."""
    return given


def ones(*shape: int, times: float = 1.0) -> Tensor:
    return Tensor(np.full(shape, times, "f4"))


def count(n: int, start: float = 0.0) -> Tensor:
    return Tensor(np.arange(n, dtype="f4") + start)


# --- ranks and groups ---


def test_the_world_and_groups_know_the_place_of_each_rank() -> None:
    def play(rank: int) -> Any:
        assert dist.is_available()
        assert dist.is_initialized()
        pair = dist.new_group([2, 0])
        assert dist.new_group([0, 2]) == pair
        assert dist.new_group() == "hccl_world_group"
        told = dist.get_rank(pair), dist.get_world_size(pair), dist.get_process_group_ranks(pair)
        assert dist.get_global_rank(pair, 1) == 2
        assert dist.get_global_rank(None, 1) == 1
        assert dist.get_group_rank(pair, 2) == 1
        assert dist.get_backend() == dist.get_backend(pair) == "hccl"
        dist.destroy_process_group(pair)
        with pytest.raises(WorldError):
            dist.get_rank(pair)
        return told

    assert on(3, play) == [(0, 2, [0, 2]), (-1, -1, [0, 2]), (1, 2, [0, 2])]


def test_the_size_of_the_world_is_checked() -> None:
    def play(rank: int) -> None:
        dist.init_process_group("hccl", world_size=2)
        with pytest.raises(ContextError, match="world_size is 3, but 2 ranks run"):
            dist.init_process_group(world_size=3)

    on(2, play)


# --- in place ---


@pytest.mark.parametrize(("op", "expected"), [("sum", 6), ("prod", 6), ("min", 1), ("max", 3), ("avg", 2)])
def test_all_reduce_replaces_every_tensor(op: str, expected: float) -> None:
    def play(rank: int) -> Any:
        x, y, z = (ones(2, times=rank + 1) for _ in range(3))
        assert dist.all_reduce(x, op) is None
        handle = dist.all_reduce(y, op, async_op=True)
        assert isinstance(handle, dist.CommHandle)
        handle.wait()
        dist.reduce(z, 1, op)
        assert z.tolist() == [expected if rank == 1 else rank + 1] * 2
        return x.tolist(), y.tolist()

    assert on(3, play) == [([expected] * 2, [expected] * 2)] * 3


def test_parts_are_reduced_and_scattered() -> None:
    def play(rank: int) -> Any:
        even, uneven, listed = ones(2), ones(1 + rank), ones(1 + rank)
        dist.reduce_scatter_tensor(even, count(4, rank))
        dist.reduce_scatter_tensor_uneven(uneven, count(3, rank), [1, 2])
        dist.reduce_scatter(listed, [ones(1, times=3), ones(2, times=5)], "avg")
        return even.tolist(), uneven.tolist(), listed.tolist()

    assert on(2, play) == [([1, 3], [1], [3]), ([5, 7], [3, 5], [5, 5])]


def test_tensors_are_gathered() -> None:
    def play(rank: int) -> Any:
        flat, uneven, at_one = ones(4), ones(3), ones(4, times=9)
        listed, at_zero = [ones(2), ones(2)], [ones(2, times=9), ones(2, times=9)]
        x = count(2, 10 * rank)
        dist.all_gather_into_tensor(flat, x)
        dist.all_gather_into_tensor_uneven(uneven, x[: 2 - rank], [2, 1])
        dist.all_gather(listed, x)
        dist.gather_into_tensor(at_one, x, dst=1)
        dist.gather(x, at_zero, dst=0)
        assert flat.tolist() == [0, 1, 10, 11]
        assert uneven.tolist() == [0, 1, 10]
        assert [each.tolist() for each in listed] == [[0, 1], [10, 11]]
        return at_one.tolist(), [each.tolist() for each in at_zero]

    assert on(2, play) == [([9] * 4, [[0, 1], [10, 11]]), ([0, 1, 10, 11], [[9, 9], [9, 9]])]


def test_one_rank_deals_out_its_tensors() -> None:
    def play(rank: int) -> Any:
        even, listed, same = ones(2), ones(2), ones(2, times=rank)
        dist.scatter_tensor(even, count(4, 10 * rank), src=1)
        dist.scatter(listed, [count(2, 20 * rank), count(2, 30 * rank)], src=1)
        dist.broadcast(same, 1)
        return even.tolist(), listed.tolist(), same.tolist()

    assert on(2, play) == [([10, 11], [20, 21], [1, 1]), ([12, 13], [30, 31], [1, 1])]


def test_every_rank_sends_parts_to_every_other() -> None:
    def play(rank: int) -> Any:
        listed = [ones(1), ones(2)] if rank == 0 else [ones(2), ones(1)]
        dist.all_to_all(listed, [count(1, rank), count(2, 10)] if rank == 0 else [count(2, 20), count(1, rank)])
        single, counted = ones(3), ones(3 if rank == 0 else 1)
        dist.all_to_all_single(single, count(3, 10 * rank), [2, 1] if rank == 0 else [1, 2], [2 - rank, 1 + rank])
        dist.all_to_all_v_c(counted, count(2, 10 * rank), [1, 1, 2, 0])
        return [each.tolist() for each in listed], single.tolist(), counted.tolist()

    first, second = on(2, play)
    assert first == ([[0], [20, 21]], [0, 1, 10], [0, 10, 11])
    assert second == ([[10, 11], [1]], [2, 11, 12], [1])


def test_messages_find_their_tensors_in_any_order() -> None:
    def play(rank: int) -> Any:
        there, n = (rank + 1) % 3, 3
        sent, came = dist.isend(count(2, rank), there), ones(2)
        dist.irecv(came, (rank - 1) % n).wait()
        sent.wait()
        late = ones(1)
        if rank == 0:
            dist.send(Tensor([7.0]), 1, tag=4)
        if rank == 1:
            assert dist.recv(late, 0, tag=4) == 0
        batched = ones(1)
        dist.barrier()
        ops = [dist.P2POp("isend", Tensor([float(rank)]), there), dist.P2POp(dist.irecv, batched, (rank - 1) % n)]
        (handle,) = dist.batch_isend_irecv(ops)
        handle.wait()
        return came.tolist(), late.item(), batched.item()

    assert on(3, play) == [([2, 3], 1, 2), ([0, 1], 7, 0), ([1, 2], 1, 1)]


def test_objects_go_between_ranks() -> None:
    def play(rank: int) -> Any:
        everyone: list[Any] = [None, None]
        dist.all_gather_object(everyone, {"rank": rank})
        assert everyone == [{"rank": 0}, {"rank": 1}]
        gathered: list[Any] = [None, None]
        dist.gather_object((rank, "x"), gathered, dst=1)
        told, dealt, letter = [rank, str(rank)], [None], [None, None]
        dist.broadcast_object_list(told, src=1)
        dist.scatter_object_list(dealt, ["a", "b"] if rank == 0 else None, src=0)
        dist.send_object_list([1, "two"], 1) if rank == 0 else dist.recv_object_list(letter, 0)
        return gathered, told, dealt, letter

    first, second = on(2, play)
    assert first == ([None, None], [1, "1"], ["a"], [None, None])
    assert second == ([(0, "x"), (1, "x")], [1, "1"], ["b"], [1, "two"])


def test_a_parameter_and_a_view_take_what_is_written() -> None:
    def play(rank: int) -> Any:
        weight = ms.Parameter(ones(2, times=rank), name="weight")
        turned = ms.ops.broadcast_to(Tensor([float(rank)]), (3,))
        dist.all_reduce(weight)
        dist.all_reduce(turned)
        return weight.asnumpy().tolist(), turned.tolist()

    assert on(2, play) == [([1, 1], [1, 1, 1])] * 2


# --- functions that return ---


def test_functions_return_new_tensors_and_gradients_pass_through() -> None:
    def play(rank: int) -> Any:
        x = count(2, 10 * rank)
        assert comm_func.all_reduce(x, "avg")[0].tolist() == [5, 6]
        assert comm_func.all_gather_into_tensor(x)[0].tolist() == [0, 1, 10, 11]
        assert comm_func.reduce_scatter_tensor(x)[0].tolist() == [10 + 2 * rank]
        assert comm_func.broadcast(x, 1).tolist() == [10, 11]
        assert comm_func.scatter_tensor(x, 1).tolist() == [10 + rank]
        assert comm_func.gather_into_tensor(x, 0).tolist() == ([0, 1, 10, 11] if rank == 0 else [0])
        assert comm_func.reduce(x, 1).tolist() == ([10, 12] if rank else [0])
        _, handle = comm_func.all_reduce(x, async_op=True)
        assert handle is not None
        handle.wait()
        comm_func.barrier()
        return ms.grad(lambda x: (comm_func.all_reduce(x)[0] * (rank + 1)).sum())(x).tolist()

    assert on(2, play) == [[3, 3], [3, 3]]


def test_parts_of_any_shape_are_returned() -> None:
    def play(rank: int) -> Any:
        given = [ones(times=1), ones(2, 2, times=2)] if rank == 0 else [ones(2, times=3), ones(4, times=4)]
        made, _ = comm_func.all_to_all_with_output_shape([(), (2,)] if rank == 0 else [(2, 2), (4,)], given)
        rows, sizes = (3, [2, 1]) if rank == 0 else (2, [1, 1])
        x = Tensor((np.arange(rows * 3).reshape(rows, 3) + 9 * rank).astype("f4"))
        single, _ = comm_func.all_to_all_single_with_output_shape((rows, 3), x, sizes, sizes)
        counted = ones(1)
        comm_func.all_to_all_v_c(counted, ones(1, times=rank), [0, 1, 1, 0])
        return [each.tolist() for each in made], single.tolist(), counted.item()

    first, second = on(2, play)
    assert first == ([1, [3, 3]], [[0, 1, 2], [3, 4, 5], [9, 10, 11]], 1)
    assert second == ([[[2, 2], [2, 2]], [4] * 4], [[6, 7, 8], [12, 13, 14]], 0)


def test_messages_are_returned() -> None:
    def play(rank: int) -> Any:
        shape = ones(2)
        comm_func.send(count(2), 1) if rank == 0 else comm_func.recv(shape, 0)
        sent = comm_func.isend(count(2, 10 * rank), 1 - rank)
        came, handle = comm_func.irecv(shape, 1 - rank)
        handle.wait()
        sent.wait()
        assert shape.tolist() == [1, 1]
        send = comm_func.P2POp("isend", count(2, 5 * rank), 1 - rank)
        take = comm_func.P2POp("irecv", (2,), 1 - rank, recv_dtype=ms.float32)
        return came.tolist(), [each.tolist() for each in comm_func.batch_isend_irecv([send, take])]

    assert on(2, play) == [([10, 11], [0, [5, 6]]), ([0, 1], [0, [0, 1]])]


def test_functions_write_or_return_as_they_are_told() -> None:
    def play(rank: int) -> Any:
        x = ones(1)
        assert either.all_reduce(x) is None
        either.set_comm_ops_inplace(False, ["all_reduce", "all_gather_into_tensor"])
        made, _ = wrong(either.all_reduce(x))
        joined, _ = wrong(either.all_gather_into_tensor(wrong(None), x))
        either.set_comm_ops_inplace(True)
        either.all_reduce(x)
        with pytest.raises(ContextError, match="scatter only writes into its Tensors"):
            either.set_comm_ops_inplace(False, ["scatter"])
        return made.item(), joined.tolist(), x.item()

    assert on(2, play) == [(4, [2, 2], 4)] * 2


# --- what is refused ---


def test_a_compiled_function_takes_operators_instead() -> None:
    def step(x: Tensor) -> Tensor:
        dist.all_reduce(x)
        return x

    with pytest.raises(ModeError, match="all_reduce runs at once"):
        on(2, lambda rank: ms.jit(step)(ones(2)))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: dist.all_reduce(wrong([1.0])), DTypeError, "all_reduce takes Tensors"),
        (lambda: dist.all_reduce(ones(1), "mean"), DTypeError, "choose 'sum', 'prod', 'min', 'max' or 'avg'"),
        (lambda: dist.all_reduce(ones(1), async_op=wrong(1)), DTypeError, "async_op is 1"),
        (lambda: dist.all_gather([ones(1)], ones(1)), DTypeError, "1 Tensors in a group of 2 ranks"),
        (lambda: dist.all_gather_into_tensor(ones(3), ones(1)), RuleError, "into 2 equal parts"),
        (lambda: dist.all_gather_into_tensor(ones(4), ones(1)), DTypeError, "does not fit into"),
        (lambda: dist.broadcast(ones(1), 2), WorldError, "rank 2 is none of the group's"),
        (lambda: dist.broadcast(ones(1), wrong("0")), DTypeError, "not by '0'"),
        (lambda: dist.isend(ones(1), dist.get_rank()), WorldError, "is this rank itself"),
        (lambda: dist.P2POp("send", ones(1), 0), DTypeError, "choose 'isend' or 'irecv'"),
        (lambda: dist.P2POp("isend", ones(1), 0, tag=1), NotYetError, "tag is 1"),
        (lambda: dist.batch_isend_irecv([]), DTypeError, "a list of P2POp"),
        (lambda: dist.all_gather_object([None], 1), DTypeError, "1 places in a group of 2 ranks"),
        (lambda: dist.new_group(wrong((0, 1))), DTypeError, "give a list of ranks"),
        (lambda: comm_func.all_reduce(wrong(1.0)), DTypeError, "takes a Tensor, not 1.0"),
        (lambda: comm_func.P2POp("irecv", (2,), 0), DTypeError, "needs recv_dtype as well"),
    ],
)
def test_mistakes_are_told(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        on(2, lambda rank: call())
