"""Collectives as calls: each instruction that moves data becomes a function without arguments, planned once.

Buckets are one message over one flat buffer. Where the members already stand side by side the buffer is their own
memory; otherwise they are packed into one and unpacked after.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import Communicator, Request, World
from simpar.errors import WorldError
from simpar.layout import AllGather, Box, HaloExchange, HaloReduce, ReduceScatter, Step
from simpar.partition import Collective, Instruction, Plan

__all__ = ["Move", "plan_move"]

Array = NDArray[Any]
Call = Callable[[], None]


class Move:
    """A collective that can run at once, or be started early and awaited late.

    Args:
        before: copies that make the buffer ready.
        run: the blocking collective.
        start: the same, started; None if it can only block.
        after: copies that bring results to their place.
    """

    def __init__(
        self,
        run: Call,
        start: Callable[[], Request] | None = None,
        before: Sequence[Call] = (),
        after: Sequence[Call] = (),
    ) -> None:
        self._run, self._start, self._before, self._after = run, start, tuple(before), tuple(after)
        self._request: Request | None = None

    @property
    def can_start(self) -> bool:
        """Whether it can run while other instructions do."""
        return self._start is not None

    def run(self) -> None:
        """Move the data and return when it is there."""
        for copy in self._before:
            copy()
        self._run()
        for copy in self._after:
            copy()

    def start(self) -> None:
        """Begin to move the data; its buffers are not to be touched until ``wait``."""
        assert self._start is not None, "a move that only blocks is not started"
        for copy in self._before:
            copy()
        self._request = self._start()

    def wait(self) -> None:
        """Return when the data is there."""
        assert self._request is not None, "a move is started before it is awaited"
        self._request.wait()
        for copy in self._after:
            copy()


def plan_move(ins: Instruction, plan: Plan, inputs: Sequence[Array], outputs: Sequence[Array], world: World) -> Move:
    """Return the call that runs one collective on these arrays.

    Raises:
        WorldError: the collective names a rank that the world does not have.
    """
    moved = ins.collective
    assert moved is not None, "only collectives move data"
    if ins.op in ("send", "receive"):
        return _between_stages(ins, moved, inputs, outputs, world)
    if ins.op == "neighbor_exchange":
        return _messages(ins, inputs, outputs, world)
    group = world.group(moved.group)
    if not moved.steps:
        return _hand_written(ins, moved, group, inputs, outputs)
    step = moved.steps[0]
    if isinstance(step, HaloExchange | HaloReduce):
        return _between_neighbours(plan, step, ins, group, inputs[0], outputs[0])
    if ins.op == "all_reduce":
        return _all_reduce(group, moved.combine, inputs, outputs)
    if ins.op == "reduce_scatter":
        assert isinstance(step, ReduceScatter), "the node is named after its step"
        return _reduce_scatter(group, moved.combine, step.tensor_axis, inputs, outputs)
    if isinstance(step, AllGather) and step.tensor_axis == 0:
        return _all_gather(group, inputs, outputs)
    return _exchange(plan, step, ins, group, inputs[0], outputs[0])


# --- reductions ---


def _all_reduce(group: Communicator, combine: str, inputs: Sequence[Array], outputs: Sequence[Array]) -> Move:
    """Sum in place; operands that are elsewhere are copied first."""
    before = [_copy(y, x) for x, y in zip(inputs, outputs, strict=True) if not _same_memory(x, y)]
    buffer = side_by_side(outputs)
    after: list[Call] = []
    if buffer is None:
        buffer = _flat_buffer(group, sum(y.size for y in outputs), outputs[0].dtype)
        parts = _parts(buffer, outputs)
        before = [_copy(part, x) for part, x in zip(parts, inputs, strict=True)]
        after = [_copy(y, part) for part, y in zip(parts, outputs, strict=True)]
    whole = buffer
    return Move(lambda: group.all_reduce(whole, combine), lambda: group.start_all_reduce(whole, combine), before, after)


def _reduce_scatter(
    group: Communicator, combine: str, axis: int, inputs: Sequence[Array], outputs: Sequence[Array]
) -> Move:
    """Give each rank of the group its block of an axis: rank-major in the buffer, all members of a rank together."""
    n = group.size
    receive = side_by_side(outputs)
    if len(inputs) == 1 and axis == 0 and inputs[0].flags.c_contiguous and receive is not None:
        send = inputs[0].reshape(-1)
        target = receive
        return Move(
            lambda: group.reduce_scatter(send, target, combine),
            lambda: group.start_reduce_scatter(send, target, combine),
        )
    total = sum(y.size for y in outputs)
    after: list[Call] = []
    if receive is None:
        receive = _flat_buffer(group, total, outputs[0].dtype)
        after = [_copy(y, part) for part, y in zip(_parts(receive, outputs), outputs, strict=True)]
    packed = _flat_buffer(group, n * total, outputs[0].dtype).reshape(n, total)
    order = sorted(range(len(outputs)), key=lambda k: _address(outputs[k])) if not after else range(len(outputs))
    before: list[Call] = []
    at = 0
    for k in order:
        x, y = inputs[k], outputs[k]
        blocks = np.moveaxis(x.reshape(*x.shape[:axis], n, x.shape[axis] // n, *x.shape[axis + 1 :]), axis, 0)
        before.append(_copy(packed[:, at : at + y.size].reshape(blocks.shape), blocks))
        at += y.size
    send, target = packed.reshape(-1), receive
    return Move(
        lambda: group.reduce_scatter(send, target, combine),
        lambda: group.start_reduce_scatter(send, target, combine),
        before,
        after,
    )


# --- gathers and exchanges ---


def _all_gather(group: Communicator, inputs: Sequence[Array], outputs: Sequence[Array]) -> Move:
    """Join the slices of axis 0; the members of a bucket travel together and are dealt out after."""
    n = group.size
    sorted_pairs = sorted(zip(inputs, outputs, strict=True), key=lambda pair: _address(pair[0]))
    inputs, outputs = [x for x, _ in sorted_pairs], [y for _, y in sorted_pairs]
    before: list[Call] = []
    send = side_by_side(inputs)
    if send is None:
        send = _flat_buffer(group, sum(x.size for x in inputs), inputs[0].dtype)
        before = [_copy(part, x) for part, x in zip(_parts(send, inputs), inputs, strict=True)]
    after: list[Call] = []
    if len(outputs) == 1 and outputs[0].flags.c_contiguous:
        receive = outputs[0].reshape(-1)
    else:
        receive = _flat_buffer(group, n * send.size, send.dtype)
        rows, at = receive.reshape(n, send.size), 0
        for x, y in zip(inputs, outputs, strict=True):
            after.append(_copy(y.reshape(n, x.size), rows[:, at : at + x.size]))
            at += x.size
    source = send
    return Move(
        lambda: group.all_gather(source, receive), lambda: group.start_all_gather(source, receive), before, after
    )


def _exchange(plan: Plan, step: Step, ins: Instruction, group: Communicator, source: Array, target: Array) -> Move:
    """Move boxes: all_to_all, permute, gathers along other axes, and the general exchange."""
    shape = plan.values[ins.inputs[0]].shape
    send, receive = step.transfers(shape, plan.rank)
    ranks = group.ranks
    exchange = group.prepare_exchange(source, _by_rank(send, ranks), target, _by_rank(receive, ranks))
    return Move(exchange.run)


def _by_rank(moves: Sequence[tuple[int, Box]], ranks: tuple[int, ...]) -> list[tuple[slice, ...] | None]:
    boxes = {peer: _index(box) for peer, box in moves}
    assert len(boxes) == len(moves), "one box goes between two ranks"
    return [boxes.get(r) for r in ranks]


# --- halos ---


class _Together:
    """Messages that are awaited together."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests

    def wait(self) -> None:
        for request in self._requests:
            request.wait()


