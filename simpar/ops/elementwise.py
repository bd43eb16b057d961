"""Ops that treat each element alone, with numpy's broadcasting: any cut passes through them."""

from collections.abc import Sequence

import numpy as np

from simpar.dtype import DType, as_dtype, bool_, promote
from simpar.errors import DTypeError, RuleError
from simpar.graph import Example, op
from simpar.layout import Rule
from simpar.ops._pointwise import Binary, binary, unary
from simpar.ops.support import (
    Array,
    Attrs,
    Shape,
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
    has_slope = one("not_equal" if x.dtype.is_complex else "greater", x, like(0, x))
    positive = one("select", has_slope, x, like(1, x))  # where x <= 0 its power has no slope in y
    return g * y * one("pow", x, y - like(1, y)), g * out * one("log", positive)


def _extremum_grad(keeps_first: str) -> Binary:
    """Return the gradient of maximum or minimum: to the operand that was taken, to the first if both are equal."""

    def gradient(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        mask, zero = one(keeps_first, x, y), like(0, g)
        return one("select", mask, g, zero), one("select", mask, zero, g)

    return gradient


def _ordered(types: Sequence[DType], attrs: Attrs) -> DType:
    """Return the type of numbers that have an order.

    Raises:
        DTypeError: complex ones have none.
    """
    if any(t.is_complex for t in types):
        raise DTypeError("complex numbers have no order. Compare their absolute values, real or imaginary parts.")
    return promote(types)


def _order_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    _ordered(types, attrs)
    return bool_


binary("add", np.add, lambda g, x, y, out: (g, g), linear="joint")
binary("sub", np.subtract, lambda g, x, y, out: (g, -g), linear="joint")
binary("mul", np.multiply, lambda g, x, y, out: (g * y, g * x), linear="each")
binary("div", np.divide, lambda g, x, y, out: (g / y, -(g * out) / y), low=0.5, linear="first", dtype=float_dtype)
binary("floor_div", np.floor_divide, None, low=0.5, high=9.0)
binary("mod", np.mod, lambda g, x, y, out: (g, -(g * one("floor_div", x, y))), low=0.5, high=9.0)
binary("pow", _pow, _pow_grad, low=0.5)
binary("maximum", np.maximum, _extremum_grad("greater_equal"), dtype=_ordered)
binary("minimum", np.minimum, _extremum_grad("less_equal"), dtype=_ordered)

unary("neg", np.negative, lambda g, x, out: -g, linear="each")
unary("exp", np.exp, lambda g, x, out: g * out, dtype=float_dtype)
unary("expm1", np.expm1, lambda g, x, out: g * (out + like(1, out)), dtype=float_dtype)
unary("log", np.log, lambda g, x, out: g / x, low=0.5, dtype=float_dtype)
unary("log1p", np.log1p, lambda g, x, out: g / (x + like(1, x)), low=-0.5, dtype=float_dtype)
unary("sqrt", np.sqrt, lambda g, x, out: g / (out + out), low=0.5, dtype=float_dtype)
unary("rsqrt", _rsqrt, lambda g, x, out: like(-0.5, g) * g * out / x, low=0.5, dtype=float_dtype)
unary("square", np.square, lambda g, x, out: g * (x + x))
unary("reciprocal", _reciprocal, lambda g, x, out: -(g * one("square", out)), low=0.5, dtype=float_dtype)
unary("sin", np.sin, lambda g, x, out: g * one("cos", x), dtype=float_dtype)
unary("cos", np.cos, lambda g, x, out: -(g * one("sin", x)), dtype=float_dtype)
unary("sign", np.sign, None)
unary("floor", np.floor, None)
unary("ceil", np.ceil, None)
unary("round", np.rint, None)

# --- comparison and logic ---

_ORDERS = ("less", "less_equal", "greater", "greater_equal")
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
    binary(_name, _kernel, None, dtype=_order_dtype if _name in _ORDERS else constant_dtype(bool_))

unary("logical_not", np.logical_not, None, dtype=constant_dtype(bool_))
unary("isnan", np.isnan, None, dtype=constant_dtype(bool_))
unary("isfinite", np.isfinite, None, dtype=constant_dtype(bool_))


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


def _copy_into(x: Array, y: Array, out: Array | None = None) -> Array:
    made = np.empty(x.shape, x.dtype) if out is None else out
    np.copyto(made, y, casting="unsafe")
    return made


def _copy_into_grad(g: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor | None, ...]:
    return None, sum_to(g, y)


def _copy_into_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return the rule of broadcasting the second operand to the first.

    Raises:
        RuleError: it does not fit.
    """
    rule = broadcast_rule(shapes, attrs)
    if rule.result_shapes[0] != tuple(shapes[0]):
        raise RuleError(f"a tensor of shape {shapes[1]} cannot be copied into one of shape {shapes[0]}.")
    return rule


op(
    "copy_into",
    rule=_copy_into_rule,
    kernel=_copy_into,
    bprop=_copy_into_grad,
    dtype=pick_dtype(0),
    elementwise=True,
    examples=(Example(((4, 6), (4, 6))), Example(((4, 6), (6,))), Example(((4, 6), ()))),
)


def _identity(x: Array, out: Array | None = None) -> Array:
    return write(x, out)


def _cast(x: Array, *, dtype: str, out: Array | None = None) -> Array:
    """Convert numbers; of complex ones that become real the imaginary part is dropped."""
    x = x if np.dtype(dtype).kind == "c" else np.real(x)
    return x.astype(as_dtype(dtype).numpy) if out is None else write(x, out)


def _cast_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


def _full_like(x: Array, *, value: float, out: Array | None = None) -> Array:
    if out is None:
        return np.full_like(x, value)
    out.fill(value)
    return out


unary("identity", _identity, lambda g, x, out: g, linear="each", view=True)
unary("depend", _identity, lambda g, x, out: g, linear="each", view=True)
unary("stop_gradient", _identity, None, linear="each", view=True)
unary(
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
unary(
    "full_like",
    _full_like,
    None,
    dtype=pick_dtype(0),
    examples=(Example(((4, 6),), {"value": 0}, grad=False), Example(((4,),), {"value": 2.5}, grad=False)),
)
