"""The geometry of windows that move over an image: what convolution and pooling share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.errors import RuleError
from simpar.graph import Local
from simpar.layout import Reach, Rule, parse_rule

__all__ = ["Pads", "Window", "local_pads", "pads_of", "pair", "window_rule", "windows"]

Array = NDArray[Any]
Attrs = Mapping[str, Any]
Pair = tuple[int, int]
Pads = tuple[int, int, int, int]
"""Rows or columns of padding: top, bottom, left, right."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window and how it moves, rows first.

    Args:
        kernel: how many pixels it covers.
        stride: by how many pixels it moves.
        pads: how much is put round the image.
        dilation: the distance of the pixels it covers.

    >>> Window((3, 3), (2, 2), (1, 1, 1, 1)).result((5, 6))
    (3, 3)
    """

    kernel: Pair
    stride: Pair
    pads: Pads
    dilation: Pair = (1, 1)

    @property
    def reach(self) -> Pair:
        """How many rows and columns lie between the window's first pixel and its last, both included."""
        (rows, columns), (down, right) = self.kernel, self.dilation
        return (rows - 1) * down + 1, (columns - 1) * right + 1

    @property
    def reaches(self) -> dict[str, Reach]:
        """Which rows each row of windows, ``h``, covers, and which columns each column of windows, ``w``."""
        starts = zip("hw", self.stride, self.pads[::2], self.reach, strict=True)
        return {factor: Reach(step, -pad, reach) for factor, step, pad, reach in starts}

    @property
    def is_point(self) -> bool:
        """Whether the windows are the pixels themselves."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and not any(self.pads)

    def padded_size(self, size: Sequence[int]) -> Pair:
        """Return rows and columns of an image of this size with its padding."""
        top, bottom, left, right = self.pads
        return size[0] + top + bottom, size[1] + left + right

    def result(self, size: Sequence[int]) -> Pair:
        """Return how many windows there are, rows first.

        Raises:
            RuleError: not even one fits.
        """
        (rows, columns), (down, right) = self.padded_size(size), self.reach
        if down > rows or right > columns:
            raise RuleError(
                f"a window of {down} x {right} pixels does not fit an image of {rows} x {columns}, padding included. "
                f"Make the kernel smaller or pad more."
            )
        return (rows - down) // self.stride[0] + 1, (columns - right) // self.stride[1] + 1

    def padded(self, x: Array, value: float = 0.0) -> Array:
        """Return images (n, c, h, w) with their padding; the images themselves if there is none."""
        if not any(self.pads):
            return x
        out = np.full((*x.shape[:2], *self.padded_size(x.shape[2:])), value, x.dtype)
        np.copyto(self.without_pads(out, x.shape[2:]), x)
        return out

    def without_pads(self, padded: Array, size: Sequence[int]) -> Array:
        """Return the view of the images within their padding."""
        top, _, left, _ = self.pads
        return padded[:, :, top : top + size[0], left : left + size[1]]

    def taps(self, padded: Array) -> Iterator[tuple[Pair, Array]]:
        """For each pixel of the window, give its place and the view of what it covers in all windows, (n, c, p, q)."""
        (down, right), (rows, columns) = self.reach, padded.shape[2:]
        height, width = (rows - down) // self.stride[0] + 1, (columns - right) // self.stride[1] + 1
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                top, left = i * self.dilation[0], j * self.dilation[1]
                across = slice(left, left + (width - 1) * self.stride[1] + 1, self.stride[1])
                yield (i, j), padded[:, :, top : top + (height - 1) * self.stride[0] + 1 : self.stride[0], across]


def windows(padded: Array, window: Window) -> Array:
    """Return the view of all windows of padded images, (n, c, p, q, kernel rows, kernel columns)."""
    found = np.lib.stride_tricks.sliding_window_view(padded, window.reach, axis=(2, 3))
    (down, right), (rows, columns) = window.stride, window.dilation
    return found[:, :, ::down, ::right, ::rows, ::columns]


def window_rule(
    text: str,
    shapes: Sequence[Sequence[int]],
    window: Window,
    size: Sequence[int],
    sizes: Mapping[str, int],
    **how: Any,
) -> Rule:
    """Return a rule in which windows ``h w`` move over images ``h~ w~``.

    Args:
        text: the rule.
        shapes: of the operands.
        window: how the windows move.
        size: rows and columns of the image.
        sizes: lengths of factors that the operands do not tell.
        how: what else ``parse_rule`` takes.
    """
    rows, columns = window.result(size)
    known = {"h": rows, "w": columns, "h~": size[0], "w~": size[1], **sizes}
    return parse_rule(text, [tuple(s) for s in shapes], sizes=known, reaches=window.reaches, **how)


def local_pads(attrs: Attrs, local: Local) -> Attrs:
    """Give a rank's windows the padding that they cover, and with ``size`` its own rows and columns of the image."""
    mine = {**attrs, "pads": (*local.pads("h"), *local.pads("w"))}
    return {**mine, "size": local.results[0][2:]} if "size" in attrs else mine


def pair(given: int | Sequence[int]) -> Pair:
    """Return one number for rows and one for columns; MindSpore's form for four axes, (1, 1, rows, columns), too.

    Raises:
        RuleError: neither 1, 2 nor 4 numbers, or one below 1.
    """
    numbers = (given, given) if isinstance(given, int) else tuple(given)
    if len(numbers) == 4:
        numbers = numbers[2:]
    if len(numbers) != 2 or min(numbers) < 1:
        raise RuleError(f"{given} is given for rows and columns; give one whole number above 0, or two.")
    return numbers[0], numbers[1]


def pads_of(
    mode: str, padding: int | Sequence[int], size: Sequence[int], kernel: Sequence[int], stride: Pair, dilation: Pair
) -> Pads:
    """Return the padding that MindSpore's ``pad_mode`` means for images of this size.

    Raises:
        RuleError: an unknown mode, a padding of the wrong length or sign, or one that the mode does not take.

    >>> pads_of("same", 0, (5, 5), (3, 3), (2, 2), (1, 1))
    (1, 1, 1, 1)
    """
    given = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
    if len(given) == 2:
        given = (given[0], given[0], given[1], given[1])
    if len(given) != 4 or min(given) < 0:
        raise RuleError(f"padding is {padding}; give one whole number, two (rows, columns) or four, none below 0.")
    if mode.lower() == "pad":
        return given[0], given[1], given[2], given[3]
    if mode.lower() not in ("same", "valid"):
        raise RuleError(f"pad_mode is {mode!r}; choose 'same', 'valid' or 'pad'.")
    if any(given):
        raise RuleError(f"padding {padding} needs pad_mode 'pad', but pad_mode is {mode!r}.")
    if mode.lower() == "valid":
        return 0, 0, 0, 0
    rows, columns = (_same(*each) for each in zip(size, kernel, stride, dilation, strict=True))
    return rows[0], rows[1], columns[0], columns[1]


def _same(length: int, kernel: int, stride: int, dilation: int) -> Pair:
    """Return the padding of one axis for ceil(length / stride) windows; the odd pixel goes to the end."""
    missing = max((-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
    return missing // 2, missing - missing // 2
