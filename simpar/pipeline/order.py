"""Order: all nodes in the order of the schedule, such that each stage's part of it is what that stage does."""

from collections.abc import Iterable
from dataclasses import replace

from simpar.errors import StrategyError
from simpar.graph import EVERY_STAGE, NO_MICRO, Graph, Node, Value
from simpar.pipeline.schedule import PipelineOptions, Task, schedule

__all__ = ["order_nodes"]


def order_nodes(graph: Graph, options: PipelineOptions) -> Graph:
    """Return the graph with its nodes in the order of the schedule.

    Nodes that belong to no micro-batch stand where they are first needed, or else at the end.

    Raises:
        StrategyError: there are fewer micro-batches than stages, or a later Cell is on an earlier stage.
    """
    tasks = _tasks(graph, options)
    _check(tasks, options)
    if options.strict:
        _check_strictly(tasks, graph, options)
    by_task: dict[Task, list[int]] = {}
    for place, task in tasks.items():
        by_task.setdefault(task, []).append(place)
    wanted = [p for task in schedule(_needs(graph, tasks), options) for p in by_task[task]]
    return replace(graph, nodes=tuple(_emitted(graph.nodes, (*wanted, *range(len(graph.nodes))))))


def _tasks(graph: Graph, options: PipelineOptions) -> dict[int, Task]:
    """Return the task of each node, by its place, that belongs to one; a receive stands where it is needed."""
    chunks = _Chunks(graph, options).run()
    found: dict[int, Task] = {}
    for place, node in enumerate(graph.nodes):
        is_everywhere = node.stage == EVERY_STAGE and options.stages > 1
        if node.micro != NO_MICRO and not is_everywhere and node.phase != "update" and node.op != "receive":
            found[place] = Task(node.stage, node.micro, chunks[place], node.phase == "backward")
    return found


class _Chunks:
    """Finds which of its stage's chunks of the network each node belongs to: how often the pipeline began again."""

    def __init__(self, graph: Graph, options: PipelineOptions) -> None:
        self.graph, self.options = graph, options
        self.chunk: dict[Value, int] = {}
        self.came_from = graph.stages

    def run(self) -> list[int]:
        """Return the chunk of every node.

        Raises:
            StrategyError: a later Cell is on an earlier stage, and there is no interleaving.
        """
        found: list[int] = []
        for node in self.graph.nodes:
            number = self._of(node)
            found.append(number)
            self.chunk.update(dict.fromkeys(node.outputs, number))
            if node.op == "receive":
                self.came_from[node.outputs[0]] = self.came_from[node.inputs[0]]
        return found

    def _of(self, node: Node) -> int:
        if node.adjoint_of is not None:
            return self.chunk.get(node.adjoint_of, 0)
        known = [v for v in node.inputs if v in self.chunk and self.came_from[v] != EVERY_STAGE]
        if node.phase == "backward" and node.op not in ("send", "receive"):  # a sum: where its last term is made
            primal = self.graph.cotangents.get(node.outputs[0])
            own = [self.chunk[v] for v in known if self.came_from[v] == node.stage]
            return self.chunk[primal] if primal in self.chunk else min(own, default=0)
        if node.phase != "forward" or node.micro == NO_MICRO or node.op in ("send", "receive"):
            return max((self.chunk[v] for v in known), default=0)
        number = max((self.chunk[v] + (self.came_from[v] > node.stage) for v in known), default=0)
        if number and not self.options.interleave:
            raise StrategyError(
                f"{node.cited} is on stage {node.stage}, but what it takes comes from a later stage. Give Cells stages "
                "that rise in the order in which they run, or allow several turns: set_auto_parallel_context("
                'pipeline_config={"pipeline_interleave": True}).'
            )
        return number


def _check(tasks: dict[int, Task], options: PipelineOptions) -> None:
    micros = 1 + max((t.micro for t in tasks.values()), default=options.stages)
    if micros < options.stages:
        raise StrategyError(
            f"PipelineCell cuts the batch into {micros} micro-batches, but there are {options.stages} stages. Give at "
            f"least {options.stages} (micro_size={options.stages}), or some stage never works."
        )


def _check_strictly(tasks: dict[int, Task], graph: Graph, options: PipelineOptions) -> None:
    """Refuse stages that train without micro-batches, and micro-batches on one stage without training."""
    trains = any(node.phase == "backward" for node in graph.nodes)
    if options.stages > 1 and trains and not tasks:
        raise StrategyError(
            f"pipeline_stages is {options.stages}, but no Cell cuts the batch into micro-batches, which MindSpore "
            f"requires of stages that train. Wrap the network: nn.PipelineCell(network, {options.stages})."
        )
    if options.stages == 1 and not trains and tasks:
        raise StrategyError(
            "nn.GradAccumulationCell is run without gradients to accumulate, which MindSpore refuses. Predict with the "
            "network in it."
        )


def _needs(graph: Graph, tasks: dict[int, Task]) -> dict[Task, list[Task]]:
    """Return for each task those whose results it takes."""
    maker = {v: tasks[place] for place in tasks for v in graph.nodes[place].outputs}
    for node in graph.nodes:
        if node.op == "receive" and node.inputs[0] in maker:
            maker[node.outputs[0]] = maker[node.inputs[0]]
    needs: dict[Task, dict[Task, None]] = {}
    for place, task in tasks.items():
        own = needs.setdefault(task, {})
        own.update((maker[v], None) for v in graph.nodes[place].inputs if v in maker and maker[v] != task)
    return {task: list(own) for task, own in needs.items()}


def _emitted(nodes: tuple[Node, ...], wanted: Iterable[int]) -> list[Node]:
    """Return the nodes in the wanted order, each behind all that it needs."""
    made_at = {v: place for place, node in enumerate(nodes) for v in node.outputs}
    done: set[int] = set()
    out: list[Node] = []
    for first in wanted:
        waiting = [first]
        while waiting:
            place = waiting[-1]
            missing = [made_at[v] for v in nodes[place].inputs if v in made_at and made_at[v] not in done]
            if place in done or not missing:
                waiting.pop()
                if place not in done:
                    done.add(place)
                    out.append(nodes[place])
            else:
                waiting += sorted(missing, reverse=True)
    return out
