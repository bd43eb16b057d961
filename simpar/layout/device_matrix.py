"""The ranks as an array, and which of them stand in one line.

A *device matrix* ``dev_mat`` such as ``(2, 4)`` numbers ranks row by row: rank 5 stands at coordinates ``(1, 1)``. A
*device axis* is counted from the right, so that device axis 0 is the last one; this is MindSpore's convention, and it
keeps its number when axes are added in front.

Every function costs as much as its answer is long, so a device matrix of a million ranks costs microseconds.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from math import prod

from simpar.errors import LayoutError

__all__ = ["axis_size", "check_dev_mat", "coordinates", "group_of", "rank_at", "refine", "refined_axes", "strides"]


def check_dev_mat(dev_mat: Sequence[int]) -> tuple[int, ...]:
    """Return ``dev_mat`` as a tuple of positive ints.

    Raises:
        LayoutError: it holds something else.
    """
    axes = tuple(dev_mat)
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in axes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise LayoutError(f"dev_mat {axes} must hold whole numbers of at least 1, e.g. (2, 4).")
    return axes


def axis_size(dev_mat: tuple[int, ...], device_axis: int) -> int:
    """Return how many ranks stand along one device axis.

    >>> axis_size((2, 4), 0)
    4
    """
    return dev_mat[len(dev_mat) - 1 - device_axis]


def strides(dev_mat: tuple[int, ...]) -> tuple[int, ...]:
    """Return how far apart neighbours along each axis are, major first.

    >>> strides((2, 4))
    (4, 1)
    """
    return tuple(prod(dev_mat[i + 1 :]) for i in range(len(dev_mat)))


def coordinates(dev_mat: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return where a rank stands, major axis first.

    >>> coordinates((2, 4), 5)
    (1, 1)
    """
    return tuple(rank // stride % size for size, stride in zip(dev_mat, strides(dev_mat), strict=True))


def rank_at(dev_mat: tuple[int, ...], coords: Sequence[int]) -> int:
    """Return the rank that stands at these coordinates.

    >>> rank_at((2, 4), (1, 1))
    5
    """
    return sum(c * stride for c, stride in zip(coords, strides(dev_mat), strict=True))


def group_of(dev_mat: tuple[int, ...], rank: int, device_axes: Iterable[int]) -> tuple[int, ...]:
    """Return the ranks that differ from ``rank`` only along ``device_axes``, the first of these slowest.

    >>> group_of((2, 4), 5, (1,)), group_of((2, 4), 5, (0,))
    ((1, 5), (4, 5, 6, 7))
    """
    positions = [len(dev_mat) - 1 - a for a in device_axes]
    steps = strides(dev_mat)
    here = coordinates(dev_mat, rank)
    corner = rank - sum(here[p] * steps[p] for p in positions)
    ranges = [range(dev_mat[p]) for p in positions]
    return tuple(corner + sum(i * steps[p] for i, p in zip(at, positions, strict=True)) for at in product(*ranges))


def refine(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the coarsest device matrix that both can be merged from, or None if there is none.

    Two device matrices of the same ranks have one exactly if the union of their strides, sorted, is a chain in which
    each number divides the next. For powers of two it always is; ``(2, 3)`` and ``(3, 2)`` have none.

    >>> refine((2, 4), (4, 2))
    (2, 2, 2)
    >>> refine((2, 3), (3, 2)) is None
    True
    """
    if one == other:
        return one
    if prod(one) != prod(other):
        return None
    marks = sorted({*strides(one), *strides(other), prod(one)}, reverse=True)
    if any(high % low for high, low in pairwise(marks)):
        return None
    return tuple(high // low for high, low in pairwise(marks))


def refined_axes(dev_mat: tuple[int, ...], refined: tuple[int, ...], device_axis: int) -> tuple[int, ...]:
    """Return the device axes of ``refined`` that one device axis of ``dev_mat`` splits into, major first.

    >>> refined_axes((2, 4), (2, 2, 2), 0)
    (1, 0)
    """
    low = prod(dev_mat[len(dev_mat) - device_axis :])
    high = low * axis_size(dev_mat, device_axis)
    steps = strides(refined)
    found = [p for p, (size, step) in enumerate(zip(refined, steps, strict=True)) if low <= step < high and size > 1]
    return tuple(len(refined) - 1 - p for p in found)
