"""Time cut into bins of equal length: how much of each bin is covered, for many rows at once."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["binned", "disjoint"]

Times = NDArray[np.float64]

_BLOCK = 1 << 15  # intervals at once, in whole rows, so that what is made of them stays in the cache


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
    scale = bins / (last - first)
    covered = np.zeros((count, bins))
    limits = np.searchsorted(rows, np.arange(count + 1))
    top = 0
    while top < count:
        bottom = max(top + 1, int(np.searchsorted(limits, limits[top] + _BLOCK, side="right")) - 1)
        here = slice(int(limits[top]), int(limits[bottom]))
        base, size = (rows[here] - top) * (bins + 1), (bottom - top) * (bins + 1)
        whole, parts = _counted((ends[here] - first) * scale, base, bins, size)
        less_whole, less_parts = _counted((starts[here] - first) * scale, base, bins, size)
        whole -= less_whole
        parts -= less_parts
        above = np.cumsum(whole.reshape(-1, bins + 1)[:, :0:-1], axis=1)[:, ::-1]  # ends less starts in later bins
        np.add(above, parts.reshape(-1, bins + 1)[:, :-1], out=covered[top:bottom])
        top = bottom
    covered /= scale
    return covered


def _counted(places: Times, base: NDArray[np.intp], bins: int, size: int) -> tuple[NDArray[np.intp], Times]:
    """Return how many places lie in each bin of some rows, and how far into it, added up."""
    np.minimum(np.maximum(places, 0.0, out=places), bins, out=places)
    below = places.astype(np.intp)
    places -= below
    below += base
    parts: Times = np.asarray(np.bincount(below, places, minlength=size), np.float64)
    return np.bincount(below, minlength=size), parts


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
    begin, end = np.empty(starts.shape), np.empty(starts.shape)
    length = int(starts.shape[-1])
    rows = [x.reshape(-1, length) for x in (starts, ends, begin, end)]
    many = max(1, _BLOCK // max(1, length))
    for at in range(0, len(rows[0]), many):
        starting, ending, first, last = (x[at : at + many] for x in rows)
        reached = np.fmax(ending, starting)
        np.fmax.accumulate(reached, axis=-1, out=reached)
        first[:, :1] = starting[:, :1]
        np.fmax(starting[:, 1:], reached[:, :-1], out=first[:, 1:])
        np.maximum(reached, first, out=last)
    return begin, end
