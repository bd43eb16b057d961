"""Convolutions as objects, under MindSpore's class names: of images and volumes, and turned round."""

from collections.abc import Sequence
from typing import Any

from simpar.errors import NotYetError, RuleError, TraceError
from simpar.ops._faces import ImagePrimitive
from simpar.ops._windows import numbers_of, pads_of
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution",
]

Numbers = int | Sequence[int]


class _Convolution(ImagePrimitive):
    """What the convolutions share.

    Args:
        axes: how many axes an image has behind its channels.
        channels, kernel_size: of the weight, to check it.
        mode: 1, cross-correlation, the only one.
        pad_mode: ``"valid"``, ``"same"`` or ``"pad"``.
        pad: with ``"pad"``: one number, or two for each axis.
        stride, dilation: one number, or one for each axis.
        group: into how many groups the channels fall.
        data_format: channels before the other axes; of ``Conv2D`` also ``"NHWC"``.
    """

    _has_last = False
    """Whether channels may be the last axis."""

    _place = 0
    """Which axis of the weight has the channels that are checked."""

    def __init__(
        self,
        axes: int,
        channels: int,
        kernel_size: Numbers,
        mode: int,
        pad_mode: str,
        pad: Numbers,
        stride: Numbers,
        dilation: Numbers,
        group: int,
        data_format: str,
    ) -> None:
        self._check_form(mode, data_format, "NCHW" if axes == 2 else "NCDHW")
        given = (stride,) * axes if isinstance(stride, int) else tuple(stride)
        self._beside, own = (given[:2], given[2:]) if len(given) == axes + 2 else ((1, 1), given)  # images, channels
        steps, spread = numbers_of(own, axes), numbers_of(dilation, axes)
        super().__init__("NCHW" if axes == 3 else data_format, stride=steps, dilation=spread, group=group)
        self.channels, self.kernel_size = channels, numbers_of(kernel_size, axes)
        if pad_mode.lower() not in ("valid", "same", "pad"):
            raise RuleError(f"pad_mode is {pad_mode!r}; choose 'valid', 'same' or 'pad'.")
        self.pad_mode, self.pad = pad_mode, pad

    def _check_form(self, mode: int, data_format: str, wanted: str) -> None:
        formats = (wanted, "NHWC") if self._has_last else (wanted,)
        if mode != 1 or data_format not in formats:
            raise NotYetError(
                f"{type(self).__name__} with mode {mode} and data_format {data_format!r}: simpar has mode 1 "
                f"(cross-correlation) and {' or '.join(map(repr, formats))} only. Transpose the images."
            )

    def _geometry(self, size: Sequence[int], weight: Tensor) -> dict[str, Any]:
        """Return the padding for images of this size, after a look at the weight and at MindSpore's form of strides.

        Raises:
            RuleError: the weight does not fit.
            TraceError: the stride moves over images or channels.
        """
        if self._beside != (1, 1):
            raise TraceError(
                f"{type(self).__name__} has the stride {(*self._beside, *self._attrs['stride'])}, whose first two "
                "numbers are for images and channels. A convolution takes all of them: write 1 there."
            )
        if weight.shape[self._place] != self.channels or weight.shape[2:] != self.kernel_size:
            raise RuleError(
                f"a {type(self).__name__} with {self.channels} channels and kernel_size {self.kernel_size} was given a "
                f"weight of shape {weight.shape}: its axis {self._place} must be {self.channels}, and it must end with "
                f"{self.kernel_size}."
            )
        stride, dilation = self._attrs["stride"], self._attrs["dilation"]
        return {"pads": pads_of(self.pad_mode, self.pad, size, self.kernel_size, stride, dilation)}


