"""The reading side of a run store: typed rows for the command, the demo and the dashboard.

Reading never blocks the training and never changes the store; it works while the run grows, and after it was killed.
"""

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from simpar.layout import Layout
from simpar.recorder.codec import from_plain
from simpar.recorder.events import (
    Checksum,
    CollectiveSpec,
    GraphNode,
    GraphValue,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankFailed,
    RankStarted,
    RunFinished,
    RunStarted,
    Times,
)
from simpar.recorder.schema import STORE_NAME, check_file, check_schema, store_errors
from simpar.recorder.store import has_writer

__all__ = ["Run", "RunInfo", "ScalarRow", "StepRow", "open_run"]

_BUSY_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Sums up a run.

    Args:
        state: ``"running"``, ``"finished"``, ``"failed"``, or ``"killed"`` if it stopped without a word.
        steps: finished by rank 0.
        last_loss: of rank 0, in the program that ran most steps; None if there was none yet.
        ended_s: wall clock; None unless the run came to its end.
        cause: of a run that failed, e.g. ``"rank 1: ValueError: no data"``; else empty.
    """

    path: Path
    started: RunStarted
    state: str
    steps: int
    last_loss: float | None
    ended_s: float | None
    cause: str = ""

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.started.run


@dataclass(frozen=True, slots=True, eq=False)
class StepRow:
    """Is one step of one rank; ``id`` grows as steps arrive, so a reader can ask for what came since."""

    id: int
    rank: int
    program: str
    step: int
    start_s: float
    end_s: float
    loss: float | None
    times: Times  # (collectives, 2), or (0, 2) in an old step whose times were forgotten


@dataclass(frozen=True, slots=True)
class ScalarRow:
    """Is one number of a curve."""

    id: int
    rank: int
    name: str
    step: int
    value: float


class Run:
    """One run store, opened for reading, by one thread at a time. Close it, or use it in a ``with`` block.

    Raises:
        RunStoreError: at opening or while reading, if the file is missing, empty, cut short, foreign, locked, damaged
            or of a later version.
    """

    def __init__(self, path: Path) -> None:
        check_file(path)
        self.path = path
        with store_errors(path):
            self._database = _connect(path)
            check_schema(self._database, path)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds, for questions that have no method here."""
        with store_errors(self.path):
            return self._database.execute(query, values).fetchall()

    # --- the run ---

    def info(self) -> RunInfo:
        """Return what ``simpar runs`` shows of a run."""
        started: RunStarted = self._meta("run", RunStarted) or _unnamed(self.path)
        finished: RunFinished | None = self._meta("finished", RunFinished)
        ((steps,),) = self.rows("SELECT count(*) FROM steps WHERE rank = 0")
        last_loss = self._last_loss()
        ended_s = None if finished is None else finished.ended_s
        return RunInfo(self.path, started, self._state(finished), steps, last_loss, ended_s, self._cause())

    def _last_loss(self) -> float | None:
        which = "rank = 0 AND loss IS NOT NULL"
        if len(self.programs()) > 1:
            most_run = "SELECT program FROM steps WHERE rank = 0 GROUP BY program ORDER BY count(*) DESC LIMIT 1"
            which += f" AND program = ({most_run})"
        losses = self.rows(f"SELECT loss FROM steps NOT INDEXED WHERE {which} ORDER BY id DESC LIMIT 1")
        return float(losses[0][0]) if losses else None

    def plan_mark(self) -> str:
        """Return a mark that changes whenever a rank tells of a program or a parameter."""
        tables = ("programs", "program_ranks", "parameters", "ranks")
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        (row,) = self.rows(f"SELECT {counts}")
        return ".".join(map(str, row))

    def _meta(self, key: str, kind: type) -> Any:
        rows = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return from_plain(kind, json.loads(rows[0][0])) if rows else None

    def state(self) -> str:
        """Return whether it is running, or how it ended, as ``RunInfo.state`` says it."""
        return self._state(self._meta("finished", RunFinished))

    def _state(self, finished: RunFinished | None) -> str:
        if self.rows("SELECT 1 FROM failures LIMIT 1"):
            return "failed"
        if finished is not None:
            return finished.state
        return "running" if has_writer(self.path) else "killed"

    def _cause(self) -> str:
        rows = self.rows("SELECT rank, error, message FROM failures ORDER BY id LIMIT 1")
        return "".join(f"rank {rank}: {error}: {(message.splitlines() or [''])[0]}" for rank, error, message in rows)

    def ranks(self) -> tuple[RankStarted, ...]:
        """Return the ranks that have spoken, in order."""
        rows = self.rows("SELECT rank, host, pid, wall_s, clock_s FROM ranks ORDER BY rank")
        return tuple(RankStarted(*row) for row in rows)

    def clock_offsets(self) -> dict[int, float]:
        """Return, for each rank, the seconds to add to its step times to get those since the first rank started.

        Ranks of one machine share a clock, so they share the offset of the first of them. (Seconds since 1970 would
        cost the microseconds: a float64 of that size has steps of 0.24 of them.)
        """
        by_host: dict[str, float] = {}
        ranks = self.ranks()
        return {r.rank: by_host.setdefault(r.host, r.wall_s - ranks[0].wall_s - r.clock_s) for r in ranks}

    def failures(self) -> tuple[RankFailed, ...]:
        """Return the ranks that raised, the first one first."""
        rows = self.rows("SELECT rank, error, message, traceback FROM failures ORDER BY id")
        return tuple(RankFailed(*row) for row in rows)

    # --- what was planned ---

    def parameters(self) -> tuple[ParameterPlaced, ...]:
        """Return all parameters and optimizer states, in the order in which they were placed."""
        rows = self.rows(
            "SELECT name, shape, dtype, storage, compute, kind, comm_fusion, flags FROM parameters ORDER BY id"
        )
        layout = cache(_layout)  # thousands of parameters share a few layouts
        return tuple(
            ParameterPlaced(
                name, _numbers(shape), dtype, layout(storage), layout(compute), kind, fusion, tuple(json.loads(flags))
            )
            for name, shape, dtype, storage, compute, kind, fusion, flags in rows
        )

    def programs(self) -> tuple[str, ...]:
        """Return the names of the compiled programs, in order."""
        return tuple(row[0] for row in self.rows("SELECT program FROM programs ORDER BY id"))

    def program(self, program: str, rank: int = 0) -> ProgramCompiled | None:
        """Return one program as one rank runs it, with its plan as text and its graph; None if there is none."""
        rows = self.rows("SELECT digest, plan, graph_values, graph_nodes FROM programs WHERE program = ?", program)
        if not rows:
            return None
        digest, plan, values, nodes = rows[0]
        peaks = self.rows("SELECT peak_bytes FROM program_ranks WHERE program = ? AND rank = ?", program, rank)
        return ProgramCompiled(
            program,
            plan,
            digest,
            self.collectives(program, rank),
            peaks[0][0] if peaks else 0,
            _values(json.loads(values)),
            _nodes(json.loads(nodes)),
        )

    def source(self, program: str) -> bytes:
        """Return a program as it was before it was cut, for ``partition.decode_program``; empty if it was not kept."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'sources'"):
            return b""  # written by a simpar that did not keep them
        rows = self.rows("SELECT source FROM sources WHERE program = ?", program)
        return rows[0][0] if rows else b""

    def collectives(self, program: str, rank: int = 0) -> tuple[CollectiveSpec, ...]:
        """Return what the rows of ``StepRow.times`` mean, for one program on one rank."""
        rows = self.rows(
            "SELECT row, kind, ranks, message_bytes, cause, fusion, parameters, phase FROM collectives "
            "WHERE program = ? AND rank = ? ORDER BY row",
            program,
            rank,
        )
        group = cache(_numbers)  # hundreds of collectives share a few groups
        return tuple(
            CollectiveSpec(index, kind, group(ranks), message, cause, fusion, tuple(json.loads(parameters)), phase)
            for index, kind, ranks, message, cause, fusion, parameters, phase in rows
        )

    def groups(self, program: str) -> dict[int, tuple[tuple[int, ...], ...]]:
        """Return, for each collective of a program, the groups that do it, as far as their ranks have told.

        In a pipeline those of rank 0's stage: other stages have collectives of their own in the same rows.
        """
        found: dict[int, list[tuple[int, ...]]] = {}
        words = "SELECT DISTINCT c.row, c.ranks FROM collectives c WHERE c.program = ?"
        stages = "SELECT 1 FROM collectives WHERE program = ? AND kind IN ('send', 'receive') LIMIT 1"
        if any(True for _ in self.rows(stages, program)):
            words += (
                " AND EXISTS (SELECT 1 FROM collectives o WHERE o.program = c.program AND o.rank = 0 AND o.row = c.row"
                " AND o.kind = c.kind AND o.cause = c.cause)"
            )
        for row, ranks in self.rows(words, program):
            found.setdefault(row, []).append(tuple(json.loads(ranks)))
        return {row: tuple(sorted(groups)) for row, groups in sorted(found.items())}

    def peak_bytes(self, program: str) -> dict[int, int]:
        """Return the most memory that the plan of a program needs at once, by rank."""
        return dict(self.rows("SELECT rank, peak_bytes FROM program_ranks WHERE program = ? ORDER BY rank", program))

    # --- what was measured ---

    def steps(
        self,
        rank: int | None = None,
        since: int = 0,
        *,
        most: int | None = None,
        between_s: tuple[float, float] | None = None,
        every: int = 1,
        with_times: bool = True,
        are_few: bool = False,
    ) -> Iterator[StepRow]:
        """Yield steps as they arrived.

        Args:
            rank: of this rank only.
            since: those with an id above it.
            most: no more than so many.
            between_s: those that touch this stretch of time, by the clock of their ranks.
            every: those whose number it divides.
            with_times: with the times of their collectives; without, ``times`` is empty.
            are_few: whether few steps came after ``since``; then these are read, not all of the rank.
        """
        columns = f"id, rank, program, step, start_s, end_s, loss, {'times' if with_times else 'NULL'}"
        which, values = ["id > ?", "step % ? = 0"], [since, every]
        if rank is not None:
            which, values = [*which, "rank = ?"], [*values, rank]
        if between_s is not None:
            which, values = [*which, "end_s > ? AND start_s < ?"], [*values, *between_s]
        table = "steps NOT INDEXED" if are_few else "steps"
        query = f"SELECT {columns} FROM {table} WHERE {' AND '.join(which)} ORDER BY id LIMIT ?"
        with store_errors(self.path):
            for row in self._database.execute(query, (*values, -1 if most is None else most)):
                yield _step(row)

    def newest_step(self) -> int:
        """Return the id of the step that arrived last; 0 if there is none."""
        ((newest,),) = self.rows("SELECT max(id) FROM steps")
        return newest or 0

    def step_counts(self) -> dict[tuple[int, str], int]:
        """Return how many steps of each program each rank has finished, by (rank, program)."""
        rows = self.rows("SELECT rank, program, count(*) FROM steps GROUP BY rank, program")
        return {(rank, program): count for rank, program, count in rows}

    def losses(self, rank: int = 0) -> tuple[tuple[int, float], ...]:
        """Return (step, loss) of one rank, in the order of the steps."""
        query = "SELECT step, loss FROM steps WHERE rank = ? AND loss IS NOT NULL ORDER BY id"
        return tuple((step, float(loss)) for step, loss in self.rows(query, rank))

    def scalars(self, since: int = 0) -> tuple[ScalarRow, ...]:
        """Return the numbers that arrived after the one with the id ``since``."""
        rows = self.rows("SELECT id, rank, name, step, value FROM scalars WHERE id > ? ORDER BY id", since)
        return tuple(ScalarRow(id, rank, name, step, float(value)) for id, rank, name, step, value in rows)

    def memory(self) -> tuple[MemoryMeasured, ...]:
        """Return the measured memory of all ranks, oldest first."""
        query = "SELECT rank, step, rss_bytes, pss_bytes, planned_bytes FROM memory ORDER BY id"
        return tuple(MemoryMeasured(*row) for row in self.rows(query))

    def checksums(self, parameter: str) -> tuple[Checksum, ...]:
        """Return the checksums of one parameter's slices, oldest first."""
        query = "SELECT rank, parameter, step, digest FROM checksums WHERE parameter = ? ORDER BY id"
        return tuple(Checksum(*row) for row in self.rows(query, parameter))

    @contextmanager
    def as_it_is(self) -> Generator[None]:
        """Read, for the length of a ``with`` block, what the store holds at its beginning, in one go."""
        self.rows("BEGIN")
        yield
        self.rows("COMMIT")

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_run(path: Path | str) -> Run:
    """Open a run for reading, by its folder or by its ``run.sqlite``.

    Raises:
        RunStoreError: there is none, or it cannot be read.
    """
    given = Path(path)
    return Run(given / STORE_NAME if given.is_dir() else given)


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading only; a store that lies where nothing can be written opens as one that does not change."""
    address = path.absolute().as_uri()
    wal = path.with_name(path.name + "-wal")
    given: dict[str, Any] = {"uri": True, "isolation_level": None, "check_same_thread": False}
    database = sqlite3.connect(f"{address}?mode=ro", _BUSY_TIMEOUT_S, **given)
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        database.close()
        is_read_only = "unable to open" in str(error) or "readonly" in str(error)
        if (wal.exists() and wal.stat().st_size) or not is_read_only:
            raise
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", **given)
    return database


def _values(plain: list[dict[str, Any]]) -> tuple[GraphValue, ...]:
    layout = cache(_layout)  # thousands of values share a few layouts
    return tuple(
        GraphValue(v["name"], tuple(v["shape"]), v["dtype"], layout(json.dumps(v["layout"])) if v["layout"] else None)
        for v in plain
    )


def _nodes(plain: list[dict[str, Any]]) -> tuple[GraphNode, ...]:
    for node in plain:
        node["inputs"], node["outputs"] = tuple(node["inputs"]), tuple(node["outputs"])
    return tuple(GraphNode(**node) for node in plain)


def _layout(text: str) -> Layout:
    return from_plain(Layout, json.loads(text))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _step(row: tuple[Any, ...]) -> StepRow:
    step_id, rank, program, step, start_s, end_s, loss, times = row
    pairs = np.frombuffer(times or b"", np.float64).reshape(-1, 2)
    return StepRow(step_id, rank, program, step, start_s, end_s, None if loss is None else float(loss), pairs)


def _unnamed(path: Path) -> RunStarted:
    """Stand for a run that was killed before its first batch."""
    return RunStarted(path.parent.name, "", (), path.stat().st_ctime, "", 0, 0)
