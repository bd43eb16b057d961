"""The timeline: when each rank computed, moved data and waited, in bins, so that any stretch is one small answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simpar.dashboard.models.measured import LateRank, RankLanes, Span, StepMark, Timeline
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import SideBySide, covered, side_by_side
from simpar.recorder import StepRow

__all__ = ["Stretch", "timeline"]

_MOST_ROWS = 4000  # steps whose collectives are read for one answer; of more, every n-th
_MOST_SPANS = 2000
_MOST_LATE = 20
_STEPS_AT_FIRST = 12

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for.

    Args:
        start_s, end_s: seconds since the first rank started; by default the last steps of the main program.
        bins: into which it is cut.
        ranks: that get a row; all if empty.
    """

    start_s: float | None = None
    end_s: float | None = None
    bins: int = 600
    ranks: tuple[int, ...] = ()


def timeline(opened: OpenedRun, asked: Stretch) -> Timeline:
    """Return a stretch of the run's time.

    Raises:
        RequestError: it ends before it starts.
    """
    return opened.cached(("timeline", asked), lambda: _timeline(opened, asked))


def _timeline(opened: OpenedRun, asked: Stretch) -> Timeline:
    offsets, marks = opened.run.clock_offsets(), _marks(opened)
    start, end = _limits(opened, asked, marks)
    told = sorted(offsets)
    ranks = tuple(r for r in told if r in asked.ranks) if asked.ranks else tuple(told)
    programs = opened.run.programs()
    present, detailed = _rows(opened, told, offsets, start, end)
    sides = [side_by_side(p, detailed, offsets, opened.run.groups(p)) for p in programs]
    edges = np.linspace(start, end, asked.bins + 1)
    timed: dict[int, list[StepRow]] = {}
    for s in detailed:
        if len(s.times):
            timed.setdefault(s.rank, []).append(s)
    lanes = tuple(
        _lanes(rank, present.get(rank, ()), timed.get(rank, ()), sides, offsets.get(rank, 0.0), edges) for rank in ranks
    )
    spans = _spans(sides, programs, ranks, start, end)
    return Timeline(
        programs=programs,
        start_s=start,
        end_s=end,
        first_step=marks[0].step if marks else 0,
        last_step=marks[-1].step if marks else 0,
        bins=asked.bins,
        lanes=lanes,
        steps=tuple(m for m in marks if m.end_s > start and m.start_s < end)[:5000],
        spans=spans if len(spans) <= _MOST_SPANS else (),
        late=_late(sides, programs, opened),
        clock_offsets_s=offsets,
    )


def _marks(opened: OpenedRun) -> list[StepMark]:
    """Return the steps of the first rank, of whatever program."""

    def made() -> list[StepMark]:
        offsets = opened.run.clock_offsets()
        if not offsets:
            return []
        first = min(offsets)
        return [
            StepMark(step=s.step, start_s=s.start_s + offsets[first], end_s=s.end_s + offsets[first])
            for s in opened.run.steps(first, with_times=False)
        ]

    return opened.cached("marks", made)


def _limits(opened: OpenedRun, asked: Stretch, marks: Sequence[StepMark]) -> tuple[float, float]:
    if asked.start_s is not None and asked.end_s is not None and asked.end_s <= asked.start_s:
        words = f"the stretch ends at {asked.end_s} s, before it starts at {asked.start_s} s. Give t1 above t0."
        raise RequestError(422, "bad_request", words)
    last = marks[-_STEPS_AT_FIRST:]
    start = asked.start_s if asked.start_s is not None else last[0].start_s if last else 0.0
    end = asked.end_s if asked.end_s is not None else last[-1].end_s if last else start + 1.0
    if asked.start_s is not None and end <= start:
        end = start + 1.0
    return (start if start < end else end - 1.0), end


