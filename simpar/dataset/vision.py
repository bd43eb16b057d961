"""Transforms of images, (height, width, channels) unless said otherwise."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dataset.transforms import Array, TensorOperation
from simpar.dtype import DType, as_dtype
from simpar.errors import DatasetError

__all__ = [
    "HWC2CHW",
    "Border",
    "CenterCrop",
    "Crop",
    "HorizontalFlip",
    "Inter",
    "Normalize",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "Rescale",
    "Resize",
    "SlicePatches",
    "ToTensor",
    "ToType",
    "VerticalFlip",
]

Draws = NDArray[np.float32]


class Inter(Enum):
    """Says how pixels between pixels are made."""

    NEAREST = 0
    ANTIALIAS = 1
    LINEAR = 2
    BILINEAR = 2
    CUBIC = 3
    BICUBIC = 3


class Border(Enum):
    """Says what stands outside of an image: one value, its edge, or its mirror image without or with the edge."""

    CONSTANT = "constant"
    EDGE = "edge"
    REFLECT = "reflect"
    SYMMETRIC = "symmetric"


class Rescale(TensorOperation):
    """Makes float32 ``image * rescale + shift``.

    >>> Rescale(1 / 255, 0)(np.array([[0, 255]], np.uint8)).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, rescale: float, shift: float) -> None:
        self._rescale, self._shift = np.float32(rescale), np.float32(shift)

    def on_rows(self, rows: Array) -> Array:
        """Return the images, rescaled."""
        out = rows.astype(np.float32)
        out *= self._rescale
        out += self._shift
        return out