def _between_neighbours(
    plan: Plan, step: HaloExchange | HaloReduce, ins: Instruction, group: Communicator, x: Array, y: Array
) -> Move:
    """Send each neighbour its box and receive those of the others, in messages from rank to rank.

    Boxes of a halo are laid into what the rank holds; terms of a halo are added to its slice in the group's order.
    """
    send, receive = (dict(boxes) for boxes in step.transfers(plan.values[ins.inputs[0]].shape, plan.rank))
    place, tag = {r: k for k, r in enumerate(group.ranks)}, FIRST_TAG + ins.outputs[0] % TAGS
    own, there = send.pop(plan.rank, None), receive.pop(plan.rank, None)
    gives = {place[peer]: x[_index(box)] for peer, box in send.items()}
    takes = {place[peer]: y[_index(box)] for peer, box in receive.items()}
    outgoing, incoming = (
        {peer: _flat_buffer(group, box.size, box.dtype).reshape(box.shape) for peer, box in side.items()}
        for side in (gives, takes)
    )

    def start() -> Request:
        requests = [group.start_receive(buffer, peer, tag) for peer, buffer in incoming.items()]
        return _Together(requests + [group.start_send(buffer, peer, tag) for peer, buffer in outgoing.items()])

    before = [_copy(outgoing[peer], box) for peer, box in gives.items()]
    if isinstance(step, HaloReduce):
        before.append(lambda: y.fill(0))  # rows that no window of this rank covers
    if own is not None and there is not None:
        before.append(_copy(y[_index(there)], x[_index(own)]))
    unpack = _add if isinstance(step, HaloReduce) else _copy
    after = [unpack(takes[peer], buffer) for peer, buffer in incoming.items()]
    return Move(lambda: start().wait(), start, before, after)


