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


def _record_grad(name: str, kernel: Any, attrs: tuple[dict[str, Any], ...] = ({},), low: float = -0.9) -> None:
    """Make the record of ``name(g, x or out)``, linear in g."""
    examples = tuple(Example((shape, shape), a, low=low, high=0.9, grad=False) for shape in _SHAPES for a in attrs)
    op(name, rule="..., ... -> ...", kernel=kernel, linear="first", elementwise=True, examples=examples)


# --- relu ---


def _relu(x: Array, out: Array | None = None) -> Array:
    return np.maximum(x, 0, out=out)


def _relu_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return np.multiply(g, y > 0, out=out)


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
_record_grad("relu_grad", _relu_grad)


# --- sigmoid and tanh ---


def _sigmoid_block(target: Array, x: Array) -> None:
    below = np.minimum(x, 0)
    np.exp(below, out=below)
    scale = np.abs(x)
    np.negative(scale, out=scale)
    np.exp(scale, out=scale)  # never above 1, so that nothing overflows
    scale += 1
    np.divide(below, scale, out=target)


def _sigmoid(x: Array, out: Array | None = None) -> Array:
    return blockwise(_sigmoid_block, out, x)


def _sigmoid_grad_block(target: Array, g: Array, y: Array) -> None:
    slope = 1 - y
    slope *= y
    np.multiply(g, slope, out=target)


def _sigmoid_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return blockwise(_sigmoid_grad_block, out, g, y)


def _sigmoid_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return one("sigmoid_grad", g, out)


def _tanh_grad_block(target: Array, g: Array, y: Array) -> None:
    slope = y * y
    np.subtract(1, slope, out=slope)
    np.multiply(g, slope, out=target)


def _tanh_grad(g: Array, y: Array, out: Array | None = None) -> Array:
    return blockwise(_tanh_grad_block, out, g, y)


def _tanh_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return one("tanh_grad", g, out)


_record("sigmoid", _sigmoid, _sigmoid_bprop)
_record_grad("sigmoid_grad", _sigmoid_grad, low=0.1)
_record("tanh", np.tanh, _tanh_bprop)
_record_grad("tanh_grad", _tanh_grad)


# --- gelu: Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415 ---


def _erf(x: Array) -> Array:
    from scipy.special import erf  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] # numpy has none

    made: Array = erf(x)
    return made


def _inner_tanh(x: Array) -> tuple[Array, Array]:
    """Return x² and tanh(√(2/π) (x + 0.044715 x³)), by products: powers are slow."""
    squared = x * x
    made = squared * (_C * _CUBIC)
    made += _C
    made *= x
    return squared, np.tanh(made, out=made)


def _gelu_tanh_block(target: Array, x: Array) -> None:
    _, made = _inner_tanh(x)
    made += 1
    made *= 0.5
    np.multiply(made, x, out=target)


def _gelu_erf_block(target: Array, x: Array) -> None:
    made = _erf(x * sqrt(0.5))
    made += 1
    made *= 0.5
    np.multiply(made, x, out=target)


def _gelu_tanh_grad_block(target: Array, g: Array, x: Array) -> None:
    slope, inner = _inner_tanh(x)
    slope *= 1.5 * _C * _CUBIC
    slope += 0.5 * _C
    slope *= x  # x/2 times the slope of what tanh is taken of
    rest = inner * inner
    np.subtract(1, rest, out=rest)
    slope *= rest
    inner += 1
    inner *= 0.5
    slope += inner
    np.multiply(g, slope, out=target)


def _gelu_erf_grad_block(target: Array, g: Array, x: Array) -> None:
    slope = x * x
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= sqrt(0.5 / pi)
    slope *= x
    below = _erf(x * sqrt(0.5))
    below += 1
    below *= 0.5
    slope += below
    np.multiply(g, slope, out=target)


def _gelu(x: Array, *, approximate: str = "tanh", out: Array | None = None) -> Array:
    return blockwise(_gelu_tanh_block if approximate == "tanh" else _gelu_erf_block, out, x)


def _gelu_grad(g: Array, x: Array, *, approximate: str = "tanh", out: Array | None = None) -> Array:
    return blockwise(_gelu_tanh_grad_block if approximate == "tanh" else _gelu_erf_grad_block, out, g, x)


def _gelu_bprop(g: Tensor, x: Tensor, *, approximate: str = "tanh") -> Tensor:
    return one("gelu_grad", g, x, approximate=approximate)


_APPROXIMATIONS = ({"approximate": "tanh"}, {"approximate": "none"})
_record("gelu", _gelu, _gelu_bprop, _APPROXIMATIONS)
_record_grad("gelu_grad", _gelu_grad, _APPROXIMATIONS)


# --- silu ---


def _silu_block(target: Array, x: Array) -> None:
    made = np.empty_like(x)
    _sigmoid_block(made, x)
    np.multiply(made, x, out=target)


def _silu_grad_block(target: Array, g: Array, x: Array) -> None:
    below = np.empty_like(x)
    _sigmoid_block(below, x)
    slope = 1 - below
    slope *= x
    slope += 1
    slope *= below
    np.multiply(g, slope, out=target)


def _silu(x: Array, out: Array | None = None) -> Array:
    return blockwise(_silu_block, out, x)


def _silu_grad(g: Array, x: Array, out: Array | None = None) -> Array:
    return blockwise(_silu_grad_block, out, g, x)


def _silu_bprop(g: Tensor, x: Tensor) -> Tensor:
    return one("silu_grad", g, x)


_record("silu", _silu, _silu_bprop)
_record_grad("silu_grad", _silu_grad)
