"""Elements in another order, more often or less: sorted, reversed, rolled, repeated, distinct.

The axis that is put in order stays whole; one whose elements are repeated may be cut, for each repeats where it is.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from simpar.dtype import DType, as_dtype, int64
from simpar.errors import Misfit, RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write, zeros_like
from simpar.tensor import Tensor

__all__: list[str] = []

Pair = tuple[Array, Array]


# --- by size ---


def _sort_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    text = " ".join(names)
    return parse_rule(f"{text} -> {text}, {text}", shapes, whole=(names[int(attrs["axis"])],))


def _top_k_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    made = list(names)
    made[attrs["axis"]] = "k"
    text = f"{' '.join(names)} -> {' '.join(made)}, {' '.join(made)}"
    return parse_rule(text, shapes, sizes={"k": attrs["k"]}, whole=("k", names[int(attrs["axis"])]))


def _types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, DType]:
    return types[0], as_dtype(attrs.get("ids", "int32"))


def _order(x: Array, axis: int, descending: bool) -> Array:
    """Return where the elements come from; equal ones keep their order."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def _pair(x: Array, order: Array, axis: int, ids: str, out: Pair | None) -> Pair:
    values = np.take_along_axis(x, order, axis)
    if out is None:
        return values, order.astype(ids)
    return write(values, out[0]), write(order, out[1])


def _sort(x: Array, *, axis: int, descending: bool, ids: str = "int32", out: Pair | None = None) -> Pair:
    return _pair(x, _order(x, axis, descending), axis, ids, out)


def _top_k(x: Array, *, axis: int, k: int, largest: bool, ids: str = "int32", out: Pair | None = None) -> Pair:
    order = _order(x, axis, largest)
    return _pair(x, np.take(order, range(k), axis), axis, ids, out)


def _sort_bprop(g: tuple[Tensor, Tensor], x: Tensor, *, out: tuple[Tensor, Tensor], axis: int) -> Tensor:
    return one("scatter_elements", zeros_like(x), out[1], g[0], axis=axis, how="add")


op(
    "sort",
    rule=_sort_rule,
    kernel=_sort,
    bprop=_sort_bprop,
    dtype=_types,
    examples=(
        Example(((4, 6),), {"axis": 1, "descending": False}),
        Example(((6, 4, 2),), {"axis": 0, "descending": True}),
    ),
)
op(
    "top_k",
    rule=_top_k_rule,
    kernel=_top_k,
    bprop=_sort_bprop,
    dtype=_types,
    examples=(
        Example(((4, 6),), {"axis": 1, "k": 3, "largest": True}),
        Example(((6, 4),), {"axis": 0, "k": 2, "largest": False}),
    ),
)


# --- by place ---


def _whole_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names, axes = letters(len(shapes[0])), tuple[int, ...](attrs["axis"])
    text = " ".join(names)
    return parse_rule(f"{text} -> {text}", shapes, whole=[names[i] for i in axes])


def _reverse(x: Array, *, axis: tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.flip(x, axis), out)


def _reverse_bprop(g: Tensor, x: Tensor, *, axis: tuple[int, ...]) -> Tensor:
    return one("reverse", g, axis=axis)


def _roll(x: Array, *, axis: tuple[int, ...], shifts: tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.roll(x, shifts, axis), out)


def _roll_bprop(g: Tensor, x: Tensor, *, axis: tuple[int, ...], shifts: tuple[int, ...]) -> Tensor:
    return one("roll", g, axis=axis, shifts=tuple(-n for n in shifts))


op(
    "reverse",
    rule=_whole_rule,
    kernel=_reverse,
    bprop=_reverse_bprop,
    linear="each",
    examples=(Example(((4, 6),), {"axis": (1,)}), Example(((2, 4, 3),), {"axis": (0, 2)})),
)
op(
    "roll",
    rule=_whole_rule,
    kernel=_roll,
    bprop=_roll_bprop,
    linear="each",
    examples=(
        Example(((4, 6),), {"axis": (1,), "shifts": (2,)}),
        Example(((2, 4, 3),), {"axis": (0, 2), "shifts": (1, -1)}),
    ),
)


# --- more often ---


