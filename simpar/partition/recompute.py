"""Recomputation: results that were to be computed again are not kept for the backward pass.

Each node of the forward pass whose result is not kept is copied to where the backward pass first needs it, with the
same cut, so that the copy makes the same bits. What a Cell hands on is kept: the next one begins with it. Gathers of
parameters are not copied here; whether they are repeated says ``parallel_optimizer_comm_recompute`` of the parameter.

Source: Chen et al., 2016, "Training deep nets with sublinear memory cost".
"""

from collections.abc import Mapping
from dataclasses import replace

from simpar.graph import Node, Value
from simpar.layout import Layout, Slice
from simpar.partition.assign import Cut
from simpar.partition.fusion import members
from simpar.partition.insert import Partitioned

__all__ = ["repeat_forward"]


def repeat_forward(partitioned: Partitioned) -> Partitioned:
    """Return the graph in which the backward pass computes again what the forward pass need not keep."""
    makers = _forgotten(partitioned)
    return _Repeater(partitioned, makers).run() if makers else partitioned


def _forgotten(partitioned: Partitioned) -> dict[Value, Node]:
    """Return the values that are not kept, and the nodes that make them."""
    graph = partitioned.graph
    makers = {v: node for node in graph.nodes if _may_repeat(node) for v in node.outputs}
    kept = {*graph.outputs, *graph.writes.values()}
    for node in graph.nodes:
        if node.phase == "forward":
            kept.update(v for v in node.inputs if v in makers and _leaves(makers[v], node))
    return {v: node for v, node in makers.items() if v not in kept}


def _may_repeat(node: Node) -> bool:
    again = node.recompute
    if again is None or again.keeps or node.phase != "forward" or node.attrs.get("parameter"):
        return False
    steps = members(node)
    return again.moves or not steps or isinstance(steps[0], Slice)


def _leaves(maker: Node, user: Node) -> bool:
    """Return whether the Cell that is recomputed hands a result on; an op that was marked alone hands on none."""
    assert maker.recompute is not None, "only marked nodes are asked about"
    cell = maker.recompute.cell
    return bool(cell) and (user.recompute is None or user.recompute.cell != cell)


class _Repeater:
    def __init__(self, partitioned: Partitioned, makers: Mapping[Value, Node]) -> None:
        self.partitioned, self.makers = partitioned, makers
        self.layouts: dict[Value, Layout] = dict(partitioned.layouts)
        self.cuts: dict[Value, Cut] = dict(partitioned.cuts)
        self.again: dict[Value, Value] = {}
        self.nodes: list[Node] = []
        self.next_id = partitioned.graph.next_id

    def run(self) -> Partitioned:
        for node in self.partitioned.graph.nodes:
            if node.phase == "backward":
                self._repeat(node)
                node = replace(node, inputs=tuple(self.again.get(v, v) for v in node.inputs))
            self.nodes.append(node)
        graph = replace(self.partitioned.graph, nodes=tuple(self.nodes))
        return replace(self.partitioned, graph=graph, layouts=self.layouts, cuts=self.cuts)

    def _repeat(self, user: Node) -> None:
        """Compute again what a node needs, and before it what that needs."""
        waiting = [v for v in user.inputs if v in self.makers]
        while waiting:
            value = waiting[-1]
            maker = self.makers[value]
            missing = [v for v in maker.inputs if v in self.makers and v not in self.again]
            if value in self.again or not missing:
                waiting.pop()
                if value not in self.again:
                    self._copy(maker)
            else:
                waiting += missing

    def _copy(self, maker: Node) -> None:
        for v in maker.outputs:
            self.again[v] = made = Value(self.next_id, v.shape, v.dtype)
            self.next_id += 1
            self.layouts[made] = self.layouts[v]
        inputs = tuple(self.again.get(v, v) for v in maker.inputs)
        outputs = tuple(self.again[v] for v in maker.outputs)
        if maker.outputs[0] in self.cuts:
            self.cuts[outputs[0]] = self.cuts[maker.outputs[0]]
        self.nodes.append(replace(maker, inputs=inputs, outputs=outputs, phase="backward", recompute=None))
