"""The times of collectives: of one rank over its latest steps, and of all ranks side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simpar.dashboard.store import OpenedRun
from simpar.recorder import StepRow

__all__ = [
    "TIMED_STEPS",
    "SideBySide",
    "Timing",
    "covered",
    "latest_side_by_side",
    "latest_steps",
    "side_by_side",
    "timing",
    "told_groups",
]

TIMED_STEPS = 200
"""Over so many of the latest steps times are averaged, so that an answer about a long run stays quick."""

Times = NDArray[np.float64]
Groups = Mapping[int, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Is the seconds that each collective of a program took on one rank, over its latest steps.

    Args:
        steps: how many were measured.
        mean_s, least_s, most_s, offset_s: (collectives,); the offset is counted from the start of the step.
        step_s: of a whole step, on average.
        share: of the step in which at least one collective was under way, on average.
    """

    steps: int
    mean_s: Times
    least_s: Times
    most_s: Times
    offset_s: Times
    step_s: float
    share: float


def timing(opened: OpenedRun, program: str, rank: int = 0) -> Timing | None:
    """Return the times of a program's collectives on one rank; None if it ran no step of it."""
    return opened.cached(("timing", program, rank), lambda: _timing(latest_steps(opened, program, rank)))


def latest_steps(opened: OpenedRun, program: str, rank: int | None, most: int = TIMED_STEPS) -> list[StepRow]:
    """Return the latest steps of a program, of one rank or of all, of each about so many."""
    world = max(1, opened.info.started.world_size)
    since = max(0, opened.run.newest_step() - most * world)
    found = [s for s in opened.run.steps(rank, since) if s.program == program]
    if not found and since:  # the program ran before the latest steps
        found = [s for s in opened.run.steps(rank) if s.program == program][
            -most * (1 if rank is not None else world) :
        ]
    return found


def _timing(steps: list[StepRow]) -> Timing | None:
    rows = max((len(s.times) for s in steps), default=0)
    steps = [s for s in steps if len(s.times) == rows]  # old steps forget their times
    if not steps:
        return None
    times = np.stack([s.times[:rows] for s in steps])  # (steps, collectives, 2)
    seconds = times[..., 1] - times[..., 0]
    starts = np.array([s.start_s for s in steps])
    whole = np.array([s.end_s for s in steps]) - starts
    busy = _busy(times, starts, starts + whole)
    return Timing(
        len(steps),
        seconds.mean(axis=0),
        seconds.min(axis=0),
        seconds.max(axis=0),
        (times[..., 0] - starts[:, None]).mean(axis=0),
        float(whole.mean()),
        float(busy.sum() / max(float(whole.sum()), 1e-12)),
    )


def _busy(times: Times, starts: Times, ends: Times) -> Times:
    """Return for how long a collective was under way in each step.

    Args:
        times: (steps, collectives, 2).
        starts, ends: of the steps.
    """
    if not times.shape[1]:
        return np.zeros(len(times))
    inside = np.clip(times, starts[:, None, None], ends[:, None, None])
    order = np.argsort(inside[..., 0], axis=1, kind="stable")
    begin, end = np.take_along_axis(inside[..., 0], order, 1), np.take_along_axis(inside[..., 1], order, 1)
    reached = np.maximum.accumulate(end, axis=1)
    before = np.concatenate([np.full((len(times), 1), -np.inf), reached[:, :-1]], axis=1)
    return np.clip(end - np.maximum(begin, before), 0.0, None).sum(axis=1)


def covered(starts: Times, ends: Times, edges: Times) -> Times:
    """Return how much of each bin is covered by intervals, which may overlap.

    Args:
        starts, ends: of the intervals, (n,).
        edges: of the bins, rising, (bins + 1,).

    >>> covered(np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.array([0.0, 2.0, 4.0]))
    array([2., 1.])
    """
    if not len(starts):
        return np.zeros(len(edges) - 1)
    order = np.argsort(starts, kind="stable")
    begin, end = starts[order], np.maximum.accumulate(np.maximum(ends[order], starts[order]))
    is_first = np.concatenate(([True], begin[1:] > end[:-1]))  # of a stretch of intervals that overlap
    firsts = begin[is_first]
    lasts = end[np.concatenate((np.flatnonzero(is_first)[1:] - 1, [len(end) - 1]))]
    lengths = np.concatenate(([0.0], np.cumsum(lasts - firsts)))
    corners = np.stack([firsts, lasts], axis=1).ravel()
    heights = np.stack([lengths[:-1], lengths[1:]], axis=1).ravel()
    return np.diff(np.interp(edges, corners, heights))


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """Is steps of one program on several ranks, on one time line; NaN where a rank did not tell of a step.

    Args:
        program: whose.
        ranks, steps: what the first two axes of the arrays stand for.
        start_s, end_s: of each collective, (ranks, steps, collectives).
        arrived_s: when the last rank of the group had arrived, (ranks, steps, collectives).
    """

    program: str
    ranks: tuple[int, ...]
    steps: tuple[int, ...]
    start_s: Times
    end_s: Times
    arrived_s: Times

    @property
    def wait_s(self) -> Times:
        """The part of each collective in which its group was not complete."""
        return np.clip(self.arrived_s - self.start_s, 0.0, np.maximum(self.end_s - self.start_s, 0.0))


def side_by_side(program: str, rows: Iterable[StepRow], offsets: Mapping[int, float], groups: Groups) -> SideBySide:
    """Return steps of one program with when each collective's group was complete.

    Args:
        program: rows of others are left out.
        rows: steps of any ranks.
        offsets: of the ranks' clocks.
        groups: of each collective.
    """
    mine = [r for r in rows if r.program == program]
    collectives = max((len(r.times) for r in mine), default=0)
    mine = [r for r in mine if len(r.times) == collectives]  # old steps forget their times
    ranks, steps = (tuple(sorted(set(of))) for of in ([r.rank for r in mine], [r.step for r in mine]))
    rank_at, step_at = ({n: i for i, n in enumerate(of)} for of in (ranks, steps))
    times = np.full((len(ranks), len(steps), collectives, 2), np.nan)
    for r in mine:
        times[rank_at[r.rank], step_at[r.step]] = r.times + offsets.get(r.rank, 0.0)
    start = times[..., 0]
    arrived = start.copy()
    for row, which in groups.items():
        for group in which if row < collectives else ():
            here = [rank_at[r] for r in group if r in rank_at]
            if len(here) > 1:
                arrived[here, :, row] = np.fmax.reduce(start[here, :, row], axis=0)
    return SideBySide(program, ranks, steps, start, times[..., 1], arrived)


def told_groups(opened: OpenedRun, program: str) -> Groups:
    """Return the groups of each collective of a program, as far as their ranks have told."""
    return opened.planned(("told groups", program), lambda: opened.run.groups(program))


def latest_side_by_side(opened: OpenedRun, program: str) -> SideBySide | None:
    """Return the latest steps of a program on all ranks; None if it ran none."""

    def made() -> SideBySide | None:
        rows = latest_steps(opened, program, None, most=64)
        return side_by_side(program, rows, opened.run.clock_offsets(), told_groups(opened, program)) if rows else None

    return opened.cached(("side by side", program), made)
