"""The timeline: when each rank computed, moved data and waited, in bins, so that any stretch is one small answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simpar.dashboard.binning import Times
from simpar.dashboard.groups import run_dev_mat
from simpar.dashboard.models.measured import LateRank, RankLanes, Span, StepMark, Timeline
from simpar.dashboard.problems import RequestError
from simpar.dashboard.shares import Rows, Shares, rows_by, shares
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import SideBySide, side_by_side, told_groups
from simpar.recorder import StepRow

__all__ = ["BY", "Stretch", "tile", "timeline"]

BY = r"^(each|blocks|\d{1,2})$"
"""How the ranks of a row are chosen: ``each``, ``blocks``, or the number of a device axis."""

_MOST_ROWS = 4000  # steps whose collectives are read for one answer; of more, every n-th
_MOST_SPANS = 2000
_MOST_LATE = 20
_STEPS_AT_FIRST = 12


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for.

    Args:
        start_s, end_s: seconds since the first rank started; by default the last steps of the main program.
        bins: into which it is cut.
        ranks: that are shown; all if empty.
        by: how they share rows, see ``BY``.
    """

    start_s: float | None = None
    end_s: float | None = None
    bins: int = 600
    ranks: tuple[int, ...] = ()
    by: str = "each"


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """Is what a stretch is drawn from.

    Args:
        start_s, end_s: where it begins and ends.
        marks: the steps of the first rank.
        rows: the ranks of each.
        every: of every so-manieth step the times of collectives were read.
        timed_steps: how many steps of the first rank these are.
        sides: these steps, program by program.
        shares: (3, rows, bins).
    """

    start_s: float
    end_s: float
    marks: tuple[StepMark, ...]
    rows: Rows
    every: int
    timed_steps: int
    sides: tuple[SideBySide, ...]
    shares: Shares


def timeline(opened: OpenedRun, asked: Stretch, with_lanes: bool = True) -> Timeline:
    """Return a stretch of the run's time, by default with the shares of its bins as numbers.

    Raises:
        RequestError: it ends before it starts, or there is no such device axis.
    """
    return opened.cached(("timeline", asked, with_lanes), lambda: _timeline(opened, asked, with_lanes))


def tile(opened: OpenedRun, asked: Stretch) -> bytes:
    """Return the shares of the bins as float32, little-endian: computing, moving data, waiting; rows; bins.

    Raises:
        RequestError: the stretch ends before it starts, or there is no such device axis.
    """
    return _read(opened, asked).shares.astype("<f4").tobytes()


def _timeline(opened: OpenedRun, asked: Stretch, with_lanes: bool) -> Timeline:
    read, programs = _read(opened, asked), opened.run.programs()
    marks = _marks(opened)
    ranks = {rank for row in read.rows for rank in row}
    return Timeline(
        programs=programs,
        start_s=read.start_s,
        end_s=read.end_s,
        first_step=marks[0].step if marks else 0,
        last_step=marks[-1].step if marks else 0,
        bins=asked.bins,
        rows=read.rows,
        lanes=_lanes(read) if with_lanes else (),
        steps=read.marks[:5000],
        timed_steps=read.timed_steps,
        read_every=read.every,
        spans=_spans(read, programs, ranks),
        late=_late(read.sides, programs, opened),
        clock_offsets_s=opened.run.clock_offsets(),
    )


