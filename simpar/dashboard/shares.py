"""What part of each bin of time the ranks of a row computed, moved data and waited."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simpar.dashboard.binning import Times, binned, disjoint
from simpar.dashboard.timing import SideBySide
from simpar.layout import coordinates
from simpar.recorder import StepRow

__all__ = ["MOST_ROWS", "Rows", "Shares", "rows_by", "shares"]

MOST_ROWS = 32
"""Rows into which neighbouring ranks are put together, at most."""

Rows = tuple[tuple[int, ...], ...]
Shares = NDArray[np.float32]
_Edges = tuple[float, float, int]


def rows_by(ranks: Sequence[int], by: str, dev_mat: tuple[int, ...]) -> Rows:
    """Put ranks into rows.

    Args:
        ranks: in order.
        by: ``each`` for a row of its own, ``blocks`` for neighbours together, or the number of a device axis for those
            that stand at one place along it.
        dev_mat: of the run.

    >>> rows_by((0, 1, 2, 3), "each", (2, 2)), rows_by((0, 1, 2, 3), "0", (2, 2))
    (((0,), (1,), (2,), (3,)), ((0, 2), (1, 3)))
    """
    if by == "each":
        return tuple((rank,) for rank in ranks)
    each = 1
    while len(ranks) > each * MOST_ROWS:
        each *= 2
    found: dict[int, list[int]] = {}
    for i, rank in enumerate(ranks):
        key = i // each if by == "blocks" else coordinates(dev_mat, rank)[len(dev_mat) - 1 - int(by)]
        found.setdefault(key, []).append(rank)
    return tuple(map(tuple, found.values()))


def shares(
    present: Mapping[int, Sequence[StepRow]],
    timed: Mapping[int, Sequence[StepRow]],
    sides: Sequence[SideBySide],
    offsets: Mapping[int, float],
    rows: Rows,
    edges: _Edges,
) -> Shares:
    """Return the share of each bin, 0 to 1, in which the ranks of a row computed, moved data and waited.

    Where the times of some steps only are known, their shares stand for those around them.

    Args:
        present: the steps of each rank.
        timed: those of which the times of collectives were read.
        sides: the same, program by program.
        offsets: of the ranks' clocks.
        rows: the ranks of each.
        edges: where the first bin starts, where the last ends, and how many there are.

    Returns:
        (3, rows, bins).
    """
    in_step, read = (_in_steps(of, offsets, rows, edges) for of in (present, timed))
    moving, waiting = (np.zeros_like(in_step) for _ in range(2))
    at = {rank: i for i, row in enumerate(rows) for rank in row}
    for side in sides:
        here = [i for i, rank in enumerate(side.ranks) if rank in at]
        here.sort(key=lambda i: at[side.ranks[i]])
        if not here or not side.start_s.size:
            continue
        starts, ends = side.start_s[here], side.end_s[here]  # (ranks, steps, collectives)
        complete = np.clip(side.arrived_s[here], starts, ends)
        row = np.repeat([at[side.ranks[i]] for i in here], starts[0].size)
        moving += _covered(starts, ends, row, len(rows), edges)
        waiting += _covered(starts, complete, row, len(rows), edges)
    moving, waiting = (_spread(x, in_step, read) for x in (moving, waiting))
    waiting = np.minimum(waiting, moving)
    width = (edges[1] - edges[0]) / edges[2]
    whole = width * np.array([float(len(row)) for row in rows])[:, None]
    told = np.stack([in_step - moving, moving - waiting, waiting]) / whole
    return np.clip(told, 0.0, 1.0).astype(np.float32)


def _in_steps(steps: Mapping[int, Sequence[StepRow]], offsets: Mapping[int, float], rows: Rows, edges: _Edges) -> Times:
    told = [
        (i, s.start_s + offsets.get(rank, 0.0), s.end_s + offsets.get(rank, 0.0))
        for i, row in enumerate(rows)
        for rank in row
        for s in steps.get(rank, ())
    ]
    place, starts, ends = np.array(told).reshape(-1, 3).T
    return binned(starts, ends, place.astype(np.intp), len(rows), edges)


def _covered(starts: Times, ends: Times, row: NDArray[np.intp], count: int, edges: _Edges) -> Times:
    starts, ends = (x.ravel() for x in disjoint(starts, ends))
    there = ~np.isnan(starts)
    return binned(starts[there], ends[there], row[there], count, edges)


def _spread(known: Times, in_step: Times, read: Times) -> Times:
    """Return seconds in all steps by those in steps that were read; where none was, by the mean of those that were."""
    whole, mean = read.sum(axis=1), np.zeros(len(read))
    np.divide(known.sum(axis=1), whole, out=mean, where=whole > 0)
    share = np.broadcast_to(mean[:, None], read.shape).copy()
    np.divide(known, read, out=share, where=read > 0)
    return np.minimum(share * in_step, in_step)
