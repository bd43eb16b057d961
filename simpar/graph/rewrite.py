"""Rewriting a graph: what is not needed goes."""

from dataclasses import replace

from simpar.graph.ir import Graph, Node, Value

__all__ = ["drop_unused"]


def drop_unused(graph: Graph) -> Graph:
    """Return the graph without nodes and constants on which no output and no written parameter depends."""
    needed: set[Value] = {*graph.outputs, *graph.writes.values()}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
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
