"""Answers to questions about imagined layouts: what strategies cost, and how to get from one to the other.

All of it is layout mathematics in this process; nothing of a run and nothing of a user's is touched. What would take
too long is said to be left out.
"""

from collections.abc import Callable, Iterable
from math import prod
from time import monotonic

from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.planning import (
    LayoutAsked,
    ParameterAsked,
    PlanAnswer,
    PlannedRow,
    PlannedSide,
    PlanQuestion,
    RankBox,
    RedistributionAnswer,
    RedistributionQuestion,
    SideTotals,
    StepAnswer,
    TransferItem,
)
from simpar.dashboard.parameters import MOST_DRAWN
from simpar.dashboard.view import item_bytes, sent_bytes
from simpar.errors import DTypeError, LayoutError
from simpar.layout import (
    AllReduce,
    Layout,
    Redistribution,
    ReduceScatter,
    Step,
    intersections,
    plan_redistribution,
    refine,
)

__all__ = ["plan", "redistribution"]

_MOST_RANKS = 1 << 20
_MOST_UNRELATED_RANKS = 512  # without a common device matrix every pair of ranks is looked at
_PLANNING_S = 2.0

ASSUMPTIONS = (
    "the gradient of a slice with copies is summed over all of them: each copy sees another part of the batch",
    "gradients and optimizer states have the type and the layout of their parameter",
    "bytes sent are counted as ring and pairwise algorithms send them",
    "activations are left out: they follow from the operators, which are not known here",
)
"""What figures of a plan rest on."""


def plan(question: PlanQuestion, clock: Callable[[], float] = monotonic) -> PlanAnswer:
    """Return what the strategies cost.

    Raises:
        LayoutError: a device matrix has too many ranks.
    """
    matrices = question.dev_mat, question.dev_mat_b or question.dev_mat
    for dev_mat in matrices:
        _check_size(dev_mat)
    is_pair = question.dev_mat_b is not None or any(p.b is not None for p in question.parameters)
    until, unplanned = clock() + _PLANNING_S, 0
    rows: list[PlannedRow] = []
    for asked in question.parameters:
        row, is_planned = _row(asked, matrices, is_pair, clock() < until)
        rows.append(row)
        unplanned += not is_planned
    return PlanAnswer(
        rows=tuple(rows),
        a=_totals([r.a for r in rows], matrices[0], question.states),
        b=_totals([r.b for r in rows if r.b is not None], matrices[1], question.states) if is_pair else None,
        changed=sum(r.changed for r in rows),
        move_bytes=sum(r.move_bytes or 0 for r in rows),
        unplanned=unplanned,
        assumptions=ASSUMPTIONS,
    )


def _check_size(dev_mat: tuple[int, ...]) -> None:
    if prod(dev_mat) > _MOST_RANKS:
        raise LayoutError(
            f"dev_mat {dev_mat} has {prod(dev_mat)} ranks; at most {_MOST_RANKS} are reckoned with. Make it smaller."
        )


def _row(
    asked: ParameterAsked, matrices: tuple[tuple[int, ...], tuple[int, ...]], is_pair: bool, has_time: bool
) -> tuple[PlannedRow, bool]:
    """Return one parameter's row, and whether its way from A to B needed no planning or was planned."""
    a, one = _side(asked, matrices[0], asked.a)
    if not is_pair:
        return PlannedRow(name=asked.name, a=a, b=None, changed=False, steps=None, move_bytes=None), True
    b, two = _side(asked, matrices[1], asked.a if asked.b is None else asked.b)
    changed = one is None or two is None or not one.same_slices(two)
    moved = None
    if one is not None and two is not None and (not changed or (has_time and _is_quick(one, two))):
        moved = plan_redistribution(one, two, asked.shape, item_bytes(asked.dtype))
    row = PlannedRow(
        name=asked.name,
        a=a,
        b=b,
        changed=changed,
        steps=None if moved is None else tuple(s.describe(moved.shape, moved.itemsize) for s in moved.steps),
        move_bytes=None if moved is None else moved.volume_bytes,
    )
    return row, moved is not None or one is None or two is None


def _side(
    asked: ParameterAsked, dev_mat: tuple[int, ...], tensor_map: tuple[int | tuple[int, ...], ...]
) -> tuple[PlannedSide, Layout | None]:
    try:
        layout = Layout(dev_mat, tensor_map)
        shape, itemsize = layout.slice_shape(asked.shape), item_bytes(asked.dtype)
    except (LayoutError, DTypeError) as error:
        nothing = PlannedSide(error=str(error), slice_shape=None, slice_bytes=None, copies=None, gradient_bytes=None)
        return nothing, None
    held, copies = prod(shape) * itemsize, layout.size // prod(layout.cuts)
    sent = sent_bytes("all_reduce", copies, held)
    return PlannedSide(error=None, slice_shape=shape, slice_bytes=held, copies=copies, gradient_bytes=sent), layout


