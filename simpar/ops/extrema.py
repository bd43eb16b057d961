"""Extrema with the places where they stand, and running products and extrema, along one axis that stays whole."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, int64
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write, zeros_like
from simpar.tensor import Tensor

__all__: list[str] = []

Pair = tuple[Array, Array]


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 c -> a0, a0"`` for an extremum and its place, ``"a0 c -> a0 c, a0 c"`` for running ones."""
    axis: int = attrs["axis"]
    names = letters(len(shapes[0]))
    given, made = list(names), list(names)
    given[axis] = "c"
    if "keep_dims" not in attrs:
        made = given
    elif attrs["keep_dims"]:
        made[axis] = "1"
    else:
        del made[axis]
    text = f"{' '.join(given)} -> {' '.join(made)}, {' '.join(made)}"
    return parse_rule(text, shapes, whole=("c",))


def _types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, DType]:
    return types[0], int64


def _put(made: Pair, out: Pair | None) -> Pair:
    return made if out is None else (write(made[0], out[0]), write(made[1], out[1]))


# --- one extremum ---


def _with_place(find: Callable[..., Any]) -> Callable[..., Pair]:
    def kernel(x: Array, *, axis: int, keep_dims: bool, out: Pair | None = None) -> Pair:
        place = find(x, axis=axis, keepdims=True)
        value = np.take_along_axis(x, place, axis)
        return _put((value, place) if keep_dims else (value.squeeze(axis), place.squeeze(axis)), out)

    return kernel


def _scattered(g: Tensor, x: Tensor, place: Tensor, axis: int) -> Tensor:
    """Return the cotangents added up where their values came from."""
    return one("scatter_elements", zeros_like(x), place, g, axis=axis, how="add")


def _place_bprop(
    g: tuple[Tensor, Tensor], x: Tensor, *, out: tuple[Tensor, Tensor], axis: int, keep_dims: bool
) -> Tensor | None:
    """Give the cotangent to the element that was taken, the first of equal ones."""
    value, place = g[0], out[1]
    if not keep_dims:
        value, place = one("expand_dims", value, axis=axis), one("expand_dims", place, axis=axis)
    return _scattered(value, x, place, axis) if x.dtype.is_float else None


for _name, _find in (("max_with_index", np.argmax), ("min_with_index", np.argmin)):
    op(
        _name,
        rule=_rule,
        kernel=_with_place(_find),
        bprop=_place_bprop,
        dtype=_types,
        examples=(
            Example(((4, 6),), {"axis": 1, "keep_dims": False}),
            Example(((4, 6),), {"axis": 0, "keep_dims": True}),
            Example(((2, 3, 4),), {"axis": 1, "keep_dims": False}),
        ),
    )

# --- running extrema ---


def _running(ufunc: np.ufunc) -> Callable[..., Pair]:
    def kernel(x: Array, *, axis: int, out: Pair | None = None) -> Pair:
        value = ufunc.accumulate(x, axis=axis)
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        places = np.arange(x.shape[axis], dtype=np.int64).reshape(shape)
        reached = np.equal(x, value) | np.not_equal(x, x)  # what is no number stays
        return _put((value, np.maximum.accumulate(np.where(reached, places, 0), axis=axis)), out)

    return kernel


def _running_bprop(g: tuple[Tensor, Tensor], x: Tensor, *, out: tuple[Tensor, Tensor], axis: int) -> Tensor | None:
    return _scattered(g[0], x, out[1], axis) if x.dtype.is_float else None


_ALONG = (Example(((4, 6),), {"axis": 1}), Example(((2, 3, 4),), {"axis": 0}))
for _name, _ufunc in (("cummax", np.maximum), ("cummin", np.minimum)):
    op(_name, rule=_rule, kernel=_running(_ufunc), bprop=_running_bprop, dtype=_types, examples=_ALONG)
