"""Activations: element-wise, with kernels that work in blocks and gradients in one pass."""

from math import pi, sqrt
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.ops.support import Array, blockwise, float_dtype, one
from simpar.tensor import Tensor

__all__: list[str] = []

_SHAPES = ((4, 6), (2, 3, 4))
_C = sqrt(2 / pi)
_CUBIC = 0.044715


def _record(name: str, kernel: Any, bprop: Any, attrs: tuple[dict[str, Any], ...] = ({},)) -> None:
    examples = tuple(Example((shape,), a, low=-3.0, high=3.0) for shape in _SHAPES for a in attrs)
    op(name, rule="... -> ...", kernel=kernel, bprop=bprop, dtype=float_dtype, elementwise=True, examples=examples)


def _record_grad(
    name: str, kernel: Any, attrs: tuple[dict[str, Any], ...] = ({},), low: float = -0.9, bprop: Any = None
) -> None:
    """Make the record of ``name(g, x or out)``, linear in g; without ``bprop`` it has no second derivative yet."""
    examples = tuple(
        Example((shape, shape), a, low=low, high=0.9, grad=bprop is not None) for shape in _SHAPES for a in attrs
    )
    op(name, rule="..., ... -> ...", kernel=kernel, bprop=bprop, linear="first", elementwise=True, examples=examples)


# --- relu ---


def _relu(x: Array, out: Array | None = None) -> Array:
    return np.maximum(x, 0, out=out)


def _relu_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return np.multiply(g, y > 0, out=out)


def _relu_grad_bprop(h: Tensor, g: Tensor, y: Tensor) -> tuple[Tensor, None]:
    return one("relu_grad", h, y), None


def _relu_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return one("relu_grad", g, out)


op(
    "relu",
    rule="... -> ...",
    kernel=_relu,
    bprop=_relu_bprop,
    elementwise=True,
    examples=tuple(Example((shape,)) for shape in _SHAPES),
)
_record_grad("relu_grad", _relu_grad, low=0.1, bprop=_relu_grad_bprop)


# --- sigmoid and tanh ---


def _sigmoid_block(target: Array, x: Array) -> None:
    np.negative(x, out=target)
    with np.errstate(over="ignore"):  # where exp(-x) is too large the result is 0, as it should be
        np.exp(target, out=target)
    np.add(target, 1, out=target)
    np.divide(1, target, out=target)


def _sigmoid(x: Array, out: Array | None = None) -> Array:
    return blockwise(_sigmoid_block, out, x)


def _sigmoid_grad_block(target: Array, g: Array, y: Array, slope: Array) -> None:
    np.subtract(1, y, out=slope)
    np.multiply(slope, y, out=slope)
    np.multiply(g, slope, out=target)


def _sigmoid_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return blockwise(_sigmoid_grad_block, out, g, y, scratch=1)


def _sigmoid_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return one("sigmoid_grad", g, out)


