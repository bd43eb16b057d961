"""Elements and rows by number: taking them out of a tensor (gather) and putting them into one (scatter).

``gather_nd``, ``scatter_nd`` and ``tensor_scatter`` number the first axes by the last axis of the indices;
``gather_elements`` and ``scatter_elements`` number one axis, element by element. An axis that is numbered alone may
be cut: each rank answers for what it holds; several that are numbered together may be cut by ``tensor_scatter`` and
``index`` only, as in MindSpore.
A number that is out of range gives zeros, or puts nothing.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.graph import Example, Local, local_shape, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import or_new
from simpar.ops.support import Array, Attrs, Shape, letters, like, one, pick_dtype, zeros_like
from simpar.tensor import Tensor

__all__: list[str] = []

WAYS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}
"""How an element is joined with those that are put there; ``update`` replaces it."""


# --- whole rows: the first axes, by the last axis of the indices ---


def _words(depth: int, axes: int, ids: Shape, rows: bool) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the factors of the numbered axes, of the other axes, of the places and of the indices."""
    numbered, rest = letters(depth, "w"), letters(axes - depth, "d")
    places = letters(len(ids) if rows else len(ids) - 1, "n")
    return numbered, rest, places, places if rows else [*places, "k"]


def _nd_rule(given: Shape, ids: Shape, rows: bool) -> tuple[tuple[str, str, str], list[str], list[str]]:
    """Return tensor, indices and rows as text, then the factors of the numbered axes and of the places."""
    depth = 1 if rows else ids[-1]
    numbered, rest, places, index = _words(depth, len(given), ids, rows)
    return (" ".join(numbered + rest), " ".join(index), " ".join(places + rest)), numbered, places


def _gather_nd_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    (table, ids, taken), numbered, _ = _nd_rule(shapes[0], shapes[1], False)
    return parse_rule(f"{table}, {ids} -> {taken}", shapes, whole=(*numbered, "k"))


def _index_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    (table, ids, taken), _, _ = _nd_rule(shapes[0], shapes[1], False)
    return parse_rule(f"{table}, {ids} -> {taken}", shapes, whole=("k",))


def _index_local(attrs: Attrs, local: Local) -> Attrs:
    """Say where the numbered axes of this rank's slice begin."""
    starts = (local.starts.get(f"w{i}", 0) for i in range(len(local.operands[0])))
    return {**attrs, "starts": tuple(starts)}


def _scatter_nd_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    (table, ids, taken), numbered, _ = _nd_rule(attrs["shape"], shapes[0], False)
    sizes = dict(zip(numbered, attrs["shape"], strict=False))
    return parse_rule(f"{ids}, {taken} -> {table}", shapes, sizes=sizes, whole=(*numbered, "k"))


def _tensor_scatter_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    rows = attrs.get("rows", False)
    (table, ids, taken), _, places = _nd_rule(shapes[0], shapes[1], rows)
    whole = places if rows else [*places, "k"]  # each rank writes to the rows it holds
    return parse_rule(f"{table}, {ids}, {taken} -> {table}", shapes, whole=whole)


def _tensor_scatter_local(attrs: Attrs, local: Local) -> Attrs:
    """Say where the numbered axes of this rank's slice begin."""
    return {**attrs, "starts": tuple(low for low, _ in local.boxes[0])}


def _flat(ids: Array, lengths: Shape) -> tuple[Array, Array]:
    """Return the numbers of rows, and which of them exist."""
    ids = ids.reshape(-1, len(lengths))
    known: Array = np.asarray(((ids >= 0) & (ids < np.array(lengths, ids.dtype))).all(axis=1))
    strides = np.array([prod(lengths[i + 1 :]) for i in range(len(lengths))], np.int64)
    return ids @ strides, known


def _gather_nd(x: Array, ids: Array, *, starts: Shape = (), out: Array | None = None) -> Array:
    depth = ids.shape[-1]
    if any(starts[:depth]):
        ids = ids - np.array(starts[:depth], ids.dtype)
    made = or_new(out, (*ids.shape[:-1], *x.shape[depth:]), x.dtype)
    numbers, known = _flat(ids, x.shape[:depth])
    rows = x.reshape(prod(x.shape[:depth]), -1)[np.where(known, numbers, 0)]
    rows[~known] = 0
    np.copyto(made, rows.reshape(made.shape))
    return made


def _put(target: Array, ids: Array, updates: Array, how: str, depth: int) -> Array:
    """Join rows of ``target``, which is contiguous, with the updates, all repeats in their order."""
    numbers, known = _flat(ids, target.shape[:depth])
    table = target.reshape(prod(target.shape[:depth]), prod(target.shape[depth:]))
    rows = updates.reshape(len(numbers), table.shape[1])
    if not known.all():
        numbers, rows = numbers[known], rows[known]
    if how == "update":
        table[numbers] = rows
    else:
        whole_division = how == "div" and table.dtype.kind in "iu"
        (np.floor_divide if whole_division else WAYS[how]).at(table, numbers, rows)
    return target


