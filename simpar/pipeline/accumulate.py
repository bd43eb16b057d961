"""Accumulation: the sum of a gradient over micro-batches, as a running total in the order in which they come.

Autodiff adds the terms of a gradient as it meets them, last use first. Here each such sum is written anew: on every
stage a running total over its terms, micro-batch by micro-batch, and then the totals of other stages, where a parameter
is shared. So of a gradient at most a term and its total are alive, whatever the number of micro-batches, and where its
terms are partial over ranks only the total is reduced.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simpar.graph import EVERY_STAGE, NO_MICRO, Graph, Node, Value
from simpar.pipeline.schedule import PipelineOptions

__all__ = ["accumulate_gradients"]


@dataclass(frozen=True, slots=True)
class _Term:
    value: Value
    stage: int
    micro: int


def accumulate_gradients(graph: Graph, options: PipelineOptions) -> Graph:
    """Return the graph in which sums over micro-batches, or over stages, are running totals."""
    return _Accumulator(graph, options.last_first).run()


class _Accumulator:
    def __init__(self, graph: Graph, last_first: bool) -> None:
        self.graph, self.last_first = graph, last_first
        self.stage = graph.stages
        self.micro = {v: node.micro for node in graph.nodes for v in node.outputs}
        self.parameter_of = graph.parameter_of
        self.next_id = graph.next_id
        self.sums = {node.outputs[0]: node for node in graph.nodes if _is_sum(node)}
        self.inner = self._inner_sums()

    def run(self) -> Graph:
        kept: list[Node] = []
        rebuilt: dict[Value, list[Node]] = {}
        gone: set[Value] = set()
        for root in self.sums.keys() - self.inner:
            terms, parts = self._terms(root)
            if len({(t.stage, t.micro) for t in terms}) > 1:
                rebuilt[root] = self._total(self.sums[root], terms)
                gone.update(parts)
        for node in self.graph.nodes:
            if node.outputs[0] in rebuilt:
                kept += rebuilt[node.outputs[0]]
            elif node.outputs[0] not in gone:
                kept.append(node)
        return replace(self.graph, nodes=tuple(kept))

    def _inner_sums(self) -> set[Value]:
        """Return the sums that are only a term of another."""
        graph = self.graph
        uses = Counter(v for node in graph.nodes for v in node.inputs)
        uses.update((*graph.outputs, *graph.writes.values()))
        named = {*graph.cotangents, *graph.gradients.values()}
        terms = {v for node in self.sums.values() for v in node.inputs}
        return {v for v in self.sums if v in terms and uses[v] == 1 and v not in named}

    def _terms(self, root: Value) -> tuple[list[_Term], list[Value]]:
        """Return the terms of a sum, in their order, and the inner sums on the way."""
        found: list[_Term] = []
        parts: list[Value] = []
        open_values = [root]
        while open_values:
            value = open_values.pop()
            if value is root or value in self.inner:
                parts.append(value)
                open_values += reversed(self.sums[value].inputs)
            else:
                found.append(_Term(value, self.stage[value], self.micro.get(value, NO_MICRO)))
        return found, parts[1:]

    def _total(self, root: Node, terms: Sequence[_Term]) -> list[Node]:
        """Return the nodes that add the terms; the last makes the value that the root made."""
        home = self._home(root)
        groups: dict[int, list[_Term]] = {}
        for term in terms:
            groups.setdefault(home if term.stage == EVERY_STAGE else term.stage, []).append(term)
        nodes: list[Node] = []
        totals = [self._running(root, s, sorted(group, key=self._turn), nodes) for s, group in groups.items()]
        totals.sort(key=lambda t: (t.stage != home, t.stage))
        micros = {t.micro for t in terms}
        turn = micros.pop() if len(micros) == 1 else NO_MICRO
        final = totals[0]
        for other in totals[1:]:
            final = self._add(root, final, other, turn, nodes)
        nodes[-1] = replace(nodes[-1], outputs=root.outputs)
        return nodes

    def _home(self, root: Node) -> int:
        """Return the stage where a sum is needed: that of the value whose cotangent it is."""
        value = root.outputs[0]
        primal = self.parameter_of.get(value, self.graph.cotangents.get(value))
        home = EVERY_STAGE if primal is None else self.stage[primal]
        return root.stage if home == EVERY_STAGE else home

    def _turn(self, term: _Term) -> tuple[bool, int]:
        """Return when a term comes: micro-batches in their order, then what belongs to none."""
        return (term.micro == NO_MICRO, -term.micro if self.last_first else term.micro)

    def _running(self, root: Node, stage: int, terms: Sequence[_Term], nodes: list[Node]) -> _Term:
        total = replace(terms[0], stage=stage)
        for term in terms[1:]:
            total = self._add(root, total, term, term.micro, nodes)
        return total

    def _add(self, root: Node, one: _Term, two: _Term, micro: int, nodes: list[Node]) -> _Term:
        """Return the sum of two terms on the stage of the first."""
        made = Value(self.next_id, root.outputs[0].shape, root.outputs[0].dtype)
        self.next_id += 1
        inputs = (one.value, two.value)
        nodes.append(replace(root, inputs=inputs, outputs=(made,), stage=one.stage, micro=micro, adjoint_of=None))
        return _Term(made, one.stage, micro)


def _is_sum(node: Node) -> bool:
    """Return whether a node adds two terms of a cotangent."""
    like = node.outputs[0]
    plain = node.op == "add" and node.phase == "backward" and node.strategy is None
    return plain and all((v.shape, v.dtype) == (like.shape, like.dtype) for v in node.inputs)