def _read(opened: OpenedRun, asked: Stretch) -> _Read:
    def made() -> _Read:
        offsets, marks = opened.run.clock_offsets(), _marks(opened)
        start, end = _limits(asked, marks)
        within = tuple(m for m in marks if m.end_s > start and m.start_s < end)
        told = sorted(offsets)
        chosen = tuple(r for r in told if r in asked.ranks) if asked.ranks else tuple(told)
        rows = _rows(opened, chosen, asked.by)
        every = -(-len(within) * len(told) // _MOST_ROWS) or 1
        detailed = _steps(opened, offsets, start, end, every)
        timed = {rank: [s for s in steps if len(s.times)] for rank, steps in detailed.items()}
        present = detailed if every == 1 else _steps(opened, offsets, start, end, 1, with_times=False)
        everything = [s for steps in detailed.values() for s in steps]
        sides = tuple(side_by_side(p, everything, offsets, told_groups(opened, p)) for p in opened.run.programs())
        edges = (start, end, asked.bins)
        drawn = shares(present, timed, sides, offsets, rows, edges)
        timed_steps = len(timed.get(told[0], ())) if told else 0
        return _Read(start, end, within, rows, every, timed_steps, sides, drawn)

    return opened.cached(("stretch", asked), made)


def _rows(opened: OpenedRun, ranks: Sequence[int], by: str) -> Rows:
    dev_mat = run_dev_mat(opened)
    if by.isdigit() and int(by) >= len(dev_mat):
        words = f"device matrix {dev_mat} has no device axis {by}. Give 0 to {len(dev_mat) - 1}, each or blocks."
        raise RequestError(422, "bad_request", words)
    return rows_by(ranks, by, dev_mat)


def _steps(
    opened: OpenedRun, offsets: Mapping[int, float], start: float, end: float, every: int, with_times: bool = True
) -> dict[int, list[StepRow]]:
    """Return the steps of each rank that touch a stretch, of many only every n-th."""
    return {
        rank: list(
            opened.run.steps(
                rank, between_s=(start - offset, end - offset), every=every, most=200_000, with_times=with_times
            )
        )
        for rank, offset in offsets.items()
    }


def _marks(opened: OpenedRun) -> list[StepMark]:
    """Return the steps of the first rank, of whatever program."""

    def made() -> list[StepMark]:
        offsets = opened.run.clock_offsets()
        if not offsets:
            return []
        first, place = min(offsets), {p: i for i, p in enumerate(opened.run.programs())}
        return [
            StepMark(
                step=s.step,
                program=place[s.program],
                start_s=s.start_s + offsets[first],
                end_s=s.end_s + offsets[first],
            )
            for s in opened.run.steps(first, with_times=False)
            if s.program in place
        ]

    return opened.cached("marks", made)


def _limits(asked: Stretch, marks: Sequence[StepMark]) -> tuple[float, float]:
    if asked.start_s is not None and asked.end_s is not None and asked.end_s <= asked.start_s:
        words = f"the stretch ends at {asked.end_s} s, before it starts at {asked.start_s} s. Give t1 above t0."
        raise RequestError(422, "bad_request", words)
    last = marks[-_STEPS_AT_FIRST:]
    start = asked.start_s if asked.start_s is not None else last[0].start_s if last else 0.0
    end = asked.end_s if asked.end_s is not None else last[-1].end_s if last else start + 1.0
    if asked.start_s is not None and end <= start:
        end = start + 1.0
    return (start if start < end else end - 1.0), end


def _lanes(read: _Read) -> tuple[RankLanes, ...]:
    told = np.round(read.shares.astype(np.float64), 4)
    return tuple(
        RankLanes(rank=row[0], compute=tuple(compute), communication=tuple(moving), wait=tuple(wait))
        for row, compute, moving, wait in zip(read.rows, *told.tolist(), strict=True)
    )


def _spans(read: _Read, programs: Sequence[str], ranks: set[int]) -> tuple[Span, ...]:
    """Return the collectives that touch the stretch, each exactly; none if there are too many."""
    found: list[Span] = []
    for side in read.sides:
        wanted = np.array([rank in ranks for rank in side.ranks], bool)[:, None, None]
        places = np.argwhere(wanted & (side.end_s > read.start_s) & (side.start_s < read.end_s))
        if len(found) + len(places) > _MOST_SPANS:
            return ()
        start_s, end_s, wait_s = (x[tuple(places.T)].tolist() for x in (side.start_s, side.end_s, side.wait_s))
        program = programs.index(side.program)
        found += [
            Span(
                rank=side.ranks[r],
                step=side.steps[s],
                collective=c,
                program=program,
                start_s=start_s[i],
                end_s=end_s[i],
                wait_s=wait_s[i],
            )
            for i, (r, s, c) in enumerate(places.tolist())
        ]
    return tuple(found)


def _late(sides: Sequence[SideBySide], programs: Sequence[str], opened: OpenedRun) -> tuple[LateRank, ...]:
    found: list[LateRank] = []
    for side in sides:
        at, wait_s = {rank: i for i, rank in enumerate(side.ranks)}, side.wait_s
        for row, groups in told_groups(opened, side.program).items():
            for group in groups if row < side.start_s.shape[2] else ():
                here = [at[r] for r in group if r in at]
                if len(here) > 1:
                    starts, waits = side.start_s[here, :, row], wait_s[here, :, row]  # (group, steps)
                    found += _late_in(side, programs.index(side.program), row, group, here, starts, waits)
    return tuple(sorted(found, key=lambda f: -f.cost_s)[:_MOST_LATE])


def _late_in(
    side: SideBySide, program: int, row: int, group: tuple[int, ...], here: Sequence[int], starts: Times, waits: Times
) -> list[LateRank]:
    """Return the steps in which a group waited longest for its last rank."""
    costs = np.where(np.isnan(starts).any(axis=0), 0.0, waits.sum(axis=0))
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
