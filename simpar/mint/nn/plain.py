"""Layers and losses without Parameters: each calls a function with the options that it was made with."""

from collections.abc import Callable, Sequence
from typing import Any

from simpar import nn, ops
from simpar.mint.nn import functional, windows
from simpar.mint.nn.windows import Numbers
from simpar.tensor import Tensor

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "KLDivLoss",
    "LogSigmoid",
    "MaxPool2d",
    "Mish",
    "NLLLoss",
    "ReLU6",
    "SmoothL1Loss",
    "Softplus",
]


class _Applied(nn.Cell):
    """Calls a function of one input, or of predictions and targets, with options."""

    def __init__(self, function: Callable[..., Any], *options: Any, **named: Any) -> None:
        super().__init__()
        self._function, self._options, self._named = function, options, named

    def construct(self, *inputs: Tensor) -> Any:
        """Return what the function makes of the inputs."""
        return self._function(*inputs, *self._options, **self._named)


class Flatten(_Applied):
    """Merges the axes from ``start_dim`` to ``end_dim``."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(windows.flatten, start_dim, end_dim)


class MaxPool2d(_Applied):
    """Takes the largest element of each window; arguments as of ``functional.max_pool2d``."""

    def __init__(
        self,
        kernel_size: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        dilation: Numbers = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(windows.max_pool2d, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


class AvgPool1d(_Applied):
    """Takes the mean of each window of sequences; arguments as of ``functional.avg_pool1d``."""

    def __init__(
        self,
        kernel_size: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(windows.avg_pool1d, kernel_size, stride, padding, ceil_mode, count_include_pad)


class AvgPool2d(_Applied):
    """Takes the mean of each window of images; arguments as of ``functional.avg_pool2d``."""

    def __init__(
        self,
        kernel_size: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        how = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
        super().__init__(windows.avg_pool2d, *how)


class AvgPool3d(_Applied):
    """Takes the mean of each window of volumes; arguments as of ``functional.avg_pool3d``."""

    def __init__(
        self,
        kernel_size: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        how = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
        super().__init__(windows.avg_pool3d, *how)


class AdaptiveAvgPool1d(_Applied):
    """Takes the means of so many windows of sequences."""

    def __init__(self, output_size: int) -> None:
        super().__init__(ops.adaptive_avg_pool1d, output_size)


class AdaptiveAvgPool2d(_Applied):
    """Takes the means of so many windows of rows and columns; None leaves an axis as it is."""

    def __init__(self, output_size: int | Sequence[int | None]) -> None:
        super().__init__(ops.adaptive_avg_pool2d, output_size)


class AdaptiveAvgPool3d(_Applied):
    """Takes the means of so many windows of volumes; None leaves an axis as it is."""

    def __init__(self, output_size: int | Sequence[int | None]) -> None:
        super().__init__(ops.adaptive_avg_pool3d, output_size)


class Dropout(nn.Cell):
    """Makes a random part ``p`` of the elements 0 in training, and divides the others by what is left."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        del inplace
        super().__init__()
        self.p = p

    def construct(self, input: Tensor) -> Tensor:
        """Return the input with elements dropped; outside of training the input itself."""
        return functional.dropout(input, self.p, self.training)


# --- activations ---


class ELU(_Applied):
    """Computes x above 0, and ``alpha * (exp(x) - 1)`` below."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.elu, alpha)


class GELU(_Applied):
    """Computes ``x * Phi(x)``; with ``approximate="tanh"`` by a tanh that is close to it."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(functional.gelu, approximate=approximate)


class SELU(_Applied):
    """Computes the scaled exponential linear unit."""

    def __init__(self, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.selu)


class ReLU6(_Applied):
    """Keeps x between 0 and 6."""

    def __init__(self, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.relu6)


class Hardtanh(_Applied):
    """Keeps x between two numbers."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.hardtanh, min_val, max_val)


class Hardshrink(_Applied):
    """Makes 0 what is at most ``lambd`` away from it."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(functional.hardshrink, lambd)


class Hardsigmoid(_Applied):
    """Computes ``relu6(x + 3) / 6``."""

    def __init__(self, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.hardsigmoid)


class Hardswish(_Applied):
    """Computes ``x * relu6(x + 3) / 6``."""

    def __init__(self, inplace: bool = False) -> None:
        del inplace
        super().__init__(functional.hardswish)


class Mish(_Applied):
    """Computes ``x * tanh(log(1 + exp(x)))``."""

    def __init__(self) -> None:
        super().__init__(functional.mish)


class LogSigmoid(_Applied):
    """Computes the logarithm of the sigmoid."""

    def __init__(self) -> None:
        super().__init__(functional.logsigmoid)


class Softplus(_Applied):
    """Computes ``log(1 + exp(beta * x)) / beta``; x itself where ``beta * x`` is above ``threshold``."""

    def __init__(self, beta: float = 1, threshold: float = 20) -> None:
        super().__init__(functional.softplus, beta, threshold)


# --- losses ---


class CrossEntropyLoss(_Applied):
    """Is the loss of logits and classes, or their probabilities; arguments as of ``functional.cross_entropy``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(functional.cross_entropy, weight, ignore_index, reduction, label_smoothing)


class NLLLoss(_Applied):
    """Is the loss of logarithms of probabilities and classes; arguments as of ``functional.nll_loss``."""

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(functional.nll_loss, weight, ignore_index, reduction)


class KLDivLoss(_Applied):
    """Is the divergence of logarithms of probabilities from a target."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(functional.kl_div, reduction, log_target)


class BCELoss(_Applied):
    """Is the binary cross entropy of probabilities."""

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(functional.binary_cross_entropy, weight, reduction)


class BCEWithLogitsLoss(_Applied):
    """Is the binary cross entropy of logits."""

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(functional.binary_cross_entropy_with_logits, weight, pos_weight, reduction)


class SmoothL1Loss(_Applied):
    """Is quadratic near the target and linear further away; arguments as of ``functional.smooth_l1_loss``."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(functional.smooth_l1_loss, reduction, beta)
