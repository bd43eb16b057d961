"""More arithmetic of elements: remainders, divisions that expect zeros, sums and products of three, closeness."""

from collections.abc import Sequence
from math import log

import numpy as np

from simpar.dtype import bool_
from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule
from simpar.ops._pointwise import binary, mask, ternary, unary
from simpar.ops.support import (
    Array,
    Attrs,
    Shape,
    broadcast_rule,
    constant_dtype,
    float_dtype,
    like,
    one,
    sum_to,
    write,
    zeros_like,
)
from simpar.tensor import Tensor

__all__: list[str] = []


# --- division ---


def _truncate_div(x: Array, y: Array, out: Array | None = None) -> Array:
    """Divide and round towards zero; whole numbers exactly."""
    if np.result_type(x, y).kind == "f":
        return write(np.trunc(np.divide(x, y)), out)
    return write(np.floor_divide(x - np.fmod(x, y), y), out)


def _where_not_zero(ufunc: np.ufunc, x: Array, y: Array, there: Array, out: Array | None) -> Array:
    """Apply ``ufunc`` where ``there`` is not zero, and write 0 elsewhere."""
    if out is None:
        kind = np.result_type(x, y)
        out = np.empty(np.broadcast_shapes(x.shape, y.shape), kind if kind.kind in "fc" else np.float32)
    zero = np.equal(there, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ufunc(x, y, out=out)
    np.copyto(out, 0, where=zero)
    return out


def _div_no_nan(x: Array, y: Array, out: Array | None = None) -> Array:
    return _where_not_zero(np.divide, x, y, y, out)


def _mul_no_nan(x: Array, y: Array, out: Array | None = None) -> Array:
    return _where_not_zero(np.multiply, x, y, y, out)


def _xdivy(x: Array, y: Array, out: Array | None = None) -> Array:
    return _where_not_zero(np.divide, x, y, x, out)


def _xlogy(x: Array, y: Array, out: Array | None = None) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _where_not_zero(np.multiply, x, np.log(y), x, out)


def _counted(x: Tensor) -> Tensor:
    """Return 1 where x is not zero, else 0."""
    return one("not_equal", x, like(0, x)).astype(x.dtype)


binary("fmod", np.fmod, lambda g, x, y, out: (g, -(g * one("truncate_div", x, y))), low=0.6, high=9.0)
binary("truncate_div", _truncate_div, None, low=0.6, high=9.0)
binary(
    "div_no_nan",
    _div_no_nan,
    lambda g, x, y, out: (one("div_no_nan", g, y), -one("div_no_nan", g * out, y)),
    low=0.5,
    dtype=float_dtype,
)
binary("mul_no_nan", _mul_no_nan, lambda g, x, y, out: (one("mul_no_nan", g, y), one("mul_no_nan", x, g)))
binary(
    "xdivy",
    _xdivy,
    lambda g, x, y, out: (g * one("xdivy", _counted(x), y), -(g * one("xdivy", x, y * y))),
    low=0.5,
    dtype=float_dtype,
)
binary(
    "xlogy",
    _xlogy,
    lambda g, x, y, out: (g * one("xlogy", _counted(x), y), g * one("xdivy", x, y)),
    low=0.5,
    dtype=float_dtype,
)

# --- differences, neighbours, signs ---


def _squared_difference(x: Array, y: Array, out: Array | None = None) -> Array:
    made = np.subtract(x, y, out=out)
    return np.multiply(made, made, out=out)


def _squared_difference_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    slope = g * like(2, g) * (x - y)
    return slope, -slope


def _copysign_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    return g * one("sign", out) * one("sign", x), zeros_like(y)


def _logaddexp_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    return g * one("sigmoid", x - y), g * one("sigmoid", y - x)


def _logaddexp2_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    return g * one("exp2", x - out), g * one("exp2", y - out)


binary("squared_difference", _squared_difference, _squared_difference_grad)
binary("nextafter", np.nextafter, None, dtype=float_dtype)
binary("copysign", np.copysign, _copysign_grad, dtype=float_dtype)
binary("heaviside", np.heaviside, None)
binary("logaddexp", np.logaddexp, _logaddexp_grad, dtype=float_dtype)
binary("logaddexp2", np.logaddexp2, _logaddexp2_grad, dtype=float_dtype)

# --- powers and parts of one number ---


def _frac(x: Array, out: Array | None = None) -> Array:
    return np.subtract(x, np.trunc(x), out=out)


def _sinc(x: Array, out: Array | None = None) -> Array:
    return write(np.sinc(x), out)


def _sinc_grad(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """Return g (cos(πx) - sinc(x)) / x, and 0 where x is 0."""
    return g * one("div_no_nan", one("cos", x * like(np.pi, x)) - out, x)


def _nan_to_num(
    x: Array,
    *,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    out: Array | None = None,
) -> Array:
    return write(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), out)


unary("exp2", np.exp2, lambda g, x, out: g * out * like(log(2), g), dtype=float_dtype)
unary("log2", np.log2, lambda g, x, out: g / (x * like(log(2), x)), low=0.5, dtype=float_dtype)
unary("log10", np.log10, lambda g, x, out: g / (x * like(log(10), x)), low=0.5, dtype=float_dtype)
unary("sinc", _sinc, _sinc_grad, dtype=float_dtype)
unary("trunc", np.trunc, None)
unary("frac", _frac, lambda g, x, out: g)
unary("isinf", np.isinf, None, dtype=constant_dtype(bool_))
unary("nan_to_num", _nan_to_num, lambda g, x, out: mask(one("isfinite", x), g))

# --- closeness ---


def _approximate_equal(x: Array, y: Array, *, tolerance: float, out: Array | None = None) -> Array:
    return np.less(np.abs(x - y), tolerance, out=out)


def _isclose(
    x: Array,
    y: Array,
    *,
    rtol: float,
    atol: float,
    equal_nan: bool,
    out: Array | None = None,
) -> Array:
    return write(np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan), out)


