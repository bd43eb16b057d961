"""Ops that treat each element alone, with numpy's broadcasting: any cut passes through them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, as_dtype, bool_, promote
from simpar.graph import Example, OpDef, op
from simpar.ops.support import (
    Array,
    Attrs,
    broadcast_rule,
    constant_dtype,
    float_dtype,
    like,
    one,
    pick_dtype,
    sum_to,
    write,
)
from simpar.tensor import Tensor

__all__: list[str] = []

Unary = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``(g, x, out)`` to the cotangent of x."""
Binary = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor | None, Tensor | None]]
"""``(g, x, y, out)`` to the cotangents of x and y, before broadcasting is undone."""

_UNARY_SHAPES = ((4, 6), (2, 3, 4))
_BINARY_SHAPES = (((4, 6), (4, 6)), ((4, 6), (6,)), ((4, 1), (1, 6)), ((2, 1, 4), (4, 1)), ((4, 4), ()))


def _unary(
    name: str, kernel: Callable[..., Any], gradient: Unary | None, low: float = -2.0, high: float = 2.0, **fields: Any
) -> OpDef:
    """Make the record of an op of one operand."""

    def bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor | None:
        return None if gradient is None else sum_to(gradient(g, x, out), x)

    examples = tuple(Example((shape,), low=low, high=high, grad=gradient is not None) for shape in _UNARY_SHAPES)
    defaults: dict[str, Any] = {"rule": "... -> ...", "elementwise": not fields.get("view"), "examples": examples}
    return op(name, kernel=kernel, bprop=bprop, **{**defaults, **fields})


def _binary(
    name: str, kernel: Callable[..., Any], gradient: Binary | None, low: float = -2.0, high: float = 2.0, **fields: Any
) -> OpDef:
    """Make the record of an op of two operands that broadcast."""

    def bprop(g: Tensor, x: Tensor, y: Tensor, *, out: Tensor) -> tuple[Tensor | None, Tensor | None]:
        dx, dy = (None, None) if gradient is None else gradient(g, x, y, out)
        return sum_to(dx, x), sum_to(dy, y)

    examples = tuple(Example(pair, low=low, high=high, grad=gradient is not None) for pair in _BINARY_SHAPES)
    defaults: dict[str, Any] = {"rule": broadcast_rule, "elementwise": True, "examples": examples}
    return op(name, kernel=kernel, bprop=bprop, **{**defaults, **fields})


# --- arithmetic ---


def _reciprocal(x: Array, out: Array | None = None) -> Array:
    return np.divide(1, x, out=out, dtype=None if out is None else out.dtype)


def _rsqrt(x: Array, out: Array | None = None) -> Array:
    made = np.sqrt(x, out=out)
    return np.divide(1, made, out=made) if made.ndim else np.divide(1, made, out=out)


def _pow(x: Array, y: Array, out: Array | None = None) -> Array:
    """Raise to a power; small whole powers are products, which are a hundred times as fast."""
    power = y.item() if y.ndim == 0 else None
    if power == 2:
        return np.multiply(x, x, out=out)
    if power == 3:
        return np.multiply(x * x, x, out=out)
    return np.power(x, y, out=out)


def _pow_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    positive = one("select", one("greater", x, like(0, x)), x, like(1, x))  # where x <= 0 its power has no slope in y
    return g * y * one("pow", x, y - like(1, y)), g * out * one("log", positive)


