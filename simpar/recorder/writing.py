"""The thread of rank 0 that writes batches into the run store."""

import threading
from collections import deque
from pathlib import Path

from simpar.recorder.codec import decode_batch
from simpar.recorder.last_words import last_words
from simpar.recorder.store import RunWriter

__all__ = ["WriterThread"]

_TIMEOUT_S = 10.0


class WriterThread:
    """Writes what ``add`` is given: all that has come in, as one transaction, every ``interval_s`` seconds.

    A disk that fills up does not stop the training: the first error is kept as ``error``, later batches are dropped.

    Args:
        path: the run store.
        interval_s: seconds between two transactions.
        folder: in which a rank that fails leaves its last batch.

    Raises:
        RunStoreError: the store cannot be opened for writing.
    """

    def __init__(self, path: Path, interval_s: float, folder: Path | None = None) -> None:
        self._folder = folder
        self.error: Exception | None = None
        self._store = RunWriter(path)
        self._interval_s = interval_s
        self._batches: deque[tuple[int, bytes]] = deque()
        self._added, self._done = 0, 0
        self._wake, self._written, self._is_closing = threading.Event(), threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="simpar-recorder", daemon=True)
        self._thread.start()

    def add(self, rank: int, batch: bytes) -> None:
        """Take a batch of a rank; it is written within the interval."""
        self._batches.append((rank, batch))  # a deque's append is atomic: no lock on the hot path
        self._added += 1

    def flush(self) -> None:
        """Wait until all that was added is written, or cannot be."""
        wanted = self._added
        self._wake.set()
        with self._written:
            self._written.wait_for(lambda: self._done >= wanted, timeout=_TIMEOUT_S)

    def close(self) -> None:
        """Write all that was added and close the store."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(_TIMEOUT_S)

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            self._hear_last_words()
            self._write_all()
        self._hear_last_words()
        self._write_all()
        self._store.close()

    def _hear_last_words(self) -> None:
        for file, rank, batch in last_words(self._folder) if self._folder is not None else ():
            self.add(rank, batch)
            self._write_all()
            file.unlink(missing_ok=True)  # which the rank that fails waits for

    def _write_all(self) -> None:
        taken = [self._batches.popleft() for _ in range(len(self._batches))]
        if taken and self.error is None:
            try:
                self._store.write((rank, event) for rank, batch in taken for event in decode_batch(batch))
            except Exception as error:  # whatever it is, recording must not stop the training
                self.error = error
        with self._written:
            self._done += len(taken)
            self._written.notify_all()