def _rows(
    opened: OpenedRun, ranks: Sequence[int], offsets: dict[int, float], start: float, end: float
) -> tuple[dict[int, list[StepRow]], list[StepRow]]:
    """Return the steps of each rank without times, and those with times, of many only every n-th."""
    clocks = {r: (start - offsets[r], end - offsets[r]) for r in ranks}
    present = {
        r: list(opened.run.steps(r, between_s=clock, most=200_000, with_times=False)) for r, clock in clocks.items()
    }
    every = -(-sum(map(len, present.values())) // _MOST_ROWS) or 1
    detailed = [s for r, clock in clocks.items() for s in opened.run.steps(r, between_s=clock, every=every)]
    return present, detailed


def _lanes(
    rank: int,
    present: Sequence[StepRow],
    timed: Sequence[StepRow],
    sides: Sequence[SideBySide],
    offset: float,
    edges: Times,
) -> RankLanes:
    """Return one rank's row. Where the times of some steps only are known, their shares stand for those around them."""
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    in_step = _covered_by(present, offset, edges)
    read = _covered_by(timed, offset, edges)
    moving, waiting = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for side in sides:
        if rank in side.ranks:
            at = side.ranks.index(rank)
            starts, ends = side.start_s[at].ravel(), side.end_s[at].ravel()
            there = ~np.isnan(starts)
            complete = np.clip(side.arrived_s[at].ravel()[there], starts[there], ends[there])
            moving += covered(starts[there], ends[there], edges)
            waiting += covered(starts[there], complete, edges)
    moving, waiting = (_spread(x, in_step, read) for x in (moving, waiting))
    waiting = np.minimum(waiting, moving)
    return RankLanes(
        rank=rank,
        compute=_shares(in_step - moving, width),
        communication=_shares(moving - waiting, width),
        wait=_shares(waiting, width),
    )


def _spread(known: Times, in_step: Times, read: Times) -> Times:
    """Return seconds in all steps by those in steps that were read; where none was, by the mean of those that were."""
    mean = float(known.sum() / read.sum()) if read.any() else 0.0
    share = np.divide(known, read, out=np.full_like(read, mean), where=read > 0)
    return np.minimum(share * in_step, in_step)


def _covered_by(steps: Sequence[StepRow], offset: float, edges: Times) -> Times:
    starts, ends = np.array([s.start_s for s in steps]), np.array([s.end_s for s in steps])
    return covered(starts + offset, ends + offset, edges)


def _shares(seconds: Times, width: float) -> tuple[float, ...]:
    return tuple(np.round(np.clip(seconds / width, 0.0, 1.0), 4).tolist())


def _spans(
    sides: Sequence[SideBySide], programs: Sequence[str], ranks: Sequence[int], start: float, end: float
) -> tuple[Span, ...]:
    """Return the collectives that touch the stretch, each exactly; one more than the most if there are too many."""
    spans: list[Span] = []
    for side in sides:
        touches = (side.end_s > start) & (side.start_s < end)
        places: list[list[int]] = np.argwhere(touches).tolist()
        for r, s, c in places:
            if side.ranks[r] not in ranks:
                continue
            spans.append(
                Span(
                    rank=side.ranks[r],
                    step=side.steps[s],
                    collective=c,
                    program=programs.index(side.program),
                    start_s=float(side.start_s[r, s, c]),
                    end_s=float(side.end_s[r, s, c]),
                    wait_s=float(side.wait_s[r, s, c]),
                )
            )
            if len(spans) > _MOST_SPANS:
                return tuple(spans)
    return tuple(spans)


def _late(sides: Sequence[SideBySide], programs: Sequence[str], opened: OpenedRun) -> tuple[LateRank, ...]:
    found: list[LateRank] = []
    for side in sides:
        for row, groups in opened.run.groups(side.program).items():
            for group in groups:
                found += _late_in(side, programs.index(side.program), row, group)
    return tuple(sorted(found, key=lambda f: -f.cost_s)[:_MOST_LATE])


def _late_in(side: SideBySide, program: int, row: int, group: tuple[int, ...]) -> list[LateRank]:
    """Return the steps in which a group waited longest for its last rank."""
    here = [side.ranks.index(r) for r in group if r in side.ranks]
    if len(here) < 2 or row >= side.start_s.shape[2]:
        return []
    starts = side.start_s[here, :, row]  # (group, steps)
    whole = ~np.isnan(starts).any(axis=0)
    costs = np.where(whole, side.wait_s[here, :, row].sum(axis=0), 0.0)
    chosen = [int(s) for s in np.argsort(costs)[::-1][:_MOST_LATE] if costs[s] > 0]
    return [
        LateRank(
            step=side.steps[s],
            collective=row,
            program=program,
            rank=side.ranks[here[int(np.argmax(starts[:, s]))]],
            group=group,
            late_s=float(starts[:, s].max() - starts[:, s].min()),
            cost_s=float(costs[s]),
        )
        for s in chosen
    ]
