"""Convolutions of sequences (n, c, w), images (n, c, h, w) and volumes (n, c, d, h, w), and the same turned round."""

from math import prod, sqrt
from typing import Any

from simpar import ops
from simpar.dtype import DType, float32
from simpar.errors import ContextError
from simpar.initializer import HeUniform, Uniform
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import check_length, initial
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["Conv1d", "Conv1dTranspose", "Conv2d", "Conv2dTranspose", "Conv3d", "Conv3dTranspose"]

Numbers = int | tuple[int, ...]


def _numbers(given: Numbers, axes: int) -> tuple[int, ...]:
    return (given,) * axes if isinstance(given, int) else tuple(given)


class _Convolution(Cell):
    """Is what the convolutions share: weight, bias, and the numbers that say how kernels move."""

    _axes, _is_turned, _format = 2, False, "NCHW"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers,
        dilation: Numbers,
        group: int,
        has_bias: bool,
        weight_init: Any,
        bias_init: Any,
        data_format: str,
        dtype: DType,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        for what, length in (("in_channels", in_channels), ("out_channels", out_channels), ("group", group)):
            check_length(name, what, length)
        if data_format != self._format:
            raise ContextError(f"{name}'s data_format is {data_format!r}; simpar has {self._format!r}.")
        if in_channels % group or out_channels % group:
            raise ContextError(f"{group} groups do not divide {in_channels} and {out_channels} channels.")
        self.in_channels, self.out_channels, self.group, self.has_bias = in_channels, out_channels, group, has_bias
        self.kernel_size, self.stride, self.dilation = (
            _numbers(given, self._axes) for given in (kernel_size, stride, dilation)
        )
        for what in ("kernel_size", "stride", "dilation"):
            for length in getattr(self, what):
                check_length(name, what, length)
        channels = (in_channels, out_channels) if self._is_turned else (out_channels, in_channels)
        shape = (channels[0], channels[1] // group, *self.kernel_size)
        weight = HeUniform(sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initial(weight, shape, dtype, f"the weight of {name}"))
        self.bias: Parameter | None = None
        if has_bias:
            bias = Uniform(1 / sqrt(prod(shape[1:]))) if bias_init is None else bias_init
            self.bias = Parameter(initial(bias, (out_channels,), dtype, f"the bias of {name}"))
        self.bias_add = ops.BiasAdd()

    def _biased(self, x: Tensor) -> Tensor:
        return x if self.bias is None else self.bias_add(x, self.bias)

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"input_channels={self.in_channels}, output_channels={self.out_channels}, kernel_size={self.kernel_size}"


class Conv2d(_Convolution):
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
        kernel_size: Numbers,
        stride: Numbers = 1,
        pad_mode: str = "same",
        padding: Numbers = 0,
        dilation: Numbers = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCHW",
        dtype: DType = float32,
    ) -> None:
        how = (stride, dilation, group, has_bias, weight_init, bias_init, data_format, dtype)
        super().__init__(in_channels, out_channels, kernel_size, *how)
        self.conv2d = ops.Conv2D(
            out_channels, self.kernel_size, 1, pad_mode, padding, self.stride, self.dilation, group
        )

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, o, h', w')."""
        return self._biased(self.conv2d(x, self.weight))


class Conv1d(_Convolution):
    """Convolves sequences (n, c, w) with kernels, as images of one row; arguments as of ``Conv2d``, each one int."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        pad_mode: str = "same",
        padding: int = 0,
        dilation: int = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType = float32,
    ) -> None:
        weight_init, how = _in_one_row(weight_init), (group, has_bias)
        one_row = ((1, kernel_size), (1, stride), (1, dilation))
        super().__init__(in_channels, out_channels, *one_row, *how, weight_init, bias_init, "NCHW", dtype)
        self.conv2d = ops.Conv2D(
            out_channels, self.kernel_size, 1, pad_mode, (0, 0, padding, padding), self.stride, self.dilation, group
        )

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, o, w')."""
        return self._biased(self.conv2d(x.expand_dims(2), self.weight)).squeeze(2)


