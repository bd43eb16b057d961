"""Functions of layers and losses under the names of ``mindspore.mint.nn.functional``."""

from simpar import ops
from simpar.dtype import DType
from simpar.mint.nn import windows
from simpar.mint.nn.windows import *  # noqa: F403
from simpar.ops import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    conv_transpose2d,
    cosine_embedding_loss,
    cross_entropy,
    dropout,
    dropout2d,
    elu,
    embedding,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    interpolate,
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
    soft_margin_loss,
    softplus,
    softshrink,
    tanh,
    threshold,
)
from simpar.tensor import Tensor, axis_of

__all__: list[str] = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softplus",
    "softshrink",
    "tanh",
    "threshold",
]
__all__ += [name for name in windows.__all__ if name != "sides"]


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


def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return target * (log(target) - input) for logarithms; ``log_target``: the target is a logarithm too."""
    return ops.kl_div(input, ops.exp(target) if log_target else target, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return half the squared difference by ``beta`` below it, and the absolute difference less beta / 2 above."""
    return ops.smooth_l1_loss(input, target, beta, reduction)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return the input divided by its p-norm along an axis, and by at least ``eps``."""
    return input / ops.maximum(ops.vector_norm(input, p, (axis_of(dim, input.ndim),), True), eps)