class Normalize(TensorOperation):
    """Makes float32 ``(image - mean) / std``, channel by channel.

    Args:
        mean: of each channel.
        std: of each channel, not zero.
        is_hwc: whether channels are the last axis; else the one before height and width.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], is_hwc: bool = True) -> None:
        if len(mean) != len(std) or not all(std):
            raise DatasetError(f"Normalize: mean {mean} and std {std} must be equally long, and std not zero.")
        self._mean, self._std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self._is_hwc = is_hwc

    def on_rows(self, rows: Array) -> Array:
        """Return the images, normalized."""
        axis = -1 if self._is_hwc else -3
        channels = rows.shape[axis] if rows.ndim > 3 else 1
        if len(self._mean) not in (1, channels):
            raise DatasetError(
                f"Normalize: {len(self._mean)} means for images {rows.shape[1:]} with {channels} channels; give one "
                f"for each channel, and is_hwc=False for channels in front."
            )
        shape = (-1,) if self._is_hwc else (-1, 1, 1)
        out = rows.astype(np.float32)
        out -= self._mean.reshape(shape)
        out /= self._std.reshape(shape)
        return out


class HWC2CHW(TensorOperation):
    """Puts the channels in front: (height, width, channels) to (channels, height, width).

    >>> HWC2CHW()(np.zeros((28, 20, 3))).shape
    (3, 28, 20)
    """

    def on_rows(self, rows: Array) -> Array:
        """Return the images with channels in front; images without channels stay."""
        if rows.ndim == 3:
            return rows
        return np.ascontiguousarray(np.moveaxis(rows, -1, 1))


class ToType(TensorOperation):
    """Changes the element type."""

    def __init__(self, data_type: DType | str | type) -> None:
        self._dtype = as_dtype(data_type).numpy

    def on_rows(self, rows: Array) -> Array:
        """Return the images with the element type."""
        return rows.astype(self._dtype)


class ToTensor(TensorOperation):
    """Makes of bytes from 0 to 255 numbers from 0 to 1, with the channels in front."""

    def __init__(self, output_type: DType | str | type = "float32") -> None:
        self._dtype = as_dtype(output_type).numpy

    def on_rows(self, rows: Array) -> Array:
        """Return the images, rescaled, with channels in front."""
        images = rows[..., np.newaxis] if rows.ndim == 3 else rows
        return (HWC2CHW().on_rows(images).astype(np.float32) / np.float32(255)).astype(self._dtype)


class Resize(TensorOperation):
    """Makes images of another size.

    Args:
        size: (height, width), or the shorter side, the longer one following.
        interpolation: ``Inter.LINEAR`` (from the two nearest pixels along each axis, pixel centres at halves) or
            ``Inter.NEAREST``.
    """

    def __init__(self, size: int | Sequence[int], interpolation: Inter = Inter.LINEAR) -> None:
        if interpolation not in (Inter.LINEAR, Inter.NEAREST):
            raise DatasetError(f"Resize: {interpolation} is not known here; choose Inter.LINEAR or Inter.NEAREST.")
        if min((size,) if isinstance(size, int) else size) < 1:
            raise DatasetError(f"Resize: size {size} must be positive.")
        self._size, self._is_linear = size, interpolation is Inter.LINEAR

    def on_rows(self, rows: Array) -> Array:
        """Return the images in the other size."""
        height, width = self._target(*rows.shape[1:3])
        down, across = self._weights(rows.shape[1], height), self._weights(rows.shape[2], width)
        made = np.einsum("yh,nhwc,xw->nyxc", down, rows.reshape(*rows.shape[:3], -1), across, optimize=True)
        if np.issubdtype(rows.dtype, np.integer):
            made = np.rint(made)
        return made.astype(rows.dtype).reshape(len(rows), height, width, *rows.shape[3:])

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if not isinstance(self._size, int):
            return (self._size[0], self._size[1])
        if height < width:
            return self._size, max(1, self._size * width // height)
        return max(1, self._size * height // width), self._size

    def _weights(self, old: int, new: int) -> NDArray[np.float32]:
        """Return how much of each old pixel along an axis goes into each new one."""
        centres = (np.arange(new) + 0.5) * (old / new)
        out = np.zeros((new, old), np.float32)
        if not self._is_linear:
            out[np.arange(new), np.minimum(centres.astype(int), old - 1)] = 1
            return out
        places = np.clip(centres - 0.5, 0, old - 1)
        low = np.minimum(places.astype(int), max(old - 2, 0))
        part = (places - low).astype(np.float32)
        out[np.arange(new), low] += 1 - part
        out[np.arange(new), np.minimum(low + 1, old - 1)] += part
        return out


class Crop(TensorOperation):
    """Takes a part of the image: ``size`` pixels from ``coordinates`` (down, across) on."""

    def __init__(self, coordinates: Sequence[int], size: int | Sequence[int]) -> None:
        self._top, self._left = coordinates
        self._height, self._width = (size, size) if isinstance(size, int) else size

    def on_rows(self, rows: Array) -> Array:
        """Return that part of each image."""
        return _part(rows, self._top, self._left, self._height, self._width, "Crop")


class CenterCrop(TensorOperation):
    """Takes the middle of the image."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self._height, self._width = (size, size) if isinstance(size, int) else size

    def on_rows(self, rows: Array) -> Array:
        """Return the middle of each image."""
        top, left = (rows.shape[1] - self._height) // 2, (rows.shape[2] - self._width) // 2
        return _part(rows, top, left, self._height, self._width, "CenterCrop")


def _part(rows: Array, top: int, left: int, height: int, width: int, name: str) -> Array:
    if top < 0 or left < 0 or top + height > rows.shape[1] or left + width > rows.shape[2]:
        raise DatasetError(f"{name}: {height} x {width} pixels from ({top}, {left}) on are not in {rows.shape[1:3]}.")
    return rows[:, top : top + height, left : left + width]


class Pad(TensorOperation):
    """Puts a border around the image.

    Args:
        padding: one width; or (left and right, top and bottom); or (left, top, right, bottom).
        fill_value: what a constant border is made of.
        padding_mode: what it is made of.
    """

    def __init__(
        self, padding: int | Sequence[int], fill_value: Any = 0, padding_mode: Border = Border.CONSTANT
    ) -> None:
        four = [padding] * 4 if isinstance(padding, int) else [*padding, *padding] if len(padding) == 2 else padding
        self._left, self._top, self._right, self._bottom = four
        self._value, self._mode = fill_value, padding_mode

    def on_rows(self, rows: Array) -> Array:
        """Return the larger images."""
        widths = [(0, 0), (self._top, self._bottom), (self._left, self._right), *[(0, 0)] * (rows.ndim - 3)]
        options: dict[str, Any] = {"constant_values": self._value} if self._mode is Border.CONSTANT else {}
        return np.pad(rows, widths, mode=self._mode.value, **options)


