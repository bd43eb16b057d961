"""Trigonometric and hyperbolic functions, and their inverses."""

import numpy as np

from simpar.ops._pointwise import binary, unary
from simpar.ops.support import float_dtype, like, one
from simpar.tensor import Tensor

__all__: list[str] = []


def _root(x: Tensor, plus: float, times: float) -> Tensor:
    """Return sqrt(plus + times * x²)."""
    return one("sqrt", like(plus, x) + like(times, x) * one("square", x))


def _atan2_grad(g: Tensor, y: Tensor, x: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    part = g / (x * x + y * y)
    return part * x, -(part * y)


unary("tan", np.tan, lambda g, x, out: g * (like(1, g) + one("square", out)), low=-1.2, high=1.2, dtype=float_dtype)
unary("asin", np.arcsin, lambda g, x, out: g / _root(x, 1, -1), low=-0.9, high=0.9, dtype=float_dtype)
unary("acos", np.arccos, lambda g, x, out: -(g / _root(x, 1, -1)), low=-0.9, high=0.9, dtype=float_dtype)
unary("atan", np.arctan, lambda g, x, out: g / (like(1, x) + one("square", x)), dtype=float_dtype)
unary("sinh", np.sinh, lambda g, x, out: g * one("cosh", x), dtype=float_dtype)
unary("cosh", np.cosh, lambda g, x, out: g * one("sinh", x), dtype=float_dtype)
unary("asinh", np.arcsinh, lambda g, x, out: g / _root(x, 1, 1), dtype=float_dtype)
unary("acosh", np.arccosh, lambda g, x, out: g / _root(x, -1, 1), low=1.2, high=3.0, dtype=float_dtype)
unary(
    "atanh",
    np.arctanh,
    lambda g, x, out: g / (like(1, x) - one("square", x)),
    low=-0.9,
    high=0.9,
    dtype=float_dtype,
)
binary("atan2", np.arctan2, _atan2_grad, low=0.5, dtype=float_dtype)
binary("hypot", np.hypot, lambda g, x, y, out: (g * x / out, g * y / out), low=0.5, dtype=float_dtype)
