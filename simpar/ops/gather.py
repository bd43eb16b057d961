"""Rows of a table by number, and their reverse; numbers as one-hot rows.

A table cut along the gathered axis stays where it is: each rank answers for the rows it holds and gives zeros for the
others, so the result is partial, and its sum is the answer (vocabulary-parallel embedding).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, as_dtype
from simpar.errors import DTypeError
from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import Array, or_new
from simpar.ops.support import letters, one, pick_dtype
from simpar.tensor import Tensor

__all__ = ["gather", "one_hot"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]

HEAVY = 8
"""A row that is asked for more often is summed by itself; rows asked for less often are summed in rounds."""


# --- gather ---


def _texts(table_axes: int, ids_axes: int, axis: int) -> tuple[str, str, str]:
    """Return the axes of table, ids and result as text; ``v`` is the gathered axis."""
    table, ids = letters(table_axes, "d"), letters(ids_axes, "n")
    at = axis % table_axes
    result = table[:at] + ids + table[at + 1 :]
    return " ".join([*table[:at], "v", *table[at + 1 :]]), " ".join(ids), " ".join(result)


def _gather_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Match the axes; the device matrix holds the cuts of ids first, then those of the table.

    Ranks that repeat the work stand along the first device axis if the gathered axis is cut, as in MindSpore.
    """
    table, ids, result = _texts(len(shapes[0]), len(shapes[1]), attrs["axis"])
    return parse_rule(f"{table}, {ids} -> {result}", shapes, order=ids.split(), repeat_first=("v",))


def _gather_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    ids_axes = len(shapes[1])
    table, ids, result = _texts(len(shapes[0]) - ids_axes + 1, ids_axes, attrs["axis"])
    return parse_rule(f"{result}, {ids} -> {table}", shapes, sizes={"v": attrs["rows"]}, order=ids.split())


def _local_rows(attrs: Attrs, local: Local) -> Attrs:
    """Tell the kernel how many rows this rank's slice has."""
    return {**attrs, "rows": local.results[0][attrs["axis"] % len(local.results[0])]}


def _gather(table: Array, ids: Array, *, axis: int, offset: int = 0, out: Array | None = None) -> Array:
    """Take rows ``ids - offset`` of the table; a number that it does not hold gives zeros."""
    at = axis % table.ndim
    result = or_new(out, table.shape[:at] + ids.shape + table.shape[at + 1 :], table.dtype)
    local = ids - offset if offset else ids
    known = (local >= 0) & (local < table.shape[at])
    target = result if result.flags.c_contiguous else np.empty(result.shape, result.dtype)
    np.take(table, local, axis=at, out=target, mode="clip")
    if target is not result:
        np.copyto(result, target)
    if not known.all():
        result[(slice(None),) * at + (~known,)] = 0
    return result


def _gather_grad(g: Array, ids: Array, *, rows: int, axis: int, offset: int = 0, out: Array | None = None) -> Array:
    """Add each row of ``g`` to the row of the table that it was taken from."""
    at = axis % (g.ndim - ids.ndim + 1)
    result = or_new(out, (*g.shape[:at], rows, *g.shape[at + ids.ndim :]), g.dtype)
    result[...] = 0
    flat = ids.reshape(-1) - offset
    moved = g.reshape(*g.shape[:at], flat.size, *g.shape[at + ids.ndim :])
    known = (flat >= 0) & (flat < rows)
    if at:  # rows first; the view of the result is written through
        _add_rows(np.moveaxis(moved, at, 0)[known], flat[known], np.moveaxis(result, at, 0))
    elif known.all():
        _add_rows(moved, flat, result)
    else:
        _add_rows(moved[known], flat[known], result)
    return result


def _add_rows(g: Array, ids: Array, result: Array) -> None:
    """Compute ``result[ids] += g`` with all repeats, for a result of zeros.

    Sorted by number, the n-th mentions of all rows form one round, in which no row stands twice; a round is one pass of
    numpy. Rows with many mentions (a padding token, say) would take many rounds: each is one sum instead.
    """
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    first = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))[: ids.size]
    counts = np.diff(np.append(first, ids.size))
    for start, count in zip(first[counts > HEAVY], counts[counts > HEAVY], strict=True):
        result[ranked[start]] = np.add.reduce(g[order[start : start + count]], axis=0)
    light, left = first[counts <= HEAVY], counts[counts <= HEAVY]
    result[ranked[light]] = g[order[light]]
    for turn in range(1, int(left.max(initial=0))):
        again = light[left > turn] + turn
        result[ranked[again]] += g[order[again]]


def _gather_bprop(g: Tensor, table: Tensor, ids: Tensor, *, axis: int) -> tuple[Tensor | None, None]:
    return one("gather_grad", g, ids, rows=table.shape[axis], axis=axis), None


def _gather_grad_bprop(u: Tensor, g: Tensor, ids: Tensor, *, axis: int) -> tuple[Tensor | None, None]:
    return one("gather", u, ids, axis=axis), None


