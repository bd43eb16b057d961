"""Totals of micro-batches: where the terms of a gradient go that adds up over micro-batches.

Usually each rank adds its own terms up and the total alone is summed over ranks: least traffic, but a total of the size
of the weight. Where the parallel optimizer cuts totals too (MindSpore's ``optimizer_level`` from 2 on, and
``gradient_accumulation_shard``), every term is scattered first, so that a rank holds as much of a total as it stores of
the Parameter.
"""

from dataclasses import replace

from simpar.graph import NO_MICRO, Graph, Value
from simpar.layout import Layout, refine

__all__ = ["accumulated_terms", "scattered", "scattered_term"]


def accumulated_terms(graph: Graph) -> dict[Value, Value]:
    """Return the terms and running totals of gradients over micro-batches, each with the parameter that they are of."""
    made_by = {node.outputs[0]: node for node in graph.nodes if node.phase == "backward"}
    found: dict[Value, Value] = {}
    for gradient, parameter in graph.parameter_of.items():
        terms, left = list[Value](), [gradient]
        while left:
            value = left.pop()
            node = made_by.get(value)
            if node is not None and node.op == "add" and node.inputs[0].shape == node.inputs[1].shape == value.shape:
                left += node.inputs
            if value is not gradient:
                terms.append(value)
        if any(v in made_by and made_by[v].micro != NO_MICRO for v in terms):
            found.update((v, parameter) for v in terms if v in made_by)
    return found


def scattered(made: Layout, kept: Layout) -> Layout:
    """Return where a gradient goes first: cut as its parameter is stored, terms left only over other device axes.

    A reduce_scatter within the ranks that share a parameter leaves less to sum over the rest.
    """
    first = _first_step(made, kept)
    return first if first is not None and first.partial else kept


def scattered_term(made: Layout, stored: Layout) -> Layout:
    """Return the layout of a term of a gradient: as its parameter is stored, partial over all other device axes.

    Where the parameter is not cut over ranks that hold different terms, the term stays as it is made.
    """
    return _first_step(made, stored) or made


def _first_step(made: Layout, kept: Layout) -> Layout | None:
    common = refine(made.dev_mat, kept.dev_mat)
    if common is None or made.rank_list != kept.rank_list or not made.is_partial:
        return None
    partial, stored = made.refined(common).partial, kept.refined(common)
    cutting = {a for axes in stored.cutting_axes for a in axes}
    left = tuple(a for a in partial if a not in cutting)
    return None if len(left) == len(partial) else replace(stored, partial=left, combine=made.combine)
