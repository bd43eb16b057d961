"""Conv2d, MaxPool2d, AvgPool2d on images of shape (n, c, h, w)."""

from math import sqrt
from typing import Any

from simpar import ops
from simpar.dtype import DType, float32
from simpar.errors import ContextError
from simpar.initializer import HeUniform, Uniform
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import check_length, initial
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["AvgPool2d", "Conv2d", "MaxPool2d"]

Pair = int | tuple[int, int]


def _pair(given: Pair) -> tuple[int, int]:
    return (given, given) if isinstance(given, int) else given


class Conv2d(Cell):
    """Convolves images with kernels.

    Args:
        in_channels: channels c of the images.
        out_channels: channels o of the result.
        kernel_size: height and width (k, l) of a kernel, or one int for both.
        stride: step of the kernel.
        pad_mode: ``"same"`` (the result has h / stride rows), ``"valid"`` (no padding) or ``"pad"`` (by ``padding``).
        padding: with ``"pad"``: how many zeros on each side; an int, or top, bottom, left, right.
        dilation: step between the elements of a kernel.
        group: into how many groups the channels are split.
        has_bias: whether there is a bias.
        weight_init: what fills ``weight`` (o, c / group, k, l); HeUniform if None.
        bias_init: what fills ``bias`` (o,); Uniform between ±1/sqrt(c / group * k * l) if None.
        data_format: ``"NCHW"``.
        dtype: the element type of the Parameters.

    Raises:
        ContextError: a number is out of range, or the groups do not divide the channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        pad_mode: str = "same",
        padding: int | tuple[int, int, int, int] = 0,
        dilation: Pair = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCHW",
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        for name, length in (("in_channels", in_channels), ("out_channels", out_channels), ("group", group)):
            check_length("Conv2d", name, length)
        if data_format != "NCHW":
            raise ContextError(f"Conv2d's data_format is {data_format!r}; simpar has 'NCHW'.")
        if in_channels % group or out_channels % group:
            raise ContextError(f"{group} groups do not divide {in_channels} and {out_channels} channels.")
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, _pair(kernel_size)
        shape = (out_channels, in_channels // group, *self.kernel_size)
        weight = HeUniform(sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initial(weight, shape, dtype, "the weight of Conv2d"))
        self.bias: Parameter | None = None
        if has_bias:
            bias = Uniform(1 / sqrt(shape[1] * shape[2] * shape[3])) if bias_init is None else bias_init
            self.bias = Parameter(initial(bias, (out_channels,), dtype, "the bias of Conv2d"))
        self.conv2d = ops.Conv2D(
            out_channel=out_channels,
            kernel_size=self.kernel_size,
            pad_mode=pad_mode,
            pad=padding,
            stride=stride,
            dilation=dilation,
            group=group,
        )
        self.bias_add = ops.BiasAdd()

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, o, h', w')."""
        x = self.conv2d(x, self.weight)
        return x if self.bias is None else self.bias_add(x, self.bias)

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"input_channels={self.in_channels}, output_channels={self.out_channels}, kernel_size={self.kernel_size}"


class _Pool2d(Cell):
    """Slides a window over images."""

    def __init__(self, primitive: Any) -> None:
        super().__init__()
        self.primitive = primitive

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, c, h', w')."""
        return self.primitive(x)


class MaxPool2d(_Pool2d):
    """Takes the largest element of each window.

    Args:
        kernel_size: height and width of the window, or one int for both.
        stride: step of the window.
        pad_mode: ``"same"`` or ``"valid"``.
    """

    def __init__(self, kernel_size: Pair = 1, stride: Pair = 1, pad_mode: str = "valid") -> None:
        super().__init__(ops.MaxPool(kernel_size=kernel_size, strides=stride, pad_mode=pad_mode))
        self.max_pool = self.primitive


class AvgPool2d(_Pool2d):
    """Takes the mean of each window.

    Args:
        kernel_size: height and width of the window, or one int for both.
        stride: step of the window.
        pad_mode: ``"same"`` or ``"valid"``.
    """

    def __init__(self, kernel_size: Pair = 1, stride: Pair = 1, pad_mode: str = "valid") -> None:
        super().__init__(ops.AvgPool(kernel_size=kernel_size, strides=stride, pad_mode=pad_mode))
        self.avg_pool = self.primitive
