"""What must hold of every graph, checked after every pass.

A pass that breaks a promise is found where it happened, with the node that shows it, and not three passes later as a
wrong number.
"""

from simpar.errors import VerifyError
from simpar.graph.ir import Graph, Node, Value
from simpar.graph.opdef import lookup

__all__ = ["verify_graph"]


def verify_graph(graph: Graph, made_by: str, infer: bool = True) -> Graph:
    """Return the graph unchanged.

    Args:
        graph: what the pass made.
        made_by: the name of the pass, for the error.
        infer: whether to infer the shapes of every node again.

    Raises:
        VerifyError: a value is used before it is made, or made twice; a node's results are not what its op makes of its
            operands; an output, a write or a gradient is nowhere made.
    """
    known: set[Value] = set()
    numbers: set[int] = set()

    def define(value: Value, what: str) -> None:
        if value.id in numbers:
            raise VerifyError(f"after {made_by}: {value} is made twice, the second time by {what}.")
        numbers.add(value.id)
        known.add(value)

    for value in graph.inputs:
        define(value, "an input")
    for node in graph.nodes:
        for v in node.inputs:
            if v not in known:
                raise VerifyError(f"after {made_by}: {node.where} uses {v} before it is made.")
        if infer:
            _check_results(node, made_by)
        for v in node.outputs:
            define(v, node.where)
    for v in (*graph.outputs, *graph.writes.values(), *graph.gradients.values()):
        if v not in known:
            raise VerifyError(f"after {made_by}: {v} is a result of the graph, but nothing makes it.")
    for p, v in graph.writes.items():
        if (p.shape, p.dtype) != (v.shape, v.dtype):
            raise VerifyError(
                f"after {made_by}: a parameter of shape {p.shape} {p.dtype} is written {v.shape} {v.dtype}."
            )
    return graph


def _check_results(node: Node, made_by: str) -> None:
    if "step" in node.attrs or "steps" in node.attrs:  # a redistribution leaves the global value as it is
        made = [(v.shape, v.dtype) for v in node.inputs]
    elif lookup(node.op).rule is None and len(node.inputs) > 1:  # a bucket of hand-written collectives
        made = [(v.shape, v.dtype) for v in node.outputs]
    else:
        _, results = lookup(node.op).infer([v.shape for v in node.inputs], [v.dtype for v in node.inputs], node.attrs)
        made = list(results)
    if made != [(v.shape, v.dtype) for v in node.outputs]:
        raise VerifyError(f"after {made_by}: {node.where} makes {made}, but its results are {node.outputs}.")
