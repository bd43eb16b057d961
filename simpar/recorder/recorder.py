"""Recorders: where events go.

``NullRecorder`` forgets them, ``MemoryRecorder`` keeps them in a list, and ``StoreRecorder`` brings those of all ranks
into the run store of rank 0:

    rank 3   emit -> bytes -> [batch] -- mailbox --> rank 0 -> thread -> run.sqlite

``emit`` only turns the event into bytes and keeps them. At most twice a second a rank hands its batch over, and rank 0
writes what has come in, from a thread of its own; a killed run loses what was not yet handed over.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from simpar.recorder.codec import encode_event
from simpar.recorder.events import Event, ProgramCompiled, RankFailed, StepFinished
from simpar.recorder.last_words import leave_last_words

if TYPE_CHECKING:
    from simpar.recorder.writing import WriterThread

__all__ = ["Mailbox", "MemoryRecorder", "NullRecorder", "Recorder", "StoreRecorder"]

INTERVAL_S = 0.2
DRAIN_TIMEOUT_S = 5.0
_LAST = b"end"  # shorter than any record: the rank sends no more


class Mailbox(Protocol):
    """Brings bytes from all ranks to rank 0; ``collectives`` has one over MPI and one over threads."""

    def send(self, message: bytes, /) -> None:
        """Start to send to rank 0 and return at once; messages of one rank arrive in order."""
        ...

    def poll(self) -> list[tuple[int, bytes]]:
        """Return, on rank 0, what has arrived since the last call, as (rank, message); never wait."""
        ...


class Recorder(Protocol):
    """Takes the events of one rank."""

    def emit(self, event: Event) -> None:
        """Take one event; cheap, and never waits for another rank or for the disk."""
        ...

    def flush(self) -> None:
        """Hand over what was kept back."""
        ...

    def close(self) -> None:
        """Hand over all, and end; to close twice does nothing."""
        ...

    def before_close(self, call: Callable[[], None]) -> None:
        """Call this when closing begins, while events are still taken; it takes the place of what was given before."""
        ...


class NullRecorder:
    """Forgets every event: recording is off."""

    def emit(self, event: Event) -> None:
        """Forget the event."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def before_close(self, call: Callable[[], None]) -> None:
        """Forget the call: there is nothing to record."""