_NEAR = {"rtol": 0.5, "atol": 0.1, "equal_nan": False}
for _name, _kernel, _attrs in (
    ("approximate_equal", _approximate_equal, {"tolerance": 0.5}),
    ("isclose", _isclose, _NEAR),
):
    op(
        _name,
        rule=broadcast_rule,
        kernel=_kernel,
        dtype=constant_dtype(bool_),
        elementwise=True,
        examples=(
            Example(((4, 6), (4, 6)), _attrs, grad=False),
            Example(((2, 1, 4), (4, 1)), _attrs, grad=False),
        ),
    )

# --- three and more operands ---


def _lerp(x: Array, y: Array, weight: Array, out: Array | None = None) -> Array:
    return write(x + weight * (y - x), out)


def _lerp_grad(g: Tensor, x: Tensor, y: Tensor, weight: Tensor, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return g - g * weight, g * weight, g * (y - x)


def _addcmul(x: Array, y: Array, z: Array, *, value: float = 1, out: Array | None = None) -> Array:
    return write(x + value * (y * z), out)


def _addcmul_bprop(g: Tensor, x: Tensor, y: Tensor, z: Tensor, *, value: float = 1) -> tuple[Tensor | None, ...]:
    scaled = g * like(value, g)
    return sum_to(g, x), sum_to(scaled * z, y), sum_to(scaled * y, z)


def _addcdiv(x: Array, y: Array, z: Array, *, value: float = 1, out: Array | None = None) -> Array:
    return write(x + value * (y / z), out)


def _addcdiv_bprop(g: Tensor, x: Tensor, y: Tensor, z: Tensor, *, value: float = 1) -> tuple[Tensor | None, ...]:
    part = g * like(value, g) / z
    return sum_to(g, x), sum_to(part, y), sum_to(-(part * y / z), z)


ternary("lerp", _lerp, _lerp_grad)
_SHAPES = ((4, 6), (4, 6), (4, 6)), ((4, 6), (6,), (4, 1))
for _name, _kernel, _bprop, _type in (
    ("addcmul", _addcmul, _addcmul_bprop, None),
    ("addcdiv", _addcdiv, _addcdiv_bprop, float_dtype),
):
    op(
        _name,
        rule=broadcast_rule,
        kernel=_kernel,
        bprop=_bprop,
        dtype=_type,
        elementwise=True,
        examples=tuple(Example(shapes, {"value": v}, low=0.5) for shapes, v in zip(_SHAPES, (1, 0.25), strict=True)),
    )


def _add_n_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    if len(set(shapes)) > 1:
        raise RuleError(f"add_n adds tensors of one shape, not of {', '.join(map(str, shapes))}. Use add to broadcast.")
    return broadcast_rule(shapes, attrs)


def _add_n(*operands: Array, out: Array | None = None) -> Array:
    if len(operands) == 1:
        return write(operands[0].copy(), out)
    total = operands[0] + operands[1]  # not into `out`, which may be an operand that is still to be added
    for x in operands[2:]:
        total = total + x
    return write(total, out)


def _add_n_bprop(g: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
    return tuple(sum_to(g, x) for x in operands)


op(
    "add_n",
    rule=_add_n_rule,
    kernel=_add_n,
    bprop=_add_n_bprop,
    linear="joint",
    elementwise=True,
    examples=(Example(((4, 6),)), Example(((4, 6), (4, 6), (4, 6))), Example(((2, 3, 4),) * 2)),
)