def _scatter_nd(ids: Array, updates: Array, *, shape: Shape, out: Array | None = None) -> Array:
    return _written(np.zeros(shape, updates.dtype), ids, updates, "add", ids.shape[-1], out)


def _tensor_scatter(
    x: Array,
    ids: Array,
    updates: Array,
    *,
    how: str,
    rows: bool = False,
    starts: Shape = (),
    offset: int = 0,
    out: Array | None = None,
) -> Array:
    del offset  # ``starts`` says it of every axis
    depth = 1 if rows else ids.shape[-1]
    if any(starts[:depth]):
        ids = ids - np.array(starts[:depth], ids.dtype)
    return _written(np.array(x, order="C"), ids, updates, how, depth, out)


def _written(start: Array, ids: Array, updates: Array, how: str, depth: int, out: Array | None) -> Array:
    made = _put(start, ids, updates, how, depth)
    if out is None:
        return made
    np.copyto(out, made, casting="unsafe")
    return out


def _gather_nd_bprop(g: Tensor, x: Tensor, ids: Tensor) -> tuple[Tensor, None]:
    return one("scatter_nd", ids, g, shape=x.shape), None


def _scatter_nd_bprop(g: Tensor, ids: Tensor, updates: Tensor) -> tuple[None, Tensor]:
    return None, one("gather_nd", g, ids)


def _tensor_scatter_bprop(
    g: Tensor, x: Tensor, ids: Tensor, updates: Tensor, *, out: Tensor, how: str, rows: bool = False
) -> tuple[Tensor, None, Tensor]:
    """Return the cotangents; among equals, largest and smallest share theirs."""

    def put(into: Tensor, values: Tensor, way: str) -> Tensor:
        return one("tensor_scatter", into, ids, values, how=way, rows=rows)

    def taken(source: Tensor) -> Tensor:
        return one("gather", source, ids, axis=0) if rows else one("gather_nd", source, ids)

    if how == "update":
        return put(g, zeros_like(updates), "update"), None, taken(g)
    if how in ("add", "sub"):
        return g, None, taken(g) if how == "add" else -taken(g)
    if how in ("mul", "div"):
        share = taken(g * out) / updates
        return put(g, updates, how), None, share if how == "mul" else -share
    kept = one("equal", x, out).astype(g.dtype)
    new = one("equal", updates, taken(out)).astype(g.dtype)
    share = g / one("maximum", put(kept, new, "add"), like(1, g))
    return share * kept, None, taken(share) * new


_UPDATES = tuple(
    Example(
        ((5, 4), (2, 1), (2, 4)), {"how": how}, ("float32", "int32", "float32"), low=(0.5, low, 0.5), high=(2, high, 2)
    )
    for how, low, high in (("add", 0, 5), ("sub", 1, 4), ("mul", -1, 6), ("div", 2, 3), ("max", 0, 5), ("min", 0, 5))
)
op(
    "gather_nd",
    rule=_gather_nd_rule,
    batch=1,  # a table has none
    kernel=_gather_nd,
    bprop=_gather_nd_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((5, 4), (6, 1)), {}, ("float32", "int32"), low=(-1, -1), high=(1, 6)),
        Example(((3, 3, 4), (2, 4, 2)), {}, ("float32", "int64"), low=(-1, 0), high=(1, 3)),
    ),
)
op(
    "index",
    rule=_index_rule,
    batch=1,
    localize=_index_local,
    kernel=_gather_nd,
    bprop=_gather_nd_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((4, 6), (5, 2)), {}, ("float32", "int64"), low=(-1, -1), high=(1, 5)),
        Example(((4, 3, 2), (2, 4, 1)), {}, ("float32", "int64"), low=(-1, 0), high=(1, 4)),
    ),
)
op(
    "scatter_nd",
    rule=_scatter_nd_rule,
    kernel=_scatter_nd,
    bprop=_scatter_nd_bprop,
    dtype=pick_dtype(1),
    localize=local_shape(),
    examples=(
        Example(((6, 1), (6, 4)), {"shape": (5, 4)}, ("int32", "float32"), low=(-1, -1), high=(6, 1)),
        Example(((2, 4, 2), (2, 4, 4)), {"shape": (3, 3, 4)}, ("int64", "float32"), low=(0, -1), high=(3, 1)),
    ),
)
op(
    "tensor_scatter",
    rule=_tensor_scatter_rule,
    offsets="w0",
    localize=_tensor_scatter_local,
    kernel=_tensor_scatter,
    bprop=_tensor_scatter_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(
            ((4, 3, 6), (1, 2), (1, 6)), {"how": "update"}, ("float32", "int32", "float32"), low=(-1, 0, -1), high=3
        ),
        Example(
            ((6, 4), (2, 2), (2, 2, 4)), {"how": "add", "rows": True}, ("float32", "int32", "float32"), low=0, high=6
        ),
        Example(((4, 6, 2), (5, 2), (5, 2)), {"how": "sub"}, ("float32", "int32", "float32"), low=(-1, -1, -1), high=4),
        *_UPDATES,
    ),
)


