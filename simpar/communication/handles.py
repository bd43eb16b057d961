"""What functions of collectives share: the group they speak in, the memory of Tensors, what is still on its way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import Communicator, Request, solo_world
from simpar.context import current
from simpar.errors import DTypeError, ModeError, RuleError, WorldError
from simpar.ops import WORLD_GROUPS, ranks_of_group
from simpar.tensor import Tensor

__all__ = [
    "Array",
    "CommHandle",
    "combined_by",
    "divide",
    "finish",
    "group_of",
    "memory",
    "place_in",
    "rows_by_place",
    "swap",
    "tensors",
]

Array = NDArray[Any]

_SWAP_TAG = 90_000
"""Tags of a user's messages begin above; those of programs end below."""


class _Waits(Protocol):
    def wait(self) -> None: ...


class CommHandle:
    """Something that was started.

    Args:
        requests: what it waits for.
        after: what is done when they have come.
    """

    def __init__(self, requests: Sequence[_Waits] = (), after: Callable[[], object] | None = None) -> None:
        self._requests, self._after = tuple(requests), after

    @property
    def is_pending(self) -> bool:
        """Whether nobody waited for it yet."""
        return bool(self._requests) or self._after is not None

    def wait(self) -> None:
        """Return when it is done and its Tensors may be used."""
        requests, after = self._requests, self._after
        self._requests, self._after = (), None
        for request in requests:
            request.wait()
        if after is not None:
            after()


def finish(requests: Sequence[Request], async_op: bool, after: Callable[[], object] | None = None) -> CommHandle | None:
    """Wait for requests, or return the handle of those who want to wait themselves.

    Raises:
        DTypeError: ``async_op`` is no bool.
    """
    if not isinstance(async_op, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"async_op is {async_op!r}; give True or False.")
    handle = CommHandle(requests, after)
    if not async_op:
        handle.wait()
        return None
    pending: list[CommHandle] = current().others.setdefault("started", [])
    pending[:] = [each for each in pending if each.is_pending]
    pending.append(handle)  # so that its memory lives as long as it needs
    return handle


def group_of(name: str, group: str | None) -> Communicator:
    """Return the ranks of a named group, or all.

    Raises:
        ModeError: a function is being compiled.
        WorldError: there is no such group, or this rank does not belong to it.
    """
    context, ranks = current(), ranks_of_group(WORLD_GROUPS[0] if group is None else group)
    if context.trace is not None:
        raise ModeError(
            f"{name} runs at once, so that it cannot be part of a function that is compiled or differentiated, as in "
            "MindSpore. Call it outside of it, or use the operator: ops.AllReduce, ops.AlltoAllV and the others."
        )
    if context.planner is not None:
        context.planner.asked(f"a collective outside of a program, {name},")
    world = context.world or solo_world()
    if ranks is not None and world.rank not in ranks:
        raise WorldError(f"{name}: rank {world.rank} is not in group {group!r}, whose ranks are {list(ranks)}.")
    return world.communicator if ranks is None else world.group(ranks)


def place_in(name: str, group: Communicator, rank: object) -> int:
    """Return the place in a group of a rank that is named by its number in the world."""
    if isinstance(rank, bool) or not isinstance(rank, int):
        raise DTypeError(f"{name}: a rank is named by its number in the world, not by {rank!r}.")
    if rank not in group.ranks:
        raise WorldError(f"{name}: rank {rank} is none of the group's, {list(group.ranks)}; name one.")
    return group.ranks.index(rank)


def memory(name: str, x: object) -> Array:
    """Return the array that a Tensor holds, for results to be written to or for values to be read."""
    if not isinstance(x, Tensor):
        raise DTypeError(f"{name} takes Tensors, not {x!r}.")
    return x.writable()


def tensors(name: str, given: object, n: int | None = None) -> list[Array]:
    """Return the arrays of a list of Tensors of one type, as many as the group has ranks if ``n`` says so."""
    if not isinstance(given, list | tuple):
        raise DTypeError(f"{name} takes a list of Tensors, not {given!r}.")
    held = [memory(name, x) for x in cast("Sequence[object]", given)]
    if n is not None and len(held) != n:
        raise DTypeError(f"{name} was given {len(held)} Tensors in a group of {n} ranks; give one for each.")
    if len({x.dtype for x in held}) > 1:
        raise DTypeError(f"{name} takes Tensors of one type, not of {', '.join(sorted({str(x.dtype) for x in held}))}.")
    return held


def combined_by(name: str, op: object) -> str:
    """Return how a communicator combines values for one of MindSpore's five operations."""
    if op not in ("sum", "prod", "min", "max", "avg"):
        raise DTypeError(f"{name}: op is {op!r}; choose 'sum', 'prod', 'min', 'max' or 'avg'.")
    return "sum" if op == "avg" else str(op)


def divide(x: Array, op: object, n: int) -> None:
    """Make a mean of a sum, where a mean is wanted."""
    if op == "avg":
        np.copyto(x, x / n, casting="unsafe")


def rows_by_place(name: str, x: Array, sizes: Sequence[int] | None, n: int) -> dict[int, Array]:
    """Cut an array along axis 0 into the parts of ``n`` ranks: of these lengths, or of one.

    Raises:
        RuleError: the lengths do not add up to the axis, or it cannot be cut into equal parts.
    """
    rows = x.shape[0] if x.ndim else 0
    lengths = list(sizes or ()) or [rows // n] * n
    if len(lengths) != n or sum(lengths) != rows or min(lengths) < 0:
        told = f"into {n} equal parts" if not sizes else f"into {n} parts of {lengths}"
        raise RuleError(f"{name} cannot cut axis 0 of shape {x.shape} {told}.")
    ends = np.cumsum(lengths)
    return {place: x[end - length : end] for place, (end, length) in enumerate(zip(ends, lengths, strict=True))}


def swap(
    group: Communicator, gives: Mapping[int, Array], takes: Mapping[int, Array], tag: int | None = None
) -> list[Request]:
    """Start to give places their parts and to take those of others; what has no elements is not sent.

    Args:
        gives, takes: contiguous arrays by the place of the other rank.
        tag: of the user's messages; None for those of a collective.
    """
    here, number = group.rank, _SWAP_TAG if tag is None else _SWAP_TAG + 1 + tag
    if here in takes:
        takes[here][...] = gives[here].reshape(takes[here].shape)
    coming = [group.start_receive(x, place, number) for place, x in takes.items() if place != here and x.size]
    return coming + [group.start_send(x, place, number) for place, x in gives.items() if place != here and x.size]
