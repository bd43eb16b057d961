"""Losses of each element alone: any cut passes through them."""

import numpy as np

from simpar.graph import Example, op
from simpar.ops._pointwise import binary, mask
from simpar.ops.support import Array, broadcast_rule, float_dtype, like, one, sum_to, write
from simpar.tensor import Tensor

__all__: list[str] = []

_FLOOR = -100.0
"""Logarithms of probabilities count as at least this, so that a loss stays finite."""

Cotangents = tuple[Tensor, Tensor]


def _sigmoid_cross_entropy(x: Array, z: Array, out: Array | None = None) -> Array:
    """Return -z log σ(x) - (1 - z) log(1 - σ(x)) without leaving the range."""
    return write(np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x))), out)


def _binary_cross_entropy(p: Array, z: Array, out: Array | None = None) -> Array:
    with np.errstate(divide="ignore"):
        here, there = np.maximum(np.log(p), _FLOOR), np.maximum(np.log1p(-p), _FLOOR)
    return write(-(z * here + (1 - z) * there), out)


def _binary_cross_entropy_grad(g: Tensor, p: Tensor, z: Tensor, out: Tensor) -> Cotangents:
    rest = like(1, p) - p
    return g * (p - z) / one("maximum", rest * p, like(1e-12, p)), g * (one("log", rest) - one("log", p))


def _kl_div(x: Array, target: Array, out: Array | None = None) -> Array:
    """Return target * (log(target) - x), 0 where the target is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return write(np.where(target > 0, target * (np.log(target) - x), 0), out)


def _kl_div_grad(g: Tensor, x: Tensor, target: Tensor, out: Tensor) -> Cotangents:
    positive = one("greater", target, like(0, target))
    known = one("log", one("select", positive, target, like(1, target)))
    return -(g * one("relu", target)), mask(positive, g * (known + like(1, x) - x))


binary(
    "sigmoid_cross_entropy",
    _sigmoid_cross_entropy,
    lambda g, x, z, out: (g * (one("sigmoid", x) - z), -(g * x)),
    dtype=float_dtype,
)
binary("binary_cross_entropy", _binary_cross_entropy, _binary_cross_entropy_grad, low=0.1, high=0.9, dtype=float_dtype)
binary("kl_div", _kl_div, _kl_div_grad, low=0.1, high=0.9, dtype=float_dtype)


def _smooth_l1(x: Array, y: Array, *, beta: float, out: Array | None = None) -> Array:
    """Return (x - y)² / (2 beta) where |x - y| is below beta, and |x - y| - beta / 2 elsewhere."""
    far = np.abs(x - y)
    return write(np.where(far < beta, far * far * (0.5 / beta), far - 0.5 * beta), out)


def _smooth_l1_bprop(g: Tensor, x: Tensor, y: Tensor, *, beta: float) -> tuple[Tensor | None, Tensor | None]:
    slope = one("minimum", one("maximum", (x - y) * like(1 / beta, x), like(-1, x)), like(1, x))
    return sum_to(g * slope, x), sum_to(-(g * slope), y)


op(
    "smooth_l1",
    rule=broadcast_rule,
    kernel=_smooth_l1,
    bprop=_smooth_l1_bprop,
    dtype=float_dtype,
    elementwise=True,
    examples=(Example(((4, 6), (4, 6)), {"beta": 0.5}), Example(((2, 3, 4), (3, 1)), {"beta": 1.0})),
)
