"""What arrives while a run is watched, as server-sent events: deltas, at most five a second.

Each event's id is a cursor (last step row, last scalar row), so that a reader that reconnects, or a page that is
reloaded, goes on where it was. The stream ends when the run has.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from time import monotonic

from starlette.concurrency import run_in_threadpool

from simpar.dashboard.memory import columns, series
from simpar.dashboard.models.measured import Delta
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun, RunsFolder
from simpar.recorder import json_text

__all__ = ["CURSOR", "Watched", "delta", "events"]

CURSOR = r"^\d{1,18}\.\d{1,18}$"
"""What a cursor looks like: the last row of steps and the last row of scalars."""

_INTERVAL_S = 0.2
_OPEN_S = 1.0  # a store that does not change is opened so often, to see whether its writer lives
_HEARTBEAT_S = 15.0
_MOST_ROWS = 2000


class Watched:
    """Counts the streams that are open, and ends them when the server does.

    Args:
        most: that may be open at once: each takes a connection, and a browser has six for a server.
        interval_s: seconds between two looks at the store.
        heartbeat_s: seconds of silence after which a comment is sent.
    """

    def __init__(self, most: int = 64, interval_s: float = _INTERVAL_S, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self.most, self.interval_s, self.heartbeat_s = most, interval_s, heartbeat_s
        self.is_ending = threading.Event()
        self.open = 0


def delta(opened: OpenedRun, cursor: str, every_rank: bool) -> Delta:
    """Return what arrived after a cursor, at most 2000 steps of it."""
    since_step, since_scalar = map(int, cursor.split("."))
    run = opened.run
    rows = list(run.steps(None if every_rank else 0, since_step, most=_MOST_ROWS, with_times=False))
    scalars = run.scalars(since_scalar)[:_MOST_ROWS]
    programs = run.programs()
    last = (rows[-1].id if rows else since_step, scalars[-1].id if scalars else since_scalar)
    return Delta(
        cursor="{}.{}".format(*last),
        state=opened.info.state,
        last_step=opened.info.steps,
        programs=programs,
        columns=columns(rows, programs, run.clock_offsets()),
        series=series(scalars),
    )


async def events(folder: RunsFolder, name: str, cursor: str, every_rank: bool, watched: Watched) -> AsyncIterator[str]:
    """Yield the events of a run's stream until the run ends.

    Args:
        folder: of all runs.
        name: of the run.
        cursor: after which to begin.
        every_rank: whether steps of all ranks are wanted, not only those of rank 0.
        watched: the streams of this server.
    """
    state, stamp, spoke, looked = "", "", monotonic(), 0.0
    watched.open += 1
    try:
        yield "retry: 1000\n\n"
        while not watched.is_ending.is_set():
            try:
                now = await run_in_threadpool(folder.stamp, name)
                if now == stamp and monotonic() - looked < min(_OPEN_S, watched.heartbeat_s):
                    await _pause(watched)
                    continue
                stamp, looked = now, monotonic()
                found = await run_in_threadpool(_look, folder, name, cursor, every_rank)
            except RequestError as error:
                yield _event(
                    "problem", cursor, json_text({"schema": 1, "error": error.error, "message": error.message})
                )
                return
            if found.cursor != cursor or found.state != state:
                cursor, state, spoke = found.cursor, found.state, monotonic()
                yield _event("delta", cursor, found.model_dump_json(by_alias=True))
            elif state != "running":
                yield _event("end", cursor, json_text({"schema": 1, "state": state}))
                return
            elif monotonic() - spoke >= watched.heartbeat_s:
                spoke = monotonic()
                yield ": still here\n\n"
            await _pause(watched)
    finally:
        watched.open -= 1


def _look(folder: RunsFolder, name: str, cursor: str, every_rank: bool) -> Delta:
    with folder.opened(name) as opened:
        return delta(opened, cursor, every_rank)


async def _pause(watched: Watched) -> None:
    await asyncio.sleep(watched.interval_s)


def _event(kind: str, cursor: str, data: str) -> str:
    """Write one event; JSON has no line breaks of its own, so one data line holds it."""
    return f"event: {kind}\nid: {cursor}\ndata: {data}\n\n"
