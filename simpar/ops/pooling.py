"""Pooling of images (n, c, h, w) and volumes (n, c, d, h, w): the largest or the mean value of each window.

Images and channels may be cut; a cut of rows or columns needs a halo where windows overlap.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Literal, overload

import numpy as np

from simpar.dtype import DType, int64
from simpar.graph import Example, op
from simpar.layout import Rule
from simpar.ops._rows import Array, or_new, widened
from simpar.ops._windows import (
    Window,
    check_window_form,
    letters,
    local_pads,
    numbers_of,
    pads_of,
    sliding_rule,
    window_rule,
)
from simpar.ops.support import one
from simpar.tensor import Tensor, call

__all__ = ["avg_pool2d", "max_pool2d"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]
Numbers = int | Sequence[int]


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


def _taken_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    text = "n c @~, n c @~, n c @ -> n c @"
    return window_rule(text, shapes, _window(attrs), shapes[0][2:], {})


def _max_pool_taken(u: Array, x: Array, y: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    """Take from ``u`` what stands where each window of ``x`` has its first largest pixel."""
    window = _window(attrs)
    left, result = np.ones(y.shape, np.bool_), or_new(out, y.shape, u.dtype)
    result[...] = 0
    sources, values = window.taps(window.padded(x, -np.inf)), window.taps(window.padded(u))
    for (_, pixels), (_, value) in zip(sources, values, strict=True):
        found = np.equal(pixels, y) & left
        np.logical_xor(left, found, out=left)
        np.copyto(result, value, where=found)
    return result


def _max_pool_grad_bprop(
    u: Tensor, g: Tensor, x: Tensor, y: Tensor, *, kernel: Any, stride: Any, pads: Any
) -> tuple[Tensor, None, None]:
    """Pull back to where the cotangents came from; which pixels are largest does not change with them."""
    return one("max_pool_taken", u, x, y, kernel=kernel, stride=stride, pads=pads), None, None


def _max_pool_taken_bprop(
    g: Tensor, u: Tensor, x: Tensor, y: Tensor, *, kernel: Any, stride: Any, pads: Any
) -> tuple[Tensor, None, None]:
    return one("max_pool_grad", g, x, y, kernel=kernel, stride=stride, pads=pads), None, None


# --- the largest, and where it stands ---


def _placed_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"n c h~ w~ -> n c h w, n c h w"``: places are numbered over whole images, so images are not cut."""
    size = shapes[0][2:]
    axes = letters(len(size)).split()
    whole = (*axes, *(f"{f}~" for f in axes))
    return sliding_rule("n c @~ -> n c @, n c @", shapes, size, _window(attrs).result(size), {}, whole=whole)


def _placed_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, DType]:
    return types[0], int64


def _max_pool_placed(x: Array, *, out: tuple[Array, Array] | None = None, **attrs: Any) -> tuple[Array, Array]:
    """Take the first of each window's largest pixels, and its number in the image, row after row."""
    window, size = _window(attrs), x.shape[2:]
    shape = (*x.shape[:2], *window.result(size))
    value, place = out or (np.empty(shape, x.dtype), np.empty(shape, np.int64))
    place[...] = -1
    numbers = window.padded(np.arange(prod(size)).reshape(1, 1, *size), -1)
    for (_, pixels), (_, here) in zip(window.taps(window.padded(x)), window.taps(numbers), strict=True):
        better = (here >= 0) & ((place < 0) | (pixels > value) | np.isnan(pixels))
        np.copyto(value, pixels, where=better)
        np.copyto(place, here, where=better)
    return value, place


def _max_pool_placed_bprop(
    g: tuple[Tensor, Tensor], x: Tensor, *, out: tuple[Tensor, Tensor], kernel: Any, stride: Any, pads: Any
) -> Tensor:
    return one("max_pool_grad", g[0], x, out[0], kernel=kernel, stride=stride, pads=pads)


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
    "max_pool_with_index",
    rule=_placed_rule,
    kernel=widened(_max_pool_placed),
    dtype=_placed_types,
    bprop=_max_pool_placed_bprop,
    examples=(
        Example(((2, 4, 4, 6),), _SQUARE),
        Example(((2, 4, 4, 6),), _OVER),
        Example(((2, 2, 4, 3, 4),), _DEEP),
    ),
)
op(
    "max_pool_grad",
    rule=_max_grad_rule,
    kernel=widened(_max_pool_grad),
    localize=local_pads,
    bprop=_max_pool_grad_bprop,
    examples=(
        Example(((2, 4, 2, 3), (2, 4, 4, 6), (2, 4, 2, 3)), _SQUARE, grad=False),
        Example(((2, 4, 4, 3), (2, 4, 4, 6), (2, 4, 4, 3)), _OVER, grad=False),
        Example(((2, 4, 3, 4), (2, 4, 5, 4), (2, 4, 3, 4)), _ROUND, grad=False),
        Example(((2, 2, 4, 2, 2), (2, 2, 4, 3, 4), (2, 2, 4, 2, 2)), _DEEP, grad=False),
    ),
)
op(
    "max_pool_taken",
    rule=_taken_rule,
    kernel=widened(_max_pool_taken),
    localize=local_pads,
    bprop=_max_pool_taken_bprop,
    examples=(
        Example(((2, 4, 4, 6), (2, 4, 4, 6), (2, 4, 2, 3)), _SQUARE, grad=False),
        Example(((2, 4, 4, 6), (2, 4, 4, 6), (2, 4, 4, 3)), _OVER, grad=False),
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


@overload
def max_pool2d(
    x: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    return_indices: Literal[False] = False,
    ceil_mode: bool = False,
    *,
    pad_mode: str = "pad",
) -> Tensor: ...


@overload
def max_pool2d(
    x: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    *,
    return_indices: Literal[True],
    ceil_mode: bool = False,
    pad_mode: str = "pad",
) -> tuple[Tensor, Tensor]: ...


def max_pool2d(
    x: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
    *,
    pad_mode: str = "pad",
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest value of each window of images (n, c, h, w), and where it stands if asked to.

    Args:
        x: (n, c, h, w).
        kernel_size, stride: one number, or one for rows and one for columns; the windows touch if stride is None.
        padding: with ``pad_mode="pad"``: rows and columns round the image, which are never the largest.
        dilation, ceil_mode: 1 and False, as MindSpore leaves them.
        return_indices: return also the number of the first largest pixel in its image, row after row (int64); rows
            and columns are whole then under every strategy.
        pad_mode: ``"pad"``, ``"same"`` or ``"valid"``.

    Raises:
        NotYetError: windows with gaps, or beyond the edge, are wanted.

    >>> max_pool2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2).tolist()
    [[[[4.0]]]]
    >>> max_pool2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2, return_indices=True)[1].tolist()
    [[[[3]]]]
    """
    check_window_form("max_pool2d", dilation, ceil_mode)
    attrs = _geometry(x, kernel_size, stride, pad_mode, padding)
    if not return_indices:
        return one("max_pool", x, **attrs)
    made = call("max_pool_with_index", x, **attrs)
    assert isinstance(made, tuple), "max_pool_with_index has two results"
    return made[0], made[1]


def avg_pool2d(
    input_x: Tensor,
    kernel_size: Numbers = 1,
    stride: Numbers | None = None,
    padding: Numbers = 0,
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
