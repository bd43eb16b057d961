"""The modes in which every rank runs its own program: nothing is cut, and collectives are where the user put them."""

from simpar.graph import Graph
from simpar.layout import repeated
from simpar.partition.assign import Assigned, Cut
from simpar.partition.strategy import PartitionOptions

__all__ = ["assign_uncut"]


def assign_uncut(graph: Graph, options: PartitionOptions) -> Assigned:
    """Return the assignment in which each rank holds the whole of every value of its own program."""
    layouts = {v: repeated(options.whole, len(v.shape)) for v in graph.values}
    cuts = tuple(
        Cut(tuple(layouts[v] for v in node.inputs), tuple(layouts[v] for v in node.outputs)) for node in graph.nodes
    )
    return Assigned(layouts, cuts)
