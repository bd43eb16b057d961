"""Graphs as plain data, to be kept for years and cut again: JSON in, the same graph out, and never code.

What repeats, shapes, attributes, strategies, cells and lines, stands once in a table and goes by its place there. Of
constants only tiny ones keep their numbers; of the others shape and element type, which is all that partitioning asks.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import as_dtype
from simpar.graph.ir import (
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
from simpar.layout import EVERY_STAGE, Layout

__all__ = ["MOST_CONSTANT", "from_record", "layout_from_record", "layout_record", "to_record"]

Record = dict[str, Any]

MOST_CONSTANT = 16
"""Constants of so many elements keep their numbers; of larger ones only shape and element type are kept."""


def to_record(graph: Graph) -> Record:
    """Return a graph as plain data.

    Raises:
        TypeError: an attribute of a node is not plain data.
    """
    table = _Table()
    values = [[v.id, table.add(v.shape), v.dtype.name] for v in graph.values]
    return {
        "values": values,
        "arguments": [[a.value.id, a.name, layout_record(a.layout)] for a in graph.arguments],
        "parameters": [[p.value.id, _spec_record(p.spec)] for p in graph.parameters],
        "constants": [[c.value.id, _numbers(c.array)] for c in graph.constants],
        "nodes": [_node_record(node, table) for node in graph.nodes],
        "outputs": [v.id for v in graph.outputs],
        "writes": _ids(graph.writes),
        "cotangents": _ids(graph.cotangents),
        "gradients": _ids(graph.gradients),
        "table": table.entries,
    }


def from_record(record: Record) -> Graph:
    """Return the graph that ``to_record`` wrote; constants that were too large are zeros.

    Raises:
        ValueError, TypeError, KeyError, IndexError: the record is not one of a graph.
    """
    entries = [_plain_in(e) for e in record["table"]]
    values = {i: Value(i, entries[shape], as_dtype(dtype)) for i, shape, dtype in record["values"]}

    def pairs(key: str) -> dict[Value, Value]:
        return {values[a]: values[b] for a, b in record[key]}

    return Graph(
        tuple(Argument(values[i], name, layout_from_record(lay)) for i, name, lay in record["arguments"]),
        tuple(ParameterInput(values[i], _spec_from_record(spec)) for i, spec in record["parameters"]),
        tuple(Constant(values[i], _array(values[i], numbers)) for i, numbers in record["constants"]),
        tuple(_node_from_record(row, values, entries) for row in record["nodes"]),
        tuple(values[i] for i in record["outputs"]),
        pairs("writes"),
        pairs("cotangents"),
        pairs("gradients"),
    )


class _Table:
    """Gives each entry a place; equal entries have the same."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._places: dict[str, int] = {}

    def add(self, value: Any) -> int:
        plain = _plain_out(value)
        key = json.dumps(plain)
        place = self._places.setdefault(key, len(self.entries))
        if place == len(self.entries):
            self.entries.append(plain)
        return place


# --- parts of a graph ---


def _node_record(node: Node, table: _Table) -> list[Any]:
    words = (node.op, node.attrs, node.strategy, node.out_strategy, node.phase, node.scope, node.line)
    adjoint = None if node.adjoint_of is None else node.adjoint_of.id
    row = [[v.id for v in node.inputs], [v.id for v in node.outputs], [table.add(w) for w in words], adjoint]
    again = () if node.recompute is None else (node.recompute.cell, node.recompute.moves, node.recompute.keeps)
    marks = (node.stage, node.micro, again)
    return row if marks == (EVERY_STAGE, NO_MICRO, ()) else [*row, table.add(marks)]


def _node_from_record(row: Sequence[Any], values: Mapping[int, Value], entries: Sequence[Any]) -> Node:
    inputs, outputs, words, adjoint, *marks = row
    op, attrs, strategy, out_strategy, phase, scope, line = (entries[w] for w in words)
    made = tuple(values[i] for i in inputs), tuple(values[i] for i in outputs)
    cut = cast("tuple[Strategy | None, Strategy | None]", (strategy, out_strategy))
    stage, micro, again = entries[marks[0]] if marks else (EVERY_STAGE, NO_MICRO, ())
    how = (None if adjoint is None else values[adjoint], stage, micro, Recompute(*again) if again else None)
    return Node(op, *made, attrs, *cut, phase, scope, line, *how)


def _spec_record(spec: ParameterSpec) -> Record:
    names = ("requires_grad", "layerwise_parallel", "parallel_optimizer", "comm_fusion", "comm_recompute")
    held = {n: getattr(spec, n) for n in (*names, "state_of", "lost_axis")}
    return {"name": spec.name, "layout": layout_record(spec.layout), **held}


def _spec_from_record(record: Record) -> ParameterSpec:
    rest = {name: value for name, value in record.items() if name != "layout"}
    return ParameterSpec(**rest, layout=layout_from_record(record["layout"]))


def layout_record(layout: Layout | None) -> list[Any] | None:
    """Return a layout as plain data; None if there is none."""
    if layout is None:
        return None
    held = (layout.dev_mat, layout.tensor_map, layout.rank_list, layout.partial)
    unequal = [_plain_out(layout.lengths)] if layout.lengths else []
    return [*map(_plain_out, held), layout.combine, *unequal]


def layout_from_record(record: Sequence[Any] | None) -> Layout | None:
    """Return the layout that ``layout_record`` wrote."""
    if record is None:
        return None
    dev_mat, tensor_map, rank_list, partial = (_plain_in(e) for e in record[:4])
    return Layout(dev_mat, tensor_map, rank_list, partial, record[4], *map(_plain_in, record[5:]))


def _ids(pairs: Mapping[Value, Value]) -> list[list[int]]:
    return [[a.id, b.id] for a, b in pairs.items()]


def _numbers(array: NDArray[np.generic]) -> list[Any] | None:
    return np.ravel(array).tolist() if array.size <= MOST_CONSTANT else None


def _array(value: Value, numbers: Sequence[Any] | None) -> NDArray[np.generic]:
    if numbers is None:
        return np.broadcast_to(np.zeros((), value.dtype.numpy), value.shape)  # no memory stands behind it
    return np.array(numbers, value.dtype.numpy).reshape(value.shape)


# --- plain data and JSON: JSON has no tuples, and no layouts ---


def _plain_out(value: Any) -> Any:
    """Return plain data as JSON holds it: tuples as lists; lists, dictionaries and layouts marked by a key."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [_plain_out(v) for v in cast("tuple[Any, ...]", value)]
    if isinstance(value, list):
        return {"list": [_plain_out(v) for v in cast("list[Any]", value)]}
    if isinstance(value, Mapping):
        return {"dict": {str(k): _plain_out(v) for k, v in cast("Mapping[Any, Any]", value).items()}}
    if isinstance(value, Layout):
        return {"layout": layout_record(value)}
    if isinstance(value, np.generic):
        return cast("Any", value).item()
    raise TypeError(f"an attribute is {type(value).__name__}, which is not plain data")


def _plain_in(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain_in(v) for v in cast("list[Any]", value))
    if not isinstance(value, dict):
        return value
    mark, held = next(iter(cast("dict[str, Any]", value).items()))
    if mark == "dict":
        return {k: _plain_in(v) for k, v in cast("dict[str, Any]", held).items()}
    return layout_from_record(held) if mark == "layout" else list(_plain_in(held))