def _repeat_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 a1 -> a0 (a1 m)"``: the copies of an element stand together, on the rank that holds it.

    With a number for each element it is ``"a0 a1 -> a0 m"``, and both stay whole.
    """
    names, repeats = letters(len(shapes[0])), attrs["repeats"]
    axis: int = attrs["axis"]
    if isinstance(repeats, tuple):
        counts, own, length = cast("tuple[int, ...]", repeats), names[axis], shapes[0][axis]
        if len(counts) != length:
            raise RuleError(
                f"repeat_interleave was given {len(counts)} counts for {length} elements. Give one for each.",
                misfits=(Misfit(length, len(counts)),),
            )
        made = ["m" if f == own else f for f in names]
        text = f"{' '.join(names)} -> {' '.join(made)}"
        return parse_rule(text, shapes, sizes={"m": sum(counts)}, whole=("m", own))
    made = [f"({f} m)" if i == axis else f for i, f in enumerate(names)]
    return parse_rule(f"{' '.join(names)} -> {' '.join(made)}", shapes, sizes={"m": attrs["repeats"]}, whole=("m",))


def _repeat(x: Array, *, axis: int, repeats: int | tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.repeat(x, repeats, axis), out)


def _repeat_bprop(g: Tensor, x: Tensor, *, axis: int, repeats: int | tuple[int, ...]) -> Tensor:
    if isinstance(repeats, tuple):
        owner = np.repeat(np.arange(len(repeats)), repeats)
        return one("gather_grad", g, Tensor(owner), rows=len(repeats), axis=axis)
    shape = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    return one("reduce_sum", one("reshape", g, shape=shape), axis=(axis + 1,), keep_dims=False)


op(
    "repeat",
    rule=_repeat_rule,
    kernel=_repeat,
    bprop=_repeat_bprop,
    linear="each",
    examples=(
        Example(((4, 6),), {"axis": 1, "repeats": 3}),
        Example(((4,),), {"axis": 0, "repeats": 2}),
        Example(((4, 3),), {"axis": 1, "repeats": (2, 0, 3)}),
    ),
)


# --- as many as the values tell ---


def _distinct(x: Array, *, size: int, out: Pair | None = None) -> Pair:
    """Return the different elements in the order in which they come first, and the number of that of each element."""
    _, first, inverse = np.unique(x, return_index=True, return_inverse=True)
    order = np.argsort(first)
    made, ids = x[first[order]], np.argsort(order)[inverse]
    if out is None:
        return made, ids.astype(_ids_of(x.dtype))
    return write(made, out[0]), write(ids, out[1])


def _ids_of(kind: np.dtype[Any]) -> str:
    return "int64" if kind == np.int64 else "int32"


def _distinct_count(x: Array, *, out: Array | None = None) -> Array:
    return write(np.asarray(np.unique(x).size, np.int64), out)


def _places(x: Array, *, size: int, out: Array | None = None) -> Array:
    return write(np.argwhere(x).astype(np.int64), out)


def _distinct_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return parse_rule("a -> n, a", shapes, sizes={"n": int(attrs["size"])}, whole=("a", "n"))


def _count_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return parse_rule("a ->", shapes, whole=("a",))


def _places_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    sizes = {"n": int(attrs["size"]), "k": len(names)}
    return parse_rule(f"{' '.join(names)} -> n k", shapes, sizes=sizes, whole=(*names, "n", "k"))


def _distinct_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, DType]:
    return types[0], as_dtype(_ids_of(types[0].numpy))


def _numbers(types: Sequence[DType], attrs: Attrs) -> DType:
    return int64


op(
    "distinct",
    rule=_distinct_rule,
    kernel=_distinct,
    dtype=_distinct_types,
    examples=(Example(((6,),), {"size": 6}, grad=False), Example(((4,),), {"size": 4}, grad=False)),
)
op(
    "distinct_count",
    rule=_count_rule,
    kernel=_distinct_count,
    dtype=_numbers,
    examples=(Example(((6,),), grad=False), Example(((4,),), grad=False)),
)
op(
    "places",
    rule=_places_rule,
    kernel=_places,
    dtype=_numbers,
    examples=(Example(((2, 3),), {"size": 6}, grad=False), Example(((4,),), {"size": 4}, grad=False)),
)
