"""Pooling of images (n, c, h, w) and volumes (n, c, d, h, w): the largest or the mean value of each window.

Images and channels may be cut; a cut of rows or columns needs a halo where windows overlap.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule
from simpar.ops._rows import Array, or_new, widened
from simpar.ops._windows import Window, local_pads, numbers_of, pads_of, window_rule
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = ["avg_pool2d", "max_pool2d"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]


def _window(attrs: Attrs) -> Window:
    return Window(attrs["kernel"], attrs["stride"], attrs["pads"], (1,) * len(attrs["kernel"]))


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return window_rule("n c @~ -> n c @", shapes, _window(attrs), shapes[0][2:], {})


def _max_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    text = "n c @, n c @~, n c @ -> n c @~"
    return window_rule(text, shapes, _window(attrs), shapes[1][2:], {})


def _avg_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return window_rule("n c @ -> n c @~", shapes, _window(attrs), attrs["size"], {})


# --- the largest ---


def _max_pool(x: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    """Take the larger of result and image once for each pixel of the window."""
    window = _window(attrs)
    padded = window.padded(x, -np.inf)
    result = or_new(out, (*x.shape[:2], *window.result(x.shape[2:])), x.dtype)
    for place, pixels in window.taps(padded):
        if not any(place):
            np.copyto(result, pixels)
        else:
            np.maximum(result, pixels, out=result)
    return result


def _max_pool_grad(g: Array, x: Array, y: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    """Give each cotangent to the first pixel of its window that is the largest."""
    window = _window(attrs)
    padded = window.padded(x, -np.inf)
    total = np.zeros(padded.shape, g.dtype)
    left = np.ones(y.shape, np.bool_)
    found, share = np.empty(y.shape, np.bool_), np.empty(y.shape, g.dtype)
    sources, targets = window.taps(padded), window.taps(total)
    for (_, pixels), (_, target) in zip(sources, targets, strict=True):
        np.logical_and(np.equal(pixels, y, out=found), left, out=found)
        np.logical_xor(left, found, out=left)
        target += np.multiply(g, found, out=share)
    result = or_new(out, x.shape, g.dtype)
    np.copyto(result, window.without_pads(total, x.shape[2:]))
    return result


def _max_pool_bprop(g: Tensor, x: Tensor, *, out: Tensor, kernel: Any, stride: Any, pads: Any) -> Tensor:
    return one("max_pool_grad", g, x, out, kernel=kernel, stride=stride, pads=pads)


# --- the mean ---


def _counts(window: Window, size: Sequence[int], dtype: Any, count_pads: bool) -> Array | float:
    """Return by how much the sum of each window is divided: its pixels, those of the padding included or not."""
    if count_pads or not any(window.pads):
        return float(prod(window.kernel))
    inside = window.padded(np.ones((1, 1, *size), dtype))
    return sum((pixels for _, pixels in window.taps(inside)), np.zeros((), dtype))


def _avg_pool(x: Array, *, count_pads: bool, out: Array | None = None, **attrs: Any) -> Array:
    """Add up the pixels of each window and divide by their number."""
    window = _window(attrs)
    padded = window.padded(x)
    result = or_new(out, (*x.shape[:2], *window.result(x.shape[2:])), x.dtype)
    result[...] = 0
    for _, pixels in window.taps(padded):
        np.add(result, pixels, out=result)
    return np.divide(result, _counts(window, x.shape[2:], x.dtype, count_pads), out=result)


def _avg_pool_grad(g: Array, *, size: Shape, count_pads: bool, out: Array | None = None, **attrs: Any) -> Array:
    """Share each cotangent among the pixels of its window."""
    window = _window(attrs)
    share = g / _counts(window, size, g.dtype, count_pads)
    total = np.zeros((*g.shape[:2], *window.padded_size(size)), g.dtype)
    for _, target in window.taps(total):
        target += share
    result = or_new(out, (*g.shape[:2], *size), g.dtype)
    np.copyto(result, window.without_pads(total, size))
    return result


def _avg_pool_bprop(g: Tensor, x: Tensor, *, kernel: Any, stride: Any, pads: Any, count_pads: bool) -> Tensor:
    attrs = {"kernel": kernel, "stride": stride, "pads": pads, "count_pads": count_pads}
    return one("avg_pool_grad", g, size=x.shape[2:], **attrs)


def _avg_pool_grad_bprop(u: Tensor, g: Tensor, *, kernel: Any, stride: Any, pads: Any, count_pads: bool) -> Tensor:
    return one("avg_pool", u, kernel=kernel, stride=stride, pads=pads, count_pads=count_pads)


_SQUARE = {"kernel": (2, 2), "stride": (2, 2), "pads": (0, 0, 0, 0)}
_OVER = {"kernel": (3, 3), "stride": (1, 2), "pads": (1, 1, 1, 0)}
_DEEP = {"kernel": (3, 2, 1), "stride": (1, 2, 2), "pads": (1, 1, 0, 1, 0, 0)}
_ROUND = {"kernel": (3, 2), "stride": (2, 1), "pads": (1, 1, 0, 1)}

op(
    "max_pool",
    rule=_rule,
    kernel=widened(_max_pool),
    localize=local_pads,
    bprop=_max_pool_bprop,
    examples=(
        Example(((2, 4, 4, 6),), _SQUARE),
        Example(((2, 4, 4, 6),), _OVER),
        Example(((2, 4, 5, 4),), _ROUND),
        Example(((2, 2, 4, 3, 4),), _DEEP),
    ),
)
op(
    "max_pool_grad",
    rule=_max_grad_rule,
    kernel=widened(_max_pool_grad),
    localize=local_pads,
    examples=(
        Example(((2, 4, 2, 3), (2, 4, 4, 6), (2, 4, 2, 3)), _SQUARE, grad=False),
        Example(((2, 4, 4, 3), (2, 4, 4, 6), (2, 4, 4, 3)), _OVER, grad=False),
        Example(((2, 4, 3, 4), (2, 4, 5, 4), (2, 4, 3, 4)), _ROUND, grad=False),
        Example(((2, 2, 4, 2, 2), (2, 2, 4, 3, 4), (2, 2, 4, 2, 2)), _DEEP, grad=False),
    ),
)
op(
    "avg_pool",
    rule=_rule,
    kernel=widened(_avg_pool),
    localize=local_pads,
    bprop=_avg_pool_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 4, 6),), {**_SQUARE, "count_pads": True}),
        Example(((2, 4, 4, 6),), {**_OVER, "count_pads": False}),
        Example(((2, 4, 5, 4),), {**_ROUND, "count_pads": False}),
        Example(((2, 2, 4, 3, 4),), {**_DEEP, "count_pads": False}),
    ),
)
op(
    "avg_pool_grad",
    rule=_avg_grad_rule,
    kernel=widened(_avg_pool_grad),
    localize=local_pads,
    bprop=_avg_pool_grad_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 2, 3),), {**_SQUARE, "count_pads": True, "size": (4, 6)}),
        Example(((2, 4, 4, 3),), {**_OVER, "count_pads": False, "size": (4, 6)}),
        Example(((2, 4, 3, 4),), {**_ROUND, "count_pads": False, "size": (5, 4)}),
        Example(((2, 2, 4, 2, 2),), {**_DEEP, "count_pads": True, "size": (4, 3, 4)}),
    ),
)


def _geometry(x: Tensor, kernel: Any, stride: Any, pad_mode: str, padding: Any) -> dict[str, Any]:
    size, steps = numbers_of(kernel), numbers_of(kernel if stride is None else stride)
    return {"kernel": size, "stride": steps, "pads": pads_of(pad_mode, padding, x.shape[2:], size, steps, (1, 1))}


def max_pool2d(
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    pad_mode: str = "pad",
) -> Tensor:
    """Return the largest value of each window of images (n, c, h, w).

    Args:
        x: (n, c, h, w).
        kernel_size, stride: one number, or one for rows and one for columns; the windows touch if stride is None.
        padding: with ``pad_mode="pad"``: rows and columns round the image, which are never the largest.
        pad_mode: ``"pad"``, ``"same"`` or ``"valid"``.

    >>> max_pool2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2).tolist()
    [[[[4.0]]]]
    """
    return one("max_pool", x, **_geometry(x, kernel_size, stride, pad_mode, padding))


def avg_pool2d(
    input_x: Tensor,
    kernel_size: int | Sequence[int] = 1,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    count_include_pad: bool = True,
    pad_mode: str = "pad",
) -> Tensor:
    """Return the mean of each window of images (n, c, h, w); arguments as of ``max_pool2d``.

    Args:
        count_include_pad: whether the padding counts as zeros; in mode ``"same"`` it never counts.

    >>> avg_pool2d(Tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), 2).tolist()
    [[[[3.0]]]]
    """
    attrs = _geometry(input_x, kernel_size, stride, pad_mode, padding)
    return one("avg_pool", input_x, count_pads=count_include_pad and pad_mode.lower() == "pad", **attrs)
