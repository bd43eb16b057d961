"""Where threads that play ranks meet: each brings its part, the last to come does the work for all.

A collective is a *meeting*. Each rank brings its arrays and may go on; the last to come does the work and opens the
door, so nothing waits that MPI would not let wait. If every rank waits, nobody can come any more: an error here, where
MPI would hang.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simpar.collectives.communicator import Array
from simpar.errors import SimparError, WorldError

__all__ = ["Attendance", "Delivery", "Hub", "Meeting", "Released", "Work"]

Work = Callable[[list[Any]], None]
"""What the last to come does with what all brought."""


class Released(SimparError):
    """Ends a rank's thread because another rank failed."""


@dataclass(slots=True)
class Meeting:
    """One collective on its way: what each rank brought, and whether the work is done."""

    kind: str
    brought: list[Any]
    come: int = 0
    done: bool = False
    error: BaseException | None = None


@dataclass(slots=True)
class Hub:
    """What the threads of one world share.

    Args:
        size: how many ranks there are.
    """

    size: int
    changed: threading.Condition = field(default_factory=threading.Condition)
    meetings: dict[tuple[Any, ...], Meeting] = field(default_factory=dict[tuple[Any, ...], Meeting])
    letters: dict[tuple[Any, ...], deque[Array]] = field(default_factory=dict[tuple[Any, ...], deque[Array]])
    posted: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict[int, list[tuple[int, bytes]]])
    waiting: dict[int, tuple[str, Callable[[], bool]]] = field(default_factory=dict[int, Any])
    ended: int = 0
    first_error: BaseException | None = None

    def wait_for(self, rank: int, what: str, ready: Callable[[], bool]) -> None:
        """Wait, holding ``changed``, until ``ready`` or until a rank has failed.

        Raises:
            WorldError: every rank that has not ended waits, so that nobody can make anybody ready.
        """
        self.waiting[rank] = (what, ready)
        self._check_someone_runs()
        self.changed.wait_for(lambda: self.first_error is not None or ready())
        del self.waiting[rank]
        if not ready():
            raise Released("another rank failed")

    def _check_someone_runs(self) -> None:
        if len(self.waiting) + self.ended < self.size or any(ready() for _, ready in self.waiting.values()):
            return
        if self.waiting and self.first_error is None:
            waits = "; ".join(f"rank {rank} waits in {what}" for rank, (what, _) in sorted(self.waiting.items()))
            self.fail(
                WorldError(
                    f"the ranks wait for each other for ever: {waits}; {self.ended} of {self.size} have ended. "
                    "All ranks of a group call the same collectives in the same order."
                )
            )

    def end(self) -> None:
        """Count a rank that has ended."""
        with self.changed:
            self.ended += 1
            self._check_someone_runs()

    def fail(self, error: BaseException) -> None:
        """Keep the first error and release every rank that waits, now and later."""
        with self.changed:
            if self.first_error is None:
                self.first_error = error
            self.changed.notify_all()


@dataclass(slots=True)
class Attendance:
    """A request: this rank's part in a meeting."""

    hub: Hub
    rank: int
    meeting: Meeting

    def wait(self) -> None:
        """Return when the work of the meeting is done.

        Raises:
            Exception: what went wrong in it, on every rank that came.
        """
        with self.hub.changed:
            self.hub.wait_for(self.rank, self.meeting.kind, lambda: self.meeting.done)
        if self.meeting.error is not None:
            raise self.meeting.error


@dataclass(slots=True)
class Delivery:
    """A request: a letter that is to arrive."""

    hub: Hub
    rank: int
    address: tuple[Any, ...]
    buffer: Array
    arrived: bool = False

    def wait(self) -> None:
        """Return when the letter is in the buffer."""
        if self.arrived:
            return
        with self.hub.changed:
            self.hub.wait_for(self.rank, "receive", lambda: bool(self.hub.letters.get(self.address)))
            self.buffer[...] = self.hub.letters[self.address].popleft()
        self.arrived = True
