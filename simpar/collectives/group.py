"""The group of one rank, which has nobody to talk to and needs no MPI.

It is also the smallest true version of the protocol: what every collective means when ``size`` is 1.
"""

import copy
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.collectives.communicator import Array, Region, aligned_zeros, check_combine, flat
from simpar.errors import WorldError

__all__ = ["Done", "GroupOfOne", "LocalMailbox", "SoloTransport"]


class Done:
    """A request that was finished when it was made."""

    def wait(self) -> None:
        """Return at once."""


@dataclass(frozen=True, slots=True)
class _LocalExchange:
    source: Array
    target: Array

    @property
    def volume_bytes(self) -> int:
        return 0

    def run(self) -> None:
        self.target[...] = self.source


@dataclass(frozen=True, slots=True)
class GroupOfOne:
    """The group that only ``world_rank`` is in.

    >>> alone, total = GroupOfOne(3), np.array([1.0, 2.0])
    >>> alone.all_reduce(total)
    >>> alone.ranks, total
    ((3,), array([1., 2.]))
    """

    world_rank: int
    _letters: dict[int, deque[Array]] = field(default_factory=dict[int, deque[Array]])

    @property
    def rank(self) -> int:
        """The place of this rank in the group: 0."""
        return 0

    @property
    def size(self) -> int:
        """How many ranks the group has: 1."""
        return 1

    @property
    def ranks(self) -> tuple[int, ...]:
        """The world's number of the rank."""
        return (self.world_rank,)

    def allocate(self, nbytes: int) -> NDArray[np.uint8]:
        """Return zeroed bytes, aligned to 64."""
        return aligned_zeros(nbytes)

    def all_reduce(self, buffer: Array, combine: str = "sum") -> None:
        """Leave the buffer as it is: it is the only term."""
        check_combine(combine)

    def start_all_reduce(self, buffer: Array, combine: str = "sum") -> Done:
        """Start what ``all_reduce`` does."""
        self.all_reduce(buffer, combine)
        return Done()

    def all_gather(self, send: Array, receive: Array) -> None:
        """Copy ``send`` to ``receive``."""
        flat(receive)[...] = flat(send)

    def start_all_gather(self, send: Array, receive: Array) -> Done:
        """Start what ``all_gather`` does."""
        self.all_gather(send, receive)
        return Done()

    def reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> None:
        """Copy ``send`` to ``receive``: it is the only term of the only block."""
        check_combine(combine)
        self.all_gather(send, receive)

    def start_reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> Done:
        """Start what ``reduce_scatter`` does."""
        self.reduce_scatter(send, receive, combine)
        return Done()

    def all_to_all(self, send: Array, receive: Array) -> None:
        """Copy ``send`` to ``receive``."""
        self.all_gather(send, receive)

    def prepare_exchange(
        self, source: Array, send: Sequence[Region], target: Array, receive: Sequence[Region]
    ) -> _LocalExchange:
        """Plan the copy of one box."""
        give, take = send[0], receive[0]
        if give is None or take is None:
            return _LocalExchange(source[:0], target[:0])
        return _LocalExchange(source[give], target[take])

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Leave the buffer as it is."""

    def send(self, buffer: Array, to: int, tag: int = 0) -> None:
        """Keep a copy for ``receive``."""
        self._letters.setdefault(tag, deque()).append(buffer.copy())

    def start_send(self, buffer: Array, to: int, tag: int = 0) -> Done:
        """Start what ``send`` does."""
        self.send(buffer, to, tag)
        return Done()

    def receive(self, buffer: Array, source: int, tag: int = 0) -> None:
        """Fill ``buffer`` with what this rank sent to itself before.

        Raises:
            WorldError: it sent nothing under this tag, and nobody else can.
        """
        if not self._letters.get(tag):
            raise WorldError(
                f"rank {self.world_rank} receives from itself under tag {tag}, but has sent nothing. Send first."
            )
        buffer[...] = self._letters[tag].popleft()

    def start_receive(self, buffer: Array, source: int, tag: int = 0) -> Done:
        """Start what ``receive`` does."""
        self.receive(buffer, source, tag)
        return Done()

    def barrier(self) -> None:
        """Return at once."""

    def gather_objects(self, value: object) -> list[Any]:
        """Return a copy of the value, alone in a list."""
        return [copy.deepcopy(value)]

    def broadcast_object(self, value: object, root: int = 0) -> Any:
        """Return the value."""
        return value


@dataclass(slots=True)
class LocalMailbox:
    """A mailbox whose sender and reader are the same rank."""

    _letters: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])

    def send(self, message: bytes) -> None:
        """Keep the letter until it is polled."""
        self._letters.append((0, message))

    def poll(self) -> list[tuple[int, bytes]]:
        """Return the letters since the last call."""
        letters, self._letters = self._letters, []
        return letters


class SoloTransport:
    """The transport of a world of one rank."""

    @property
    def communicator(self) -> GroupOfOne:
        """The group of all ranks, which is one."""
        return GroupOfOne(0)

    def group(self, ranks: tuple[int, ...]) -> GroupOfOne:
        """Make the only group there is."""
        return GroupOfOne(ranks[0])

    def mailbox(self) -> LocalMailbox:
        """Make a mailbox that nobody else writes to."""
        return LocalMailbox()

    def close(self) -> None:
        """Do nothing: nothing is held."""