def _index(box: Box) -> tuple[slice, ...]:
    return tuple(slice(start, stop) for start, stop in box)


# --- collectives and messages that the user wrote ---


def _messages(ins: Instruction, inputs: Sequence[Array], outputs: Sequence[Array], world: World) -> Move:
    """Send Tensors to some ranks while others come from some; what is made where nothing comes is 0."""
    everyone, tag = world.communicator, FIRST_TAG + TAGS + ins.attrs["tag"] % FIRST_TAG
    sent = inputs[: len(ins.attrs["to"])]
    packed = [_flat_buffer(everyone, x.size, x.dtype).reshape(x.shape) for x in sent]
    before = [_copy(buffer, x) for buffer, x in zip(packed, sent, strict=True)]
    if not ins.attrs["source"]:
        before.append(lambda: outputs[0].fill(0))

    def run() -> None:
        coming = zip(ins.attrs["source"], outputs, strict=False)
        requests: list[Request] = [everyone.start_receive(y, source, tag) for source, y in coming]
        requests += [everyone.start_send(x, to, tag) for to, x in zip(ins.attrs["to"], packed, strict=True)]
        _Together(requests).wait()

    return Move(run, None, before)


def _hand_written(
    ins: Instruction, moved: Collective, group: Communicator, inputs: Sequence[Array], outputs: Sequence[Array]
) -> Move:
    if ins.op == "all_reduce":
        return _all_reduce(group, moved.combine, inputs, outputs)
    if ins.op == "all_gather":
        return _all_gather(group, inputs, outputs)
    if ins.op == "reduce_scatter":
        return _reduce_scatter(group, moved.combine, 0, inputs, outputs)
    if ins.op == "broadcast":
        y, root = outputs[0], _place_of(ins.attrs["root"], group)
        before = [_copy(y, x) for x in inputs if not _same_memory(x, y)]
        return Move(lambda: group.broadcast(y, root), None, before)
    if ins.op == "all_to_all":
        return _all_to_all(ins, group, inputs[0], outputs[0])
    raise WorldError(f"{ins.where}: the collective {ins.op} is not one that simpar runs.")


