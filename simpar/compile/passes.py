"""The passes, in order."""

from simpar.graph import Graph, drop_unused
from simpar.partition import (
    Partitioned,
    PartitionOptions,
    Plan,
    assign_layouts,
    assign_uncut,
    fuse_collectives,
    insert_redistribution,
    localize,
)

__all__ = ["compile_graph", "partition_graph"]


def partition_graph(graph: Graph, options: PartitionOptions) -> Partitioned:
    """Return the graph cut over the devices, every movement of data a node of its own.

    Raises:
        StrategyError: a strategy does not fit; the error names cell, op and line.
        LayoutError: an axis does not divide.
    """
    graph = drop_unused(graph)
    assigned = assign_layouts(graph, options) if options.is_partitioned else assign_uncut(graph, options)
    partitioned = insert_redistribution(graph, assigned, options)
    return fuse_collectives(partitioned, options)


def compile_graph(graph: Graph, options: PartitionOptions, rank: int) -> Plan:
    """Return the plan of one rank; errors as of ``partition_graph``."""
    return localize(partition_graph(graph, options), rank)
