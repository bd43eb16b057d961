"""``mindspore.communication.comm_func``: collectives as functions that return new Tensors.

Most are the operators of ``ops`` as functions, so that gradients pass through them and compiled functions may hold
them; they return their result and a handle, which is None unless ``async_op`` asks for one. ``group`` is the name of a
group; ranks are numbers in the world.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from simpar import ops
from simpar.communication import in_place, letters
from simpar.communication.handles import CommHandle, finish, group_of
from simpar.communication.letters import isend, send
from simpar.communication.places import (
    get_group_rank_from_world_rank,
    get_group_size,
    get_process_group_ranks,
)
from simpar.dtype import DType
from simpar.errors import DTypeError
from simpar.ops import WORLD_GROUPS
from simpar.tensor import Tensor

__all__ = [
    "P2POp",
    "all_gather_into_tensor",
    "all_reduce",
    "all_to_all_single_with_output_shape",
    "all_to_all_v_c",
    "all_to_all_with_output_shape",
    "barrier",
    "batch_isend_irecv",
    "broadcast",
    "gather_into_tensor",
    "irecv",
    "isend",
    "recv",
    "reduce",
    "reduce_scatter_tensor",
    "scatter_tensor",
    "send",
]

WORLD = WORLD_GROUPS[0]

Made = tuple[Tensor, CommHandle | None]


def all_reduce(tensor: Tensor, op: str = "sum", group: str = WORLD, async_op: bool = False) -> Made:
    """Return the Tensors of all ranks, combined."""
    made = ops.AllReduce("sum" if op == "avg" else op, group)(_tensor("all_reduce", tensor))
    return _mean(made, op, group), finish([], async_op)


def all_gather_into_tensor(tensor: Tensor, group: str = WORLD, async_op: bool = False) -> Made:
    """Return the Tensors of all ranks, joined along axis 0."""
    return ops.AllGather(group)(_tensor("all_gather_into_tensor", tensor)), finish([], async_op)


def reduce_scatter_tensor(tensor: Tensor, op: str = "sum", group: str = WORLD, async_op: bool = False) -> Made:
    """Return this rank's part of axis 0 of the Tensors of all ranks, combined."""
    made = ops.ReduceScatter("sum" if op == "avg" else op, group)(_tensor("reduce_scatter_tensor", tensor))
    return _mean(made, op, group), finish([], async_op)


def reduce(tensor: Tensor, dst: int, op: str = "sum", group: str = WORLD) -> Tensor:
    """Return the Tensors of all ranks, combined, on rank ``dst``; a 0 of shape (1,) elsewhere."""
    return ops.Reduce(get_group_rank_from_world_rank(dst, group), op, group)(_tensor("reduce", tensor))


def scatter_tensor(tensor: Tensor, src: int = 0, group: str = WORLD) -> Tensor:
    """Return this rank's part of axis 0 of the Tensor of rank ``src``."""
    return ops.CollectiveScatter(get_group_rank_from_world_rank(src, group), group)(_tensor("scatter_tensor", tensor))


def gather_into_tensor(tensor: Tensor, dst: int = 0, group: str = WORLD) -> Tensor:
    """Return the Tensors of all ranks, joined along axis 0, on rank ``dst``; a 0 of shape (1,) elsewhere."""
    place = get_group_rank_from_world_rank(dst, group)
    return ops.CollectiveGather(place, group)(_tensor("gather_into_tensor", tensor))


def broadcast(tensor: Tensor, src: int = 0, group: str = WORLD) -> Tensor:
    """Return the Tensor of rank ``src``."""
    get_group_rank_from_world_rank(src, group)  # refuses a rank that is not in the group
    return ops.Broadcast(src, group)((_tensor("broadcast", tensor),))[0]


def barrier(group: str = WORLD) -> None:
    """Return when every rank of the group has come here."""
    group_of("barrier", group).barrier()


# --- parts of unlike length ---


