"""Functions of layers and losses under the names of ``mindspore.mint.nn.functional``."""

from simpar import ops
from simpar.dtype import DType
from simpar.ops import (
    cross_entropy,
    dropout,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    l1_loss,
    layer_norm,
    logsigmoid,
    mish,
    mse_loss,
    nll_loss,
    one_hot,
    pad,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softshrink,
    tanh,
    threshold,
)
from simpar.tensor import Tensor

__all__ = [
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softshrink",
    "tanh",
    "threshold",
]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias, for a weight (out, in).

    >>> linear(Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]]), Tensor([0.5])).tolist()
    [[11.5]]
    """
    made = ops.matmul(input, weight.mT)
    return made if bias is None else made + bias


def softmax(input: Tensor, dim: int = -1, dtype: DType | None = None) -> Tensor:
    """Return exp(x) / sum(exp(x)) along an axis."""
    return ops.softmax(input if dtype is None else input.astype(dtype), dim)


def log_softmax(input: Tensor, dim: int = -1, dtype: DType | None = None) -> Tensor:
    """Return the logarithm of the softmax along an axis."""
    return ops.log_softmax(input if dtype is None else input.astype(dtype), dim)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return the input above 0, and the input times the slope below."""
    return ops.leaky_relu(input, negative_slope)
