"""The graph of a program, and the records of its ops.

A traced function becomes a ``Graph``: values and nodes, with global shapes, as one device would compute it. An op is a
record (``OpDef``): the rule over factors, the kernel on numpy arrays, the gradient. Passes take a graph and return
another; the verifier checks it in between, and its text form is what golden tests compare.

Read in this order: ``ir`` (what a graph is), ``opdef`` (what an op is), ``trace`` (how a function becomes a graph),
``apply`` (where an op meets its operands), ``text`` (how it prints), ``verify`` (what must hold), ``rewrite`` (what is
unused or there twice goes), ``codec`` (how it is kept).
"""

from simpar.graph.apply import apply, register_collectives
from simpar.graph.codec import from_record, layout_from_record, layout_record, to_record
from simpar.graph.ir import (
    EVERY_STAGE,
    NO_MICRO,
    Argument,
    Constant,
    Graph,
    Node,
    ParameterInput,
    ParameterSpec,
    Recompute,
    Strategy,
    Value,
)
from simpar.graph.lines import ManyConditions, refuse_value, user_line
from simpar.graph.opdef import OPS, Example, Local, OpDef, kernel_of, local_shape, lookup, op
from simpar.graph.rewrite import drop_unused, merge_equal
from simpar.graph.text import graph_text
from simpar.graph.trace import (
    ACCUMULATED,
    NESTED,
    NEXT,
    Decision,
    Operand,
    ParameterLike,
    Trace,
    tracing,
)
from simpar.graph.verify import verify_graph

__all__ = [
    "ACCUMULATED",
    "EVERY_STAGE",
    "NESTED",
    "NEXT",
    "NO_MICRO",
    "OPS",
    "Argument",
    "Constant",
    "Decision",
    "Example",
    "Graph",
    "Local",
    "ManyConditions",
    "Node",
    "OpDef",
    "Operand",
    "ParameterInput",
    "ParameterLike",
    "ParameterSpec",
    "Recompute",
    "Strategy",
    "Trace",
    "Value",
    "apply",
    "drop_unused",
    "from_record",
    "graph_text",
    "kernel_of",
    "layout_from_record",
    "layout_record",
    "local_shape",
    "lookup",
    "merge_equal",
    "op",
    "refuse_value",
    "register_collectives",
    "to_record",
    "tracing",
    "user_line",
    "verify_graph",
]
