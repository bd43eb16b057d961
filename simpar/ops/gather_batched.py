"""Rows of many tables by number: the first axes of tables and indices are the same."""

from collections.abc import Sequence

import numpy as np

from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import or_new
from simpar.ops.support import Array, Attrs, Shape, letters, one, pick_dtype
from simpar.tensor import Tensor

__all__: list[str] = []


def _texts(table_axes: int, ids_axes: int, axis: int, batch: int) -> tuple[str, str, str, list[str]]:
    """Return the axes of tables, indices and result as text, and the factors of the indices."""
    table, ids = letters(table_axes, "d"), letters(batch, "d") + letters(ids_axes - batch, "n")
    result = [*table[:axis], *ids[batch:], *table[axis + 1 :]]
    table[axis] = "v"
    return " ".join(table), " ".join(ids), " ".join(result), ids


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    table, ids, result, order = _texts(len(shapes[0]), len(shapes[1]), attrs["axis"], attrs["batch"])
    return parse_rule(f"{table}, {ids} -> {result}", shapes, order=order)


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    axes = len(shapes[0]) - len(shapes[1]) + attrs["batch"] + 1
    table, ids, result, order = _texts(axes, len(shapes[1]), attrs["axis"], attrs["batch"])
    return parse_rule(f"{result}, {ids} -> {table}", shapes, sizes={"v": attrs["rows"]}, order=order)


def _local_rows(attrs: Attrs, local: Local) -> Attrs:
    return {**attrs, "rows": local.results[0][attrs["axis"]]}


def _places(ids: Array, batch: int, pre: int, rows: int, offset: int) -> tuple[tuple[Array, ...], Array]:
    """Return the index of each row in tables of shape (batch, pre, rows, post), and which rows they hold."""
    local = ids.reshape(int(np.prod(ids.shape[:batch])), 1, -1) - offset
    known = (local >= 0) & (local < rows)
    first, second = np.ogrid[: len(local), :pre]
    at = (first[:, :, None], second[:, :, None], np.where(known, local, 0))
    return at, np.broadcast_to(known, (len(local), pre, local.shape[2]))


def _sizes(shape: Shape, axis: int, batch: int) -> tuple[int, int]:
    return int(np.prod(shape[:batch])), int(np.prod(shape[batch:axis]))


def _gather(table: Array, ids: Array, *, axis: int, batch: int, offset: int = 0, out: Array | None = None) -> Array:
    made = or_new(out, (*table.shape[:axis], *ids.shape[batch:], *table.shape[axis + 1 :]), table.dtype)
    count, pre = _sizes(table.shape, axis, batch)
    at, known = _places(ids, batch, pre, table.shape[axis], offset)
    taken = table.reshape(count, pre, table.shape[axis], int(np.prod(table.shape[axis + 1 :])))[at]
    taken[~known] = 0
    np.copyto(made, taken.reshape(made.shape))
    return made


def _gather_grad(
    g: Array, ids: Array, *, rows: int, axis: int, batch: int, offset: int = 0, out: Array | None = None
) -> Array:
    after = g.shape[axis + ids.ndim - batch :]
    count, pre = _sizes(g.shape, axis, batch)
    total = np.zeros((count, pre, rows, int(np.prod(after))), g.dtype)
    at, known = _places(ids, batch, pre, rows, offset)
    places = tuple(np.broadcast_to(a, known.shape)[known] for a in at)
    np.add.at(total, places, g.reshape(*known.shape, total.shape[3])[known])
    made = or_new(out, (*g.shape[:axis], rows, *after), g.dtype)
    np.copyto(made, total.reshape(made.shape))
    return made


def _bprop(g: Tensor, table: Tensor, ids: Tensor, *, axis: int, batch: int) -> tuple[Tensor, None]:
    return one("gather_batched_grad", g, ids, rows=table.shape[axis], axis=axis, batch=batch), None


def _grad_bprop(u: Tensor, g: Tensor, ids: Tensor, *, axis: int, batch: int) -> tuple[Tensor, None]:
    return one("gather_batched", u, ids, axis=axis, batch=batch), None


_TYPES = ("float32", "int32")
op(
    "gather_batched",
    rule=_rule,
    offsets="v",
    kernel=_gather,
    bprop=_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((2, 6, 4), (2, 3)), {"axis": 1, "batch": 1}, _TYPES, low=(-1, -1), high=(1, 7)),
        Example(((2, 3, 6), (2, 4)), {"axis": 2, "batch": 1}, _TYPES, low=(-1, 0), high=(1, 6)),
    ),
)
op(
    "gather_batched_grad",
    rule=_grad_rule,
    offsets="v",
    kernel=_gather_grad,
    bprop=_grad_bprop,
    dtype=pick_dtype(0),
    localize=_local_rows,
    examples=(
        Example(((2, 3, 4), (2, 3)), {"axis": 1, "batch": 1, "rows": 6}, _TYPES, low=(-1, -1), high=(1, 7)),
        Example(((2, 3, 4), (2, 4)), {"axis": 2, "batch": 1, "rows": 6}, _TYPES, low=(-1, 0), high=(1, 6)),
    ),
)
