"""The geometry of windows that move over images: what convolution and pooling share.

An image has rows and columns, and perhaps depth before them: one letter of ``d h w`` for each of its last axes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.errors import NotYetError, RuleError
from simpar.graph import Local
from simpar.layout import Reach, Rule, parse_rule

__all__ = [
    "Window",
    "check_window_form",
    "letters",
    "local_pads",
    "numbers_of",
    "pads_of",
    "sliding_rule",
    "window_rule",
    "windows",
]

Array = NDArray[Any]
Attrs = Mapping[str, Any]
Numbers = tuple[int, ...]


def letters(axes: int) -> str:
    """Return the factors of an image's last axes, with a blank after each.

    >>> letters(2)
    'h w'
    """
    return " ".join("dhw"[3 - axes :])


@dataclass(frozen=True, slots=True)
class Window:
    """A window and how it moves; one number for each of an image's last axes.

    Args:
        kernel: how many pixels it covers.
        stride: by how many pixels it moves.
        pads: how much is put round the image: two numbers for each axis, before and behind.
        dilation: the distance of the pixels it covers.

    >>> Window((3, 3), (2, 2), (1, 1, 1, 1), (1, 1)).result((5, 6))
    (3, 3)
    """

    kernel: Numbers
    stride: Numbers
    pads: Numbers
    dilation: Numbers

    @property
    def reach(self) -> Numbers:
        """How far it is from the window's first pixel to its last along each axis, both included."""
        return tuple((n - 1) * apart + 1 for n, apart in zip(self.kernel, self.dilation, strict=True))

    @property
    def reaches(self) -> dict[str, Reach]:
        """Which indices of each axis of the image the windows along it cover."""
        each = zip(letters(len(self.kernel)).split(), self.stride, self.pads[::2], self.reach, strict=True)
        return {factor: Reach(step, -pad, reach) for factor, step, pad, reach in each}

    @property
    def is_point(self) -> bool:
        """Whether the windows are the pixels themselves."""
        return prod(self.kernel) == prod(self.stride) == 1 and not any(self.pads)

    def padded_size(self, size: Sequence[int]) -> Numbers:
        """Return the size of an image with its padding."""
        return tuple(n + a + b for n, a, b in zip(size, self.pads[::2], self.pads[1::2], strict=True))

    def result(self, size: Sequence[int]) -> Numbers:
        """Return how many windows there are along each axis.

        Raises:
            RuleError: not even one fits.
        """
        padded = self.padded_size(size)
        if any(reach > n for reach, n in zip(self.reach, padded, strict=True)):
            raise RuleError(
                f"a window of {_times(self.reach)} pixels does not fit an image of {_times(padded)}, padding included. "
                f"Make the kernel smaller or pad more."
            )
        return tuple((n - reach) // step + 1 for n, reach, step in zip(padded, self.reach, self.stride, strict=True))

    def padded(self, x: Array, value: float = 0.0) -> Array:
        """Return images (n, c, ...) with their padding; the images themselves if there is none."""
        if not any(self.pads):
            return x
        out = np.full((*x.shape[:2], *self.padded_size(x.shape[2:])), value, x.dtype)
        np.copyto(self.without_pads(out, x.shape[2:]), x)
        return out

    def without_pads(self, padded: Array, size: Sequence[int]) -> Array:
        """Return the view of the images within their padding."""
        return padded[:, :, *(slice(before, before + n) for before, n in zip(self.pads[::2], size, strict=True))]

    def taps(self, padded: Array) -> Iterator[tuple[Numbers, Array]]:
        """For each pixel of the window, give its place and the view of what it covers in all windows, (n, c, ...)."""
        free = zip(padded.shape[2:], self.reach, self.stride, strict=True)
        last = [(n - reach) // step * step for n, reach, step in free]
        for place in product(*map(range, self.kernel)):
            each = zip(place, self.dilation, last, self.stride, strict=True)
            yield place, padded[:, :, *(slice(i * apart, i * apart + end + 1, step) for i, apart, end, step in each)]


def _times(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))


def windows(padded: Array, window: Window) -> Array:
    """Return the view of all windows of padded images, (n, c, windows ..., kernel ...)."""
    axes = tuple(range(2, padded.ndim))
    found = np.lib.stride_tricks.sliding_window_view(padded, window.reach, axis=axes)
    return found[:, :, *(slice(None, None, step) for step in (*window.stride, *window.dilation))]


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
        text: the rule, with ``@`` for the axes of windows and ``@~`` for those of images.
        shapes: of the operands.
        window: how the windows move.
        size: of the image.
        sizes: lengths of factors that the operands do not tell.
        how: what else ``parse_rule`` takes.
    """
    return sliding_rule(text, shapes, size, window.result(size), sizes, reaches=window.reaches, **how)


def sliding_rule(
    text: str,
    shapes: Sequence[Sequence[int]],
    size: Sequence[int],
    made: Sequence[int],
    sizes: Mapping[str, int],
    **how: Any,
) -> Rule:
    """Return a rule with ``@`` and ``@~``, for images of a size over which so many windows move along each axis."""
    axes = letters(len(size)).split()
    images = [f"{f}~" for f in axes]
    known = {**dict(zip(axes, made, strict=True)), **dict(zip(images, size, strict=True)), **sizes}
    text = text.replace("@~", " ".join(images)).replace("@", " ".join(axes))
    return parse_rule(text, [tuple(s) for s in shapes], sizes=known, **how)


def local_pads(attrs: Attrs, local: Local) -> Attrs:
    """Give a rank's windows the padding that they cover, and with ``size`` its own part of the image."""
    pads = tuple(n for f in letters(len(attrs["stride"])).split() for n in local.pads(f))
    mine = {**attrs, "pads": pads}
    return {**mine, "size": local.results[0][2:]} if "size" in attrs else mine


def numbers_of(given: int | Sequence[int], axes: int = 2) -> Numbers:
    """Return one number for each of the last axes; MindSpore's form for all axes, ``(1, 1, rows, columns)``, too.

    Raises:
        RuleError: there are more or fewer, or one below 1.
    """
    numbers = (given,) * axes if isinstance(given, int) else tuple(given)
    if len(numbers) == axes + 2 and numbers[:2] == (1, 1):
        numbers = numbers[2:]
    if len(numbers) != axes or min(numbers) < 1:
        raise RuleError(f"{given} is given for {axes} axes of an image; give one whole number above 0, or {axes}.")
    return numbers


def pads_of(
    mode: str,
    padding: int | Sequence[int],
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> Numbers:
    """Return the padding that MindSpore's ``pad_mode`` means for images of this size.

    Raises:
        RuleError: an unknown mode, a padding of the wrong length or sign, or one that the mode does not take.

    >>> pads_of("same", 0, (5, 5), (3, 3), (2, 2), (1, 1))
    (1, 1, 1, 1)
    """
    axes = len(size)
    given = (padding,) * 2 * axes if isinstance(padding, int) else tuple(padding)
    if len(given) == axes:
        given = tuple(n for each in given for n in (each, each))
    if len(given) != 2 * axes or min(given) < 0:
        raise RuleError(
            f"padding is {padding}; give one whole number, {axes} (for each axis) or {2 * axes}, none below 0."
        )
    if mode.lower() == "pad":
        return given
    if mode.lower() not in ("same", "valid"):
        raise RuleError(f"pad_mode is {mode!r}; choose 'same', 'valid' or 'pad'.")
    if any(given):
        raise RuleError(f"padding {padding} needs pad_mode 'pad', but pad_mode is {mode!r}.")
    if mode.lower() == "valid":
        return given
    return tuple(n for each in zip(size, kernel, stride, dilation, strict=True) for n in _same(*each))


def _same(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding of one axis for ceil(length / stride) windows; the odd pixel goes to the end."""
    missing = max((-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
    return missing // 2, missing - missing // 2


def check_window_form(name: str, dilation: int | Sequence[int], ceil_mode: bool) -> None:
    """Check that the windows of a pooling have no gaps and end within the image.

    Raises:
        NotYetError: they do not.
    """
    gaps = (dilation,) if isinstance(dilation, int) else tuple(dilation)
    if set(gaps) != {1} or ceil_mode:
        raise NotYetError(
            f"{name} with dilation={dilation} and ceil_mode={ceil_mode}: simpar has dilation=1 and ceil_mode=False. "
            "Pad the images instead of ceil_mode."
        )