def _extremum_grad(keeps_first: str) -> Binary:
    """Return the gradient of maximum or minimum: to the operand that was taken, to the first if both are equal."""

    def gradient(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        mask, zero = one(keeps_first, x, y), like(0, g)
        return one("select", mask, g, zero), one("select", mask, zero, g)

    return gradient


_binary("add", np.add, lambda g, x, y, out: (g, g), linear="joint")
_binary("sub", np.subtract, lambda g, x, y, out: (g, -g), linear="joint")
_binary("mul", np.multiply, lambda g, x, y, out: (g * y, g * x), linear="each")
_binary("div", np.divide, lambda g, x, y, out: (g / y, -(g * out) / y), low=0.5, linear="first", dtype=float_dtype)
_binary("floor_div", np.floor_divide, None, low=0.5, high=9.0)
_binary("mod", np.mod, lambda g, x, y, out: (g, -(g * one("floor_div", x, y))), low=0.5, high=9.0)
_binary("pow", _pow, _pow_grad, low=0.5)
_binary("maximum", np.maximum, _extremum_grad("greater_equal"))
_binary("minimum", np.minimum, _extremum_grad("less_equal"))

_unary("neg", np.negative, lambda g, x, out: -g, linear="each")
_unary("abs", np.absolute, lambda g, x, out: g * one("sign", x))
_unary("exp", np.exp, lambda g, x, out: g * out, dtype=float_dtype)
_unary("expm1", np.expm1, lambda g, x, out: g * (out + like(1, out)), dtype=float_dtype)
_unary("log", np.log, lambda g, x, out: g / x, low=0.5, dtype=float_dtype)
_unary("log1p", np.log1p, lambda g, x, out: g / (x + like(1, x)), low=-0.5, dtype=float_dtype)
_unary("sqrt", np.sqrt, lambda g, x, out: g / (out + out), low=0.5, dtype=float_dtype)
_unary("rsqrt", _rsqrt, lambda g, x, out: like(-0.5, g) * g * out / x, low=0.5, dtype=float_dtype)
_unary("square", np.square, lambda g, x, out: g * (x + x))
_unary("reciprocal", _reciprocal, lambda g, x, out: -(g * one("square", out)), low=0.5, dtype=float_dtype)
_unary("sin", np.sin, lambda g, x, out: g * one("cos", x), dtype=float_dtype)
_unary("cos", np.cos, lambda g, x, out: -(g * one("sin", x)), dtype=float_dtype)
_unary("sign", np.sign, None)
_unary("floor", np.floor, None)
_unary("ceil", np.ceil, None)
_unary("round", np.rint, None)

# --- comparison and logic ---

for _name, _kernel in (
    ("equal", np.equal),
    ("not_equal", np.not_equal),
    ("less", np.less),
    ("less_equal", np.less_equal),
    ("greater", np.greater),
    ("greater_equal", np.greater_equal),
    ("logical_and", np.logical_and),
    ("logical_or", np.logical_or),
    ("logical_xor", np.logical_xor),
):
    _binary(_name, _kernel, None, dtype=constant_dtype(bool_))

_unary("logical_not", np.logical_not, None, dtype=constant_dtype(bool_))
_unary("isnan", np.isnan, None, dtype=constant_dtype(bool_))
_unary("isfinite", np.isfinite, None, dtype=constant_dtype(bool_))


def _select(condition: Array, x: Array, y: Array, out: Array | None = None) -> Array:
    if out is None or np.shares_memory(out, condition) or np.shares_memory(out, x):
        return write(np.where(condition, x, y), out)
    np.copyto(out, y)
    np.copyto(out, x, where=condition.astype(bool, copy=False))
    return out


def _select_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return promote(types[1:])


def _select_grad(g: Tensor, condition: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor | None, ...]:
    zero = like(0, g)
    return None, sum_to(one("select", condition, g, zero), x), sum_to(one("select", condition, zero, g), y)


op(
    "select",
    rule=broadcast_rule,
    kernel=_select,
    bprop=_select_grad,
    dtype=_select_dtype,
    elementwise=True,
    examples=(
        Example(((4, 6), (4, 6), (4, 6)), dtypes=("bool", "float32", "float32")),
        Example(((4, 1), (6,), ()), dtypes=("bool", "float32", "float32")),
    ),
)

# --- copies, types, constants ---


def _identity(x: Array, out: Array | None = None) -> Array:
    return write(x, out)


def _cast(x: Array, *, dtype: str, out: Array | None = None) -> Array:
    return x.astype(as_dtype(dtype).numpy) if out is None else write(x, out)


def _cast_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


def _full_like(x: Array, *, value: float, out: Array | None = None) -> Array:
    if out is None:
        return np.full_like(x, value)
    out.fill(value)
    return out


_unary("identity", _identity, lambda g, x, out: g, linear="each", view=True)
_unary("stop_gradient", _identity, None, linear="each", view=True)
_unary(
    "cast",
    _cast,
    lambda g, x, out: g.astype(x.dtype),
    dtype=_cast_dtype,
    examples=(
        Example(((4, 6),), {"dtype": "float64"}),
        Example(((2, 3, 4),), {"dtype": "int32"}, low=-9, high=9, grad=False),
        Example(((4, 6),), {"dtype": "float16"}, grad=False),
    ),
)
_unary(
    "full_like",
    _full_like,
    None,
    dtype=pick_dtype(0),
    examples=(Example(((4, 6),), {"value": 0}, grad=False), Example(((4,),), {"value": 2.5}, grad=False)),
)
