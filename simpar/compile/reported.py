"""What a compiled Cell tells of itself: ``parameter_layout_dict``, as MindSpore's compiler fills it."""

import inspect
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, cast

from simpar.compile.group_name import group_name
from simpar.context import current
from simpar.layout import Layout, ParameterLayout, axis_size, off_stage
from simpar.ops import WORLD_GROUPS
from simpar.partition import Plan, PlannedParameter
from simpar.tensor import Tensor

__all__ = ["Fed", "report_layouts", "shard_group"]


@dataclass(frozen=True, slots=True)
class Fed:
    """An input of a program: its number in the plan, and the Tensor that was given for it."""

    number: int
    tensor: Tensor


def report_layouts(owner: object, plan: Plan, inputs: Sequence[object] = (), cotangents: Collection[int] = ()) -> None:
    """Let the Cell that owns a program say how its inputs and Parameters are cut, under their names.

    Args:
        owner: the Cell; others are not told.
        plan: of this rank.
        inputs: what the Cell was called with, each Tensor as a ``Fed``.
        cotangents: the numbers of those inputs that are cotangents of results.
    """
    layouts = getattr(owner, "parameter_layout_dict", None)
    if isinstance(layouts, dict):
        held = cast("dict[str, ParameterLayout]", layouts)
        held.update(_inputs(owner, plan, inputs, cotangents))
        is_sharded = current().parallel.enable_parallel_optimizer
        for p in _as_taken(plan.parameters):
            is_planned = p.spec.layout is not None and not is_sharded  # by parameter_plan, or by an earlier program
            layout = _of_stage(p.value.layout if is_planned else p.compute, plan)
            group = () if is_planned else shard_group(p, plan.rank)
            rank = plan.rank % layout.size if layout.lengths else None  # a stage numbers its devices from 0
            held[p.spec.name] = ParameterLayout.of(layout.resolved(), p.value.shape, _name(group, plan), rank)


def _as_taken(parameters: Sequence[PlannedParameter]) -> Iterator[PlannedParameter]:
    """Yield each Parameter; a state as if it were taken as its weight is, which MindSpore tells of it."""
    named = {p.spec.name: p for p in parameters}
    for p in parameters:
        weight, lost = named.get(p.spec.state_of or ""), p.spec.lost_axis
        follows = weight is not None and p.compute == p.value.layout == weight.value.layout.without(lost)
        yield replace(p, compute=weight.compute.without(lost)) if weight is not None and follows else p


def _inputs(
    owner: Any, plan: Plan, inputs: Sequence[object], cotangents: Collection[int]
) -> Iterator[tuple[str, ParameterLayout]]:
    names = list(inspect.signature(owner.construct).parameters)
    cut = _as_sliced(plan, cotangents)
    for name, fed in zip(names, inputs, strict=False):
        if isinstance(fed, Fed) and fed.number in plan.values:
            value = plan.values[fed.number]
            made = ParameterLayout.of(_of_stage(cut.get(fed.number, value.layout), plan).resolved(), value.shape)
            yield name, _without(made, fed.tensor.unknown)


def _as_sliced(plan: Plan, cotangents: Collection[int]) -> dict[int, Layout]:
    """Return the layout in which the backward pass takes each cotangent that is an input.

    Every rank is given it whole, as all inputs, and cuts its slice out of it; MindSpore tells the slice.
    """
    found: dict[int, Layout] = {}
    for i in plan.instructions:
        if i.op == "slice" and i.inputs[0] in cotangents:
            found.setdefault(i.inputs[0], plan.values[i.outputs[0]].layout)
    return found


def _without(told: ParameterLayout, unknown: Collection[int]) -> ParameterLayout:
    """Return a report with -1 for lengths that are not known yet."""
    if not unknown:
        return told
    held, full = ([-1 if i in unknown else n for i, n in enumerate(x)] for x in (told.slice_shape, told.full_shape))
    mapped = held if len(told.mapped_slice_shape) == len(held) else told.mapped_slice_shape
    return told._replace(slice_shape=held, full_shape=full, mapped_slice_shape=mapped)


def _of_stage(layout: Layout, plan: Plan) -> Layout:
    """Return a layout over the devices of one stage of a pipeline, which MindSpore counts alone."""
    if plan.stages == 1:
        return layout
    return off_stage(layout, plan.stages, plan.device_num // plan.stages)[0]


def _name(group: tuple[int, ...], plan: Plan) -> str:
    """Name a group as MindSpore does."""
    if not group or len(group) == plan.device_num:
        return WORLD_GROUPS[0] if group else ""
    return group_name(group)


def shard_group(parameter: PlannedParameter, rank: int) -> tuple[int, ...]:
    """Return the ranks over which the parallel optimizer cuts a rank's slice of a Parameter; none if it does not."""
    stored, compute = parameter.value.layout, parameter.compute.resolved()
    if not stored.tensor_map or stored.cuts[0] <= compute.cuts[0]:
        return ()
    axes = stored.cutting_axes[0]  # the cut of the op comes first
    kept = next(k for k in range(len(axes)) if prod(axis_size(stored.dev_mat, a) for a in axes[:k]) == compute.cuts[0])
    return stored.group(rank, axes[kept:])
