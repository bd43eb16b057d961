"""Answers about programs: the list of them, their graphs and plans."""

from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.programs import (
    Graph,
    GraphEdge,
    GraphNodeItem,
    GraphValueItem,
    PlanText,
    ProgramList,
    ProgramSummary,
)
from simpar.dashboard.redistributions import chain_of_node
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.view import ProgramView, layout_item, program_view, slice_bytes, step_counts
from simpar.recorder import GraphValue

__all__ = ["graph", "plan_text", "program_list"]


def program_list(opened: OpenedRun) -> ProgramList:
    """Return every compiled program, in order."""
    return ProgramList(programs=tuple(_summary(opened, program_view(opened, p)) for p in opened.run.programs()))


def _summary(opened: OpenedRun, view: ProgramView) -> ProgramSummary:
    compiled, roles = view.compiled, [view.role(place) for place in range(len(view.nodes))]
    ranks = [r.rank for r in opened.run.ranks()] or [0]
    return ProgramSummary(
        program=compiled.program,
        digest=compiled.digest,
        steps=step_counts(opened).get((0, compiled.program), 0),
        mean_step_s=_mean_step_s(opened, compiled.program),
        nodes=len(compiled.nodes),
        values=len(compiled.values),
        with_strategy=sum(1 for node in compiled.nodes if node.strategy),
        redistributions=roles.count("redistribution"),
        gradients=roles.count("gradient"),
        collectives=len(compiled.collectives),
        peak_bytes=max(opened.run.peak_bytes(compiled.program).get(r, 0) for r in ranks),
    )


def _mean_step_s(opened: OpenedRun, program: str) -> float | None:
    def mean() -> dict[str, float]:
        seconds: dict[str, list[float]] = {}
        for step in opened.run.steps(rank=0, with_times=False):
            seconds.setdefault(step.program, []).append(step.end_s - step.start_s)
        return {p: sum(s) / len(s) for p, s in seconds.items()}

    return opened.cached("mean step", mean).get(program)


def plan_text(opened: OpenedRun, program: str | None) -> PlanText:
    """Return the plan of a program as text."""
    compiled = program_view(opened, program).compiled
    return PlanText(program=compiled.program, digest=compiled.digest, text=compiled.plan)


def graph(opened: OpenedRun, program: str | None) -> Graph:
    """Return the graph of a program."""
    view = program_view(opened, program)
    chains = chain_of_node(view)
    return Graph(
        program=view.compiled.program,
        nodes=tuple(_node(view, place, chains.get(place)) for place in range(len(view.nodes))),
        values=tuple(map(_value, view.compiled.values)),
        edges=tuple(
            GraphEdge(value=view.value_at[name], source=view.maker.get(name), target=target)
            for name, targets in view.readers.items()
            if name in view.value_at
            for target in targets
        ),
    )


def _node(view: ProgramView, place: int, chain: int | None) -> GraphNodeItem:
    node, spec = view.nodes[place], view.spec(place)
    return GraphNodeItem(
        id=node.name,
        op=node.op,
        inputs=node.inputs,
        outputs=node.outputs,
        scope=node.scope,
        phase=node.phase,
        strategy=node.strategy,
        source=node.source,
        role=view.role(place),
        collective=None if spec is None else spec.index,
        chain=chain,
    )


def _value(value: GraphValue) -> GraphValueItem:
    layout: LayoutItem | None = layout_item(value.layout)
    _, _, parameter = value.name.partition(" ")
    return GraphValueItem(
        name=value.name,
        shape=value.shape,
        dtype=value.dtype,
        layout=layout,
        slice_bytes=slice_bytes(value),
        parameter=parameter or None,
    )
