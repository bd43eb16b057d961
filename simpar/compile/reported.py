"""What a compiled Cell tells of itself: ``parameter_layout_dict``, as MindSpore's compiler fills it."""

import inspect
from collections.abc import Iterator
from math import prod
from typing import Any, cast

from simpar.compile.group_name import group_name
from simpar.layout import Layout, ParameterLayout, axis_size, off_stage
from simpar.ops import WORLD_GROUPS
from simpar.partition import Plan, PlannedParameter

__all__ = ["report_layouts", "shard_group"]


def report_layouts(owner: object, plan: Plan) -> None:
    """Let the Cell that owns a program say how its inputs and Parameters are cut, under their names."""
    layouts = getattr(owner, "parameter_layout_dict", None)
    if isinstance(layouts, dict):
        held = cast("dict[str, ParameterLayout]", layouts)
        held.update(_inputs(owner, plan))
        for p in plan.parameters:
            compute = _of_stage(p.compute, plan)
            held[p.spec.name] = ParameterLayout.of(compute, p.value.shape, _name(shard_group(p, plan.rank), plan))


def _inputs(owner: Any, plan: Plan) -> Iterator[tuple[str, ParameterLayout]]:
    names = list(inspect.signature(owner.construct).parameters)
    for name, number in zip(names, plan.arguments, strict=False):
        value = plan.values[number]
        yield name, ParameterLayout.of(_of_stage(value.layout, plan).resolved(), value.shape)


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
