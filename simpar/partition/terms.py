"""Terms: partial values that are not summed at once, because linear ops take them as they are."""

from collections.abc import Sequence

from simpar.graph import Graph, Node, OpDef, Value, lookup
from simpar.layout import Assignment, Layout, Rule, refine

__all__ = ["is_term", "stay_partial", "terms_that_pass"]


def stay_partial(graph: Graph) -> set[Value]:
    """Return the values of the backward pass that may stay partial: their only use is a sum, or a linear op on the way
    to the gradient of a parameter, so that terms are joined once and late.
    """
    uses: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for v in node.inputs:
            uses.setdefault(v, []).append(node)
    final = set(graph.gradients.values())
    kept: set[Value] = set()
    for node in reversed(graph.nodes):
        for v in node.outputs:
            users = uses.get(v, [])
            if node.phase != "backward" or v in final or v in graph.outputs or len(users) != 1:
                continue
            linear, result = lookup(users[0].op).linear, users[0].outputs[0]
            sums = linear == "joint" and len(users[0].inputs) > 1
            leads_on = linear != "" and (result in final or result in kept)
            if users[0].phase == "backward" and (sums or leads_on) and v not in graph.cotangents.keys() - final:
                kept.add(v)
    return kept


def is_term(layout: Layout | None, terms: tuple[int, ...]) -> bool:
    """Return whether an operand comes as one of the terms."""
    return bool(terms) and layout is not None and layout.is_partial


def terms_that_pass(
    definition: OpDef, rule: Rule, assignment: Assignment, known: Sequence[Layout | None]
) -> tuple[int, ...]:
    """Return the device axes over which operands may come, and the result stays, partial; none if they may not."""
    partial = [lay for lay in known if lay is not None and lay.is_partial]
    if not partial or any(lay.combine != "sum" or lay.rank_list != assignment.rank_list for lay in partial):
        return ()
    if not _may_be_partial(definition.linear, [lay is not None and lay.is_partial for lay in known]):
        return ()
    if any(refine(lay.dev_mat, assignment.dev_mat) != assignment.dev_mat for lay in partial):
        return ()
    axes = {lay.refined(assignment.dev_mat).partial for lay in partial}
    if len(axes) != 1:
        return ()
    terms = axes.pop()
    used = {a for cut in assignment.axes.values() for a in cut}
    return () if used & set(terms) else terms


def _may_be_partial(linear: str, operands: Sequence[bool]) -> bool:
    """Return whether an op may take exactly these operands partial."""
    if linear == "joint":
        return all(operands)
    return sum(operands) == 1 and (linear == "each" or (linear == "first" and operands[0]))
