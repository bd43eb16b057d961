"""Places: the stage and the micro-batch of every node, and the stage that holds each parameter.

- A node in a Cell that has a ``pipeline_stage`` is there. One without is where the last of its operands is.
- What is computed from arguments and constants alone every stage that needs it computes for itself.
- A parameter is held by the first stage that uses it; an optimizer's state where its parameter is. A parameter that
  none uses but the update (a learning rate, a count of steps) is held by every stage.
- A node of the backward pass is where its forward node is; an update where its parameter is; what the user computes
  from gradients where the largest operand is.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from simpar.errors import StrategyError
from simpar.graph import EVERY_STAGE, NO_MICRO, Graph, Node, Value
from simpar.layout import Layout, off_stage
from simpar.pipeline.schedule import PipelineOptions

__all__ = ["enter_stages", "place_nodes"]


def enter_stages(graph: Graph, options: PipelineOptions, device_num: int) -> Graph:
    """Return the graph with the layouts of its inputs as those of the devices of a stage.

    Args:
        graph: whose inputs may have layouts of ranks, from earlier programs.
        options: the number of stages.
        device_num: how many devices a stage has.

    Raises:
        LayoutError: an input lies as no value of a pipeline of so many stages does.
    """
    if options.stages == 1:
        return graph

    def entered(layout: Layout | None) -> tuple[Layout | None, int]:
        return (None, EVERY_STAGE) if layout is None else off_stage(layout, options.stages, device_num)

    arguments = ((a, *entered(a.layout)) for a in graph.arguments)
    parameters = ((p, *entered(p.spec.layout)) for p in graph.parameters)
    return replace(
        graph,
        arguments=tuple(replace(a, layout=layout, stage=stage) for a, layout, stage in arguments),
        parameters=tuple(
            replace(p, spec=replace(p.spec, layout=layout), stage=stage) for p, layout, stage in parameters
        ),
    )


def place_nodes(graph: Graph, options: PipelineOptions) -> Graph:
    """Return the graph with a stage and a micro-batch for every node, and a stage for every parameter.

    Raises:
        StrategyError: a stage does not exist, or has no Cell.
    """
    micros: dict[Value, int] = {}
    for node in graph.nodes:
        micro = node.micro if node.adjoint_of is None else micros.get(node.adjoint_of, NO_MICRO)
        micros.update(dict.fromkeys(node.outputs, micro))
    stages = _Placer(graph, options.stages).run() if options.stages > 1 else {}
    return replace(
        graph,
        nodes=tuple(
            replace(n, stage=stages.get(n.outputs[0], EVERY_STAGE), micro=micros[n.outputs[0]]) for n in graph.nodes
        ),
        parameters=tuple(replace(p, stage=stages.get(p.value, EVERY_STAGE)) for p in graph.parameters),
    )


class _Placer:
    """The walk over the nodes; it keeps the stages that are known so far."""

    def __init__(self, graph: Graph, stages: int) -> None:
        self.graph, self.count = graph, stages
        self.parameters = {p.value for p in graph.parameters}
        self.stage: dict[Value, int] = {a.value: a.stage for a in graph.arguments}
        self.stage.update((p.value, p.stage) for p in graph.parameters if p.stage != EVERY_STAGE)
        self.forward, self.rest = _split(graph)

    def run(self) -> dict[Value, int]:
        chosen = {node.stage for node in self.graph.nodes if node.stage != EVERY_STAGE}
        self._check(chosen)
        if not chosen and set(self.stage.values()) <= {EVERY_STAGE}:
            return {}
        free = [node for node in self.forward if not self._follow_operands(node)]
        self._follow_users(free)
        self._place_parameters()
        for node in self.rest:
            self._place_late(node)
        return self.stage

    def _check(self, chosen: set[int]) -> None:
        for node in self.graph.nodes:
            if node.stage >= self.count:
                raise StrategyError(
                    f"{node.cited}: its Cell has pipeline_stage {node.stage}, but pipeline_stages is {self.count}. "
                    f"Use stages 0 to {self.count - 1}."
                )
        missing = sorted(set(range(self.count)) - chosen)
        if missing and (chosen or self.graph.gradients):
            raise StrategyError(
                f"pipeline_stages is {self.count}, but no Cell that runs has pipeline_stage {missing[0]}. Set it "
                f"(net.layer.pipeline_stage = {missing[0]}), or name its Cells in PipelineCell(stage_config=...)."
            )

    def _put(self, node: Node, stage: int) -> None:
        self.stage.update(dict.fromkeys(node.outputs, stage))

    def _known(self, values: Iterable[Value]) -> list[int]:
        """Return the stages of those values that are on one."""
        return [s for s in (self.stage.get(v, EVERY_STAGE) for v in values) if s != EVERY_STAGE]

    # --- the forward pass ---

    def _follow_operands(self, node: Node) -> bool:
        """Place a node by its Cell, or by its operands; return whether that was possible."""
        operands = self._known(v for v in node.inputs if v not in self.parameters)
        stage = node.stage if node.stage != EVERY_STAGE else max(operands, default=EVERY_STAGE)
        if stage != EVERY_STAGE:
            self._put(node, stage)
        return stage != EVERY_STAGE

    def _follow_users(self, free: list[Node]) -> None:
        """Place what is computed from parameters alone on the first stage that uses it."""
        reads = set(self.parameters)
        for node in free:
            if not reads.isdisjoint(node.inputs):
                reads.update(node.outputs)
        wanted: dict[Value, list[int]] = {}
        late = {id(node) for node in free}
        for node in reversed(self.forward):
            if id(node) in late and not reads.isdisjoint(node.outputs):
                users = [s for v in node.outputs for s in wanted.get(v, [])]
                self._put(node, min(users, default=EVERY_STAGE))
            stage = self.stage.get(node.outputs[0], EVERY_STAGE)
            if stage != EVERY_STAGE:
                for v in node.inputs:
                    wanted.setdefault(v, []).append(stage)

    def _place_parameters(self) -> None:
        by_name: dict[str, int] = {}
        users: dict[Value, list[int]] = {}
        for node in self.forward:
            for v in node.inputs:
                users.setdefault(v, []).append(self.stage.get(node.outputs[0], EVERY_STAGE))
        for given in self.graph.parameters:
            used = [s for s in users.get(given.value, []) if s != EVERY_STAGE]
            stage = self.stage.setdefault(given.value, min(used, default=EVERY_STAGE))
            by_name[given.spec.name] = stage
        for given in self.graph.parameters:
            if self.stage[given.value] == EVERY_STAGE and given.spec.state_of in by_name:
                self.stage[given.value] = by_name[given.spec.state_of or ""]

    # --- the backward pass, the update, and what the user computes from gradients ---

    def _place_late(self, node: Node) -> None:
        if node.stage != EVERY_STAGE:
            stage = node.stage
        elif node.adjoint_of is not None and self.stage.get(node.adjoint_of, EVERY_STAGE) != EVERY_STAGE:
            stage = self.stage[node.adjoint_of]
        elif node.phase == "update" and (owners := self._known(v for v in node.inputs if v in self.parameters)):
            stage = owners[0]
        else:
            placed = [v for v in node.inputs if self.stage.get(v, EVERY_STAGE) != EVERY_STAGE]
            largest = max(placed, key=lambda v: (prod(v.shape), self.stage[v]), default=None)
            stage = EVERY_STAGE if largest is None else self.stage[largest]
        self._put(node, stage)


def _split(graph: Graph) -> tuple[list[Node], list[Node]]:
    """Return the nodes of the forward pass, and all that depend on a gradient or belong to the update."""
    late: set[Value] = set()
    forward: list[Node] = []
    rest: list[Node] = []
    for node in graph.nodes:
        if node.phase != "forward" or not late.isdisjoint(node.inputs):
            late.update(node.outputs)
            rest.append(node)
        else:
            forward.append(node)
    return forward, rest
