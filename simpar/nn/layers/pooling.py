"""Poolings of sequences (n, c, w), images (n, c, h, w) and volumes (n, c, d, h, w)."""

from collections.abc import Callable, Sequence
from typing import Any

from simpar import ops
from simpar.errors import NotYetError, RuleError
from simpar.nn.cell import Cell
from simpar.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]

Numbers = int | Sequence[int]


class _Pool(Cell):
    """Slides a window over what follows the channels."""

    def __init__(self, primitive: Callable[[Tensor], Any], **not_here: Any) -> None:
        super().__init__()
        for name, given in not_here.items():
            if given is True or given not in (False, None, 1):
                raise NotYetError(f"{type(self).__name__}({name}={given!r}): simpar has no {name}.")
        self.primitive = primitive

    def construct(self, x: Tensor) -> Any:
        """Return one value for each window, and where it stands if that was asked for."""
        return self.primitive(x)


class _Pool1d(_Pool):
    """Slides a window over sequences, as images of one row."""

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, c, w')."""
        return self.primitive(x.reshape(*x.shape[:2], 1, 1, x.shape[2])).squeeze((2, 3))


class MaxPool1d(_Pool1d):
    """Takes the largest element of each window of sequences (n, c, w).

    Args:
        kernel_size, stride: length and step of the window.
        pad_mode: ``"same"``, ``"valid"`` or ``"pad"``.
        padding: with ``"pad"``: how many on each side; they are never the largest.
        dilation, return_indices, ceil_mode: as MindSpore leaves them.
    """

    def __init__(
        self,
        kernel_size: int = 1,
        stride: int = 1,
        pad_mode: str = "valid",
        padding: int = 0,
        dilation: int = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        pool = ops.operations.MaxPool3D((1, 1, kernel_size), (1, 1, stride), pad_mode, (0, 0, padding))
        super().__init__(pool, dilation=dilation, return_indices=return_indices, ceil_mode=ceil_mode)
        self.max_pool = self.primitive


class AvgPool1d(_Pool1d):
    """Takes the mean of each window of sequences (n, c, w).

    Args:
        kernel_size, stride, pad_mode, padding, ceil_mode: as of ``MaxPool1d``.
        count_include_pad: with ``"pad"``: whether padding counts as zeros.
    """

    def __init__(
        self,
        kernel_size: int = 1,
        stride: int = 1,
        pad_mode: str = "valid",
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        window, step = (1, 1, kernel_size), (1, 1, stride)
        pool = ops.operations.AvgPool3D(window, step, pad_mode, (0, 0, padding), count_include_pad=count_include_pad)
        super().__init__(pool, ceil_mode=ceil_mode)
        self.avg_pool = self.primitive


class MaxPool2d(_Pool):
    """Takes the largest element of each window of images.

    Args:
        kernel_size: height and width of the window, or one int for both.
        stride: step of the window.
        pad_mode: ``"same"``, ``"valid"`` or ``"pad"``.
        padding: with ``"pad"``: rows and columns round the image, which are never the largest.
        return_indices: with ``"pad"``: return also where each stands; see ``ops.max_pool2d``.
        dilation, ceil_mode: as MindSpore leaves them.
        data_format: ``"NCHW"``, or ``"NHWC"`` for images (n, h, w, c).

    Raises:
        RuleError: ``return_indices`` with another ``pad_mode``, or with ``"NHWC"``.
    """

    def __init__(
        self,
        kernel_size: Numbers = 1,
        stride: Numbers = 1,
        pad_mode: str = "valid",
        padding: Numbers = 0,
        dilation: int = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        data_format: str = "NCHW",
    ) -> None:
        pool = ops.MaxPool(kernel_size, stride, pad_mode, data_format, padding=padding)
        if return_indices and (pad_mode.lower() != "pad" or data_format != "NCHW"):
            raise RuleError(
                f"MaxPool2d(return_indices=True) takes pad_mode 'pad' and data_format 'NCHW', not {pad_mode!r} and "
                f"{data_format!r}."
            )
        placed = ops.MaxPoolWithArgmaxV2(kernel_size, stride, padding) if return_indices else pool
        super().__init__(placed, dilation=dilation, ceil_mode=ceil_mode)
        self.max_pool = self.primitive


class AvgPool2d(_Pool):
    """Takes the mean of each window of images.

    Args:
        kernel_size, stride, pad_mode, padding, ceil_mode, data_format: as of ``MaxPool2d``.
        count_include_pad: with ``"pad"``: whether padding counts as zeros.
        divisor_override: as MindSpore leaves it.
    """

    def __init__(
        self,
        kernel_size: Numbers = 1,
        stride: Numbers = 1,
        pad_mode: str = "valid",
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        data_format: str = "NCHW",
    ) -> None:
        counted = count_include_pad and pad_mode.lower() == "pad"
        pool = ops.AvgPool(kernel_size, stride, pad_mode, data_format, padding=padding, count_include_pad=counted)
        super().__init__(pool, ceil_mode=ceil_mode, divisor_override=divisor_override)
        self.avg_pool = self.primitive


class MaxPool3d(_Pool):
    """Takes the largest element of each window of volumes; arguments as of ``MaxPool2d``."""

    def __init__(
        self,
        kernel_size: Numbers = 1,
        stride: Numbers = 1,
        pad_mode: str = "valid",
        padding: Numbers = 0,
        dilation: int = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        pool = ops.operations.MaxPool3D(kernel_size, stride, pad_mode, padding)
        super().__init__(pool, dilation=dilation, return_indices=return_indices, ceil_mode=ceil_mode)
        self.max_pool = self.primitive


class AvgPool3d(_Pool):
    """Takes the mean of each window of volumes; arguments as of ``AvgPool2d``."""

    def __init__(
        self,
        kernel_size: Numbers = 1,
        stride: Numbers = 1,
        pad_mode: str = "valid",
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        pool = ops.operations.AvgPool3D(kernel_size, stride, pad_mode, padding, count_include_pad=count_include_pad)
        super().__init__(pool, ceil_mode=ceil_mode, divisor_override=divisor_override)
        self.avg_pool = self.primitive


class AdaptiveAvgPool1d(Cell):
    """Takes as many means of sequences (n, c, w) as ``output_size`` says."""

    def __init__(self, output_size: int) -> None:
        super().__init__()
        self.output_size = output_size

    def construct(self, input: Tensor) -> Tensor:
        """Return the result of shape (n, c, output_size)."""
        return ops.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(Cell):
    """Makes images of ``output_size``, one number or two, of which None leaves an axis as it is."""

    def __init__(self, output_size: int | tuple[int | None, ...]) -> None:
        super().__init__()
        self.output_size = output_size

    def construct(self, input: Tensor) -> Tensor:
        """Return the images; each pixel is the mean of those that it lies over."""
        return ops.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(Cell):
    """Makes volumes of ``output_size``, one number or three, of which None leaves an axis as it is."""

    def __init__(self, output_size: int | tuple[int | None, ...]) -> None:
        super().__init__()
        self.output_size = output_size

    def construct(self, input: Tensor) -> Tensor:
        """Return the volumes; each place is the mean of those that it lies over."""
        return ops.adaptive_avg_pool3d(input, self.output_size)
