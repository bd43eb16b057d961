"""Reductions: a cut of a reduced axis leaves every rank with a partial result, joined by the same operation."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.dtype import DType, bool_, int64
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, constant_dtype, float_dtype, letters, like, one, write
from simpar.tensor import Tensor

__all__: list[str] = []

_CASES = (
    ((4, 6), (0,), False),
    ((4, 6), (1,), True),
    ((4, 6), (0, 1), False),
    ((2, 3, 4), (0, 2), False),
    ((2, 3, 4), (1, 2), True),
    ((12,), (0,), True),
)


def _text(shapes: Sequence[Shape], attrs: Attrs) -> str:
    """Return ``"a0 a1 -> a0"`` for a reduction of axis 1."""
    names = letters(len(shapes[0]))
    over: tuple[int, ...] = attrs["axis"]
    kept = ["1" if i in over else f for i, f in enumerate(names) if attrs["keep_dims"] or i not in over]
    return f"{' '.join(names)} -> {' '.join(kept)}"


def _rule(combine: str) -> Callable[[Sequence[Shape], Attrs], Rule]:
    return lambda shapes, attrs: parse_rule(_text(shapes, attrs), shapes, combine=combine)


def _sum_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return int64 if types[0] == bool_ else types[0]


# --- sum and mean ---


def _sides(x: Array, axis: tuple[int, ...]) -> tuple[int, int, bool] | None:
    """Return (rows, columns, whether rows are summed) of a sum that a product with ones does faster, up to three times.

    That is a sum over all leading or all trailing axes of a C-ordered array of floats; a sum over all axes is left to
    numpy, which adds in pairs and so rounds less.
    """
    count = len(axis)
    lead = axis == tuple(range(count))
    if not 0 < count < x.ndim or not (lead or axis == tuple(range(x.ndim - count, x.ndim))):
        return None
    if x.dtype.kind != "f" or x.dtype.itemsize < 4 or not x.flags.c_contiguous or not x.size:
        return None
    rows = prod(x.shape[:count] if lead else x.shape[:-count])
    return rows, x.size // rows, lead


def _sum(x: Array, *, axis: tuple[int, ...], keep_dims: bool, out: Array | None = None) -> Array:
    sides = _sides(x, axis)
    if sides is None or (out is not None and not out.flags.c_contiguous):
        dtype = np.dtype(np.int64) if x.dtype == np.bool_ else x.dtype
        summed: Array = np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keep_dims, out=out)
        return summed
    rows, columns, lead = sides
    if out is None:
        kept = [1 if i in axis else n for i, n in enumerate(x.shape) if keep_dims or i not in axis]
        out = np.empty(kept, x.dtype)
    table = x.reshape(rows, columns)
    operands = (np.ones(rows, x.dtype), table) if lead else (table, np.ones(columns, x.dtype))
    np.matmul(*operands, out=out.reshape(-1))
    return out


def _mean(x: Array, *, axis: tuple[int, ...], keep_dims: bool, count: int, out: Array | None = None) -> Array:
    if x.dtype.kind not in "fc":
        x = x.astype(np.float32)
    made = _sum(x, axis=axis, keep_dims=keep_dims, out=out)
    return np.divide(made, count, out=made if made.ndim else out)


def _spread(g: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Return ``g`` repeated along the axes that were reduced."""
    kept = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
    if g.shape != kept:
        g = one("reshape", g, shape=kept)
    return g if kept == x.shape else one("broadcast_to", g, shape=x.shape)


def _sum_bprop(g: Tensor, x: Tensor, *, axis: tuple[int, ...]) -> Tensor | None:
    return _spread(g, x, axis) if x.dtype.has_gradient else None


def _mean_bprop(g: Tensor, x: Tensor, *, axis: tuple[int, ...], count: int) -> Tensor | None:
    return _spread(g * like(1 / count, g), x, axis) if x.dtype.has_gradient else None


def _examples(counted: bool = False, low: float = -1.0, **fields: Any) -> tuple[Example, ...]:
    made: list[Example] = []
    for shape, axis, keep_dims in _CASES:
        count = {"count": prod(shape[a] for a in axis)} if counted else {}
        made.append(Example((shape,), {"axis": axis, "keep_dims": keep_dims, **count}, low=low, **fields))
    return tuple(made)


