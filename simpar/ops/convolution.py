"""Convolution of images and volumes: windows laid out as columns, then one large product per block of images.

The records are made alike for images (n, c, h, w) and for volumes (n, c, d, h, w).

Images and channels may be cut, in and out. A cut of the input channels, alike in input and weight, leaves a partial
result; a cut of rows or columns needs a halo of the neighbours' pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Rule
from simpar.ops._rows import Array, or_new, widened
from simpar.ops._windows import Window, letters, local_pads, numbers_of, pads_of, window_rule, windows
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = ["conv2d"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]

COLUMN_BYTES = 1 << 21
"""How many bytes of columns are laid out at once."""


def window_of(attrs: Attrs, kernel: Sequence[int]) -> Window:
    """Return the geometry that the attributes of a convolution describe."""
    return Window(tuple(kernel), attrs["stride"], attrs["pads"], attrs["dilation"])


# --- rules: n images, (gr c) input channels in groups, (gr o) output channels, @~ pixels, @ windows, y x the kernel ---


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    image, weight = shapes
    axes = len(attrs["stride"]) + 2
    if len(image) != axes or len(weight) != axes or image[1] != weight[1] * attrs["group"]:
        raise RuleError(
            f"an input of shape {image} (n, c, ...) does not fit a weight of shape {weight} (out, c / group, kernel) "
            f"in {attrs['group']} group(s): both have {axes} axes, and the weight must have "
            f"{image[1] // attrs['group']} input channels."
        )
    return _window_rule("n (gr c) @~, (gr o) c K -> n (gr o) @", shapes, attrs, weight[2:], image[2:])


def _grad_input_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    text = "n (gr o) @, (gr o) c K -> n (gr c) @~"
    return _window_rule(text, shapes, attrs, shapes[1][2:], attrs["size"], channels=("o", "c"))


def _grad_weight_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _window_rule("n (gr o) @, n (gr c) @~ -> (gr o) c K", shapes, attrs, attrs["kernel"], shapes[1][2:])


def _window_rule(
    text: str,
    shapes: Sequence[Shape],
    attrs: Attrs,
    kernel: Shape,
    size: Shape,
    channels: tuple[str, str] = ("c", "o"),
) -> Rule:
    """Return the rule of a text, with the channels of its images and of its result in the order of the factors."""
    taps = "zyx"[3 - len(kernel) :]
    sizes = {"gr": attrs["group"], **dict(zip(taps, kernel, strict=True))}
    order = ("n", "gr", channels[0], *letters(len(kernel)).split(), channels[1])
    text = text.replace("K", " ".join(taps))
    return window_rule(text, shapes, window_of(attrs, kernel), size, sizes, whole=tuple(taps), order=order)


def _local_group(attrs: Attrs, local: Local) -> Attrs:
    """Tell the gradient by the weight how many groups this rank's slice has, and the padding of its windows."""
    return {**local_pads(attrs, local), "group": local.operands[1][1] // max(local.results[0][1], 1)}


# --- kernels ---


def _image_blocks(images: int, bytes_each: int) -> Iterator[slice]:
    step = max(1, COLUMN_BYTES // max(bytes_each, 1))
    for start in range(0, images, step):
        yield slice(start, min(start + step, images))


def _conv(x: Array, w: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    """Multiply the weight, (group, o, c y x), by the columns of each image, (group, c y x, p q)."""
    window = window_of(attrs, w.shape[2:])
    result = or_new(out, (len(x), w.shape[0], *window.result(x.shape[2:])), x.dtype)
    group, depth = x.shape[1] // w.shape[1], prod(w.shape[1:])
    matrix = w.reshape(group, w.shape[0] // group, depth)
    places = prod(result.shape[2:])
    for images in _image_blocks(len(x), group * depth * places * x.itemsize):
        part = result[images]
        columns = _columns(x[images], window).reshape(len(part), group, depth, places)
        np.matmul(matrix, columns, out=part.reshape(len(part), group, -1, places))
    return result


def _columns(x: Array, window: Window) -> Array:
    """Return the windows as columns, (n, c, kernel ..., windows ...); a view for windows of one element."""
    of_window, of_image = _axes(x)
    view = windows(window.padded(x), window).transpose(0, 1, *of_window, *of_image)
    return view if window.is_point else np.ascontiguousarray(view)


def _axes(x: Array) -> tuple[range, range]:
    """Return the axes of the kernel, and those of the windows, in the view of all windows of images."""
    return range(x.ndim, 2 * x.ndim - 2), range(2, x.ndim)


def _conv_grad_input(g: Array, w: Array, *, size: Shape, out: Array | None = None, **attrs: Any) -> Array:
    """Multiply by the transposed weight, and add each column back to the pixels that it was made of."""
    window = window_of(attrs, w.shape[2:])
    group = attrs["group"] if out is None else out.shape[1] // w.shape[1]
    result = or_new(out, (len(g), group * w.shape[1], *size), g.dtype)
    depth, places = prod(w.shape[1:]), prod(g.shape[2:])
    turned = np.ascontiguousarray(w.reshape(group, -1, depth).transpose(0, 2, 1))
    for images in _image_blocks(len(g), group * depth * places * g.itemsize):
        part = np.ascontiguousarray(g[images])
        columns = np.matmul(turned, part.reshape(len(part), group, -1, places))
        columns = columns.reshape(len(part), result.shape[1], *w.shape[2:], *g.shape[2:])
        padded = np.zeros((*columns.shape[:2], *window.padded_size(size)), g.dtype)
        for place, pixels in window.taps(padded):
            pixels += columns[:, :, *place]
        np.copyto(result[images], window.without_pads(padded, size))
    return result


def _conv_grad_weight(
    g: Array, x: Array, *, kernel: Shape, group: int, out: Array | None = None, **attrs: Any
) -> Array:
    """Multiply the cotangent by the columns, over all places of all images: (o, n p q) @ (n p q, c y x)."""
    window = window_of(attrs, kernel)
    result = or_new(out, (g.shape[1], x.shape[1] // group, *kernel), g.dtype)
    depth, places = prod(result.shape[1:]), prod(g.shape[2:])
    total = np.zeros((group, g.shape[1] // group, depth), g.dtype)
    for images in _image_blocks(len(g), group * depth * places * g.itemsize):
        part = x[images]
        of_window, of_image = _axes(part)
        view = windows(window.padded(part), window).transpose(1, *of_window, 0, *of_image)  # (c, kernel, n, windows)
        columns = view.reshape(group, depth, len(part) * places)
        rows = np.moveaxis(g[images], 1, 0).reshape(group, -1, len(part) * places)
        total += np.matmul(rows, columns.transpose(0, 2, 1))
    np.copyto(result, total.reshape(result.shape))
    return result


# --- the records, for images and for volumes ---

_PLAIN = {"stride": (1, 1), "pads": (0, 0, 0, 0), "dilation": (1, 1), "group": 1}
_SAME = {"stride": (1, 2), "pads": (1, 1, 1, 1), "dilation": (1, 1), "group": 1}
_WIDE = {"stride": (2, 1), "pads": (1, 0, 1, 2), "dilation": (1, 2), "group": 2}
_DEEP = {"stride": (1, 2, 1), "pads": (1, 1, 0, 0, 0, 1), "dilation": (1, 1, 1), "group": 1}
_EXAMPLES = {
    "conv2d": (
        ((2, 4, 5, 6), (4, 4, 2, 3), (2, 4, 4, 4), _PLAIN),
        ((2, 4, 4, 6), (2, 4, 3, 3), (2, 2, 4, 3), _SAME),
        ((2, 4, 5, 6), (4, 2, 3, 2), (2, 4, 2, 7), _WIDE),
    ),
    "conv3d": (
        ((2, 2, 4, 4, 3), (4, 2, 3, 2, 2), (2, 4, 4, 2, 3), _DEEP),
        (
            (1, 4, 2, 3, 4),
            (2, 2, 1, 2, 1),
            (1, 2, 2, 2, 4),
            {**_DEEP, "stride": (1, 1, 1), "pads": (0,) * 6, "group": 2},
        ),
    ),
}
"""For each convolution: shapes of images, weight and result, and the attributes."""


def _make_records(name: str) -> None:
    """Make the records of a convolution and of its gradients by image and weight: all linear, and each other's."""
    by_input, by_weight = f"{name}_grad_input", f"{name}_grad_weight"

    def bprop(g: Tensor, x: Tensor, w: Tensor, *, stride: Any, pads: Any, dilation: Any, group: int) -> Any:
        how = {"stride": stride, "pads": pads, "dilation": dilation, "group": group}
        return one(by_input, g, w, size=x.shape[2:], **how), one(by_weight, g, x, kernel=w.shape[2:], **how)

    def input_bprop(u: Tensor, g: Tensor, w: Tensor, *, stride: Any, pads: Any, dilation: Any, group: int) -> Any:
        how = {"stride": stride, "pads": pads, "dilation": dilation, "group": group}
        return one(name, u, w, **how), one(by_weight, g, u, kernel=w.shape[2:], **how)

    def weight_bprop(u: Tensor, g: Tensor, x: Tensor, *, stride: Any, pads: Any, dilation: Any, group: int) -> Any:
        how = {"stride": stride, "pads": pads, "dilation": dilation, "group": group}
        return one(name, x, u, **how), one(by_input, g, u, size=x.shape[2:], **how)

    tried = _EXAMPLES[name]
    op(
        name,
        rule=_rule,
        kernel=widened(_conv),
        bprop=bprop,
        linear="each",
        localize=local_pads,
        examples=tuple(Example((x, w), how) for x, w, _, how in tried),
    )
    op(
        by_input,
        rule=_grad_input_rule,
        kernel=widened(_conv_grad_input),
        bprop=input_bprop,
        linear="each",
        localize=local_pads,
        examples=tuple(Example((y, w), {**how, "size": x[2:]}) for x, w, y, how in tried),
    )
    op(
        by_weight,
        rule=_grad_weight_rule,
        kernel=widened(_conv_grad_weight),
        bprop=weight_bprop,
        linear="each",
        localize=_local_group,
        examples=tuple(Example((y, x), {**how, "kernel": w[2:]}) for x, w, y, how in tried),
    )


_make_records("conv2d")
_make_records("conv3d")


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    pad_mode: str = "valid",
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of images with a kernel.

    Args:
        input: (n, c, h, w).
        weight: (out, c / groups, kernel rows, kernel columns).
        bias: (out,).
        stride, dilation: one number, or one for rows and one for columns.
        pad_mode: ``"valid"`` (no padding), ``"same"`` (as many windows as pixels / stride), ``"pad"``.
        padding: with ``"pad"``: one number, (rows, columns), or (top, bottom, left, right).
        groups: into how many groups the channels fall, each convolved for itself.

    Raises:
        RuleError: shapes, mode or padding do not fit together.

    >>> conv2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), Tensor([[[[1.0, 1.0]]]])).tolist()
    [[[[3.0], [7.0]]]]
    """
    steps, spread = numbers_of(stride), numbers_of(dilation)
    pads = pads_of(pad_mode, padding, input.shape[2:], weight.shape[2:], steps, spread)
    made = one("conv2d", input, weight, stride=steps, pads=pads, dilation=spread, group=groups)
    return made if bias is None else made + bias.reshape(1, -1, 1, 1)
