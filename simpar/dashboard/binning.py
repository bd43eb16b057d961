"""Time cut into bins of equal length: how much of each bin is covered, for many rows at once."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["binned", "disjoint"]

Times = NDArray[np.float64]

_BLOCK = 1 << 15  # intervals at once, so that what is made of them stays in the cache


def binned(starts: Times, ends: Times, rows: NDArray[np.intp], count: int, edges: tuple[float, float, int]) -> Times:
    """Return the seconds that intervals cover of each bin, added up over the intervals of a row, (count, bins).

    An interval covers all bins below the one it ends in, and a part of that, less the same of where it starts. So two
    histograms of the ends and a sum along the bins do, however long the intervals are.

    Args:
        starts, ends: of the intervals, (n,).
        rows: to which each belongs, (n,), rising.
        count: of rows.
        edges: where the first bin starts, where the last ends, and how many there are.

    >>> binned(np.array([0.0, 1.0]), np.array([3.0, 2.0]), np.array([0, 1]), 2, (0.0, 4.0, 2))
    array([[2., 1.],
           [1., 0.]])
    """
    first, last, bins = edges
    width = (last - first) / bins
    whole, parts = np.zeros((count, bins + 1)), np.zeros((count, bins + 1))
    for at in range(0, len(rows), _BLOCK):
        here = slice(at, at + _BLOCK)
        top, bottom = int(rows[here][0]), int(rows[here][-1]) + 1
        base = (rows[here] - top) * (bins + 1)
        for times, sign in ((ends[here], 1.0), (starts[here], -1.0)):
            place = np.clip((times - first) / width, 0.0, bins)
            below = place.astype(np.intp)
            place -= below
            below += base
            size = (bottom - top) * (bins + 1)
            whole[top:bottom] += sign * np.bincount(below, minlength=size).reshape(-1, bins + 1)
            parts[top:bottom] += sign * np.bincount(below, place, minlength=size).reshape(-1, bins + 1)
    above = np.cumsum(whole[:, :0:-1], axis=1)[:, ::-1]  # how many intervals end, less those that start, in later bins
    return (above + parts[:, :-1]) * width


def disjoint(starts: Times, ends: Times) -> tuple[Times, Times]:
    """Return intervals that cover what others cover together, none of them twice.

    Args:
        starts, ends: of the intervals, the last axis counts those that may overlap; NaN for none.

    >>> [part.tolist() for part in disjoint(np.array([0.0, 1.0]), np.array([2.0, 3.0]))]
    [[0.0, 2.0], [2.0, 3.0]]
    """
    if starts.shape[-1] > 1 and np.any(starts[..., 1:] < starts[..., :-1]):
        order = np.argsort(starts, axis=-1, kind="stable")
        starts, ends = (np.take_along_axis(x, order, axis=-1) for x in (starts, ends))
    begin, end = starts.copy(), np.fmax.accumulate(np.fmax(ends, starts), axis=-1)
    begin[..., 1:] = np.fmax(begin[..., 1:], end[..., :-1])
    return begin, np.maximum(end, begin)
