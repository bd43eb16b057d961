"""Convolutions, poolings and batch normalization under the names of ``mindspore.mint.nn.functional``."""

from collections.abc import Sequence

from simpar import ops
from simpar.errors import NotYetError
from simpar.ops import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, grid_sample, group_norm
from simpar.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "conv3d",
    "flatten",
    "grid_sample",
    "group_norm",
    "max_pool2d",
    "sides",
]

Numbers = int | Sequence[int]


def sides(padding: Numbers, axes: int) -> tuple[int, ...]:
    """Return how much is put before and behind each axis, of one number for both.

    >>> sides(1, 2), sides((1, 0), 2)
    ((1, 1, 1, 1), (1, 1, 0, 0))
    """
    each = (padding,) * axes if isinstance(padding, int) else tuple(padding) * (axes if len(padding) == 1 else 1)
    return tuple(n for n in each for _ in range(2))


def _only(given: Numbers) -> int:
    return given if isinstance(given, int) else given[0]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return sequences (n, c, w) convolved with kernels (o, c / groups, k)."""
    how = (padding, 0) if isinstance(padding, str) else ("pad", _only(padding))
    return ops.conv1d(input, weight, bias, _only(stride), *how, _only(dilation), groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return images (n, c, h, w) convolved with kernels (o, c / groups, k, l).

    Args:
        input, weight, bias: the images, the kernels, and (o,).
        stride, dilation: steps of the kernel, and between its elements.
        padding: zeros on both sides of rows and columns, or ``"same"`` or ``"valid"``.
        groups: into how many groups the channels are split.
    """
    how = (padding, 0) if isinstance(padding, str) else ("pad", sides(padding, 2))
    return ops.conv2d(input, weight, bias, stride, *how, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return volumes (n, c, d, h, w) convolved with kernels (o, c / groups, k, l, m)."""
    how = (padding, 0) if isinstance(padding, str) else ("pad", sides(padding, 3))
    return ops.conv3d(input, weight, bias, stride, *how, dilation, groups)


def max_pool2d(
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element of each window, and where it stands if asked to; see ``simpar.ops.max_pool2d``.

    Raises:
        NotYetError: windows with gaps, or windows beyond the edge, are wanted.
    """
    if return_indices:
        return ops.max_pool2d(input, kernel_size, stride, padding, dilation, return_indices=True, ceil_mode=ceil_mode)
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)


def avg_pool1d(
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of sequences (n, c, w)."""
    step = _only(kernel_size if stride is None else stride)
    return ops.avg_pool1d(input, _only(kernel_size), step, _only(padding), ceil_mode, count_include_pad)


def avg_pool2d(
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of images (n, c, h, w).

    Raises:
        NotYetError: windows beyond the edge, or another divisor, are wanted.
    """
    if ceil_mode or divisor_override is not None:
        raise NotYetError("avg_pool2d takes ceil_mode=False and divisor_override=None.")
    return ops.avg_pool2d(input, kernel_size, kernel_size if stride is None else stride, padding, count_include_pad)


def avg_pool3d(
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of volumes (n, c, d, h, w).

    Raises:
        NotYetError: another divisor is wanted.
    """
    if divisor_override is not None:
        raise NotYetError("avg_pool3d takes divisor_override=None.")
    step = kernel_size if stride is None else stride
    return ops.avg_pool3d(input, kernel_size, step, padding, ceil_mode, count_include_pad)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return channels normalized by the batch's statistics in training, which Parameters given follow; else by these.

    Args:
        input: (n, c, ...).
        running_mean, running_var, weight, bias: (c,); None for zeros, ones, ones and zeros.
        training: whether statistics are those of the batch.
        momentum: how much of them goes into the running ones.
        eps: added to the variance.
    """
    channels = (input.shape[1],)
    zeros, ones = ops.zeros(channels, input.dtype), ops.ones(channels, input.dtype)
    vectors = (ones if weight is None else weight, zeros if bias is None else bias)
    held = (zeros if running_mean is None else running_mean, ones if running_var is None else running_var)
    return ops.BatchNorm(training, eps, momentum)(input, *vectors, *held)[0]


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the input with the axes from ``start_dim`` to ``end_dim`` merged into one."""
    return ops.flatten(input, start_dim=start_dim, end_dim=end_dim)