op(
    "reduce_sum",
    rule=_rule("sum"),
    kernel=_sum,
    bprop=_sum_bprop,
    dtype=_sum_dtype,
    linear="each",
    examples=(*_examples(), Example(((4, 6),), {"axis": (1,), "keep_dims": False}, ("bool",), 0, 2, grad=False)),
)
op(
    "reduce_mean",
    rule=_rule("sum"),
    kernel=_mean,
    bprop=_mean_bprop,
    dtype=float_dtype,
    linear="each",
    examples=_examples(counted=True),
)

# --- extrema, product, logic ---


def _reducing(ufunc: np.ufunc) -> Callable[..., Array]:
    def kernel(x: Array, *, axis: tuple[int, ...], keep_dims: bool, out: Array | None = None) -> Array:
        made: Array = ufunc.reduce(x, axis=axis, keepdims=keep_dims, out=out)
        return made

    return kernel


def _prod(x: Array, *, axis: tuple[int, ...], keep_dims: bool, out: Array | None = None) -> Array:
    made: Array = np.multiply.reduce(x, axis=axis, dtype=x.dtype, keepdims=keep_dims, out=out)
    return made


def _extremum_bprop(g: Tensor, x: Tensor, *, out: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Share the cotangent among the elements that equal the extremum."""
    hit = one("equal", x, _spread(out, x, axis)).astype(x.dtype)
    count = one("reduce_sum", hit, axis=axis, keep_dims=True)
    return hit * (_spread(g, x, axis) / count)


def _products_of_others(x: Tensor, axis: int) -> Tensor:
    """Return for each element the product of the others along an axis: of those before, and of those after."""
    before, after = (one("cumprod", x, axis=axis, exclusive=True, reverse=way) for way in (False, True))
    return before * after


def _prod_bprop(g: Tensor, x: Tensor, *, axis: tuple[int, ...]) -> Tensor:
    """Multiply by the product of the other elements; no division, so that it is right where elements are 0."""
    if len(axis) == 1:
        return _spread(g, x, axis) * _products_of_others(x, axis[0])
    kept = tuple(i for i in range(x.ndim) if i not in axis)
    there = (*kept, *axis)
    moved = one("transpose", x, perm=there)
    rows = one("reshape", moved, shape=(*moved.shape[: len(kept)], prod(x.shape[i] for i in axis)))
    others = one("reshape", _products_of_others(rows, len(kept)), shape=moved.shape)
    return _spread(g, x, axis) * one("transpose", others, perm=tuple(there.index(i) for i in range(x.ndim)))


op(
    "reduce_max",
    rule=_rule("max"),
    kernel=_reducing(np.maximum),
    bprop=_extremum_bprop,
    combine="max",
    examples=_examples(),
)
op(
    "reduce_min",
    rule=_rule("min"),
    kernel=_reducing(np.minimum),
    bprop=_extremum_bprop,
    combine="min",
    examples=_examples(),
)
op("reduce_prod", rule=_rule("prod"), kernel=_prod, bprop=_prod_bprop, combine="prod", examples=_examples(low=0.5))
op(
    "reduce_any",
    rule=_rule("max"),
    kernel=_reducing(np.logical_or),
    dtype=constant_dtype(bool_),
    combine="max",
    examples=_examples(dtypes=("bool",), grad=False),
)
op(
    "reduce_all",
    rule=_rule("min"),
    kernel=_reducing(np.logical_and),
    dtype=constant_dtype(bool_),
    combine="min",
    examples=_examples(dtypes=("bool",), grad=False),
)


# --- along one axis, which must be whole ---


def _along(keeps: Callable[[Attrs], bool]) -> Callable[[Sequence[Shape], Attrs], Rule]:
    def rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
        axis: int = attrs["axis"]
        text = _text(shapes, {"axis": (axis,), "keep_dims": attrs.get("keep_dims", False)})
        names = letters(len(shapes[0]))
        if keeps(attrs):
            text = f"{' '.join(names)} -> {' '.join(names)}"
        return parse_rule(text, shapes, whole=(names[axis],))

    return rule


def _arg(function: Callable[..., Any]) -> Callable[..., Array]:
    def kernel(x: Array, *, axis: int, keep_dims: bool = False, out: Array | None = None) -> Array:
        made: Array = function(x, axis=axis, keepdims=keep_dims)
        return write(made, out)

    return kernel


def _accumulating(ufunc: np.ufunc) -> Callable[..., Array]:
    """Return a kernel that joins all elements up to each, or before it, from the start or from the end."""

    def kernel(
        x: Array, *, axis: int, exclusive: bool = False, reverse: bool = False, out: Array | None = None
    ) -> Array:
        if not (exclusive or reverse):
            plain: Array = ufunc.accumulate(x, axis=axis, dtype=x.dtype, out=out)
            return plain
        ordered = np.flip(x, axis) if reverse else x
        made = ufunc.accumulate(ordered, axis=axis, dtype=x.dtype)
        if exclusive:
            made = np.roll(made, 1, axis)
            made[(slice(None),) * axis + (0,)] = ufunc.identity
        return write(np.flip(made, axis) if reverse else made, out)

    return kernel


def _cumsum_bprop(g: Tensor, x: Tensor, *, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
    return one("cumsum", g, axis=axis, exclusive=exclusive, reverse=not reverse)


def _shifted(x: Tensor, axis: int, back: bool) -> Tensor:
    """Return x moved by one place along an axis, with 0 where nothing comes in."""
    n = x.shape[axis]
    kept = [i != (n - 1 if back else 0) for i in range(n)]
    mask = Tensor(np.array(kept, x.dtype.numpy).reshape([-1] + [1] * (x.ndim - 1 - axis)))
    return one("roll", x, axis=(axis,), shifts=(-1 if back else 1,)) * mask


def _cumprod_bprop(g: Tensor, x: Tensor, *, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Multiply the product of those before by the sum of the cotangents after, each times what is between.

    No division, so that it is right where elements are 0.
    """
    before = one("cumprod", x, axis=axis, exclusive=True, reverse=reverse)
    given = _shifted(g, axis, not reverse) if exclusive else g
    return before * one("linear_scan", given, _shifted(x, axis, not reverse), axis=axis, reverse=not reverse)


def _linear_scan(b: Array, a: Array, *, axis: int, reverse: bool, out: Array | None = None) -> Array:
    """Return s with s[i] = b[i] + a[i] s[i - 1], from the end if ``reverse``."""
    made = np.empty(b.shape, np.result_type(a, b)) if out is None else out
    given, factors, target = (np.moveaxis(t, axis, 0)[:: -1 if reverse else 1] for t in (b, a, made))
    for i in range(len(given)):
        target[i] = given[i] + factors[i] * target[i - 1] if i else given[i]
    return made


def _linear_scan_bprop(h: Tensor, b: Tensor, a: Tensor, *, out: Tensor, axis: int, reverse: bool) -> Any:
    """Scan from the other end; a[i] weighs what was there before."""
    db = one("linear_scan", h, _shifted(a, axis, not reverse), axis=axis, reverse=not reverse)
    return db, db * _shifted(out, axis, reverse)


def _scan_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    text = " ".join(names)
    return parse_rule(f"{text}, {text} -> {text}", shapes, whole=(names[int(attrs["axis"])],))


for _name, _function in (("argmax", np.argmax), ("argmin", np.argmin)):
    op(
        _name,
        rule=_along(lambda attrs: False),
        kernel=_arg(_function),
        dtype=constant_dtype(int64),
        examples=(
            Example(((4, 6),), {"axis": 1, "keep_dims": False}, grad=False),
            Example(((2, 3, 4),), {"axis": 1, "keep_dims": True}, grad=False),
        ),
    )
_WAYS: tuple[dict[str, bool], ...] = ({}, {"reverse": True}, {"exclusive": True}, {"exclusive": True, "reverse": True})
_RUNS = tuple(zip(((4, 6), (2, 3, 4), (2, 6), (3, 4)), (1, 0, 1, 0), _WAYS, strict=True))
for _name, _ufunc, _bprop, _linear, _low in (
    ("cumsum", np.add, _cumsum_bprop, "each", -1.0),
    ("cumprod", np.multiply, _cumprod_bprop, "", 0.5),
):
    op(
        _name,
        rule=_along(lambda attrs: True),
        kernel=_accumulating(_ufunc),
        bprop=_bprop,
        linear=_linear,
        examples=tuple(Example((shape,), {"axis": axis, **way}, low=_low) for shape, axis, way in _RUNS),
    )
op(
    "linear_scan",
    rule=_scan_rule,
    kernel=_linear_scan,
    bprop=_linear_scan_bprop,
    linear="first",
    examples=(
        Example(((4, 6),) * 2, {"axis": 1, "reverse": False}),
        Example(((2, 3, 4),) * 2, {"axis": 0, "reverse": True}),
    ),
)
