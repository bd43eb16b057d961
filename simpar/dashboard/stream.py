"""What arrives while a run is watched, as server-sent events: deltas, at most two in a second.

Each event's id is a cursor (last step row, last scalar row), so that a reader that reconnects, or a page that is
reloaded, goes on where it was. The stream ends when the run has.

Ranks often fill every core, so that whatever this does is taken from them: while a store stays as it is only its two
files' marks are looked at, and when it has grown only what was added is read.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

from starlette.concurrency import run_in_threadpool

from simpar.dashboard.memory import columns, series
from simpar.dashboard.models.measured import Delta
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import RunsFolder, mark_of, reading
from simpar.recorder import Run, json_text, open_run

__all__ = ["CURSOR", "Follower", "Watched", "events"]

CURSOR = r"^\d{1,18}\.\d{1,18}$"
"""What a cursor looks like: the last row of steps and the last row of scalars."""

_INTERVAL_S = 0.5  # between two deltas: steps that take less than that arrive together
_LOOK_S = 0.1  # while nothing arrives
_OPEN_S = 1.0  # a store that does not change is opened so often, to see whether its writer lives
_HEARTBEAT_S = 15.0
_MOST_ROWS = 2000
_NEWS = (("parameters", "id"), ("programs", "id"), ("failures", "id"), ("ranks", "rank"))
_MEASURED = (("memory", "id"), ("checksums", "id"), ("slice_values", "rowid"))


class Watched:
    """Counts the streams that are open, and ends them when the server does.

    Args:
        most: that may be open at once: each takes a connection, and a browser has six for a server.
        interval_s: seconds between two deltas.
        heartbeat_s: seconds of silence after which a comment is sent.
    """

    def __init__(self, most: int = 64, interval_s: float = _INTERVAL_S, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self.most, self.interval_s, self.heartbeat_s = most, interval_s, heartbeat_s
        self.is_ending = threading.Event()
        self.open = 0


class Follower:
    """Reads what is added to one run, whose store it keeps open: to open it takes longer than to read a few rows.

    Args:
        path: of its store.
        name: of the run.
        every_rank: whether steps of all ranks are wanted, not only those of rank 0.
    """

    def __init__(self, path: Path, name: str, every_rank: bool) -> None:
        self.path, self.name, self.every_rank = path, name, every_rank
        self._run: Run | None = None
        self._file = self._counted = self._steps = 0

    def look(self, cursor: str) -> Delta:
        """Return what arrived after a cursor, at most 2000 steps of it.

        Raises:
            RequestError: the store cannot be read.
        """
        with reading(self.path, self.name):
            try:
                run = self._opened()
                with run.as_it_is():
                    return self._read(run, *map(int, cursor.split(".")))
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the store; the next look opens it again."""
        if self._run is not None:
            self._run.close()
        self._run = None
        self._file = self._counted = self._steps = 0

    def _opened(self) -> Run:
        file = self.path.stat().st_ino
        if self._run is None or file != self._file:  # the run was started anew under the same name
            self.close()
            self._run, self._file = open_run(self.path), file
        return self._run

    def _read(self, run: Run, since_step: int, since_scalar: int) -> Delta:
        rank = None if self.every_rank else 0
        few = bool(self._counted)
        rows = list(run.steps(rank, since_step, most=_MOST_ROWS, with_times=False, are_few=few))
        scalars = run.scalars(since_scalar)[:_MOST_ROWS]
        programs = run.programs()
        last = (rows[-1].id if rows else since_step, scalars[-1].id if scalars else since_scalar)
        return Delta(
            cursor="{}.{}".format(*last),
            state=run.state(),
            last_step=self._count(run),
            news=_mark(run, _NEWS),
            measured=_mark(run, _MEASURED),
            programs=programs,
            columns=columns(rows, programs, run.clock_offsets()),
            series=series(scalars),
        )

    def _count(self, run: Run) -> int:
        """Return the steps of rank 0; those that were counted before are not counted again."""
        table = "steps NOT INDEXED" if self._counted else "steps"
        query = f"SELECT count(*), max(id) FROM {table} WHERE rank = 0 AND id > ?"
        ((count, newest),) = run.rows(query, self._counted)
        self._steps, self._counted = self._steps + count, newest or self._counted
        return self._steps


def _mark(run: Run, newest: tuple[tuple[str, str], ...]) -> str:
    """Return the newest rows of tables, as one text."""
    query = ", ".join(f"(SELECT max({row}) FROM {table})" for table, row in newest)
    return ".".join(str(n or 0) for n in run.rows(f"SELECT {query}")[0])


async def events(folder: RunsFolder, follower: Follower, cursor: str, watched: Watched) -> AsyncIterator[str]:
    """Yield the events of a run's stream until the run ends.

    Args:
        folder: of all runs.
        follower: of the run.
        cursor: after which to begin.
        watched: the streams of this server.
    """
    told, mark, spoke, looked = ("", "", ""), "", monotonic(), 0.0
    watched.open += 1
    try:
        yield "retry: 1000\n\n"
        while not watched.is_ending.is_set():
            now = mark_of(follower.path)
            if now == mark and monotonic() - looked < min(_OPEN_S, watched.heartbeat_s):
                await asyncio.sleep(min(watched.interval_s, _LOOK_S))
                continue
            mark, looked = now, monotonic()
            try:
                found = await run_in_threadpool(follower.look, cursor)
            except RequestError as problem:
                error = problem if follower.path.exists() else folder.unknown(follower.name)
                words = json_text({"schema": 1, "error": error.error, "message": error.message})
                yield _event("problem", cursor, words)
                return
            now_told = (found.state, found.news, found.measured)
            if found.cursor != cursor or now_told != told:
                cursor, told, spoke = found.cursor, now_told, monotonic()
                yield _event("delta", cursor, found.model_dump_json(by_alias=True))
            elif found.state != "running":
                yield _event("end", cursor, json_text({"schema": 1, "state": found.state}))
                return
            elif monotonic() - spoke >= watched.heartbeat_s:
                spoke = monotonic()
                yield ": still here\n\n"
            await asyncio.sleep(watched.interval_s)
    finally:
        watched.open -= 1
        follower.close()


def _event(kind: str, cursor: str, data: str) -> str:
    """Write one event; JSON has no line breaks of its own, so one data line holds it."""
    return f"event: {kind}\nid: {cursor}\ndata: {data}\n\n"
