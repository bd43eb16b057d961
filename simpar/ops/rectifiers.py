"""Activations made of pieces: rectifiers and their smooth relatives, and gates of one half by the other."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._pointwise import UNARY_SHAPES, in_blocks, mask
from simpar.ops.shape import call_split
from simpar.ops.support import Array, Attrs, Shape, float_dtype, letters, like, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _plain(name: str, expression: Callable[[Array], Array], bprop: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Make the record of an activation without attributes; ``bprop`` takes g and x."""
    _record(name, expression, bprop)


def _record(name: str, expression: Callable[..., Array], bprop: Callable[..., Any], *attrs: dict[str, Any]) -> None:
    """Make the record of an activation whose kernel is an expression of one block."""
    examples = tuple(Example((shape,), a, low=-4.0, high=4.0) for shape in UNARY_SHAPES for a in attrs or ({},))
    op(
        name,
        rule="... -> ...",
        kernel=in_blocks(expression),
        bprop=bprop,
        dtype=float_dtype,
        elementwise=True,
        examples=examples,
    )


def _where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return one("select", condition, x, y)


def _above(x: Tensor, bound: float) -> Tensor:
    return one("greater", x, like(bound, x))


def _between(x: Tensor, low: float, high: float) -> Tensor:
    return one("logical_and", _above(x, low), one("less", x, like(high, x)))


# --- in pieces of straight lines ---


def _leaky_relu(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, x * slope)


def _leaky_relu_bprop(g: Tensor, x: Tensor, *, slope: float) -> Tensor:
    return _where(_above(x, 0), g, g * like(slope, g))


def _hard_shrink(x: Array, bound: float) -> Array:
    return np.where(np.abs(x) > bound, x, 0)


def _soft_shrink(x: Array, bound: float) -> Array:
    return np.where(x > bound, x - bound, np.where(x < -bound, x + bound, 0))


def _hard_shrink_bprop(g: Tensor, x: Tensor, *, bound: float) -> Tensor:
    return mask(_above(one("abs", x), bound), g)


def _hard_swish_bprop(g: Tensor, x: Tensor) -> Tensor:
    middle = g * (x * like(1 / 3, x) + like(0.5, x))
    return _where(_between(x, -3, 3), middle, mask(_above(x, 0), g))


