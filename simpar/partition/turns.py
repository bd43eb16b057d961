"""Axes of ``interleaved_parallel``: slices of one rank that take turns, so that one is computed while another moves.

In simpar they are one slice, and results are the same. What such an axis must not cut is refused all the same: a
Parameter, an axis that its op needs whole, one of unknown length, or of a length that it does not divide.
"""

from collections.abc import Sequence

from simpar.errors import StrategyError
from simpar.graph import Graph, Node, lookup
from simpar.layout import Layout

__all__ = ["check_turns", "taking_turns"]


def taking_turns(node: Node) -> Sequence[tuple[int, Layout]]:
    """Return the operands that a node's strategy lets take turns, by number, each with its layout."""
    given = node.strategy or ()
    return [
        (i, entry) for i, entry in enumerate(given) if isinstance(entry, Layout) and max(entry.turns, default=1) > 1
    ]


def check_turns(graph: Graph) -> None:
    """Check the axes that take turns of all ops with strategies.

    Raises:
        StrategyError: one takes a Parameter in turns, or an axis that its op must have whole; a length does not divide;
            or two ops have different numbers of turns. The error names the op.
    """
    names = {p.value: p.spec.name for p in graph.parameters}
    first = 1
    for node in graph.nodes:
        if node.phase != "forward" or lookup(node.op).rule is None:
            continue
        for i, layout in taking_turns(node):
            if node.inputs[i] in names:
                raise _refused(node, f"it cuts the Parameter {names[node.inputs[i]]!r}, of which a rank has one slice")
            first = max(layout.turns) if first == 1 else first
            if max(layout.turns) != first:
                raise _refused(node, f"it has {max(layout.turns)} turns here and {first} at another op")
            _check_axes(node, i, layout)


def _check_axes(node: Node, i: int, layout: Layout) -> None:
    shape = node.inputs[i].shape
    rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
    for axis, (turns, cut) in enumerate(zip(layout.turns, layout.cuts, strict=True)):
        if turns > 1 and axis < len(shape):
            if rule.whole.intersection(rule.operands[i][axis]):
                raise _refused(node, f"it cuts axis {axis} of input {i}, which the op must have whole")
            if shape[axis] % (turns * cut):
                what = (
                    f"it cuts axis {axis} of input {i}, {shape[axis]} long, into {cut} slices with {turns} turns each"
                )
                raise _refused(node, what)


def _refused(node: Node, what: str) -> StrategyError:
    return StrategyError(f"{node.cited}: interleaved_parallel cannot be used so: {what}. Leave it out there.")