def _is_quick(one: Layout, two: Layout) -> bool:
    """Return whether the way between two layouts is planned by formulas, not rank by rank."""
    return max(one.size, two.size) <= _MOST_UNRELATED_RANKS or (
        one.size == two.size and refine(one.dev_mat, two.dev_mat) is not None
    )


def _totals(sides: Iterable[PlannedSide], dev_mat: tuple[int, ...], states: int) -> SideTotals:
    known = list(sides)
    kept = sum(s.slice_bytes or 0 for s in known)
    return SideTotals(
        ranks=prod(dev_mat),
        parameter_bytes=kept,
        gradient_memory_bytes=kept,
        state_bytes=kept * states,
        total_bytes=kept * (2 + states),
        gradient_bytes=sum(s.gradient_bytes or 0 for s in known),
        largest_group=max((s.copies or 1 for s in known), default=1),
        errors=sum(s.error is not None for s in known),
    )


# --- redistribution ---


def redistribution(question: RedistributionQuestion) -> RedistributionAnswer:
    """Return the cheapest way from one layout to another.

    Raises:
        LayoutError: a layout does not exist, the shape does not fit it, or there are too many ranks.
        DTypeError: there is no such element type.
    """
    source, target = _layout(question.source), _layout(question.target)
    if not _is_quick(source, target):
        raise LayoutError(
            f"dev_mat {source.dev_mat} and {target.dev_mat} have no common refinement, so that the way between them is "
            f"planned rank by rank, up to {_MOST_UNRELATED_RANKS} ranks. Use fewer ranks or related device matrices."
        )
    found = plan_redistribution(source, target, question.shape, item_bytes(question.dtype))
    ranks = max(source.size, target.size)
    return RedistributionAnswer(
        ranks=ranks,
        itemsize=found.itemsize,
        source=LayoutItem.of(source),
        target=LayoutItem.of(target),
        boxes=_boxes(source, found.shape, ranks),
        steps=tuple(_step(step, found, ranks) for step in found.steps),
        sent_bytes=found.volume_bytes,
        peak_bytes=found.peak_bytes,
        text=found.describe(),
    )


def _layout(asked: LayoutAsked) -> Layout:
    _check_size(asked.dev_mat)
    return Layout(asked.dev_mat, asked.tensor_map, partial=asked.partial, combine=asked.combine)


def _boxes(layout: Layout, shape: tuple[int, ...], ranks: int) -> tuple[RankBox, ...]:
    if ranks > MOST_DRAWN:
        return ()
    return tuple(RankBox(rank=rank, box=layout.box(shape, rank)) for rank in layout.ranks)


def _step(step: Step, of: Redistribution, ranks: int) -> StepAnswer:
    return StepAnswer(
        kind=step.kind,
        words=step.describe(of.shape, of.itemsize),
        before=LayoutItem.of(step.before),
        after=LayoutItem.of(step.after),
        slice_shape=step.after.slice_shape(of.shape),
        device_axes=step.device_axes,
        group_size=step.group_size,
        rounds=step.rounds,
        sent_bytes=step.volume_bytes(of.shape, of.itemsize),
        peak_bytes=step.peak_bytes(of.shape, of.itemsize),
        groups=_groups(step, ranks),
        boxes=_boxes(step.after, of.shape, ranks),
        transfers=_transfers(step, of.shape, ranks),
    )


def _groups(step: Step, ranks: int) -> tuple[tuple[int, ...], ...]:
    if ranks > MOST_DRAWN:
        return (step.group(step.before.ranks[0]),) if step.group_size <= MOST_DRAWN else ()
    return tuple(dict.fromkeys(step.group(rank) for rank in step.before.ranks))


def _transfers(step: Step, shape: tuple[int, ...], ranks: int) -> tuple[TransferItem, ...]:
    if ranks > MOST_DRAWN or isinstance(step, AllReduce | ReduceScatter):
        return ()
    return tuple(
        TransferItem(sender=rank, receiver=peer, box=box)
        for rank in step.before.ranks
        for peer, box in intersections(step.before, step.after, shape, rank)[0]
        if peer != rank
    )
