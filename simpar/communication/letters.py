"""Tensors from rank to rank; part of ``mindspore.mint.distributed``."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from simpar.collectives import Request
from simpar.communication.handles import CommHandle, finish, group_of, memory, place_in, swap
from simpar.errors import DTypeError, NotYetError, WorldError
from simpar.tensor import Tensor

__all__ = ["P2POp", "batch_isend_irecv", "irecv", "isend", "recv", "send"]


def send(tensor: Tensor, dst: int = 0, group: str | None = None, tag: int = 0) -> None:
    """Send a Tensor to a rank, which calls ``recv``; return when it may be changed again."""
    isend(tensor, dst, group, tag).wait()


def recv(tensor: Tensor, src: int = 0, group: str | None = None, tag: int = 0) -> int:
    """Write into a Tensor what a rank sends, and return 0."""
    irecv(tensor, src, group, tag).wait()
    return 0


def isend(tensor: Tensor, dst: int = 0, group: str | None = None, tag: int = 0) -> CommHandle:
    """Start to send a Tensor to a rank; it stays unchanged until the handle was awaited."""
    ranks, x = group_of("isend", group), memory("isend", tensor)
    place = place_in("isend", ranks, dst)
    if place == ranks.rank:
        raise WorldError(f"isend: rank {dst} is this rank itself; send to another.")
    return _started(swap(ranks, {place: x}, {}, tag))


def irecv(tensor: Tensor, src: int = 0, group: str | None = None, tag: int = 0) -> CommHandle:
    """Start to write into a Tensor what a rank sends; it is there when the handle was awaited."""
    ranks, x = group_of("irecv", group), memory("irecv", tensor)
    return _started(swap(ranks, {}, {place_in("irecv", ranks, src): x}, tag))


class P2POp:
    """One message of ``batch_isend_irecv``.

    Args:
        op: ``"isend"`` or ``"irecv"``, or the function of that name.
        tensor: what is sent, or what is written into.
        peer: the other rank.
        group: the name of the group.
        tag: 0.
    """

    def __init__(
        self, op: str | Callable[..., Any], tensor: Tensor, peer: int, group: str | None = None, tag: int = 0
    ) -> None:
        name = op if isinstance(op, str) else getattr(op, "__name__", repr(op))
        if name not in ("isend", "irecv"):
            raise DTypeError(f"P2POp: op is {op!r}; choose 'isend' or 'irecv'.")
        memory("P2POp", tensor)
        if tag != 0:
            raise NotYetError(f"P2POp: tag is {tag}; it takes none but 0, as in MindSpore.")
        self.op, self.tensor, self.peer, self.group, self.tag = name, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list: Sequence[P2POp]) -> list[CommHandle]:
    """Start some messages together, and return one handle for all."""
    if not p2p_op_list or not all(isinstance(each, P2POp) for each in cast("Sequence[object]", p2p_op_list)):
        raise DTypeError(f"batch_isend_irecv takes a list of P2POp, not {p2p_op_list!r}.")
    if len({each.group for each in p2p_op_list}) > 1:
        raise DTypeError("batch_isend_irecv takes messages of one group; call it once for each group.")
    order = sorted(p2p_op_list, key=lambda each: each.op == "isend")  # whoever sends finds that it is awaited
    requests = [each for op in order for each in _message(op)]
    return [_started(requests)]


def _message(op: P2POp) -> list[Request]:
    ranks, x = group_of(op.op, op.group), memory(op.op, op.tensor)
    place = place_in(op.op, ranks, op.peer)
    return swap(ranks, {place: x}, {}, 0) if op.op == "isend" else swap(ranks, {}, {place: x}, 0)


def _started(requests: Sequence[Request]) -> CommHandle:
    handle = finish(requests, True)
    assert handle is not None, "who wants to wait himself gets a handle"
    return handle
