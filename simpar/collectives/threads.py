"""Ranks as threads of one process: the whole protocol in a page, for notebooks, quick tests and readers.

Every collective is a meeting (see ``meeting``) and a line of numpy that its last rank runs for all. The meetings of a
group are numbered, so that the n-th collective of one rank meets the n-th of every other, as MPI's order rule demands.
"""

import pickle
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from simpar.collectives.communicator import COMBINE, Array, Region, aligned_zeros, blocks, check_combine, flat
from simpar.collectives.group import Done
from simpar.collectives.meeting import Attendance, Delivery, Hub, Meeting, Released, Work
from simpar.collectives.world import World
from simpar.context import Context, current, entered
from simpar.errors import WorldError

__all__ = ["ThreadCommunicator", "ThreadTransport", "run_threads"]

Result = TypeVar("Result")


class ThreadCommunicator:
    """A group of threads that play ranks.

    Args:
        hub: what the world's threads share.
        ranks: the world's numbers of the group's ranks.
        rank: the place of this thread in the group.
    """

    __slots__ = ("_hub", "_met", "rank", "ranks", "size")

    def __init__(self, hub: Hub, ranks: tuple[int, ...], rank: int) -> None:
        self.rank = rank
        self.ranks = ranks
        self.size = len(ranks)
        self._hub = hub
        self._met = 0

    def allocate(self, nbytes: int) -> NDArray[np.uint8]:
        """Return zeroed bytes, aligned to 64."""
        return aligned_zeros(nbytes)

    def _meet(self, kind: str, bring: Any, work: Work) -> Attendance:
        """Bring something to the group's next meeting; the last to come does ``work`` on what all brought."""
        key = (self.ranks, self._met)
        self._met += 1
        with self._hub.changed:
            meeting = self._hub.meetings.setdefault(key, Meeting(kind, [None] * self.size))
            if meeting.kind != kind:
                raise WorldError(
                    f"rank {self.ranks[self.rank]} calls {kind} while another rank of group {self.ranks} calls "
                    f"{meeting.kind}. All ranks of a group call the same collectives in the same order."
                )
            meeting.brought[self.rank] = bring
            meeting.come += 1
            is_last = meeting.come == self.size
        if is_last:
            self._finish(key, meeting, work)
        return Attendance(self._hub, self.ranks[self.rank], meeting)

    def _finish(self, key: tuple[Any, ...], meeting: Meeting, work: Work) -> None:
        try:
            work(meeting.brought)
        except Exception as error:  # every rank raises it from wait
            meeting.error = error
        with self._hub.changed:
            meeting.done = True
            del self._hub.meetings[key]
            self._hub.changed.notify_all()

    def start_all_reduce(self, buffer: Array, combine: str = "sum") -> Attendance:
        """Start what ``all_reduce`` does."""
        check_combine(combine)
        return self._meet(f"all_reduce ({combine})", flat(buffer), lambda all_: _all_reduce(all_, combine))

    def all_reduce(self, buffer: Array, combine: str = "sum") -> None:
        """Replace ``buffer`` on every rank by the buffers of all ranks, combined in the order of the group."""
        self.start_all_reduce(buffer, combine).wait()

    def start_all_gather(self, send: Array, receive: Array) -> Attendance:
        """Start what ``all_gather`` does."""
        return self._meet("all_gather", (flat(send), blocks(receive, self.size)), _all_gather)

    def all_gather(self, send: Array, receive: Array) -> None:
        """Fill ``receive`` with the ``send`` of every rank."""
        self.start_all_gather(send, receive).wait()

    def start_reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> Attendance:
        """Start what ``reduce_scatter`` does."""
        check_combine(combine)
        bring = (blocks(send, self.size), flat(receive))
        return self._meet(f"reduce_scatter ({combine})", bring, lambda all_: _reduce_scatter(all_, combine))

    def reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> None:
        """Combine block r of every rank's ``send`` into the ``receive`` of rank r."""
        self.start_reduce_scatter(send, receive, combine).wait()

    def all_to_all(self, send: Array, receive: Array) -> None:
        """Send block s to rank s, and receive its block for this rank as block s."""
        self._meet("all_to_all", (blocks(send, self.size), blocks(receive, self.size)), _all_to_all).wait()

    def prepare_exchange(
        self, source: Array, send: Sequence[Region], target: Array, receive: Sequence[Region]
    ) -> "_ThreadExchange":
        """Plan a transfer of boxes; see the protocol."""
        gives = [None if box is None else source[box] for box in send]
        takes = [None if box is None else target[box] for box in receive]
        volume = sum(box.nbytes for to, box in enumerate(gives) if box is not None and to != self.rank)
        return _ThreadExchange(self, gives, takes, volume)

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Copy the buffer of the group's rank ``root`` into everyone's."""

        def work(all_: list[Any]) -> None:
            for mine in all_[:root] + all_[root + 1 :]:
                mine[...] = all_[root]

        self._meet(f"broadcast (root {root})", flat(buffer), work).wait()

    def start_send(self, buffer: Array, to: int, tag: int = 0) -> Done:
        """Start what ``send`` does."""
        with self._hub.changed:
            address = (self.ranks, self.rank, to, tag)
            self._hub.letters.setdefault(address, deque()).append(buffer.copy())
            self._hub.changed.notify_all()
        return Done()

    def send(self, buffer: Array, to: int, tag: int = 0) -> None:
        """Send a copy of ``buffer`` to the group's rank ``to``."""
        self.start_send(buffer, to, tag)

    def start_receive(self, buffer: Array, source: int, tag: int = 0) -> Delivery:
        """Start what ``receive`` does."""
        address = (self.ranks, source, self.rank, tag)
        return Delivery(self._hub, self.ranks[self.rank], address, buffer)

    def receive(self, buffer: Array, source: int, tag: int = 0) -> None:
        """Fill ``buffer`` with what the group's rank ``source`` sends under ``tag``."""
        self.start_receive(buffer, source, tag).wait()

    def barrier(self) -> None:
        """Return when every rank of the group has called it."""
        self._meet("barrier", None, lambda all_: None).wait()

    def gather_objects(self, value: object) -> list[Any]:
        """Return a copy of the value of every rank, on every rank."""
        attendance = self._meet("gather_objects", pickle.dumps(value), lambda all_: None)
        attendance.wait()
        return [pickle.loads(each) for each in attendance.meeting.brought]

    def broadcast_object(self, value: object, root: int = 0) -> Any:
        """Return a copy of the value of the group's rank ``root`` on every rank."""
        bring = pickle.dumps(value) if self.rank == root else b""
        attendance = self._meet(f"broadcast_object (root {root})", bring, lambda all_: None)
        attendance.wait()
        return pickle.loads(attendance.meeting.brought[root])