_plain("relu6", lambda x: np.clip(x, 0, 6), lambda g, x: mask(_between(x, 0, 6), g))
_record("leaky_relu", _leaky_relu, _leaky_relu_bprop, {"slope": 0.2})
_record("hard_shrink", _hard_shrink, _hard_shrink_bprop, {"bound": 0.5})
_record("soft_shrink", _soft_shrink, _hard_shrink_bprop, {"bound": 0.5})
_plain("hard_sigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, lambda g, x: mask(_between(x, -3, 3), g * like(1 / 6, g)))
_plain("hard_swish", lambda x: x * np.clip(x + 3, 0, 6) / 6, _hard_swish_bprop)
_plain("softsign", lambda x: x / (1 + np.abs(x)), lambda g, x: g / one("square", like(1, x) + one("abs", x)))

# --- with exponentials ---

_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., https://arxiv.org/abs/1706.02515


def _decay(x: Array) -> Array:
    """Return exp(x) - 1 for negative x, else 0."""
    return np.expm1(np.minimum(x, 0))


def _softplus(x: Array) -> Array:
    """Return log(1 + exp(x)) without leaving the range."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _elu(x: Array, alpha: float) -> Array:
    return np.maximum(x, 0) + alpha * _decay(x)


def _selu(x: Array) -> Array:
    return _SCALE * (np.maximum(x, 0) + _ALPHA * _decay(x))


def _celu(x: Array, alpha: float) -> Array:
    return np.maximum(x, 0) + alpha * _decay(x / alpha)


def _elu_bprop(g: Tensor, x: Tensor, *, out: Tensor, alpha: float) -> Tensor:
    return _where(_above(x, 0), g, g * (out + like(alpha, out)))


def _selu_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return _where(_above(x, 0), g * like(_SCALE, g), g * (out + like(_SCALE * _ALPHA, out)))


def _celu_bprop(g: Tensor, x: Tensor, *, out: Tensor, alpha: float) -> Tensor:
    return _where(_above(x, 0), g, g * (out * like(1 / alpha, out) + like(1, out)))


def _scaled_softplus(x: Array, beta: float, threshold: float) -> Array:
    return np.where(x * beta > threshold, x, _softplus(x * beta) / beta)


def _softplus_bprop(g: Tensor, x: Tensor, *, beta: float, threshold: float) -> Tensor:
    scaled = x * like(beta, x)
    return _where(_above(scaled, threshold), g, g * one("sigmoid", scaled))


def _mish_bprop(g: Tensor, x: Tensor) -> Tensor:
    gate = one("tanh", one("softplus", x, beta=1, threshold=20))
    return g * (gate + x * one("sigmoid", x) * (like(1, x) - one("square", gate)))


def _fast_gelu_bprop(g: Tensor, x: Tensor) -> Tensor:
    below = one("sigmoid", x * like(1.702, x))
    return g * (below + like(1.702, x) * x * below * (like(1, x) - below))


_record("elu", _elu, _elu_bprop, {"alpha": 1.0}, {"alpha": 0.5})
_record("selu", _selu, _selu_bprop)
_record("celu", _celu, _celu_bprop, {"alpha": 2.0})
_record("softplus", _scaled_softplus, _softplus_bprop, {"beta": 1, "threshold": 20}, {"beta": 2.0, "threshold": 5.0})
_plain("log_sigmoid", lambda x: -_softplus(-x), lambda g, x: g * one("sigmoid", -x))
_plain("mish", lambda x: x * np.tanh(_softplus(x)), _mish_bprop)
_plain("fast_gelu", lambda x: x * np.exp(-_softplus(-1.702 * x)), _fast_gelu_bprop)

# --- a slope for each channel ---


def _prelu_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 a1 a2, a1 -> a0 a1 a2"``; the weight is ``1`` where one slope serves all channels."""
    names = letters(len(shapes[0]))
    shared = len(names) < 2 or shapes[1] == (1,)
    text = " ".join(names)
    return parse_rule(f"{text}, {'1' if shared else names[1]} -> {text}", shapes)


def _channels(weight: Shape, ndim: int) -> Shape:
    """Return the weight's shape with axes of length one around that of the channels."""
    return weight if ndim < 2 else (1, *weight, *(1,) * (ndim - 2))


def _prelu(x: Array, weight: Array, out: Array | None = None) -> Array:
    return write(np.where(x > 0, x, x * weight.reshape(_channels(weight.shape, x.ndim))), out)


def _prelu_bprop(g: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    shape = _channels(weight.shape, x.ndim)
    slopes, positive = one("reshape", weight, shape=shape), _above(x, 0)
    over = tuple(i for i in range(x.ndim) if i != 1 or shape[1] == 1)
    by_channel = one("reduce_sum", mask(one("logical_not", positive), g * x), axis=over, keep_dims=False)
    return _where(positive, g, g * slopes), one("reshape", by_channel, shape=weight.shape)


op(
    "prelu",
    rule=_prelu_rule,
    kernel=_prelu,
    bprop=_prelu_bprop,
    examples=(Example(((4, 6), (6,))), Example(((2, 4, 3), (4,))), Example(((2, 4, 3), (1,))), Example(((4,), (1,)))),
)

# --- gates ---


def _gate_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 c -> a0 h"``: the axis that is halved is whole."""
    axis: int = attrs["axis"]
    length = shapes[0][axis]
    if length % 2:
        raise RuleError(f"axis {axis} of shape {shapes[0]} has length {length}; a gate needs two equal halves.")
    names = letters(len(shapes[0]))
    given, made = ([*names[:axis], f, *names[axis + 1 :]] for f in ("c", "h"))
    text = f"{' '.join(given)} -> {' '.join(made)}"
    return parse_rule(text, shapes, sizes={"h": length // 2}, whole=("c", "h"))


def _logistic(x: Array) -> Array:
    return np.exp(-_softplus(-x))


def _gate(product: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def kernel(x: Array, *, axis: int, out: Array | None = None) -> Array:
        first, second = np.split(x, 2, axis=axis)
        return write(product(first, second), out)

    return kernel


def _swiglu_bprop(g: Tensor, x: Tensor, *, axis: int) -> Tensor:
    first, second = call_split(x, axis, 2)
    return one("concat", one("silu_grad", g * second, first), g * one("silu", first), axis=axis)


def _glu_bprop(g: Tensor, x: Tensor, *, axis: int) -> Tensor:
    first, second = call_split(x, axis, 2)
    gate = one("sigmoid", second)
    return one("concat", g * gate, g * first * gate * (like(1, gate) - gate), axis=axis)


_HALVED = (Example(((4, 6),), {"axis": 1}), Example(((4, 6),), {"axis": 0}), Example(((2, 4, 6),), {"axis": 1}))
op("swiglu", rule=_gate_rule, kernel=_gate(lambda x, y: x * _logistic(x) * y), bprop=_swiglu_bprop, examples=_HALVED)
op("glu", rule=_gate_rule, kernel=_gate(lambda x, y: x * _logistic(y)), bprop=_glu_bprop, examples=_HALVED)
