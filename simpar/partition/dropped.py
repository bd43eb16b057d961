"""Ops whose results nothing needs: they are not computed, but their strategies must fit all the same."""

from simpar.errors import LayoutError, SimparError, StrategyError
from simpar.graph import Graph, Value, lookup
from simpar.layout import Layout
from simpar.partition.gathering import gathering
from simpar.partition.restrictions import check_restrictions
from simpar.partition.strategy import FOLLOWERS, PartitionOptions, chosen_assignment

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
            raise error.at(node.cited, kind) from None
    if options.mindspore and len(kept) < sum(len(node.outputs) for node in traced.nodes):
        _check_uses(traced, options)


def _check_uses(traced: Graph, options: PartitionOptions) -> None:
    """Check that ops with strategies take a Parameter in one layout, as MindSpore wants it of dropped ops, too."""
    names = {p.value: p.spec.name for p in traced.parameters}
    first: dict[Value, Layout] = {}
    for node in traced.nodes:
        taken = [i for i, v in enumerate(node.inputs) if v in names]
        if not taken or node.strategy is None or node.phase != "forward" or node.op in FOLLOWERS:
            continue
        rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
        found, made = gathering(node, rule, options.device_num), chosen_assignment(node, rule, options.device_num)
        for i in taken:
            layout = made.operand(rule, i) if found is None else found.waiting[i]
            before = first.setdefault(node.inputs[i], layout)
            if not before.same_slices(layout):
                raise StrategyError(
                    f"{node.cited}: Parameter {names[node.inputs[i]]!r} is used in the layout {before} by one op and "
                    f"in {layout} by this one. MindSpore wants one layout for all ops that use a Parameter: give them "
                    "strategies that agree. simpar itself redistributes: run the script without the alias."
                )
