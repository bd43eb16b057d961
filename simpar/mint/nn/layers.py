"""Layers that hold Parameters, with PyTorch's arguments and defaults: each a layer of ``simpar.nn`` or a few lines."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

from simpar import nn, ops
from simpar.dtype import DType, float32
from simpar.errors import NotYetError
from simpar.initializer import HeUniform, Normal, Uniform, initializer
from simpar.mint.nn.functional import embedding, layer_norm
from simpar.mint.nn.windows import Numbers, batch_norm, conv1d, sides
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Embedding",
    "GroupNorm",
    "LayerNorm",
    "Linear",
    "PReLU",
]


def _vector(fill: object, shape: Sequence[int], dtype: DType | None, name: str, trained: bool = True) -> Parameter:
    return Parameter(initializer(fill, tuple(shape), dtype or float32), name=name, requires_grad=trained)


class Linear(nn.Dense):
    """Computes ``x @ weight.T + bias``.

    Args:
        in_features, out_features: lengths of the last axis of x and of the result.
        bias: whether there is a bias.
        weight_init, bias_init, dtype: as of ``simpar.nn.Dense``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(in_features, out_features, weight_init, bias_init, bias, dtype=dtype or float32)


def _padded(padding: Numbers | str, axes: int, padding_mode: str) -> dict[str, Any]:
    """Return what simpar's convolutions are told about padding.

    Raises:
        NotYetError: something else than zeros is wanted beyond the edge.
    """
    if padding_mode != "zeros":
        raise NotYetError(f"padding_mode is {padding_mode!r}: convolutions pad with 'zeros'. Use ops.pad before them.")
    if isinstance(padding, str):
        return {"pad_mode": padding}
    each = sides(padding, axes)
    return {"pad_mode": "pad", "padding": each}


class Conv1d(nn.Cell):
    """Convolves sequences (n, c, w) with kernels; arguments as of ``Conv2d``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        _padded(padding, 1, padding_mode)  # which refuses what is not in simpar
        taken = in_channels // groups
        self.weight = _vector(HeUniform(sqrt(5)), (out_channels, taken, kernel_size), dtype, "weight")
        reach = 1 / sqrt(taken * kernel_size)
        self.bias = _vector(Uniform(reach), (out_channels,), dtype, "bias") if bias else None
        self._how = (stride, padding, dilation, groups)

    def construct(self, x: Tensor) -> Tensor:
        """Return the sequences convolved."""
        return conv1d(x, self.weight, self.bias, *self._how)


class Conv2d(nn.Conv2d):
    """Convolves images (n, c, h, w) with kernels.

    Args:
        in_channels, out_channels: channels of the images and of the result.
        kernel_size, stride, dilation: of the kernels; one number for all axes or one for each.
        padding: zeros on both sides of each axis, or ``"same"`` or ``"valid"``.
        groups: into how many groups the channels are split.
        bias: whether there is a bias.
        padding_mode: ``"zeros"``.
        dtype: the element type of the Parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Numbers | str = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: DType | None = None,
    ) -> None:
        how: dict[str, Any] = {"dilation": dilation, "group": groups, "has_bias": bias, "dtype": dtype or float32}
        pads = _padded(padding, 2, padding_mode)
        super().__init__(in_channels, out_channels, kernel_size, stride, **pads, **how)


class Conv3d(nn.Conv3d):
    """Convolves volumes (n, c, d, h, w) with kernels; arguments as of ``Conv2d``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Numbers | str = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: DType | None = None,
    ) -> None:
        how: dict[str, Any] = {"dilation": dilation, "group": groups, "has_bias": bias, "dtype": dtype or float32}
        pads = _padded(padding, 3, padding_mode)
        super().__init__(in_channels, out_channels, kernel_size, stride, **pads, **how)


class Embedding(nn.Cell):
    """Looks rows up in a table.

    Args:
        num_embeddings, embedding_dim: rows and columns of ``weight``, which is filled by a standard normal.
        padding_idx: a row of zeros that is not trained.
        dtype: the element type.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, dtype: DType | None = None
    ) -> None:
        super().__init__()
        self.weight = _vector(Normal(1.0), (num_embeddings, embedding_dim), dtype, "weight")
        self.padding_idx = padding_idx

    def construct(self, x: Tensor) -> Tensor:
        """Return a row for each number."""
        return embedding(x, self.weight, self.padding_idx)


class LayerNorm(nn.Cell):
    """Normalizes the last axes by their own mean and variance.

    Args:
        normalized_shape: the lengths of these axes.
        eps: added to the variance.
        elementwise_affine: whether ``weight`` and ``bias`` are trained.
        bias: whether there is a bias.
        dtype: the element type of the Parameters.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = _vector("ones", self.normalized_shape, dtype, "weight", elementwise_affine)
        self.bias = _vector("zeros", self.normalized_shape, dtype, "bias", elementwise_affine and bias)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class _BatchNorm(nn.Cell):
    """Is what the three have in common; ``BatchNorm2d`` says what they do."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track_running_stats
        self.weight = _vector("ones", (num_features,), dtype, "weight", affine)
        self.bias = _vector("zeros", (num_features,), dtype, "bias", affine)
        self.running_mean = self.running_var = None
        if track_running_stats:
            self.running_mean = _vector("zeros", (num_features,), dtype, "running_mean", trained=False)
            self.running_var = _vector("ones", (num_features,), dtype, "running_var", trained=False)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        of_batch = self.training or not self.track_running_stats
        held = (self.running_mean, self.running_var)
        return batch_norm(x, *held, self.weight, self.bias, of_batch, self.momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalizes the channels of (n, c) or (n, c, w); arguments as of ``BatchNorm2d``."""


class BatchNorm2d(_BatchNorm):
    """Normalizes the channels of images (n, c, h, w): by the batch's statistics in training, else by the running ones.

    Args:
        num_features: channels c.
        eps: added to the variance.
        momentum: how much of the batch's statistics goes into the running ones.
        affine: whether ``weight`` and ``bias`` are trained.
        track_running_stats: whether there are running statistics; without, those of the batch are always taken.
        dtype: the element type of the Parameters.
    """


class BatchNorm3d(_BatchNorm):
    """Normalizes the channels of volumes (n, c, d, h, w); arguments as of ``BatchNorm2d``."""


class GroupNorm(nn.Cell):
    """Normalizes groups of channels of each image; arguments as of ``simpar.nn.GroupNorm``."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.num_groups, self.eps = num_groups, eps
        self.weight = _vector("ones", (num_channels,), dtype, "weight", affine)
        self.bias = _vector("zeros", (num_channels,), dtype, "bias", affine)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        return ops.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class PReLU(nn.Cell):
    """Multiplies what is below 0 by a trained slope: one for all, or one for each channel.

    Args:
        num_parameters: 1, or the channels c of (n, c, ...).
        init: the slope at the start.
        dtype: the element type of ``weight``.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: DType | None = None) -> None:
        super().__init__()
        self.weight = _vector(init, (num_parameters,), dtype, "weight")

    def construct(self, x: Tensor) -> Tensor:
        """Return x where it is above 0, and x times its slope elsewhere."""
        return ops.prelu(x, self.weight)
