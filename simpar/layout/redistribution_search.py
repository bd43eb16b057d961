"""The cheapest path from one layout to another.

Layouts over one device matrix are the nodes of a graph, steps its edges. A* finds the cheapest path: its estimate of
what is left is what some rank still has to receive, which no path can undercut. An exchange leads from every layout
straight to the goal, so there always is a path; collectives win where they cost fewer messages.

An all_gather and an all_to_all free the *last* device axes of a tensor axis, because only these cut it into
neighbouring blocks; a slice and a reduce_scatter append there. Paths through layouts are known from Zhuang et al.
(2022, "On optimizing the communication of model parallelism") and from PyTorch's DTensor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import combinations, count
from math import prod

from simpar.layout.device_matrix import axis_size
from simpar.layout.intersection import most_received, moving_axes
from simpar.layout.layout import Layout
from simpar.layout.redistribution_steps import (
    AllGather,
    AllReduce,
    AllToAll,
    Exchange,
    Permute,
    ReduceScatter,
    Slice,
    Step,
)

__all__ = ["BANDWIDTH", "EXCHANGE_S", "ROUND_S", "STEP_S", "Problem", "cheapest_path", "step_seconds"]

STEP_S = 10e-6
"""Seconds that any step costs: a call, and waiting for the slowest rank of the group."""

EXCHANGE_S = 10e-6
"""Seconds that an exchange or a permute costs more, for it describes a box for each other rank."""

ROUND_S = 2e-6
"""Seconds from one message to the next."""

BANDWIDTH = 4e9
"""Bytes per second that a rank sends or receives."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A redistribution to plan: both layouts over one device matrix, or a goal that only an exchange can reach.

    Args:
        start: the layout to start from.
        goal: the layout to end in.
        is_common: whether both have the same device matrix and ranks.
        shape: of the whole tensor.
        itemsize: bytes of an element.
        memory_cap_bytes: the most that the slices before and after a step may take together.
    """

    start: Layout
    goal: Layout
    is_common: bool
    shape: tuple[int, ...]
    itemsize: int
    memory_cap_bytes: int


def step_seconds(step: Step, shape: Sequence[int], itemsize: int) -> float:
    """Return the seconds that a step is taken to cost: a fixed part, one for each message, and one for each byte.

    >>> gather = AllGather(Layout((4,), (0,)), Layout((4,), (-1,)), device_axes=(0,), tensor_axis=0)
    >>> round(step_seconds(gather, (1000,), itemsize=4) * 1e6, 2)
    14.75
    """
    fixed = STEP_S / 10 if isinstance(step, Slice) else STEP_S
    extra = EXCHANGE_S if isinstance(step, Exchange | Permute) else 0.0
    return fixed + extra + step.rounds * ROUND_S + step.volume_bytes(shape, itemsize) / BANDWIDTH


def cheapest_path(problem: Problem) -> tuple[Step, ...] | None:
    """Return the steps of least cost, or None if none keeps the memory cap.

    Of paths that cost the same, the one found first is taken; every rank finds them in the same order.
    """
    start, goal = problem.start, problem.goal
    best: dict[Layout, float] = {start: 0.0}
    came: dict[Layout, tuple[Layout, Step]] = {}
    queue: list[tuple[float, int, Layout]] = [(0.0, 0, start)]
    done: set[Layout] = set()
    number = count(1)
    while queue:
        _, _, here = heappop(queue)
        if here == goal or (not problem.is_common and here.same_slices(goal)):
            return _backwards(came, start, here)
        if here in done:
            continue
        done.add(here)
        for step in _steps(here, problem):
            if step.after in done:
                continue
            cost = best[here] + step_seconds(step, problem.shape, problem.itemsize)
            if cost < best.get(step.after, float("inf")) - 1e-12 and _fits(step, problem):
                best[step.after], came[step.after] = cost, (here, step)
                heappush(queue, (cost + _left_s(step.after, problem), next(number), step.after))
    return None


def _fits(step: Step, problem: Problem) -> bool:
    return step.peak_bytes(problem.shape, problem.itemsize) <= problem.memory_cap_bytes


def _left_s(here: Layout, problem: Problem) -> float:
    """Return a lower bound on the seconds that are left: one step joins terms, and another brings what is lacking."""
    if not problem.is_common or here == problem.goal:
        return 0.0
    lacking = most_received(here, problem.goal, problem.shape) * problem.itemsize
    steps = (here.partial != problem.goal.partial) + (lacking > 0)
    return steps * (STEP_S + ROUND_S) + lacking / BANDWIDTH if steps else STEP_S / 10


def _backwards(came: dict[Layout, tuple[Layout, Step]], start: Layout, end: Layout) -> tuple[Step, ...]:
    path: list[Step] = []
    while end != start:
        end, step = came[end]
        path.append(step)
    return _merged(path[::-1])


def _merged(path: Sequence[Step]) -> tuple[Step, ...]:
    """Return the path with slices that follow one another made one."""
    merged: list[Step] = []
    for step in path:
        last = merged[-1] if merged else None
        if isinstance(step, Slice) and isinstance(last, Slice):
            tensor_axes = tuple(sorted({*last.tensor_axes, *step.tensor_axes}))
            device_axes = tuple(sorted((*last.device_axes, *step.device_axes), reverse=True))
            merged[-1] = Slice(last.before, step.after, device_axes, tensor_axes)
        else:
            merged.append(step)
    return tuple(merged)


# --- the steps that lead on from a layout ---


def _steps(here: Layout, problem: Problem) -> Iterator[Step]:
    yield from _joins(here, problem)
    if problem.is_common:
        yield from _slices(here, problem)
        yield from _moves(here, problem)
        yield from _reordering(here, problem.goal)
    if here.partial == (problem.goal.partial if problem.is_common else ()):
        yield _exchange(here, problem.goal, problem.is_common)


def _exchange(here: Layout, goal: Layout, is_common: bool) -> Step:
    axes = moving_axes(here, goal) if is_common else ()
    is_alike = (here.cuts, here.lengths) == (goal.cuts, goal.lengths)
    return Permute(here, goal, axes) if is_alike and not here.lengths else Exchange(here, goal, axes)


def _slices(here: Layout, problem: Problem) -> Iterator[Step]:
    free = here.repeated_axes
    for axis, wanted in enumerate(problem.goal.cutting_axes):
        for a in wanted:
            if a in free and _divides(here, problem, axis, (a,)):
                yield Slice(here, _with_cut(here, axis, (a,)), (a,), (axis,))


def _moves(here: Layout, problem: Problem) -> Iterator[Step]:
    """Yield the gathers, and the moves of device axes to a tensor axis where the goal wants them."""
    for axis, cutting in enumerate(here.cutting_axes):
        if here.lengths and here.lengths[axis]:
            continue  # an exchange alone joins unequal slices
        for n in range(1, len(cutting) + 1):
            last = cutting[-n:]
            freed = _with_axes(here, axis, cutting[:-n])
            yield AllGather(here, freed, last, axis)
            for other, wanted in enumerate(problem.goal.cutting_axes):
                if other != axis and set(last) <= set(wanted) and _divides(here, problem, other, last):
                    yield AllToAll(here, _with_cut(freed, other, last), last, axis, other)


def _joins(here: Layout, problem: Problem) -> Iterator[Step]:
    """Yield the steps that join terms: scattered over a tensor axis, or kept on every rank."""
    waiting = tuple(a for a in here.partial if not (problem.is_common and a in problem.goal.partial))
    for n in range(len(waiting), 0, -1):
        for axes in combinations(waiting, n):
            yield AllReduce(here, _joined(here, axes), axes)
    for axis, wanted in enumerate(problem.goal.cutting_axes):
        order = tuple(a for a in wanted if a in waiting) if problem.is_common else waiting
        for n in range(len(order), 0, -1):
            for axes in combinations(order, n):
                if _divides(here, problem, axis, axes):
                    yield ReduceScatter(here, _with_cut(_joined(here, axes), axis, axes), axes, axis)


def _reordering(here: Layout, goal: Layout) -> Iterator[Step]:
    """Yield the permute that puts the device axes of each tensor axis in the goal's order, leaving ones last."""
    tensor_map = tuple(
        (*(a for a in wanted if a in cutting), *(a for a in cutting if a not in wanted))
        for cutting, wanted in zip(here.cutting_axes, goal.cutting_axes, strict=True)
    )
    if tensor_map != here.cutting_axes and not here.lengths:
        after = replace(here, tensor_map=tensor_map)
        yield Permute(here, after, moving_axes(here, after))


# --- layouts that are one step away ---


def _divides(here: Layout, problem: Problem, axis: int, more: Sequence[int]) -> bool:
    if any(layout.lengths and layout.lengths[axis] for layout in (here, problem.goal)):
        return False
    return problem.shape[axis] % (here.cuts[axis] * prod(axis_size(here.dev_mat, a) for a in more)) == 0


def _with_axes(here: Layout, axis: int, axes: tuple[int, ...]) -> Layout:
    tensor_map = (*here.tensor_map[:axis], axes, *here.tensor_map[axis + 1 :])
    return replace(here, tensor_map=tensor_map)


def _with_cut(here: Layout, axis: int, more: tuple[int, ...]) -> Layout:
    return _with_axes(here, axis, here.cutting_axes[axis] + more)


def _joined(here: Layout, axes: Sequence[int]) -> Layout:
    left = tuple(a for a in here.partial if a not in axes)
    return replace(here, partial=left, combine=here.combine if left else "sum")
