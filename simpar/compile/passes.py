"""The passes, in order."""

from simpar.graph import Graph, drop_unused, merge_equal, verify_graph
from simpar.partition import (
    Partitioned,
    PartitionOptions,
    Plan,
    assign_layouts,
    assign_uncut,
    fuse_collectives,
    insert_redistribution,
    localize,
    verify_partitioned,
)

__all__ = ["compile_graph", "partition_graph"]


def partition_graph(graph: Graph, options: PartitionOptions) -> Partitioned:
    """Return the graph cut over the devices, every movement of data a node of its own.

    Raises:
        StrategyError: a strategy does not fit; the error names cell, op and line.
        LayoutError: an axis does not divide.
    """
    graph = verify_graph(graph, "tracing")
    graph = verify_graph(drop_unused(graph), "drop_unused")
    graph = verify_graph(merge_equal(graph), "merge_equal")
    assigned = assign_layouts(graph, options) if options.is_partitioned else assign_uncut(graph, options)
    partitioned = verify_partitioned(insert_redistribution(graph, assigned, options), "insert_redistribution")
    return verify_partitioned(fuse_collectives(partitioned, options), "fuse_collectives")


def compile_graph(graph: Graph, options: PartitionOptions, rank: int) -> Plan:
    """Return the plan of one rank; errors as of ``partition_graph``."""
    return localize(partition_graph(graph, options), rank)