def _place_of(rank: int, group: Communicator) -> int:
    if rank not in group.ranks:
        raise WorldError(f"rank {rank} is not in the group {group.ranks}. Name one of its ranks.")
    return group.ranks.index(rank)


def _all_to_all(ins: Instruction, group: Communicator, x: Array, y: Array) -> Move:
    """Cut ``split_dim`` into as many parts as there are ranks and join what comes along ``concat_dim``."""
    n, cut, join = group.size, ins.attrs["split_dim"], ins.attrs["concat_dim"]
    part, piece = x.shape[cut] // n, y.shape[join] // n

    def box(ndim: int, axis: int, r: int, length: int) -> tuple[slice, ...]:
        return tuple(slice(r * length, (r + 1) * length) if a == axis else slice(None) for a in range(ndim))

    send = [box(x.ndim, cut, r, part) for r in range(n)]
    receive = [box(y.ndim, join, r, piece) for r in range(n)]
    return Move(group.prepare_exchange(x, send, y, receive).run)


# --- between the stages of a pipeline ---

FIRST_TAG, TAGS = 1000, 30000


def _between_stages(
    ins: Instruction, moved: Collective, inputs: Sequence[Array], outputs: Sequence[Array], world: World
) -> Move:
    """Send to the rank in this one's place on another stage, or receive from it, by messages among all ranks."""
    everyone, tag = world.communicator, FIRST_TAG + ins.attrs["tag"] % TAGS
    source, target = moved.group
    if ins.op == "receive":
        y = outputs[0]
        return Move(lambda: everyone.receive(y, source, tag), lambda: everyone.start_receive(y, source, tag))
    x = inputs[0]
    before: list[Call] = []
    if not x.flags.c_contiguous:
        packed = _flat_buffer(everyone, x.size, x.dtype).reshape(x.shape)
        before, x = [_copy(packed, x)], packed
    message = x
    return Move(lambda: everyone.send(message, target, tag), lambda: everyone.start_send(message, target, tag), before)


# --- memory ---


def _copy(target: Array, source: Array) -> Call:
    return lambda: np.copyto(target, source)


def _add(target: Array, source: Array) -> Call:
    def add() -> None:
        np.add(target, source, out=target)

    return add


def _address(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


def _same_memory(x: Array, y: Array) -> bool:
    return _address(x) == _address(y) and x.strides == y.strides and x.shape == y.shape


def _flat_buffer(group: Communicator, size: int, dtype: np.dtype[Any]) -> Array:
    return group.allocate(max(size * dtype.itemsize, 1)).view(dtype)[:size]


def _parts(buffer: Array, like: Sequence[Array]) -> list[Array]:
    """Cut a flat buffer into pieces of the sizes and shapes of ``like``."""
    parts: list[Array] = []
    at = 0
    for x in like:
        parts.append(buffer[at : at + x.size].reshape(x.shape))
        at += x.size
    return parts


def side_by_side(arrays: Sequence[Array]) -> Array | None:
    """Return one flat array over all these, in the order of their addresses, if they leave no gap; else None."""
    by_place = sorted(arrays, key=_address)
    if any(not x.flags.c_contiguous for x in by_place):
        return None
    for x, y in pairwise(by_place):
        if _address(x) + x.nbytes != _address(y) or x.dtype != y.dtype:
            return None
    first = by_place[0]
    if len(by_place) == 1:
        return first.reshape(-1)
    total = sum(x.size for x in by_place)
    base = first
    while isinstance(base.base, np.ndarray):
        base = base.base
    raw = base.reshape(-1).view(np.uint8)
    start = _address(first) - _address(raw)
    if start < 0 or start + total * first.itemsize > raw.nbytes:
        return None  # neighbours by chance, of different memory
    return raw[start : start + total * first.itemsize].view(first.dtype)
