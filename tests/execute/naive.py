"""A second executor, for tests and readers: all ranks of a plan in one process, a fresh array for every value.

It shares no memory between values, overwrites nothing, and computes each collective as its layouts define it, so that
what ``execute.Executor`` does with views, reuse and messages can be compared with what the plan says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.graph import lookup
from simpar.layout import HaloExchange, HaloReduce, Layout, Step
from simpar.partition import Instruction, Plan

__all__ = ["run_plans", "slice_of", "whole_of"]

Array = NDArray[Any]
Values = dict[int, Array]
REDUCE = {"sum": np.add, "max": np.maximum, "min": np.minimum, "prod": np.multiply}


def run_plans(plans: Sequence[Plan], arguments: Sequence[Array], state: Mapping[int, Array]) -> list[Values]:
    """Run one step on all ranks and return every value of every rank.

    Args:
        plans: of each rank.
        arguments: whole.
        state: the whole value of each parameter, by its number.
    """
    ranks = [_inputs(plan, arguments, state) for plan in plans]
    for place in range(len(plans[0].instructions)):
        step = [plan.instructions[place] for plan in plans]
        if step[0].collective is None:
            for plan, values in zip(plans, ranks, strict=True):
                _compute(plan, values, plan.instructions[place])
        else:
            _move(plans, ranks, step)
    return ranks


def slice_of(whole: Array, layout: Layout, rank: int) -> Array:
    """Return a copy of what a rank holds of a value."""
    index = tuple(slice(*bounds) for bounds in layout.box(whole.shape, rank))
    return np.ascontiguousarray(whole[index]).reshape(layout.slice_shape(whole.shape)).copy()


def whole_of(plans: Sequence[Plan], ranks: Sequence[Values], number: int) -> Array:
    """Return a value that is not partial, whole; ranks that repeat a slice must hold the same."""
    planned = plans[0].values[number]
    return _joined(planned.layout, planned.shape, [v[number] for v in ranks])


def _inputs(plan: Plan, arguments: Sequence[Array], state: Mapping[int, Array]) -> Values:
    given = {**dict(zip(plan.arguments, arguments, strict=True)), **state, **dict(plan.constants)}
    return {v: slice_of(np.asarray(a), plan.values[v].layout, plan.rank) for v, a in given.items()}


def _compute(plan: Plan, values: Values, ins: Instruction) -> None:
    operands = [values[v].copy() for v in ins.inputs]
    if ins.op == "slice":
        made: Any = operands[0][tuple(slice(*b) for b in ins.attrs["box"])].copy()
    else:
        kernel = lookup(ins.op).kernel
        assert kernel is not None, f"{ins.op} has a kernel"
        made = kernel(*operands, **ins.attrs)
    for v, array in zip(ins.outputs, made if isinstance(made, tuple) else (made,), strict=True):
        planned = plan.values[v]
        assert np.shape(array) == planned.slice_shape, f"{ins.where} made {np.shape(array)}, not {planned.slice_shape}"
        values[v] = np.array(array, planned.dtype.numpy)


# --- collectives ---


def _move(plans: Sequence[Plan], ranks: Sequence[Values], step: Sequence[Instruction]) -> None:
    for member, (x, y) in enumerate(zip(step[0].inputs, step[0].outputs, strict=True)):
        held, shape = [v[x] for v in ranks], plans[0].values[x].shape
        moved = [i.collective for i in step]
        if moved[0] is not None and moved[0].steps:
            made = _by_definition(moved[0].steps[member], held, shape)
        else:
            made = [_hand_written(step[r], held) for r in range(len(plans))]
        for values, array in zip(ranks, made, strict=True):
            values[y] = array


def _by_definition(step: Step, held: Sequence[Array], shape: tuple[int, ...]) -> list[Array]:
    """Join what the layout before says, and cut as the layout after says."""
    before, after = step.before, step.after
    if isinstance(step, HaloExchange | HaloReduce):
        return [_with_halo(step, held, shape, r) for r in range(len(held))]
    if not before.is_partial:
        whole = _joined(before, shape, held)
        return [slice_of(whole, after, r) for r in range(len(held))]
    terms = [_term(before, after, held, r) for r in range(len(held))]
    left = Layout(before.dev_mat, before.tensor_map, before.rank_list)
    return [_cut(terms[r], left, after, shape, r) for r in range(len(held))]


def _with_halo(step: HaloExchange | HaloReduce, held: Sequence[Array], shape: tuple[int, ...], rank: int) -> Array:
    """Lay what the group holds into the whole, add where two overlap, and cut out what the rank is to hold."""
    own, more = (lambda r: step.before.box(shape, r)), (lambda r: step.halo.box(step.before, shape, r))
    old, new = (own, more) if isinstance(step, HaloExchange) else (more, own)
    whole = np.zeros(shape, held[0].dtype)
    for peer in step.group(rank):
        whole[tuple(slice(*b) for b in old(peer))] += held[peer]
    return whole[tuple(slice(*b) for b in new(rank))].copy()


def _term(before: Layout, after: Layout, held: Sequence[Array], rank: int) -> Array:
    """Return the sum of the terms over the device axes that are partial before and not after."""
    assert before.dev_mat == after.dev_mat, "a step keeps its device matrix"
    axes = tuple(a for a in before.partial if a not in after.partial)
    first, *others = (held[r] for r in before.group(rank, axes))
    total = first.copy()
    for other in others:
        total = REDUCE[before.combine](total, other)
    return np.asarray(total)


def _cut(array: Array, before: Layout, after: Layout, shape: tuple[int, ...], rank: int) -> Array:
    """Return the part of a rank's own slice that it keeps."""
    old, new = before.box(shape, rank), after.box(shape, rank)
    return array[tuple(slice(a - o, b - o) for (a, b), (o, _) in zip(new, old, strict=True))].copy()


def _joined(layout: Layout, shape: tuple[int, ...], held: Sequence[Array]) -> Array:
    whole = np.empty(shape, held[0].dtype)
    seen: dict[Any, Array] = {}
    for rank, array in enumerate(held):
        box = layout.box(shape, rank)
        np.testing.assert_array_equal(seen.setdefault(box, array), array, err_msg="ranks that repeat a slice differ")
        whole[tuple(slice(*b) for b in box)] = array
    return whole


def _hand_written(ins: Instruction, held: Sequence[Array]) -> Array:
    moved = ins.collective
    assert moved is not None, "only collectives move data"
    first, *others = (held[r] for r in moved.group)
    if ins.op == "all_gather":
        return np.concatenate([first, *others])
    assert ins.op == "all_reduce", f"{ins.op} is not written by the gradient reducer"
    total = first.copy()
    for other in others:
        total = REDUCE[moved.combine](total, other)
    return np.asarray(total)
