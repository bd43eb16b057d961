"""A run as Chrome trace events, which Perfetto and chrome://tracing open: one process for each rank."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from simpar.recorder.codec import json_text
from simpar.recorder.events import CollectiveSpec
from simpar.recorder.reader import Run, StepRow

__all__ = ["trace_events", "write_chrome_trace"]

_STEPS = 0  # the track of the steps; collectives follow on tracks 1, 2, …
_MICROSECOND = 1e6


def write_chrome_trace(run: Run, path: Path) -> int:
    """Write a run as a Chrome trace and return how many events it has.

    Args:
        run: the run.
        path: the JSON file; opened at ui.perfetto.dev or chrome://tracing.
    """
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit":"ms","traceEvents":[')
        for count, event in enumerate(trace_events(run), start=1):
            file.write((",\n" if count > 1 else "\n") + json_text(event))
        file.write("\n]}\n")
    return count


def trace_events(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the events of a run, as the Trace Event Format says; times in microseconds since its first step.

    Slices of one track must not overlap, so a collective that starts while another is under way goes one track down.
    """
    offsets = run.clock_offsets()
    first = min((s.start_s + offsets.get(s.rank, 0.0) for s in run.steps()), default=0.0)
    hosts = {r.rank: r.host for r in run.ranks()}
    specs: dict[tuple[str, int], tuple[CollectiveSpec, ...]] = {}
    tracks: dict[int, int] = {}
    for step in run.steps():
        if (step.program, step.rank) not in specs:
            specs[step.program, step.rank] = run.collectives(step.program, step.rank)
        shift = offsets.get(step.rank, 0.0) - first
        yield _step_slice(step, shift)
        for event in _collective_slices(step, specs[step.program, step.rank], shift):
            tracks[step.rank] = max(tracks.get(step.rank, 0), event["tid"])
            yield event
        tracks.setdefault(step.rank, 0)
    yield from _names(tracks, hosts)


def _step_slice(step: StepRow, shift: float) -> dict[str, Any]:
    arguments = {"program": step.program, "step": step.step, "loss": step.loss}
    return _slice(step.rank, _STEPS, f"step {step.step}", "step", step.start_s + shift, step.end_s + shift, arguments)


def _collective_slices(step: StepRow, specs: Iterable[CollectiveSpec], shift: float) -> Iterator[dict[str, Any]]:
    free_from: list[float] = []  # when each track of collectives is free again
    rows = [c for c in specs if c.index < len(step.times)]
    for c in sorted(rows, key=lambda c: float(step.times[c.index, 0])):
        start, end = map(float, step.times[c.index])
        track = next((t for t, free in enumerate(free_from) if free <= start), len(free_from))
        free_from[track : track + 1] = [end]
        yield _slice(step.rank, track + 1, c.kind, "collective", start + shift, end + shift, _arguments(c))


def _arguments(c: CollectiveSpec) -> dict[str, Any]:
    return {
        "group": list(c.ranks),
        "bytes": c.message_bytes,
        "cause": c.cause,
        "fusion": c.fusion,
        "parameters": list(c.parameters),
        "phase": c.phase,
    }


def _slice(
    rank: int, track: int, name: str, category: str, start_s: float, end_s: float, arguments: dict[str, Any]
) -> dict[str, Any]:
    start, length = start_s * _MICROSECOND, (end_s - start_s) * _MICROSECOND
    return {
        "name": name,
        "cat": category,
        "ph": "X",
        "ts": round(start, 3),
        "dur": round(length, 3),
        "pid": rank,
        "tid": track,
        "args": arguments,
    }


def _names(tracks: dict[int, int], hosts: dict[int, str]) -> Iterator[dict[str, Any]]:
    """Name processes and tracks, and put the ranks in order."""
    for rank, last in sorted(tracks.items()):
        where = f" on {hosts[rank]}" if rank in hosts else ""
        yield {"name": "process_name", "ph": "M", "pid": rank, "tid": 0, "args": {"name": f"rank {rank}{where}"}}
        yield {"name": "process_sort_index", "ph": "M", "pid": rank, "tid": 0, "args": {"sort_index": rank}}
        for track in range(last + 1):
            yield {"name": "thread_name", "ph": "M", "pid": rank, "tid": track, "args": {"name": _track_name(track)}}


def _track_name(track: int) -> str:
    if track == _STEPS:
        return "steps"
    return "collectives" if track == 1 else f"collectives that overlap ({track})"
