"""Functions of layers and losses under the names of ``mindspore.mint.nn.functional``."""

from simpar import ops
from simpar.dtype import DType
from simpar.ops import (
    cross_entropy,
    dropout,
    gelu,
    l1_loss,
    layer_norm,
    mse_loss,
    nll_loss,
    one_hot,
    pad,
    relu,
    sigmoid,
    silu,
    tanh,
)
from simpar.tensor import Tensor

__all__ = [
    "cross_entropy",
    "dropout",
    "gelu",
    "l1_loss",
    "layer_norm",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
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
