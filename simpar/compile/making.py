"""From a graph that is cut to a program: the plan of this rank, what others are told of it, and what runs it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from simpar.collectives import World, solo_world
from simpar.compile.agreement import compare_plans
from simpar.compile.options import partition_options
from simpar.compile.passes import save_files, save_group
from simpar.compile.program import Program
from simpar.compile.record import describe_program, open_recorder
from simpar.compile.reported import Fed, report_layouts
from simpar.compile.traced import Traced
from simpar.compile.tree import Rebuild
from simpar.compile.watch import watch_values
from simpar.context import Context
from simpar.execute import Executor
from simpar.graph import NEXT, Graph
from simpar.partition import Plan, localize
from simpar.tensor import Tensor

__all__ = ["make_program"]

_STEP = "step"
"""The argument that counts steps."""


def make_program(
    traced: Traced, tensors: Sequence[Tensor], rebuild: Rebuild, owner: object, context: Context, runs: bool
) -> Program:
    """Return this rank's program of a graph that was traced and cut.

    Args:
        traced: the graph.
        tensors, rebuild: this rank's inputs, and what nests them.
        owner: the Cell or function that keeps the plan, and the layouts of its Parameters.
        context: whose options count; its planner, if it has one, takes the plan.
        runs: whether it will run; if not, it is planned only.

    Raises:
        PlanMismatchError: the ranks have different plans.
    """
    graph, plan = traced.graph, localize(traced.partitioned, context.rank)
    program = _planned(traced, plan, owner, context)
    _report(traced, plan, tensors, rebuild, owner, context)
    by_number = {p.value.id: own for p, own in zip(graph.parameters, traced.trace.parameters, strict=True)}
    held: list[Any] = [by_number[p.value.id] for p in plan.parameters]
    if context.planner is not None:
        context.planner.take(program.name, plan, (graph, partition_options(context)))
        for parameter, planned in zip(held, plan.parameters, strict=True):
            parameter.plan(planned.value.layout)  # as placing it would, for the programs to come
        _leave_to_others(plan, by_number)
    elif runs:
        _prepare(program, graph, held, by_number, context)
    return program


def _planned(traced: Traced, plan: Plan, owner: object, context: Context) -> Program:
    """Return the program without what runs it."""
    trace, arguments = traced.trace, traced.graph.arguments
    name = type(owner).__name__ if owner is not None and not callable(getattr(owner, "__code__", None)) else "step"
    parameters = cast("tuple[Any, ...]", tuple(trace.parameters))
    return Program(
        name=f"{getattr(owner, '__name__', name)}-{context.count('program')}",
        plan=plan,
        arguments=tuple(a.value.id for a in arguments),
        parameters=parameters,
        rebuild=traced.nest,
        guards=tuple((ask, ask()) for ask in trace.guards),
        options=context.parallel,
        settings=tuple(p.settings for p in parameters),
        queued=_queued(traced.graph),
        step_place=next((i for i, a in enumerate(arguments) if a.name == _STEP), None),
    )


def _report(
    traced: Traced, plan: Plan, tensors: Sequence[Tensor], rebuild: Rebuild, owner: object, context: Context
) -> None:
    """Tell the owner, and the files that the context names, how the program is cut."""
    if hasattr(owner, "__dict__"):
        vars(owner)["_simpar_plan"] = plan
    save_group(plan, context)
    if context.is_partitioned:
        given = [a for a in traced.graph.arguments if a.name != _STEP and not a.name.startswith(NEXT)]
        fed = rebuild([Fed(a.value.id, t) for a, t in zip(given, tensors, strict=True)])
        report_layouts(owner, plan, fed, {v.id for v in traced.trace.cotangents})
        save_files(traced.partitioned, plan, context)


def _prepare(
    program: Program, graph: Graph, held: Sequence[Any], by_number: Mapping[int, Any], context: Context
) -> None:
    """Give a program what it needs to run: Parameters in their places, an executor, and a recorder that knows it."""
    world, plan = context.world or solo_world(), program.plan
    compare_plans(world, plan, context)
    fresh = [p for p in held if p.placed is None]
    program.executor = Executor(plan, held, world)
    _leave_to_others(plan, by_number)
    if context.parallel.parameter_broadcast and not context.is_partitioned:
        _broadcast(world, fresh)
    open_recorder(context, world)
    if context.recorder is not None:
        source = (graph, partition_options(context))
        describe_program(context.recorder, program.name, plan, program.executor.planned_bytes, source)
        program.watch = watch_values(context.recorder, program.name, program.executor)


def _leave_to_others(plan: Plan, by_number: Mapping[int, Any]) -> None:
    """Let the parameters that another stage holds know it."""
    for number, planned in plan.elsewhere.items():
        if number in by_number:
            by_number[number].leave(planned.layout)


def _queued(graph: Graph) -> Mapping[int, tuple[int, str]]:
    """Return which arguments come from queues: column and name of each by its place."""
    if not any(a.name.startswith(NEXT) for a in graph.arguments):
        return {}
    from simpar.compile.queued import queued_columns

    return queued_columns(graph)


def _broadcast(world: World, parameters: Sequence[Any]) -> None:
    """Give all ranks rank 0's values of the parameters that are not theirs alone."""
    for parameter in parameters:
        if not parameter.layerwise_parallel:
            world.communicator.broadcast(parameter.placed, 0)
