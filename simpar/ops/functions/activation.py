"""The activations as functions, under MindSpore's lower-case names."""

from simpar.errors import RuleError
from simpar.ops._faces import Operand, applied
from simpar.ops.functions.elementwise import clamp, greater, select, tanh
from simpar.ops.normalization import softmax
from simpar.ops.support import one
from simpar.tensor import Tensor, axis_of

__all__ = [
    "celu",
    "elu",
    "fast_gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu",
    "relu6",
    "selu",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "swiglu",
    "tanhshrink",
    "threshold",
]


def relu6(x: Operand) -> Tensor:
    """Return min(max(x, 0), 6)."""
    return applied("relu6", x)


def selu(x: Operand) -> Tensor:
    """Return the scaled elu, whose results keep mean 0 and variance 1."""
    return applied("selu", x)


def hardswish(x: Operand) -> Tensor:
    """Return x * relu6(x + 3) / 6."""
    return applied("hard_swish", x)


def hardsigmoid(x: Operand) -> Tensor:
    """Return relu6(x + 3) / 6."""
    return applied("hard_sigmoid", x)


def softsign(x: Operand) -> Tensor:
    """Return x / (1 + |x|)."""
    return applied("softsign", x)


def logsigmoid(x: Operand) -> Tensor:
    """Return the logarithm of sigmoid(x)."""
    return applied("log_sigmoid", x)


def mish(x: Operand) -> Tensor:
    """Return x * tanh(log(1 + exp(x)))."""
    return applied("mish", x)


def fast_gelu(x: Operand) -> Tensor:
    """Return x * sigmoid(1.702 x)."""
    return applied("fast_gelu", x)


def elu(x: Operand, alpha: float = 1.0) -> Tensor:
    """Return x above 0, and alpha * (exp(x) - 1) below. Source: https://arxiv.org/abs/1511.07289."""
    return applied("elu", x, alpha=alpha)


def celu(x: Operand, alpha: float = 1.0) -> Tensor:
    """Return x above 0, and alpha * (exp(x / alpha) - 1) below.

    Raises:
        RuleError: alpha is 0.
    """
    if alpha == 0:
        raise RuleError("celu divides by alpha, which is 0. Give another number.")
    return applied("celu", x, alpha=alpha)


def hardshrink(x: Operand, lambd: float = 0.5) -> Tensor:
    """Return x, and 0 where |x| is at most ``lambd``."""
    return applied("hard_shrink", x, bound=lambd)


def softshrink(x: Operand, lambd: float = 0.5) -> Tensor:
    """Return x moved towards 0 by ``lambd``."""
    return applied("soft_shrink", x, bound=lambd)


def softplus(x: Operand, beta: float = 1, threshold: float = 20) -> Tensor:
    """Return log(1 + exp(beta x)) / beta, and x where beta x is above the threshold."""
    return applied("softplus", x, beta=beta, threshold=threshold)


def leaky_relu(x: Operand, alpha: float = 0.2) -> Tensor:
    """Return x above 0, and alpha * x below."""
    return applied("leaky_relu", x, slope=alpha)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """Return x above 0, and x times its channel's slope below; the channels are axis 1."""
    return one("prelu", x, weight)


def swiglu(x: Tensor, dim: int = -1) -> Tensor:
    """Return silu(first half) * second half along an axis. Source: https://arxiv.org/abs/2002.05202."""
    return one("swiglu", x, axis=axis_of(dim, x.ndim))


def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Return first half * sigmoid(second half) along an axis."""
    return one("glu", x, axis=axis_of(axis, x.ndim))


def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return x moved into [min_val, max_val]."""
    return clamp(x, min_val, max_val)


def threshold(x: Tensor, thr: float, value: float) -> Tensor:
    """Return x above ``thr``, and ``value`` elsewhere."""
    return select(greater(x, thr), x, value)


def tanhshrink(x: Tensor) -> Tensor:
    """Return x - tanh(x)."""
    return x - tanh(x)


def softmin(x: Tensor, axis: int = -1) -> Tensor:
    """Return the softmax of -x."""
    return softmax(-x, axis)
