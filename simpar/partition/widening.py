"""Widening: sums of 16-bit floats over ranks that travel, and add up, as 32-bit floats.

A sum of n terms in 16 bits loses about log2(n) of its ten or seven bits; MindSpore therefore sums such gradients as
float32 unless it is told not to (``gradient_fp32_sync``), and on demand every sum (``force_fp32_communication``). The
terms are cast before the collective and the total after it, so the bytes on the wire double.
"""

from dataclasses import replace

from simpar.dtype import float32
from simpar.graph import Node, Value
from simpar.layout import Layout
from simpar.partition.assign import Cut
from simpar.partition.insert import Partitioned
from simpar.partition.strategy import PartitionOptions

__all__ = ["widen_sums"]

_SUMS = ("all_reduce", "reduce_scatter")


def widen_sums(partitioned: Partitioned, options: PartitionOptions) -> Partitioned:
    """Return the graph with the sums that the options name done in float32: gradients of parameters, or all."""
    if not (options.wide_gradients or options.wide_sums):
        return partitioned
    chosen = {id(n) for n in partitioned.graph.nodes if _is_widened(partitioned, n, options)}
    return _Widener(partitioned).run(chosen) if chosen else partitioned


def _is_widened(partitioned: Partitioned, node: Node, options: PartitionOptions) -> bool:
    if node.op not in _SUMS:
        return False
    value = node.inputs[0]
    if not value.dtype.is_float or value.dtype.itemsize != 2:
        return False
    if "step" not in node.attrs:  # written by the user
        return options.wide_sums and node.attrs.get("op", "sum") == "sum"
    is_gradient = node.phase == "backward" and bool(node.attrs["parameter"])
    is_sum = partitioned.layouts[value].combine == "sum"
    return is_sum and (options.wide_sums or (options.wide_gradients and is_gradient))


class _Widener:
    def __init__(self, partitioned: Partitioned) -> None:
        self.partitioned = partitioned
        self.layouts: dict[Value, Layout] = dict(partitioned.layouts)
        self.cuts: dict[Value, Cut] = dict(partitioned.cuts)
        self.next_id = partitioned.graph.next_id
        self.nodes: list[Node] = []
        self.totals: dict[Value, Node] = {}  # sums that were not cast back yet, by what they stand for

    def run(self, chosen: set[int]) -> Partitioned:
        """Widen the nodes of these identities."""
        old = self.partitioned.graph
        for node in old.nodes:
            for value in node.inputs:
                self._narrow(value)
            self.nodes += self._widened(node) if id(node) in chosen else [node]
        for value in tuple(self.totals):
            self._narrow(value)
        return replace(
            self.partitioned, graph=replace(old, nodes=tuple(self.nodes)), layouts=self.layouts, cuts=self.cuts
        )

    def _widened(self, node: Node) -> list[Node]:
        """Return a collective after the cast of its terms."""
        (term,), (total,) = node.inputs, node.outputs
        wide_term, wide_total = self._wide(term), self._wide(total)
        cut = self.cuts.pop(total, None)
        if cut is not None:
            self.cuts[wide_total] = cut
        wide = replace(node, inputs=(wide_term,), outputs=(wide_total,))
        self.totals[total] = wide
        return [self._cast(node, term, wide_term), wide]

    def _narrow(self, value: Value) -> None:
        """Cast a total back where it is needed first: until then, other collectives can join its message."""
        made = self.totals.pop(value, None)
        if made is not None:
            self.nodes.append(self._cast(made, made.outputs[0], value))

    def _wide(self, value: Value) -> Value:
        made = Value(self.next_id, value.shape, float32)
        self.next_id += 1
        self.layouts[made] = self.layouts[value]
        return made

    def _cast(self, node: Node, value: Value, into: Value) -> Node:
        """Return a cast at the place of a node; terms may be cast one by one, as a cast is linear but for rounding."""
        layout = self.layouts[value]
        self.cuts[into] = Cut((layout,), (layout,), (None, None))
        return replace(node, op="cast", inputs=(value,), outputs=(into,), attrs={"dtype": into.dtype.name})
