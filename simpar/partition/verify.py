"""What must hold of a partitioned graph, checked after insertion and after fusion."""

from collections.abc import Mapping

from simpar.errors import VerifyError
from simpar.graph import Node, Value, verify_graph
from simpar.layout import Halo
from simpar.partition.fusion import members
from simpar.partition.insert import Partitioned

__all__ = ["verify_partitioned"]


def verify_partitioned(partitioned: Partitioned, made_by: str) -> Partitioned:
    """Return the partitioned graph unchanged.

    Raises:
        VerifyError: what ``verify_graph`` raises; or a value has no layout, or one that does not divide it; a node is
            given an operand in another layout, or with another halo, than it takes; a step does not begin where its
            operand is or does not end where its result is; a parameter is written in another layout than it is stored
            in.
    """
    graph, layouts, halos = partitioned.graph, partitioned.layouts, partitioned.halos
    verify_graph(graph, made_by)
    for value in graph.values:
        if value not in layouts:
            raise VerifyError(f"after {made_by}: {value} has no layout.")
        layouts[value].slice_shape(value.shape)
    for node in graph.nodes:
        if members(node):
            _check_steps(partitioned, node, made_by)
        else:
            _check_operands(partitioned, node, halos, made_by)
    for parameter, value in graph.writes.items():
        _same(partitioned, parameter, value, f"after {made_by}: a parameter is written")
    return partitioned


def _check_operands(partitioned: Partitioned, node: Node, halos: Mapping[Value, Halo], made_by: str) -> None:
    cut = partitioned.cuts.get(node.outputs[0])
    if cut is None:
        return
    for value, wanted, halo in zip(node.inputs, cut.operands, cut.halos, strict=False):
        held = partitioned.layouts[value]
        if not held.same_slices(wanted) or halos.get(value) != halo:
            raise VerifyError(
                f"after {made_by}: {node.where} takes {value} as {wanted} with halo {halo}, but is given {held} with "
                f"halo {halos.get(value)}."
            )


def _check_steps(partitioned: Partitioned, node: Node, made_by: str) -> None:
    for step, before, after in zip(members(node), node.inputs, node.outputs, strict=True):
        one, two = partitioned.layouts[before], partitioned.layouts[after]
        if not (one.same_slices(step.before) and two.same_slices(step.after)):
            raise VerifyError(
                f"after {made_by}: a step {step.kind} goes from {step.before} to {step.after}, but its operand is "
                f"{one} and "
                f"its result {two}."
            )


def _same(partitioned: Partitioned, one: Value, two: Value, what: str) -> None:
    a, b = partitioned.layouts[one], partitioned.layouts[two]
    if not a.same_slices(b):
        raise VerifyError(f"{what} as {b}, but it is stored as {a}.")
