"""The writing side of a run store: events in, rows out, one transaction for each batch.

SQLite keeps what was committed when the process is killed; with a write-ahead log readers never wait for the writer,
nor it for them. A file lock beside the database says whether the writer lives.
"""

import fcntl
import json
import os
import sqlite3
from base64 import b64decode
from collections.abc import Iterable
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from simpar.errors import RunStoreError
from simpar.recorder.codec import to_plain
from simpar.recorder.events import (
    Checksum,
    Event,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankFailed,
    RankStarted,
    RunFinished,
    RunStarted,
    Scalar,
    SliceValues,
    StepFinished,
)
from simpar.recorder.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES, check_file, check_schema, store_errors

__all__ = ["RunWriter", "has_writer", "lock_file"]

_BUSY_TIMEOUT_S = 5.0
_STEP = "id, rank, program, step, start_s, end_s, loss"
KEPT_STEPS = 1000
"""So many of the latest steps of a program keep the times of their collectives; of older ones every tenth does, of
those ten times as old every hundredth, and so on."""
KEPT_VALUES = 4
"""Of the values of slices that are more than this times 2, 4, 8, ... steps old, only those of every second, fourth,
eighth, ... step stay, so that their number grows with the logarithm of the steps."""


class RunWriter:
    """Writes events into one run store, which it makes if it is not there.

    Args:
        path: the file; its folder must exist.

    Raises:
        RunStoreError: the file is something else, damaged, or being written by another process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest_values: dict[str, int] = {}
        self._lock = _lock(path)
        try:
            is_new = not path.exists() or path.stat().st_size == 0
            if not is_new:
                check_file(path)
            with store_errors(path):
                self._database = sqlite3.connect(
                    path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
                )
                self._prepare(is_new)
        except BaseException:
            os.close(self._lock)
            raise

    def _prepare(self, is_new: bool) -> None:
        database = self._database
        if is_new:
            # The tables and the marks of the file come as one transaction: a reader sees all of it or an empty file.
            database.executescript(
                f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; {TABLES}"
                f"INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}'); COMMIT;"
            )
        check_schema(database, self._path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # safe against a killed process; a power cut may take a batch

    def write(self, events: Iterable[tuple[int, Event]]) -> None:
        """Write events, each with the rank that it came from, as one transaction.

        Raises:
            RunStoreError: they could not be written; then none of them is.
        """
        with store_errors(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for rank, event in events:
                    self._insert(event, rank)
                self._forget_values()
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the database and give the lock back."""
        with store_errors(self._path):
            # The last to close does this too, but a reader that still looks on would be the last, and may not write.
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
        os.close(self._lock)

    # --- one row, or a few, for each kind of event ---

    @singledispatchmethod
    def _insert(self, event: object, rank: int) -> None:
        raise TypeError(f"{type(event).__name__} is not an event")

    def _row(self, table: str, *values: Any, or_else: str = "ABORT") -> None:
        """Add one row; or_else is what to do with a row that is there already (ABORT, IGNORE, REPLACE)."""
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT OR {or_else} INTO {table} VALUES ({marks})", values)

    @_insert.register
    def _(self, event: StepFinished, rank: int) -> None:
        e = event
        self._row("steps", None, rank, e.program, e.step, e.start_s, e.end_s, _real(e.loss), e.times.tobytes())
        if e.step % KEPT_STEPS == 0 and len(e.times):
            self._forget_times(rank, e.program, e.step)

    def _forget_times(self, rank: int, program: str, newest: int) -> None:
        """Forget the times of steps that have grown old since the last call, but of every tenth, hundredth, ..."""
        which = "rank = ? AND step > ? AND step <= ? AND step % ? != 0 AND program = ? AND times IS NOT NULL"
        age, every = KEPT_STEPS, 10
        while (end := newest - age) > 0:
            values = (rank, end - KEPT_STEPS, end, every, program)
            old = self._database.execute(f"SELECT {_STEP}, NULL FROM steps WHERE {which}", values).fetchall()
            # Not UPDATE: SQLite gives the space of rows back for others only when they are deleted.
            self._database.execute(f"DELETE FROM steps WHERE {which}", values)
            self._database.executemany("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)", old)
            age, every = 10 * age, 10 * every

    @_insert.register
    def _(self, event: RunStarted, rank: int) -> None:
        self._row("meta", "run", _json(event), or_else="REPLACE")

    @_insert.register
    def _(self, event: RunFinished, rank: int) -> None:
        self._row("meta", "finished", _json(event), or_else="REPLACE")

    @_insert.register
    def _(self, event: RankStarted, rank: int) -> None:
        self._row("ranks", event.rank, event.host, event.pid, event.wall_s, event.clock_s, or_else="REPLACE")

    @_insert.register
    def _(self, event: ParameterPlaced, rank: int) -> None:
        e = event
        layouts = _json(e.storage), _json(e.compute), _json(e.slice_shape), e.slice_bytes
        row = (None, e.name, e.kind, _json(e.shape), e.dtype, *layouts, e.comm_fusion, _json(e.flags))
        self._row("parameters", *row, or_else="REPLACE" if rank == 0 else "IGNORE")

    @_insert.register
    def _(self, event: ProgramCompiled, rank: int) -> None:
        e = event
        row = (None, e.program, e.digest, e.plan, _json(e.values), _json(e.nodes))
        self._row("programs", *row, or_else="REPLACE" if rank == 0 else "IGNORE")
        if e.source:
            self._row("sources", e.program, b64decode(e.source), or_else="REPLACE")
        self._row("program_ranks", e.program, rank, e.peak_bytes, or_else="REPLACE")
        for c in e.collectives:
            what = (c.kind, _json(c.ranks), c.message_bytes, c.cause, c.fusion, _json(c.parameters), c.phase)
            self._row("collectives", e.program, rank, c.index, *what, or_else="REPLACE")

    @_insert.register
    def _(self, event: Scalar, rank: int) -> None:
        self._row("scalars", None, rank, event.name, event.step, _real(event.value))

    @_insert.register
    def _(self, event: MemoryMeasured, rank: int) -> None:
        e = event
        self._row("memory", None, e.rank, e.step, e.rss_bytes, e.pss_bytes, e.planned_bytes)

    @_insert.register
    def _(self, event: SliceValues, rank: int) -> None:
        e = event
        numbers = [_real(n) for n in (e.minimum, e.maximum, e.mean, e.std, e.norm)]
        told = (e.nans, e.infinities, _json(e.histogram), _json(e.tile.shape), e.tile.tobytes())
        self._row("slice_values", e.program, e.parameter, e.step, e.rank, *numbers, *told, or_else="REPLACE")
        self._newest_values[e.program] = max(e.step, self._newest_values.get(e.program, 0))

    def _forget_values(self) -> None:
        """Forget most of the values that were recorded long ago."""
        for program, newest in self._newest_values.items():
            every = 2
            while (end := newest - KEPT_VALUES * every) > 0:
                which = "program = ? AND step <= ? AND step % ? != 0"
                self._database.execute(f"DELETE FROM slice_values WHERE {which}", (program, end, every))
                every *= 2
        self._newest_values.clear()

    @_insert.register
    def _(self, event: Checksum, rank: int) -> None:
        self._row("checksums", None, event.rank, event.parameter, event.step, event.digest)

    @_insert.register
    def _(self, event: RankFailed, rank: int) -> None:
        self._row("failures", None, event.rank, event.error, event.message, event.traceback)


def _json(value: Any) -> str:
    return json.dumps(to_plain(value), separators=(",", ":"), default=str)


def _real(value: float | None) -> float | str | None:
    """Write NaN as text, since SQLite would make it NULL, which stands for no value at all."""
    return "nan" if value is not None and value != value else value


def lock_file(path: Path) -> Path:
    """Return the file whose lock says that a run store has a living writer."""
    return path.with_name(path.name + "-lock")


def _lock(path: Path) -> int:
    try:
        lock = os.open(lock_file(path), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunStoreError(f"{path} cannot be written: {error}. Choose another folder with SIMPAR_RUNS.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RunStoreError(f"{path} is being written by another process. Give this run an id of its own.") from error
    return lock


def has_writer(path: Path) -> bool:
    """Return whether a living process writes this run store; a killed one lets go of its lock."""
    try:
        lock = os.open(lock_file(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(lock)
