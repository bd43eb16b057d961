"""The ops as functions, under MindSpore's lower-case names: images in another size, and convolutions turned round."""

from collections.abc import Sequence

from simpar.errors import RuleError
from simpar.ops._windows import numbers_of
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = ["conv_transpose2d", "interpolate"]

Numbers = int | Sequence[int]


def interpolate(
    input: Tensor,
    size: Numbers | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Return images (n, c, h, w) in another size.

    Args:
        input: the images.
        size: rows and columns, one number for both.
        scale_factor: in place of ``size``: how many times as large.
        mode: ``"nearest"`` or ``"bilinear"``.
        align_corners: whether the corners of both lie on each other; for ``"bilinear"`` alone.
        recompute_scale_factor: without meaning here.

    Raises:
        RuleError: another mode, or neither or both of size and factor.

    >>> interpolate(Tensor([[[[1.0, 2.0]]]]), (1, 4)).tolist()
    [[[[1.0, 1.0, 2.0, 2.0]]]]
    """
    del recompute_scale_factor
    if mode not in ("nearest", "bilinear"):
        raise RuleError(f"interpolate with mode {mode!r}: choose 'nearest' or 'bilinear'.")
    if (size is None) == (scale_factor is None):
        raise RuleError(f"interpolate takes size or scale_factor; given are {size} and {scale_factor}.")
    if size is None:
        factors = (scale_factor,) * 2 if isinstance(scale_factor, int | float) else tuple(scale_factor or ())
        made = tuple(int(n * f) for n, f in zip(input.shape[2:], factors, strict=True))
    else:
        made = (size,) * 2 if isinstance(size, int) else tuple(size)
    half = mode == "bilinear" and not align_corners
    return one("resize", input, size=made, mode=mode, align=bool(align_corners), half=half)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Tensor:
    """Return the images from which a convolution of this form would make images like ``input``.

    Args:
        input: (n, c, h, w).
        weight: (c, out / groups, kernel rows, kernel columns).
        bias: (out,).
        stride, padding, dilation: of that convolution.
        output_padding: rows and columns that it would not reach.
        groups: into how many groups the channels fall.
    """
    steps, spread = numbers_of(stride), numbers_of(dilation)
    around, more = (_two(n) for n in (padding, output_padding))
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, s, p, d, k, m in zip(input.shape[2:], steps, around, spread, weight.shape[2:], more, strict=True)
    )
    pads = (around[0], around[0], around[1], around[1])
    made = one("conv2d_grad_input", input, weight, size=size, stride=steps, pads=pads, dilation=spread, group=groups)
    return made if bias is None else made + bias.reshape(1, -1, 1, 1)


def _two(given: Numbers) -> tuple[int, int]:
    numbers = (given, given) if isinstance(given, int) else tuple(given)
    return numbers[0], numbers[1]