class RandomCrop(TensorOperation):
    """Takes a part of the image at a place that is drawn, after a border was put around it.

    Args:
        size: (height, width), or both.
        padding: as of ``Pad``.
        pad_if_needed: whether an image that is too small gets a border.
        fill_value: as of ``Pad``.
        padding_mode: as of ``Pad``.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill_value: Any = 0,
        padding_mode: Border = Border.CONSTANT,
    ) -> None:
        self._height, self._width = (size, size) if isinstance(size, int) else size
        self._pad = None if padding is None else Pad(padding, fill_value, padding_mode)
        self._needed = (fill_value, padding_mode) if pad_if_needed else None

    def on_row(self, row: Array, draws: Draws) -> Array:
        """Return that part of the image."""
        image = row[np.newaxis] if self._pad is None else self._pad.on_rows(row[np.newaxis])
        if self._needed is not None:
            across, down = max(0, self._width - image.shape[2]), max(0, self._height - image.shape[1])
            image = Pad((across, down), *self._needed).on_rows(image)
        room = image.shape[1] - self._height, image.shape[2] - self._width
        top, left = (int(d * (r + 1)) for d, r in zip(draws[:2], room, strict=True))
        return _part(image, top, left, self._height, self._width, "RandomCrop")[0]


class HorizontalFlip(TensorOperation):
    """Exchanges left and right."""

    def on_rows(self, rows: Array) -> Array:
        """Return the mirrored images."""
        return rows[:, :, ::-1]


class VerticalFlip(TensorOperation):
    """Exchanges top and bottom."""

    def on_rows(self, rows: Array) -> Array:
        """Return the mirrored images."""
        return rows[:, ::-1]


class RandomHorizontalFlip(TensorOperation):
    """Exchanges left and right with a probability."""

    def __init__(self, prob: float = 0.5) -> None:
        self._prob = prob

    def on_row(self, row: Array, draws: Draws) -> Array:
        """Return the image or its mirror image."""
        return row[:, ::-1] if draws[0] < self._prob else row


class RandomVerticalFlip(RandomHorizontalFlip):
    """Exchanges top and bottom with a probability."""

    def on_row(self, row: Array, draws: Draws) -> Array:
        """Return the image or its mirror image."""
        return row[::-1] if draws[0] < self._prob else row


class SlicePatches(TensorOperation):
    """Cuts the image into ``num_height`` times ``num_width`` equal patches, each a column of its own, row by row.

    Args:
        num_height: how many patches stand above each other.
        num_width: how many stand side by side.
        fill_value: what fills an image up whose size does not divide; as ``slice_mode`` says.
        slice_mode: ``SlicePatches.PAD`` (0) fills up, ``SlicePatches.DROP`` (1) leaves out the rest.
    """

    PAD, DROP = 0, 1

    def __init__(self, num_height: int = 1, num_width: int = 1, slice_mode: Any = PAD, fill_value: int = 0) -> None:
        self._down, self._across, self._value = num_height, num_width, fill_value
        self._drops = getattr(slice_mode, "value", slice_mode) == self.DROP

    def on_row(self, row: Array, draws: Draws) -> tuple[Array, ...]:
        """Return the patches."""
        height, width = (self._length(n, k) for n, k in zip(row.shape, (self._down, self._across), strict=False))
        whole = (height * self._down, width * self._across)
        grown = Pad((0, 0, max(0, whole[1] - row.shape[1]), max(0, whole[0] - row.shape[0])), self._value)
        image = grown.on_rows(row[np.newaxis])[0]
        return tuple(
            image[y * height : (y + 1) * height, x * width : (x + 1) * width]
            for y in range(self._down)
            for x in range(self._across)
        )

    def _length(self, pixels: int, parts: int) -> int:
        return pixels // parts if self._drops else -(-pixels // parts)