@dataclass(frozen=True, slots=True)
class _ThreadExchange:
    """Boxes that are copied straight from the sender's array to the receiver's."""

    communicator: ThreadCommunicator
    gives: list[Array | None]
    takes: list[Array | None]
    volume_bytes: int

    def run(self) -> None:
        self.communicator._meet("exchange", (self.gives, self.takes), _exchange).wait()  # pyright: ignore[reportPrivateUsage]


def _all_reduce(buffers: list[Any], combine: str) -> None:
    total = buffers[0].copy()
    for term in buffers[1:]:
        COMBINE[combine](total, term, out=total)
    for buffer in buffers:
        buffer[...] = total


def _all_gather(brought: list[Any]) -> None:
    for _, receive in brought:
        for block, (send, _) in zip(receive, brought, strict=True):
            block[...] = send


def _reduce_scatter(brought: list[Any], combine: str) -> None:
    for rank, (_, receive) in enumerate(brought):
        total = brought[0][0][rank].copy()
        for send, _ in brought[1:]:
            COMBINE[combine](total, send[rank], out=total)
        receive[...] = total


def _all_to_all(brought: list[Any]) -> None:
    for to, (_, receive) in enumerate(brought):
        for source, (send, _) in enumerate(brought):
            receive[source][...] = send[to]


def _exchange(brought: list[Any]) -> None:
    for to, (_, takes) in enumerate(brought):
        for source, (gives, _) in enumerate(brought):
            give, take = gives[to], takes[source]
            if give is not None and take is not None:
                take[...] = give


@dataclass(frozen=True, slots=True)
class _ThreadMailbox:
    hub: Hub
    number: int
    rank: int

    def send(self, message: bytes) -> None:
        with self.hub.changed:
            self.hub.posted.setdefault(self.number, []).append((self.rank, message))

    def poll(self) -> list[tuple[int, bytes]]:
        if self.rank != 0:
            return []
        with self.hub.changed:
            return self.hub.posted.pop(self.number, [])


class ThreadTransport:
    """The transport of one thread's world.

    Args:
        hub: what the world's threads share.
        rank: the rank that this thread plays.
    """

    __slots__ = ("_hub", "_mailboxes", "communicator")

    def __init__(self, hub: Hub, rank: int) -> None:
        self._hub = hub
        self._mailboxes = 0
        self.communicator = ThreadCommunicator(hub, tuple(range(hub.size)), rank)

    def group(self, ranks: tuple[int, ...]) -> ThreadCommunicator:
        """Make the group of ``ranks``."""
        return ThreadCommunicator(self._hub, ranks, ranks.index(self.communicator.rank))

    def mailbox(self) -> _ThreadMailbox:
        """Make the mailbox of rank 0."""
        self._mailboxes += 1
        return _ThreadMailbox(self._hub, self._mailboxes, self.communicator.rank)

    def close(self) -> None:
        """Do nothing: the threads end by themselves."""


def run_threads(n: int, function: Callable[..., Result], *args: Any) -> list[Result]:
    """Call ``function(*args)`` on ``n`` ranks, each a thread with a world of its own in the context.

    Returns:
        What each rank returned, in the order of the ranks.

    Raises:
        Exception: the first error that a rank raised, with a note that names the rank; the others are released.

    >>> from simpar.context import current
    >>> def total() -> float:
    ...     part = np.array([float(current().world.rank)])
    ...     current().world.communicator.all_reduce(part)
    ...     return float(part[0])
    >>> run_threads(3, total)
    [3.0, 3.0, 3.0]
    """
    hub, as_mindspore = Hub(n), current().mindspore
    results: list[Any] = [None] * n

    def play(rank: int) -> None:
        try:
            with entered(Context(world=World(ThreadTransport(hub, rank)), mindspore=as_mindspore)):
                results[rank] = function(*args)
            hub.end()
        except Released:
            pass
        except BaseException as error:
            error.add_note(f"raised on rank {rank} of {n}")
            hub.fail(error)

    threads = [threading.Thread(target=play, args=(rank,), name=f"rank {rank}", daemon=True) for rank in range(n)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException as error:  # Ctrl-C reaches only this thread
        hub.fail(error)
        raise
    if hub.first_error is not None:
        raise hub.first_error
    return results
