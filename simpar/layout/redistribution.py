"""Redistribution: the steps that take a tensor from one layout to another.

``plan_redistribution`` brings both layouts to their common device matrix and takes the cheapest path of slices,
collectives and exchanges between them (`redistribution_search`). Where there is no common device matrix, terms are
joined first and one exchange does the rest (`intersection`). A plan is a value: it is drawn, priced and executed by
others, and every rank makes the same one.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod

from simpar.errors import LayoutError
from simpar.layout.device_matrix import axis_size
from simpar.layout.intersection import common_layouts
from simpar.layout.layout import Layout
from simpar.layout.redistribution_search import Problem, cheapest_path, step_seconds
from simpar.layout.redistribution_steps import Step

__all__ = ["Redistribution", "plan_redistribution"]


@dataclass(frozen=True, slots=True)
class Redistribution:
    """How a tensor gets from one layout to another.

    Args:
        source: the layout it has.
        target: the layout it gets.
        shape: of the whole tensor.
        itemsize: bytes of an element.
        steps: in order; none if every rank holds the right slice already.
    """

    source: Layout
    target: Layout
    shape: tuple[int, ...]
    itemsize: int
    steps: tuple[Step, ...]

    @property
    def volume_bytes(self) -> int:
        """The bytes that a rank sends in all steps together, counted as each step counts them."""
        return sum(step.volume_bytes(self.shape, self.itemsize) for step in self.steps)

    @property
    def peak_bytes(self) -> int:
        """The most bytes that the slices before and after a step take together."""
        slices = (prod(x.slice_shape(self.shape)) * self.itemsize for x in (self.source, self.target))
        return max((step.peak_bytes(self.shape, self.itemsize) for step in self.steps), default=max(slices))

    @property
    def seconds(self) -> float:
        """What the plan was taken to cost when it was chosen."""
        return sum(step_seconds(step, self.shape, self.itemsize) for step in self.steps)

    def describe(self) -> str:
        """Return the plan as text, one step a line.

        >>> print(plan_redistribution(Layout((4,), (0, -1)), Layout((4,), (-1, 0)), (8, 8), 4).describe())
        all_to_all axis 0 to 1 over device axes (0) groups of 4, 48 bytes
        """
        return "\n".join(step.describe(self.shape, self.itemsize) for step in self.steps) or "nothing to do"

    __str__ = describe


def plan_redistribution(
    source: Layout, target: Layout, shape: tuple[int, ...], itemsize: int, *, memory_cap_bytes: int | None = None
) -> Redistribution:
    """Return the cheapest steps from one layout to another.

    Args:
        source: the layout the tensor has; it may be partial.
        target: the layout it is to get; partial at most where the source is.
        shape: of the whole tensor.
        itemsize: bytes of an element.
        memory_cap_bytes: the most that the slices before and after a step may take together. By default what the
            first and the last slice need together, or twice the larger one.

    Raises:
        LayoutError: the shape does not fit a layout, the target is partial where the source is not, or the memory
            cap is too small for any plan.

    >>> dp, tp = Layout((2, 2), (1, -1), partial=(0,)), Layout((2, 2), ((1, 0), -1))
    >>> print(plan_redistribution(dp, tp, (8, 2), itemsize=4))
    reduce_scatter sum axis 0 over device axes (0) groups of 2, 16 bytes
    """
    return _plan(source, target, tuple(shape), itemsize, memory_cap_bytes)


@lru_cache(maxsize=4096)
def _plan(
    source: Layout, target: Layout, shape: tuple[int, ...], itemsize: int, memory_cap_bytes: int | None
) -> Redistribution:
    ends = [prod(x.slice_shape(shape)) * itemsize for x in (source, target)]
    if source.same_slices(target):
        return Redistribution(source, target, shape, itemsize, ())
    cap = max(sum(ends), 2 * max(ends)) if memory_cap_bytes is None else memory_cap_bytes
    both = common_layouts(source, target)
    start, goal = _plain(both[0] if both else source), _plain(both[1]) if both else target
    _check_partial(source, target, start, goal, both is not None)
    steps = cheapest_path(Problem(start, goal, both is not None, shape, itemsize, cap))
    if steps is None:
        raise LayoutError(
            f"memory_cap_bytes {cap} is too small to take a tensor of shape {shape} from {source} to {target}: the "
            f"slices before and after take {ends[0]} and {ends[1]} bytes. Allow {max(sum(ends), 2 * max(ends))}."
        )
    return Redistribution(source, target, shape, itemsize, steps)


def _check_partial(source: Layout, target: Layout, start: Layout, goal: Layout, is_common: bool) -> None:
    if not target.is_partial:
        return
    is_kept = is_common and set(goal.partial) <= set(start.partial) and source.combine == target.combine
    if not is_kept:
        raise LayoutError(
            f"target {target} holds terms that source {source} does not hold: a redistribution joins terms, it makes "
            f"none. Redistribute to target.resolved() instead."
        )


def _plain(layout: Layout) -> Layout:
    """Return the layout without mention of device axes of size one, so that equal layouts are equal values."""

    def long(axes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(a for a in axes if axis_size(layout.dev_mat, a) > 1)

    partial = long(layout.partial)
    tensor_map = tuple(long(axes) for axes in layout.cutting_axes)
    return replace(layout, tensor_map=tensor_map, partial=partial, combine=layout.combine if partial else "sum")