op(
    "gather",
    rule=_gather_rule,
    offsets="v",
    batch=1,  # the table has none
    kernel=_gather,
    bprop=_gather_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((6, 4), (8,)), {"axis": 0}, ("float32", "int32"), low=(-1, 0), high=(1, 5)),
        Example(((6, 4), (2, 4)), {"axis": 0}, ("float32", "int64"), low=(-1, -1), high=(1, 7)),
        Example(((4, 6), (4,)), {"axis": 1}, ("float32", "int32"), low=(-1, 0), high=(1, 5)),
    ),
)
op(
    "gather_grad",
    rule=_gather_grad_rule,
    offsets="v",
    kernel=_gather_grad,
    bprop=_gather_grad_bprop,
    dtype=pick_dtype(0),
    localize=_local_rows,
    examples=(
        Example(((8, 4), (8,)), {"axis": 0, "rows": 6}, ("float32", "int32"), low=(-1, 0), high=(1, 5)),
        Example(((2, 4, 4), (2, 4)), {"axis": 0, "rows": 6}, ("float32", "int32"), low=(-1, -1), high=(1, 7)),
        Example(((4, 4), (4,)), {"axis": 1, "rows": 6}, ("float32", "int32"), low=(-1, 0), high=(1, 5)),
    ),
)


def gather(input_params: Tensor, input_indices: Tensor, axis: int = 0, batch_dims: int = 0) -> Tensor:
    """Return the slices of ``input_params`` along ``axis`` that the indices number.

    Args:
        input_params: the table.
        input_indices: whole numbers of any shape; one that is out of range gives zeros.
        axis: which axis of the table they number.
        batch_dims: how many first axes table and indices share: each entry of them is a table of its own.

    Raises:
        DTypeError: the indices are not whole numbers.

    >>> gather(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1, 9])).tolist()
    [[3.0, 4.0], [0.0, 0.0]]
    """
    _check_whole(input_indices, "input_indices")
    if batch_dims:
        return one("gather_batched", input_params, input_indices, axis=axis % input_params.ndim, batch=batch_dims)
    return one("gather", input_params, input_indices, axis=axis)


def _check_whole(ids: Tensor, name: str) -> None:
    if not ids.dtype.name.lstrip("u").startswith("int"):
        raise DTypeError(f"{name} has type {ids.dtype}; give whole numbers, e.g. {name}.astype(int32).")


# --- one-hot ---


def _one_hot_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    ids = letters(len(shapes[0]), "n")
    result = list(ids)
    result.insert(attrs["axis"] % (len(ids) + 1), "v")
    return parse_rule(f"{' '.join(ids)}, v -> {' '.join(result)}", shapes, order=ids)


def _one_hot(
    ids: Array, classes: Array, *, axis: int, on: float, off: float, dtype: str, out: Array | None = None
) -> Array:
    """Write ``on`` where a number equals its class, ``off`` elsewhere."""
    at = axis % (ids.ndim + 1)
    result = or_new(out, (*ids.shape[:at], classes.size, *ids.shape[at:]), dtype)
    result[...] = off
    if not (np.diff(classes) == 1).all():
        result[np.expand_dims(ids, at) == classes.reshape(-1, *(1,) * (ids.ndim - at))] = on
        return result
    local = (ids - classes[:1].sum()).reshape(-1)
    known = np.flatnonzero((local >= 0) & (local < classes.size))
    places = list(np.unravel_index(known, ids.shape)) if ids.ndim else []
    places.insert(at, local[known] if ids.ndim else local[0])
    if known.size:
        result[tuple(places)] = on
    return result


def _one_hot_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


_HOT = {"on": 1.0, "off": 0.0, "dtype": "float32"}

op(
    "one_hot",
    rule=_one_hot_rule,
    kernel=_one_hot,
    dtype=_one_hot_dtype,
    examples=(
        Example(((8,), (6,)), {"axis": -1, **_HOT}, ("int32", "int64"), low=(0, 0), high=(5, 5), grad=False),
        Example(((4, 2), (6,)), {"axis": 1, **_HOT}, ("int32", "int64"), low=(0, 0), high=(5, 5), grad=False),
    ),
)


def one_hot(
    indices: Tensor, depth: int, on_value: float | Tensor = 1.0, off_value: float | Tensor = 0.0, axis: int = -1
) -> Tensor:
    """Return an array that holds ``on_value`` where an index names its class and ``off_value`` elsewhere.

    Args:
        indices: whole numbers of any shape; one that is out of range gives a row of ``off_value``.
        depth: how many classes there are.
        on_value, off_value: numbers, or Tensors of one, whose element type is that of the result (else float32).
        axis: where the axis of the classes stands in the result; it may be cut if the cut divides ``depth``.

    >>> one_hot(Tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    _check_whole(indices, "indices")
    dtype = on_value.dtype.name if isinstance(on_value, Tensor) else "float32"
    classes = Tensor(np.arange(depth, dtype=np.int64))
    return one("one_hot", indices, classes, axis=axis, on=_number(on_value), off=_number(off_value), dtype=dtype)


def _number(given: float | Tensor) -> float:
    return given.item() if isinstance(given, Tensor) else given