def _sigmoid_grad_bprop(h: Tensor, g: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return one("sigmoid_grad", h, y), h * g * (1.0 - 2.0 * y)


def _tanh_grad_block(target: Array, g: Array, y: Array, slope: Array) -> None:
    np.multiply(y, y, out=slope)
    np.subtract(1, slope, out=slope)
    np.multiply(g, slope, out=target)


def _tanh_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return blockwise(_tanh_grad_block, out, g, y, scratch=1)


def _tanh_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return one("tanh_grad", g, out)


def _tanh_grad_bprop(h: Tensor, g: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return one("tanh_grad", h, y), h * g * (-2.0 * y)


_record("sigmoid", _sigmoid, _sigmoid_bprop)
_record_grad("sigmoid_grad", _sigmoid_grad, low=0.1, bprop=_sigmoid_grad_bprop)
_record("tanh", np.tanh, _tanh_bprop)
_record_grad("tanh_grad", _tanh_grad, bprop=_tanh_grad_bprop)


# --- gelu: Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415 ---


def _erf(x: Array) -> None:
    """Replace x by its error function."""
    from scipy.special import erf  # pyright: ignore # numpy has none; scipy comes with scikit-learn

    erf(x, out=x)


def _inner_tanh(x: Array, squared: Array, made: Array) -> None:
    """Write x² and tanh(√(2/π) (x + 0.044715 x³)), by products: powers are slow."""
    np.multiply(x, x, out=squared)
    np.multiply(squared, _C * _CUBIC, out=made)
    np.add(made, _C, out=made)
    np.multiply(made, x, out=made)
    np.tanh(made, out=made)


def _gelu_tanh_block(target: Array, x: Array, squared: Array, made: Array) -> None:
    _inner_tanh(x, squared, made)
    np.add(made, 1, out=made)
    np.multiply(made, 0.5, out=made)
    np.multiply(made, x, out=target)


def _gelu_erf_block(target: Array, x: Array, made: Array, _: Array) -> None:
    np.multiply(x, sqrt(0.5), out=made)
    _erf(made)
    np.add(made, 1, out=made)
    np.multiply(made, 0.5, out=made)
    np.multiply(made, x, out=target)


def _gelu_tanh_grad_block(target: Array, g: Array, x: Array, slope: Array, inner: Array, rest: Array) -> None:
    _inner_tanh(x, slope, inner)
    np.multiply(slope, 1.5 * _C * _CUBIC, out=slope)
    np.add(slope, 0.5 * _C, out=slope)
    np.multiply(slope, x, out=slope)  # x/2 times the slope of what tanh is taken of
    np.multiply(inner, inner, out=rest)
    np.subtract(1, rest, out=rest)
    np.multiply(slope, rest, out=slope)
    np.add(inner, 1, out=inner)
    np.multiply(inner, 0.5, out=inner)
    np.add(slope, inner, out=slope)
    np.multiply(g, slope, out=target)


def _gelu_erf_grad_block(target: Array, g: Array, x: Array, slope: Array, below: Array, _: Array) -> None:
    np.multiply(x, x, out=slope)
    np.multiply(slope, -0.5, out=slope)
    np.exp(slope, out=slope)
    np.multiply(slope, sqrt(0.5 / pi), out=slope)
    np.multiply(slope, x, out=slope)
    np.multiply(x, sqrt(0.5), out=below)
    _erf(below)
    np.add(below, 1, out=below)
    np.multiply(below, 0.5, out=below)
    np.add(slope, below, out=slope)
    np.multiply(g, slope, out=target)


def _gelu(x: Array, *, approximate: str = "tanh", out: Array | None = None) -> Array:
    return blockwise(_gelu_tanh_block if approximate == "tanh" else _gelu_erf_block, out, x, scratch=2)


def _gelu_grad(g: Array, x: Array, *, approximate: str = "tanh", out: Array | None = None) -> Array:
    block = _gelu_tanh_grad_block if approximate == "tanh" else _gelu_erf_grad_block
    return blockwise(block, out, g, x, scratch=3)


def _gelu_bprop(g: Tensor, x: Tensor, *, approximate: str = "tanh") -> Tensor:
    return one("gelu_grad", g, x, approximate=approximate)


def _curve_of_gelu(x: Tensor, approximate: str) -> Tensor:
    """Return the second derivative of gelu."""
    squared = one("square", x)
    if approximate != "tanh":
        return sqrt(0.5 / pi) * one("exp", -0.5 * squared) * (2.0 - squared)
    bent = one("tanh", _C * x * (1.0 + _CUBIC * squared))
    slope, left = _C * (1.0 + 3.0 * _CUBIC * squared), 1.0 - one("square", bent)
    return left * (slope + x * (3.0 * _C * _CUBIC * x - bent * one("square", slope)))


def _gelu_grad_bprop(h: Tensor, g: Tensor, x: Tensor, *, approximate: str = "tanh") -> tuple[Tensor, Tensor]:
    return one("gelu_grad", h, x, approximate=approximate), h * g * _curve_of_gelu(x, approximate)


_APPROXIMATIONS = ({"approximate": "tanh"}, {"approximate": "none"})
_record("gelu", _gelu, _gelu_bprop, _APPROXIMATIONS)
_record_grad("gelu_grad", _gelu_grad, _APPROXIMATIONS, bprop=_gelu_grad_bprop)


# --- silu ---


def _silu_block(target: Array, x: Array, below: Array) -> None:
    _sigmoid_block(below, x)
    np.multiply(below, x, out=target)


def _silu_grad_block(target: Array, g: Array, x: Array, below: Array, slope: Array) -> None:
    _sigmoid_block(below, x)
    np.subtract(1, below, out=slope)
    np.multiply(slope, x, out=slope)
    np.add(slope, 1, out=slope)
    np.multiply(slope, below, out=slope)
    np.multiply(g, slope, out=target)


def _silu(x: Array, out: Array | None = None) -> Array:
    return blockwise(_silu_block, out, x, scratch=1)


def _silu_grad(g: Array, x: Array, out: Array | None = None) -> Array:
    return blockwise(_silu_grad_block, out, g, x, scratch=2)


def _silu_bprop(g: Tensor, x: Tensor) -> Tensor:
    return one("silu_grad", g, x)


def _silu_grad_bprop(h: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    below = one("sigmoid", x)
    return one("silu_grad", h, x), h * g * one("sigmoid_grad", 2.0 + x * (1.0 - 2.0 * below), below)


_record("silu", _silu, _silu_bprop)
_record_grad("silu_grad", _silu_grad, bprop=_silu_grad_bprop)