# --- single elements: one axis, by indices of as many axes ---


def _element_words(shape: Shape, ids: Shape, axis: int) -> tuple[list[str], list[str], list[str]]:
    """Return the factors of the tensor, of the indices, and those that must stay whole."""
    table, places, whole = letters(len(shape)), letters(len(shape)), list[str]()
    for i, (n, m) in enumerate(zip(shape, ids, strict=True)):
        if i == axis:
            table[i], places[i] = "w", "m"
        elif n != m:
            table[i], places[i] = f"w{i}", f"m{i}"
            whole += [f"w{i}", f"m{i}"]
    return table, places, whole


def _gather_elements_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    table, places, whole = _element_words(shapes[0], shapes[1], attrs["axis"])
    return parse_rule(f"{' '.join(table)}, {' '.join(places)} -> {' '.join(places)}", shapes, whole=whole)


def _scatter_elements_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    table, places, whole = _element_words(shapes[0], shapes[1], attrs["axis"])
    at, to = " ".join(places), " ".join(table)
    return parse_rule(f"{to}, {at}, {at} -> {to}", shapes, whole=(*whole, "m"))


def _tell_length(attrs: Attrs, local: Local) -> Attrs:
    """Tell the kernel how long the numbered axis is, which its slice may be only a part of."""
    return {**attrs, "length": local.sizes["w"]}


def _places(ids: Array, axis: int, held: int, length: int, offset: int) -> tuple[tuple[Array, ...], Array]:
    """Return where each element stands in a slice, and which elements it holds; a number below 0 is from the end."""
    local = np.where(ids < 0, ids + (length or held), ids) - offset
    known = (local >= 0) & (local < held)
    grid = list(np.ogrid[tuple(slice(n) for n in ids.shape)])
    grid[axis] = np.where(known, local, 0)
    return tuple(grid), known


def _gather_elements(
    x: Array, ids: Array, *, axis: int, length: int = 0, offset: int = 0, out: Array | None = None
) -> Array:
    made = or_new(out, ids.shape, x.dtype)
    at, known = _places(ids, axis, x.shape[axis], length, offset)
    np.copyto(made, x[at])
    made[~known] = 0
    return made


def _scatter_elements(
    x: Array,
    ids: Array,
    updates: Array,
    *,
    axis: int,
    how: str = "add",
    length: int = 0,
    offset: int = 0,
    out: Array | None = None,
) -> Array:
    made = or_new(out, x.shape, x.dtype)
    np.copyto(made, x)
    grid, known = _places(ids, axis, x.shape[axis], length, offset)
    at = tuple(np.broadcast_to(g, ids.shape)[known] for g in grid)
    if how == "update":
        made[at] = updates[known]
    else:
        WAYS[how].at(made, at, updates[known])
    return made


def _gather_elements_bprop(g: Tensor, x: Tensor, ids: Tensor, *, axis: int) -> tuple[Tensor, None]:
    return one("scatter_elements", zeros_like(x), ids, g, axis=axis, how="add"), None


def _scatter_elements_bprop(
    g: Tensor, x: Tensor, ids: Tensor, updates: Tensor, *, axis: int, how: str = "add"
) -> tuple[Tensor, None, Tensor]:
    dx = g if how == "add" else one("scatter_elements", g, ids, zeros_like(updates), axis=axis, how=how)
    return dx, None, one("gather_elements", g, ids, axis=axis)


_ELEMENTS = ("float32", "int32", "float32")
op(
    "gather_elements",
    rule=_gather_elements_rule,
    offsets="w",
    localize=_tell_length,
    kernel=_gather_elements,
    bprop=_gather_elements_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((4, 6), (4, 2)), {"axis": 1}, ("float32", "int32"), low=(-1, -6), high=(1, 6)),
        Example(((5, 3, 4), (2, 2, 4)), {"axis": 0}, ("float32", "int64"), low=(-1, 0), high=(1, 5)),
    ),
)
op(
    "scatter_elements",
    rule=_scatter_elements_rule,
    offsets="w",
    localize=_tell_length,
    kernel=_scatter_elements,
    bprop=_scatter_elements_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((4, 6), (4, 3), (4, 3)), {"axis": 1, "how": "add"}, _ELEMENTS, low=(-1, 0, -1), high=(1, 6, 1)),
        Example(((5, 3, 4), (1, 3, 4), (1, 3, 4)), {"axis": 0, "how": "update"}, _ELEMENTS, low=(-1, 0, -1), high=4),
    ),
)
