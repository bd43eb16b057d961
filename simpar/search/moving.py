"""What it costs to bring a value from one layout to another, counted as MindSpore's searches count it.

An axis that moves from one tensor axis to another counts as a gather and a cut, for its ranks exchange no pieces there:
both move ``k`` slices, for ``k`` ranks. Cutting further is free.
"""

from math import prod
from typing import NamedTuple

from simpar.layout import Layout, axis_size, refine

__all__ = ["Cost", "moving_cost"]


class Cost(NamedTuple):
    """A cost, the smaller the better: elements that reach a rank, then how many operations bring them."""

    elements: int
    operations: int


def moving_cost(source: Layout, target: Layout, shape: tuple[int, ...]) -> Cost:
    """Return the cost of a redistribution between two layouts without partial axes.

    >>> moving_cost(Layout((8,), (-1, 0)), Layout((8,), (-1, -1)), (64, 64))
    Cost(elements=4096, operations=1)
    >>> moving_cost(Layout((8,), (-1, 0)), Layout((4, 2), (1, -1)), (64, 64))
    Cost(elements=3072, operations=3)
    """
    if source.same_slices(target):
        return Cost(0, 0)
    dev_mat = refine(source.dev_mat, target.dev_mat)
    if dev_mat is None or source.rank_list != target.rank_list:
        return Cost(prod(shape), 2)
    moved, gathered, cut = _changes(source.refined(dev_mat), target.refined(dev_mat))
    held = prod(source.slice_shape(shape)) // prod(axis_size(dev_mat, a) for a in cut)
    elements = held * sum(axis_size(dev_mat, a) for a in moved)
    for a in gathered:
        held *= axis_size(dev_mat, a)
        elements += held
    return Cost(elements, len(cut) + 2 * len(moved) + len(gathered))


def _changes(source: Layout, target: Layout) -> tuple[list[int], list[int], list[int]]:
    """Return the device axes that move to another tensor axis, those that are gathered, and those that newly cut."""
    place = {a: axis for axis, axes in enumerate(target.cutting_axes) for a in axes}
    moved, gathered = list[int](), list[int]()
    for axis, (before, after) in enumerate(zip(source.cutting_axes, target.cutting_axes, strict=True)):
        kept = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
        first = min(len(before), len(after)) if kept is None else kept
        for a in before[first:]:
            (moved if place.get(a, axis) != axis else gathered).append(a)
    held = {a for axes in source.cutting_axes for a in axes}
    return moved, gathered, [a for a in place if a not in held]