def all_to_all_with_output_shape(
    output_shape_list: Sequence[Tensor | Sequence[int]],
    input_tensor_list: Sequence[Tensor],
    group: str | None = None,
    async_op: bool = False,
) -> tuple[tuple[Tensor, ...], CommHandle | None]:
    """Send Tensor i to rank i, and return what comes from each, in shapes that are given."""
    name = "all_to_all_with_output_shape"
    given = [_tensor(name, x) for x in input_tensor_list]
    shapes = [x.shape if isinstance(x, Tensor) else tuple(x) for x in output_shape_list]
    flat = given[0].reshape(-1) if len(given) == 1 else ops.concat([x.reshape(-1) for x in given])
    made = ops.AlltoAllV(group)(flat, [x.size for x in given], [_size(shape) for shape in shapes])
    parts: list[Tensor] = []
    start = 0
    for shape in shapes:
        parts.append(made[start : start + _size(shape)].reshape(shape) if made.ndim else made)
        start += _size(shape)
    return tuple(parts), finish([], async_op)


def all_to_all_single_with_output_shape(
    output_shape: Tensor | Sequence[int],
    tensor: Tensor,
    output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None,
    group: str | None = None,
    async_op: bool = False,
) -> Made:
    """Send part i of axis 0 to rank i, and return what comes, joined along axis 0."""
    shape = output_shape.shape if isinstance(output_shape, Tensor) else tuple(output_shape)
    x, n = _tensor("all_to_all_single_with_output_shape", tensor), get_group_size(WORLD if group is None else group)
    send = [rows * _size(x.shape[1:]) for rows in input_split_sizes or [x.shape[0] // n] * n]
    receive = [rows * _size(shape[1:]) for rows in output_split_sizes or [shape[0] // n] * n]
    made = ops.AlltoAllV(group)(x.reshape(-1), send, receive)
    return made.reshape((-1, *shape[1:])) if made.ndim else made, finish([], async_op)


all_to_all_v_c = in_place.all_to_all_v_c


# --- messages ---


def recv(tensor: Tensor, src: int = 0, group: str = WORLD, tag: int = 0) -> Tensor:
    """Return what a rank sends, of the shape and type of ``tensor``."""
    made, handle = irecv(tensor, src, group, tag)
    handle.wait()
    return made


def irecv(tensor: Tensor, src: int = 0, group: str = WORLD, tag: int = 0) -> tuple[Tensor, CommHandle]:
    """Return a Tensor of the shape and type of ``tensor`` that holds what a rank sends when the handle was awaited."""
    made = _tensor("irecv", tensor).copy()
    return made, letters.irecv(made, src, group, tag)


class P2POp:
    """One message of ``batch_isend_irecv``.

    Args:
        op: ``"isend"`` or ``"irecv"``, or the function of that name.
        tensor: what is sent, or a Tensor of the shape and type of what comes, or its shape.
        peer: the other rank.
        group: the name of the group.
        tag: 0.
        recv_dtype: the type of what comes, if only its shape is given.
    """

    def __init__(
        self,
        op: str | Callable[..., Any],
        tensor: Tensor | Sequence[int],
        peer: int,
        group: str | None = None,
        tag: int = 0,
        *,
        recv_dtype: DType | None = None,
    ) -> None:
        if not isinstance(tensor, Tensor) and recv_dtype is None:
            raise DTypeError(f"P2POp: a shape, {tensor!r}, needs recv_dtype as well; or give a Tensor.")
        name = op if isinstance(op, str) else getattr(op, "__name__", repr(op))
        held = tensor.copy() if isinstance(tensor, Tensor) else ops.zeros(tuple(tensor), recv_dtype).copy()
        self.message = letters.P2POp(name, held, peer, group, tag)


def batch_isend_irecv(p2p_op_list: Sequence[P2POp]) -> tuple[Tensor, ...]:
    """Send and receive together; return what comes, and a scalar 0 in the place of what goes."""
    if not all(isinstance(each, P2POp) for each in cast("Sequence[object]", p2p_op_list)):
        raise DTypeError(f"batch_isend_irecv takes a list of P2POp, not {p2p_op_list!r}.")
    messages = [each.message for each in p2p_op_list]
    for handle in letters.batch_isend_irecv(messages):
        handle.wait()
    return tuple(each.tensor if each.op == "irecv" else Tensor(0, each.tensor.dtype) for each in messages)


# --- checks ---


def _tensor(name: str, given: object) -> Tensor:
    if not isinstance(given, Tensor):
        raise DTypeError(f"{name} takes a Tensor, not {given!r}.")
    return given


def _mean(total: Tensor, op: str, group: str) -> Tensor:
    return total / len(get_process_group_ranks(group)) if op == "avg" else total


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