class Conv2D(_Convolution, op="conv2d"):
    """Is the convolution of images (n, c, h, w) with a weight (out, c / group, kernel rows, kernel columns).

    Args:
        out_channel, kernel_size: checked against the weight.
        mode, pad_mode, pad, stride, dilation, group: as of ``simpar.ops.conv2d``.
        data_format: ``"NCHW"``, or ``"NHWC"`` for images (n, h, w, c) with a weight (out, rows, columns, c / group).
    """

    _has_last = True

    def __init__(
        self,
        out_channel: int,
        kernel_size: Numbers,
        mode: int = 1,
        pad_mode: str = "valid",
        pad: Numbers = 0,
        stride: Numbers = 1,
        dilation: Numbers = 1,
        group: int = 1,
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(2, out_channel, kernel_size, mode, pad_mode, pad, stride, dilation, group, data_format)

    def __call__(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the images of the output channels."""
        x, weight = self.channels_first(x), self.channels_first(weight)
        return self.as_given(self.apply_one(x, weight, **self._geometry(x.shape[2:], weight)))


class Conv3D(_Convolution, op="conv3d"):
    """Is the convolution of volumes (n, c, d, h, w) with a weight (out, c / group, and three lengths of the kernel).

    Args:
        out_channel, kernel_size: checked against the weight.
        mode, pad_mode, pad, stride, dilation, group, data_format: as of ``Conv2D``, for three axes.
    """

    def __init__(
        self,
        out_channel: int,
        kernel_size: Numbers,
        mode: int = 1,
        pad_mode: str = "valid",
        pad: Numbers = 0,
        stride: Numbers = 1,
        dilation: Numbers = 1,
        group: int = 1,
        data_format: str = "NCDHW",
    ) -> None:
        super().__init__(3, out_channel, kernel_size, mode, pad_mode, pad, stride, dilation, group, data_format)

    def __call__(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the volumes of the output channels."""
        return self.apply_one(x, weight, **self._geometry(x.shape[2:], weight))


class Conv2DTranspose(_Convolution, op="conv2d_grad_input"):
    """Makes the images of which a convolution would make images like those given.

    Args:
        out_channel, kernel_size: of that convolution; checked against the weight.
        pad_mode, pad, stride, dilation, group: of that convolution, as of ``Conv2D``.
        pad_list: in place of ``pad``.
        mode: 1, cross-correlation, the only one.
        data_format: ``"NCHW"``.
    """

    def __init__(
        self,
        out_channel: int,
        kernel_size: Numbers,
        pad_mode: str = "valid",
        pad: Numbers = 0,
        pad_list: Numbers | None = None,
        mode: int = 1,
        stride: Numbers = 1,
        dilation: Numbers = 1,
        group: int = 1,
        data_format: str = "NCHW",
    ) -> None:
        around = pad if pad_list is None else pad_list
        super().__init__(2, out_channel, kernel_size, mode, pad_mode, around, stride, dilation, group, data_format)

    def __call__(self, dout: Tensor, weight: Tensor, input_size: Sequence[int]) -> Tensor:
        """Return the images, of shape ``input_size``."""
        size = tuple(input_size[2:])
        return self.apply_one(dout, weight, size=size, **self._geometry(size, weight))


class Conv2DBackpropInput(Conv2DTranspose):
    """Is the gradient of a convolution by its images; see ``Conv2DTranspose``."""


class Conv3DTranspose(_Convolution, op="conv3d_grad_input"):
    """Makes the volumes of which a convolution would make volumes like those given.

    Args:
        in_channel: channels of what is given; checked against the weight (in, out / group, and the kernel).
        out_channel: channels of the result.
        kernel_size, mode, pad_mode, pad, stride, dilation, group: of that convolution.
        output_padding: planes, rows and columns at the end that it would not reach.
        data_format: ``"NCDHW"``.
    """

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: Numbers,
        mode: int = 1,
        pad_mode: str = "valid",
        pad: Numbers = 0,
        stride: Numbers = 1,
        dilation: Numbers = 1,
        group: int = 1,
        output_padding: Numbers = 0,
        data_format: str = "NCDHW",
    ) -> None:
        super().__init__(3, in_channel, kernel_size, mode, pad_mode, pad, stride, dilation, group, data_format)
        self.out_channel = out_channel
        more = (output_padding,) * 3 if isinstance(output_padding, int) else tuple(output_padding)
        self.output_padding = more[-3:]

    def __call__(self, dout: Tensor, weight: Tensor) -> Tensor:
        """Return the volumes of the output channels."""
        stride, dilation = self._attrs["stride"], self._attrs["dilation"]
        if self.pad_mode.lower() == "same":
            size = tuple(n * s for n, s in zip(dout.shape[2:], stride, strict=True))
        else:
            pads = pads_of(self.pad_mode, self.pad, dout.shape[2:], self.kernel_size, stride, dilation)
            around = [a + b for a, b in zip(pads[::2], pads[1::2], strict=True)]
            each = zip(dout.shape[2:], stride, dilation, self.kernel_size, around, self.output_padding, strict=True)
            size = tuple((n - 1) * s + d * (k - 1) + 1 - p + more for n, s, d, k, p, more in each)
        return self.apply_one(dout, weight, size=size, **self._geometry(size, weight))


class Convolution(Primitive, op="conv2d"):
    """Is the convolution of images with a weight, PyTorch's arguments; the bias is cut like the output channels."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Convolution":
        """Say how images and weight are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        self.in_strategy = None if self.in_strategy is None else self.in_strategy[:2]
        return self

    def __call__(
        self,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Numbers = 1,
        padding: Numbers = 0,
        dilation: Numbers = 1,
        transposed: bool = False,
        output_padding: Numbers = 0,
        groups: int = 1,
    ) -> Tensor:
        """Return the images of the output channels."""
        if transposed:
            raise NotYetError("Convolution: transposed=True is ops.conv_transpose2d in simpar.")
        del output_padding
        steps, spread = numbers_of(stride), numbers_of(dilation)
        pads = pads_of("pad", padding, input.shape[2:], weight.shape[2:], steps, spread)
        made = self.apply_one(input, weight, stride=steps, pads=pads, dilation=spread, group=groups)
        return made if bias is None else made + bias.reshape(1, -1, 1, 1)