class Conv3d(_Convolution):
    """Convolves volumes (n, c, d, h, w) with kernels; arguments as of ``Conv2d``, with three numbers for two."""

    _axes, _format = 3, "NCDHW"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers = 1,
        pad_mode: str = "same",
        padding: Numbers = 0,
        dilation: Numbers = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCDHW",
        dtype: DType = float32,
    ) -> None:
        how = (stride, dilation, group, has_bias, weight_init, bias_init, data_format, dtype)
        super().__init__(in_channels, out_channels, kernel_size, *how)
        self.conv3d = ops.operations.Conv3D(
            out_channels, self.kernel_size, 1, pad_mode, padding, self.stride, self.dilation, group
        )

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (n, o, d', h', w')."""
        return self._biased(self.conv3d(x, self.weight))


class Conv2dTranspose(_Convolution):
    """Makes the images of which a convolution would make images like those given.

    Args:
        in_channels: channels c of what is given.
        out_channels: channels o of the result.
        kernel_size, stride, pad_mode, padding, dilation, group: of that convolution, as of ``Conv2d``.
        output_padding: rows and columns of zeros put behind the result, with ``pad_mode="pad"``.
        has_bias: whether there is a bias.
        weight_init: what fills ``weight`` (c, o / group, k, l).
        bias_init: what fills ``bias`` (o,).
        dtype: the element type of the Parameters.

    Raises:
        ContextError: a number is out of range, or the groups do not divide the channels.
    """

    _is_turned = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers = 1,
        pad_mode: str = "same",
        padding: Numbers = 0,
        output_padding: Numbers = 0,
        dilation: Numbers = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType = float32,
    ) -> None:
        how = (stride, dilation, group, has_bias, weight_init, bias_init, "NCHW", dtype)
        super().__init__(in_channels, out_channels, kernel_size, *how)
        self.pad_mode, self.padding = pad_mode, _numbers(padding, 4)
        self.output_padding = _numbers(output_padding, 2)
        reaches = zip(self.output_padding, self.stride, self.dilation, strict=True)
        if any(not 0 <= more < max(step, apart) for more, step, apart in reaches) or (
            any(self.output_padding) and pad_mode != "pad"
        ):
            raise ContextError(
                f"{type(self).__name__}'s output_padding {self.output_padding} needs pad_mode 'pad' (it is "
                f"{pad_mode!r}), and must be smaller than stride {self.stride} or dilation {self.dilation}."
            )
        self.conv2d_transpose = ops.operations.Conv2DTranspose(
            in_channels, self.kernel_size, pad_mode, padding, stride=self.stride, dilation=self.dilation, group=group
        )

    def shard(self, in_strategy: Any, *others: Any, **options: Any) -> Any:
        """Give the op its strategy, as MindSpore does for this Cell alone."""
        del others, options
        self.conv2d_transpose.shard(in_strategy)
        return self

    def construct(self, x: Tensor) -> Tensor:
        """Return the images of the output channels."""
        size = (x.shape[0], self.out_channels, *(self._made(i, n) for i, n in enumerate(x.shape[2:])))
        made = self._biased(self.conv2d_transpose(x, self.weight, size))
        rows, columns = self.output_padding
        return ops.Pad(((0, 0), (0, 0), (0, rows), (0, columns)))(made) if rows or columns else made

    def _made(self, axis: int, length: int) -> int:
        """Return how long an axis of the result is."""
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        if self.pad_mode == "same":
            return length * self.stride[axis]
        if self.pad_mode == "valid":
            return length * self.stride[axis] + max(reach - self.stride[axis], 0)
        around = self.padding[2 * axis] + self.padding[2 * axis + 1]
        return length * self.stride[axis] + reach - self.stride[axis] - around


class Conv1dTranspose(Conv2dTranspose):
    """Turns a convolution of sequences (n, c, w) round; arguments as of ``Conv2dTranspose``, each one int."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        pad_mode: str = "same",
        padding: int = 0,
        dilation: int = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType = float32,
    ) -> None:
        how = (group, has_bias, _in_one_row(weight_init), bias_init, dtype)
        around = (0, 0, padding, padding)
        row = ((1, kernel_size), (1, stride), pad_mode, around, 0, (1, dilation))
        super().__init__(in_channels, out_channels, *row, *how)

    def construct(self, x: Tensor) -> Tensor:
        """Return the sequences of the output channels."""
        return super().construct(x.expand_dims(2)).squeeze(2)


class Conv3dTranspose(_Convolution):
    """Turns a convolution of volumes round; arguments as of ``Conv2dTranspose``, with three numbers for two."""

    _axes, _is_turned, _format = 3, True, "NCDHW"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers = 1,
        pad_mode: str = "same",
        padding: Numbers = 0,
        dilation: Numbers = 1,
        group: int = 1,
        output_padding: Numbers = 0,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCDHW",
        dtype: DType = float32,
    ) -> None:
        how = (stride, dilation, group, has_bias, weight_init, bias_init, data_format, dtype)
        super().__init__(in_channels, out_channels, kernel_size, *how)
        geometry = (self.kernel_size, 1, pad_mode, padding, self.stride, self.dilation, group, output_padding)
        self.conv3d_transpose = ops.operations.Conv3DTranspose(in_channels, out_channels, *geometry)

    def construct(self, x: Tensor) -> Tensor:
        """Return the volumes of the output channels."""
        return self._biased(self.conv3d_transpose(x, self.weight))


def _in_one_row(weight_init: Any) -> Any:
    """Return a given weight (o, c, k) as kernels of one row."""
    is_tensor = isinstance(weight_init, Tensor) and weight_init.ndim == 3
    return weight_init.expand_dims(2) if is_tensor else weight_init
