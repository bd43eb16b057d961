"""The modes in which every rank runs its own program: nothing is cut, and collectives are where the user put them."""

from collections.abc import Mapping

from simpar.graph import Graph, Node, Value
from simpar.layout import Layout, repeated
from simpar.partition.assign import Assigned, Cut
from simpar.partition.strategy import PartitionOptions

__all__ = ["assign_uncut"]


def assign_uncut(graph: Graph, options: PartitionOptions) -> Assigned:
    """Return the assignment in which each rank holds the whole of every value of its own program."""
    layouts = {v: repeated(options.whole, len(v.shape)) for v in graph.values}
    return Assigned(layouts, tuple(_whole(node, layouts) for node in graph.nodes))


def _whole(node: Node, layouts: Mapping[Value, Layout]) -> Cut:
    operands, results = (tuple(layouts[v] for v in side) for side in (node.inputs, node.outputs))
    return Cut(operands, results, (None,) * (len(operands) + len(results)))
