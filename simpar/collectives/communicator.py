"""What a group of ranks can do: protocols that MPI and threads both keep.

Every collective is called by all ranks of the group, in the same order. Arrays are numpy's and C-contiguous; a block is
one of ``size`` equal pieces along the flat array, in the order of the group.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simpar.errors import WorldError
from simpar.recorder import Mailbox

__all__ = [
    "ALIGNMENT_BYTES",
    "COMBINE",
    "Array",
    "Communicator",
    "Exchange",
    "Region",
    "Request",
    "Transport",
    "aligned_zeros",
    "blocks",
    "check_combine",
    "check_ranks",
    "flat",
]

Array = NDArray[Any]
Region = tuple[slice, ...] | None
"""A box of an array, one slice per axis, or None for nothing."""

ALIGNMENT_BYTES = 64
"""Every buffer starts on a cache line, which is also the width of an AVX-512 register."""

COMBINE: dict[str, Callable[..., Any]] = {
    "sum": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "prod": np.multiply,
}
"""How terms become one value, by name."""


class Request(Protocol):
    """An operation that was started and may still run."""

    def wait(self) -> None:
        """Return when the buffers of the operation may be used again."""
        ...


class Exchange(Protocol):
    """A transfer of boxes between the ranks of a group, planned once and run many times."""

    @property
    def volume_bytes(self) -> int:
        """Bytes that this rank sends to other ranks per run."""
        ...

    def run(self) -> None:
        """Move the boxes; every rank of the group runs its part."""
        ...


class Communicator(Protocol):
    """One group of ranks, seen from one of them."""

    @property
    def rank(self) -> int:
        """The place of this rank in the group."""
        ...

    @property
    def size(self) -> int:
        """How many ranks the group has."""
        ...

    @property
    def ranks(self) -> tuple[int, ...]:
        """The world's numbers of the ranks, in the order of the group."""
        ...

    def allocate(self, nbytes: int) -> NDArray[np.uint8]:
        """Return zeroed bytes, aligned to 64, that this group's collectives may use."""
        ...

    def all_reduce(self, buffer: Array, combine: str = "sum") -> None:
        """Replace ``buffer`` on every rank by the buffers of all ranks, combined."""
        ...

    def start_all_reduce(self, buffer: Array, combine: str = "sum") -> Request:
        """Start what ``all_reduce`` does."""
        ...

    def all_gather(self, send: Array, receive: Array) -> None:
        """Fill ``receive`` with the ``send`` of every rank: ``(n,) -> (size * n,)``."""
        ...

    def start_all_gather(self, send: Array, receive: Array) -> Request:
        """Start what ``all_gather`` does."""
        ...

    def reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> None:
        """Combine block r of every rank's ``send`` into the ``receive`` of rank r: ``(size * n,) -> (n,)``."""
        ...

    def start_reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> Request:
        """Start what ``reduce_scatter`` does."""
        ...

    def all_to_all(self, send: Array, receive: Array) -> None:
        """Send block s to rank s, and receive its block for this rank as block s: ``(size * n,) -> (size * n,)``."""
        ...

    def prepare_exchange(
        self, source: Array, send: Sequence[Region], target: Array, receive: Sequence[Region]
    ) -> Exchange:
        """Plan a transfer of boxes.

        Args:
            source: the array that boxes are read from; it need not be contiguous.
            send: per rank of the group, the box of ``source`` that it gets.
            target: the array that boxes are written to.
            receive: per rank of the group, the box of ``target`` that it fills, of the shape that it sends.
        """
        ...

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Copy the buffer of the group's rank ``root`` into everyone's."""
        ...

    def send(self, buffer: Array, to: int, tag: int = 0) -> None:
        """Send ``buffer`` to the group's rank ``to``."""
        ...

    def start_send(self, buffer: Array, to: int, tag: int = 0) -> Request:
        """Start what ``send`` does."""
        ...

    def receive(self, buffer: Array, source: int, tag: int = 0) -> None:
        """Fill ``buffer`` with what the group's rank ``source`` sends under ``tag``."""
        ...

    def start_receive(self, buffer: Array, source: int, tag: int = 0) -> Request:
        """Start what ``receive`` does."""
        ...

    def barrier(self) -> None:
        """Return when every rank of the group has called it."""
        ...

    def gather_objects(self, value: object) -> list[Any]:
        """Return the value of every rank, on every rank; values are pickled, so keep it off the hot path."""
        ...

    def broadcast_object(self, value: object, root: int = 0) -> Any:
        """Return the value of the group's rank ``root`` on every rank; it is pickled."""
        ...


class Transport(Protocol):
    """What a ``World`` needs from MPI, from threads, or from nothing."""

    @property
    def communicator(self) -> Communicator:
        """The group of all ranks."""
        ...

    def group(self, ranks: tuple[int, ...]) -> Communicator:
        """Make the group of ``ranks``, of which this rank is one."""
        ...

    def mailbox(self) -> Mailbox:
        """Make the mailbox of rank 0; every rank calls it."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def aligned_zeros(nbytes: int) -> NDArray[np.uint8]:
    """Return ``nbytes`` zeroed bytes that start on a cache line.

    >>> aligned_zeros(100).ctypes.data % ALIGNMENT_BYTES, aligned_zeros(100).shape
    (0, (100,))
    """
    room = np.zeros(nbytes + ALIGNMENT_BYTES, np.uint8)
    skip = -room.ctypes.data % ALIGNMENT_BYTES
    return room[skip : skip + nbytes]


def flat(array: Array) -> Array:
    """Return a C-contiguous array as one axis, sharing its memory.

    Raises:
        WorldError: the array is not C-contiguous, so that a flat view of it does not exist.
    """
    if not array.flags.c_contiguous:
        raise WorldError(
            f"a collective was given an array of shape {array.shape} and strides {array.strides}, which is not "
            "C-contiguous. Pass np.ascontiguousarray(array), or use prepare_exchange, which takes any strides."
        )
    return array.reshape(-1)


def blocks(array: Array, size: int) -> Array:
    """Return the flat array as ``size`` equal blocks: ``(size * n,) -> (size, n)``.

    Raises:
        WorldError: the length does not divide.
    """
    if array.size % size:
        raise WorldError(
            f"an array of {array.size} elements cannot be cut into {size} equal blocks, one per rank of the group. "
            f"Pad it to {-(-array.size // size) * size} elements."
        )
    return flat(array).reshape(size, array.size // size)


def check_combine(combine: str) -> None:
    """Refuse a way to combine that does not exist.

    Raises:
        WorldError: ``combine`` is none of ``COMBINE``.
    """
    if combine not in COMBINE:
        raise WorldError(f"terms cannot be combined by {combine!r}; choose one of {', '.join(COMBINE)}.")


def check_ranks(ranks: tuple[int, ...], rank: int, size: int) -> None:
    """Refuse a group that cannot be, or that this rank has no place in.

    Raises:
        WorldError: a rank is missing from the world, stands twice, or ``rank`` is not among them.
    """
    outside = [r for r in ranks if not 0 <= r < size]
    if outside or not ranks:
        raise WorldError(f"group {ranks} names {outside or 'no rank'}, but the world has ranks 0 to {size - 1}.")
    if len(set(ranks)) != len(ranks):
        raise WorldError(f"group {ranks} names a rank twice; name each once.")
    if rank not in ranks:
        raise WorldError(f"rank {rank} asks for group {ranks}, of which it is no member; only members make a group.")