class MemoryRecorder:
    """Keeps events in a list, for tests and for readers.

    >>> from simpar.recorder.events import Scalar
    >>> recorder = MemoryRecorder()
    >>> recorder.emit(Scalar("lr", 1, 0.1))
    >>> recorder.events
    [Scalar(name='lr', step=1, value=0.1)]
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._last: Callable[[], None] = _do_nothing

    def emit(self, event: Event) -> None:
        """Keep the event, and a copy of the times of a step."""
        self.events.append(replace(event, times=event.times.copy()) if isinstance(event, StepFinished) else event)

    def flush(self) -> None:
        """Do nothing: all is in the list."""

    def close(self) -> None:
        """Call what waits for it; all else is in the list."""
        call, self._last = self._last, _do_nothing
        call()

    def before_close(self, call: Callable[[], None]) -> None:
        """Call this when the recorder closes."""
        self._last = call


class StoreRecorder:
    """Brings the events of one rank into the run store.

    All methods that a rank calls run in its own thread, so that the mailbox need not be safe for threads.

    Args:
        path: the run store on rank 0; None on the others.
        rank: of this process.
        size: how many ranks record; rank 0 waits for the last batch of each when it closes.
        mailbox: to rank 0; None if there is one rank only.
        interval_s: seconds between two batches.
        drain_timeout_s: the longest that closing may wait for other ranks.
        last_words: a folder that all ranks see, where one that fails leaves its last batch for rank 0.
        clock: seconds, for the interval.
    """

    def __init__(
        self,
        path: Path | None,
        rank: int = 0,
        size: int = 1,
        mailbox: Mailbox | None = None,
        *,
        interval_s: float = INTERVAL_S,
        drain_timeout_s: float = DRAIN_TIMEOUT_S,
        last_words: Path | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        assert (rank == 0) == (path is not None), "rank 0, and no other, writes the run store"
        assert size == 1 or mailbox is not None, "more than one rank needs a mailbox to rank 0"
        self.path, self._rank, self._mailbox = path, rank, mailbox
        self._interval_s, self._drain_timeout_s, self._clock = interval_s, drain_timeout_s, clock
        self._writer = None if path is None else _open_writer(path, interval_s, last_words)
        self._last_words = last_words
        self._open_ranks = set(range(1, size)) if rank == 0 else set[int]()
        self._pending: list[bytes] = []
        self._due = clock() + interval_s
        self._is_closed = self._has_told = False
        self._last: Callable[[], None] = _do_nothing

    def emit(self, event: Event) -> None:
        """Take one event: as bytes, so that what the caller changes later changes nothing here."""
        if self._is_closed:
            return
        record = encode_event(event if self._rank == 0 else _without_shared_part(event))
        if self._writer is None:
            self._pending.append(record)
        else:
            self._writer.add(0, record)
        if self._clock() >= self._due:
            self._pass_on()

    def flush(self) -> None:
        """Hand over what was kept back; on rank 0 wait until what has arrived is in the store."""
        self._pass_on()
        if self._writer is not None:
            self._writer.flush()
            self._tell_error(self._writer)

    def close(self) -> None:
        """Hand over all and end; rank 0 waits for the others' last batches, but no longer than the timeout."""
        if self._is_closed:
            return
        self._last()
        self._is_closed = True
        self._pass_on()
        if self._writer is not None:
            self._drain()
            self._writer.close()
            self._tell_error(self._writer)
        elif self._mailbox is not None:
            self._mailbox.send(_LAST)

    def before_close(self, call: Callable[[], None]) -> None:
        """Call this when closing begins; a rank that fails does not."""
        self._last = call

    def fail(self, failure: RankFailed | None) -> None:
        """Hand over, as the last thing, all and why this rank fails, without waiting for what others still have.

        Args:
            failure: None if the rank was interrupted.
        """
        record = b"" if failure is None else encode_event(failure)
        self._is_closed = True
        if self._writer is not None:
            self._writer.add(0, record)
            self._take_in(self._writer)
            self._writer.close()
        elif self._last_words is not None and record:
            leave_last_words(self._last_words, self._rank, b"".join((*self._pending, record)))

    def _pass_on(self) -> None:
        """Send this rank's batch, or on rank 0 take in those that have arrived."""
        self._due = self._clock() + self._interval_s
        if self._writer is not None:
            self._take_in(self._writer)
            self._tell_error(self._writer)
        elif self._mailbox is not None and self._pending:
            batch = b"".join(self._pending)
            self._pending.clear()
            self._mailbox.send(batch)

    def _take_in(self, writer: "WriterThread") -> None:
        for rank, message in self._mailbox.poll() if self._mailbox is not None else ():
            if message == _LAST:
                self._open_ranks.discard(rank)
            else:
                writer.add(rank, message)

    def _tell_error(self, writer: "WriterThread") -> None:
        """Warn once, from the rank's own thread, that the store takes no more; the training goes on."""
        if writer.error is not None and not self._has_told:
            self._has_told = True
            warnings.warn(f"recording stopped, the training goes on: {writer.error}", RuntimeWarning, stacklevel=3)

    def _drain(self) -> None:
        assert self._writer is not None, "only rank 0 drains"
        until = time.monotonic() + self._drain_timeout_s
        while self._open_ranks and time.monotonic() < until:
            self._take_in(self._writer)
            time.sleep(0.002 if self._open_ranks else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _do_nothing() -> None:
    """Stand for the call that nobody asked for."""


def _open_writer(path: Path, interval_s: float, last_words: Path | None) -> "WriterThread":
    from simpar.recorder.writing import WriterThread  # here, so that only a rank that writes loads SQLite

    return WriterThread(path, interval_s, last_words)


def _without_shared_part(event: Event) -> Event:
    """Leave out what rank 0 tells of the same program: only the collectives differ between ranks."""
    if isinstance(event, ProgramCompiled):
        return replace(event, plan="", values=(), nodes=())
    return event
