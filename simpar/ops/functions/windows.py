"""The ops as functions, under MindSpore's lower-case names: windows over sequences and volumes, means over groups."""

from collections.abc import Sequence

from simpar.errors import RuleError
from simpar.ops._windows import numbers_of, pads_of
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "avg_pool1d",
    "avg_pool3d",
    "conv1d",
    "conv3d",
    "group_norm",
    "max_pool3d",
]

Numbers = int | Sequence[int]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    pad_mode: str = "valid",
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of sequences (n, c, w) with a weight (out, c / groups, kernel); see ``conv2d``.

    >>> conv1d(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[1.0, 1.0]]])).tolist()
    [[[3.0, 6.0]]]
    """
    steps, spread = (1, *numbers_of(stride, 1)), (1, *numbers_of(dilation, 1))
    size, kernel = (1, input.shape[2]), (1, weight.shape[2])
    pads = pads_of(pad_mode, (0, 0, padding, padding), size, kernel, steps, spread)
    image, matrix = input.expand_dims(2), weight.expand_dims(2)
    made = one("conv2d", image, matrix, stride=steps, pads=pads, dilation=spread, group=groups).squeeze(2)
    return made if bias is None else made + bias.reshape(1, -1, 1)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    pad_mode: str = "valid",
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of volumes (n, c, d, h, w) with a weight (out, c / groups, three lengths).

    Args:
        input, weight: the operands.
        bias: (out,).
        stride, dilation: one number, or three.
        pad_mode: ``"valid"``, ``"same"`` or ``"pad"``.
        padding: with ``"pad"``: one number, three, or two for each axis.
        groups: into how many groups the channels fall.
    """
    steps, spread = numbers_of(stride, 3), numbers_of(dilation, 3)
    pads = pads_of(pad_mode, padding, input.shape[2:], weight.shape[2:], steps, spread)
    made = one("conv3d", input, weight, stride=steps, pads=pads, dilation=spread, group=groups)
    return made if bias is None else made + bias.reshape(1, -1, 1, 1, 1)


def max_pool3d(x: Tensor, kernel_size: Numbers, stride: Numbers | None = None, padding: Numbers = 0) -> Tensor:
    """Return the largest value of each window of volumes (n, c, d, h, w); windows touch if ``stride`` is None."""
    size, steps = numbers_of(kernel_size, 3), numbers_of(kernel_size if stride is None else stride, 3)
    pads = pads_of("pad", padding, x.shape[2:], size, steps, (1, 1, 1))
    return one("max_pool", x, kernel=size, stride=steps, pads=pads)


def avg_pool3d(
    input_x: Tensor,
    kernel_size: Numbers = 1,
    stride: Numbers | None = 1,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of volumes (n, c, d, h, w).

    Args:
        input_x: the volumes.
        kernel_size, stride: one number, or three.
        padding: one number, three, or two for each axis.
        ceil_mode: not in simpar.
        count_include_pad: whether padding counts as zeros.

    Raises:
        RuleError: ``ceil_mode`` is asked for.
    """
    if ceil_mode:
        raise RuleError("avg_pool3d: simpar has no ceil_mode; pad the volumes.")
    size, steps = numbers_of(kernel_size, 3), numbers_of(kernel_size if stride is None else stride, 3)
    pads = pads_of("pad", padding, input_x.shape[2:], size, steps, (1, 1, 1))
    return one("avg_pool", input_x, kernel=size, stride=steps, pads=pads, count_pads=count_include_pad)


def avg_pool1d(
    input_x: Tensor,
    kernel_size: int = 1,
    stride: int | None = 1,
    padding: int = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of sequences (n, c, w); arguments as of ``avg_pool3d``.

    >>> avg_pool1d(Tensor([[[1.0, 3.0, 5.0]]]), 2).tolist()
    [[[2.0, 4.0]]]
    """
    step = kernel_size if stride is None else stride
    flat = input_x.reshape(*input_x.shape[:2], 1, 1, input_x.shape[2])
    around = (0, 0, padding)
    made = avg_pool3d(flat, (1, 1, kernel_size), (1, 1, step), around, ceil_mode, count_include_pad)
    return made.reshape(*input_x.shape[:2], made.shape[-1])


def adaptive_avg_pool1d(input: Tensor, output_size: int) -> Tensor:
    """Return as many means of sequences (n, c, w) as asked for, each over an equal part, as far as that goes.

    >>> adaptive_avg_pool1d(Tensor([[[1.0, 3.0, 5.0, 7.0]]]), 2).tolist()
    [[[2.0, 6.0]]]
    """
    return _means(input, (output_size,), 1)


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None]) -> Tensor:
    """Return images (n, c, h, w) of another size, each pixel the mean of those that it lies over.

    Args:
        input: the images.
        output_size: one number, or two; None for as many as there are.
    """
    return _means(input, output_size, 2)


def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None]) -> Tensor:
    """Return volumes (n, c, d, h, w) of another size; see ``adaptive_avg_pool2d``."""
    return _means(input, output_size, 3)


def _means(x: Tensor, given: int | Sequence[int | None], axes: int) -> Tensor:
    """Return the means; a batch may be missing, as in ``(c, h, w)``."""
    if x.ndim == axes + 1:
        return _means(x.expand_dims(0), given, axes).squeeze(0)
    wanted = (given,) * axes if isinstance(given, int) else tuple(given)
    if len(wanted) != axes or x.ndim != axes + 2:
        raise RuleError(f"an input of shape {x.shape} cannot have means of size {given}; give {axes} numbers.")
    size = tuple(n if m is None else m for n, m in zip(x.shape[2:], wanted, strict=True))
    return one("resize", x, size=size, mode="mean", align=False, half=False)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + eps) * weight + bias``, mean and variance over groups of channels.

    Args:
        input: x (n, c, ...).
        num_groups: into how many groups the channels fall.
        weight, bias: (c,), left out if None.
        eps: added to the variance.

    Raises:
        RuleError: the groups do not divide the channels.

    >>> group_norm(Tensor([[[1.0], [3.0]]]), 1, eps=0.0).tolist()
    [[[-1.0], [1.0]]]
    """
    n, channels = input.shape[:2]
    if num_groups < 1 or channels % num_groups:
        raise RuleError(f"{num_groups} groups do not divide the {channels} channels of shape {input.shape}.")
    groups = input.reshape(n, num_groups, -1)
    count = groups.shape[-1]
    far = groups - one("reduce_mean", groups, axis=(2,), keep_dims=True, count=count)
    spread = one("reduce_mean", far * far, axis=(2,), keep_dims=True, count=count)
    made = (far * one("rsqrt", spread + eps)).reshape(*input.shape)
    row = (1, channels, *(1,) * (input.ndim - 2))
    made = made if weight is None else made * weight.reshape(*row)
    return made if bias is None else made + bias.reshape(*row)
