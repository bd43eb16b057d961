"""Rewriting a graph: what is not needed goes, what is there twice is made once."""

from collections.abc import Hashable
from dataclasses import replace

from simpar.graph.ir import Graph, Node, Value
from simpar.graph.opdef import lookup

__all__ = ["drop_unused", "merge_equal"]


def merge_equal(graph: Graph) -> Graph:
    """Return the graph in which no two nodes apply the same op to the same operands.

    Only nodes that the user did not cut, of one phase, are merged: a gradient such as ``g * y + g * x`` with x = y. The
    cotangent of two values stays two values, as each takes its own layout.
    """
    same: dict[Value, Value] = {}
    made: dict[Hashable, Node] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        node = replace(node, inputs=tuple(same.get(v, v) for v in node.inputs))
        key = _signature(graph, node)
        if key is not None and key in made:
            same.update(zip(node.outputs, made[key].outputs, strict=True))
            continue
        if key is not None:
            made[key] = node
        kept.append(node)
    now = {v: same.get(v, v) for v in graph.values}
    return replace(
        graph,
        nodes=tuple(kept),
        outputs=tuple(now[v] for v in graph.outputs),
        writes={p: now[v] for p, v in graph.writes.items()},
    )


def _signature(graph: Graph, node: Node) -> Hashable | None:
    """Return what makes two nodes equal; None for a node that stays as it is."""
    special = graph.cotangents.keys() | set(graph.gradients.values())
    if node.phase != "backward" or node.strategy is not None or lookup(node.op).rule is None:
        return None
    if not special.isdisjoint(node.outputs):
        return None
    return (node.op, node.inputs, tuple(sorted(node.attrs.items())), node.adjoint_of)


def drop_unused(graph: Graph) -> Graph:
    """Return the graph without nodes and constants on which no output, no written parameter and no effect depends."""
    needed: set[Value] = {*graph.outputs, *graph.writes.values()}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs) or lookup(node.op).effect:
            kept.append(node)
            needed.update(node.inputs)
    alive = needed.union(*(n.outputs for n in kept), graph.inputs)
    return replace(
        graph,
        nodes=tuple(reversed(kept)),
        constants=tuple(c for c in graph.constants if c.value in needed),
        cotangents={c: v for c, v in graph.cotangents.items() if c in alive and v in alive},
        gradients={p: g for p, g in graph.gradients.items() if g in alive},
    )
