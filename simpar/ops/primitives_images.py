"""The ops as objects, under MindSpore's class names: images in another size, and convolutions turned round."""

from collections.abc import Sequence

from simpar.errors import NotYetError, RuleError
from simpar.ops._windows import numbers_of, pads_of
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "Conv2DBackpropInput",
    "Conv2DTranspose",
    "Convolution",
    "ResizeBilinear",
    "ResizeBilinearV2",
    "ResizeNearestNeighbor",
    "ResizeNearestNeighborV2",
]

Numbers = int | Sequence[int]


class Conv2DTranspose(Primitive, op="conv2d_grad_input"):
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
        if mode != 1 or data_format != "NCHW":
            raise NotYetError(
                f"Conv2DTranspose with mode {mode} and data_format {data_format!r}: simpar has mode 1 "
                f"(cross-correlation) and 'NCHW' only."
            )
        super().__init__(stride=numbers_of(stride), dilation=numbers_of(dilation), group=group)
        self.out_channel, self.kernel_size = out_channel, numbers_of(kernel_size)
        self.pad_mode, self.pad = pad_mode, pad if pad_list is None else pad_list

    def __call__(self, dout: Tensor, weight: Tensor, input_size: Sequence[int]) -> Tensor:
        """Return the images, of shape ``input_size``."""
        if weight.shape[2:] != self.kernel_size:
            raise RuleError(
                f"a Conv2DTranspose with kernel_size {self.kernel_size} was given a weight of shape {weight.shape}; "
                f"give one of shape (channels of dout, channels / group, {self.kernel_size[0]}, {self.kernel_size[1]})."
            )
        size, stride, dilation = tuple(input_size[2:]), self._attrs["stride"], self._attrs["dilation"]
        pads = pads_of(self.pad_mode, self.pad, size, weight.shape[2:], stride, dilation)
        return self.apply_one(dout, weight, size=size, pads=pads)


class Conv2DBackpropInput(Conv2DTranspose):
    """Is the gradient of a convolution by its images; see ``Conv2DTranspose``."""


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


class ResizeBilinearV2(Primitive, op="resize"):
    """Gives images (n, c, h, w) another size; each pixel is a mean of the four that it lies between.

    Args:
        align_corners: whether the corners of both lie on each other.
        half_pixel_centers: whether pixels are spots in their middle.
    """

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="bilinear", align=align_corners, half=half_pixel_centers)

    def __call__(self, image: Tensor, size: Sequence[int]) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(image, size=tuple(int(n) for n in size))


class ResizeBilinear(Primitive, op="resize"):
    """Gives images (n, c, h, w) a size that is fixed; see ``ResizeBilinearV2``."""

    def __init__(self, size: Sequence[int], align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="bilinear", align=align_corners, half=half_pixel_centers, size=tuple(size))

    def __call__(self, x: Tensor) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(x)


class ResizeNearestNeighbor(Primitive, op="resize"):
    """Gives images (n, c, h, w) a size that is fixed; each pixel is one of those that were.

    Args:
        size: rows and columns.
        align_corners: whether the corners of both lie on each other.
        half_pixel_centers: whether pixels are spots in their middle.
    """

    def __init__(self, size: Sequence[int], align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="nearest", align=align_corners, half=half_pixel_centers, size=tuple(size))

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(input_x)


class ResizeNearestNeighborV2(Primitive, op="resize"):
    """Gives images (n, c, h, w) another size; see ``ResizeNearestNeighbor``."""

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="nearest", align=align_corners, half=half_pixel_centers)

    def __call__(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(x, size=tuple(int(n) for n in size))
