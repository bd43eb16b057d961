"""Ops whose results nothing needs: they are not computed, but their strategies must fit all the same."""

from simpar.errors import LayoutError, SimparError, StrategyError
from simpar.graph import Graph, lookup
from simpar.partition.restrictions import check_restrictions
from simpar.partition.strategy import PartitionOptions, chosen_assignment

__all__ = ["check_dropped"]


def check_dropped(traced: Graph, graph: Graph, options: PartitionOptions) -> None:
    """Check the strategies of forward ops that are in the traced graph, but not in the one that is cut.

    A program that asks for the gradient of a linear op alone does without the op itself.

    Raises:
        StrategyError: a strategy does not fit its op or the devices; the error names the cell and op.
    """
    kept = {v for node in graph.nodes for v in node.outputs}
    for node in traced.nodes:
        definition = lookup(node.op)
        is_left = node.strategy is None or node.phase != "forward" or definition.rule is None
        if is_left or not kept.isdisjoint(node.outputs):
            continue
        try:
            rule = definition.bind([v.shape for v in node.inputs], node.attrs)
            assignment = chosen_assignment(node, rule, options.device_num)
            if options.mindspore:
                check_restrictions(node, rule, assignment, options.device_num)
        except SimparError as error:
            kind = StrategyError if isinstance(error, LayoutError) else type(error)
            raise kind(f"{node.where}: {error}") from None
