"""Boxes in images: how far they overlap, what lies in them. Corners are pixels: a box from 2 to 4 is 3 pixels long.

Images may lie on different ranks: each answers for the boxes whose images it holds, so that the results are summed.
"""

from collections.abc import Sequence
from math import floor, prod
from typing import Any

import numpy as np

from simpar.dtype import bool_, float32
from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops._sampling import Taps, linear_taps, nearest_taps
from simpar.ops.support import Array, Attrs, Shape, constant_dtype, one, pick_dtype, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _sides(boxes: Array) -> tuple[Array, Array]:
    """Return width and height."""
    return boxes[:, 2] - boxes[:, 0] + 1, boxes[:, 3] - boxes[:, 1] + 1


def _iou(anchors: Array, truths: Array, *, mode: str, out: Array | None = None) -> Array:
    """Return the area that each pair shares, as part of what both cover, or of the true box alone (``"iof"``)."""
    low = np.maximum(truths[:, None, :2], anchors[None, :, :2])
    high = np.minimum(truths[:, None, 2:], anchors[None, :, 2:])
    shared = np.maximum(high - low + 1, 0).prod(-1)
    areas = [np.multiply(*_sides(b)) for b in (anchors, truths)]
    whole = areas[1][:, None] if mode == "iof" else areas[0][None] + areas[1][:, None] - shared
    return write(shared / (whole + whole.dtype.type(1e-10)), out)


def _encode(
    anchors: Array, truths: Array, *, means: tuple[float, ...], stds: tuple[float, ...], out: Array | None = None
) -> Array:
    """Return how far centres and logarithms of sides of the true boxes are from the anchors', standardized."""
    sides, wanted = (np.stack(_sides(b), -1) for b in (anchors, truths))
    centres = (truths[:, :2] + truths[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    made = np.concatenate([centres / sides, np.log(wanted / sides)], -1)
    return write((made - np.array(means, made.dtype)) / np.array(stds, made.dtype), out)


def _check_valid(boxes: Array, metas: Array, *, out: Array | None = None) -> Array:
    """Return which boxes lie in an image of height, width and ratio ``metas``."""
    height, width = (float(n) * float(metas[2]) for n in metas[:2])
    inside = (boxes[:, 0] >= 0) & (boxes[:, 1] >= 0) & (boxes[:, 2] <= width - 1) & (boxes[:, 3] <= height - 1)
    return write(inside, out)


_UNIT: dict[str, Any] = {"means": (0.0, 0.1, 0.0, 0.2), "stds": (1.0, 0.5, 1.0, 2.0)}
_BOXES: dict[str, Any] = {"low": (0, 2), "high": (2, 9), "grad": False}
op(
    "iou",
    rule="n k, m k -> m n",
    whole=("k",),
    kernel=_iou,
    examples=(
        Example(((4, 4), (6, 4)), {"mode": "iou"}, **_BOXES),
        Example(((4, 4), (2, 4)), {"mode": "iof"}, **_BOXES),
    ),
)
op(
    "bounding_box_encode",
    rule="n k, n k -> n k",
    whole=("k",),
    kernel=_encode,
    examples=tuple(Example(((n, 4),) * 2, _UNIT, low=-0.4, high=0.4, grad=False) for n in (4, 6)),
)
op(
    "check_valid",
    rule="n k, s -> n",
    whole=("k", "s"),
    kernel=_check_valid,
    dtype=constant_dtype(bool_),
    examples=tuple(Example(((n, 4), (3,)), low=-1, high=4, grad=False) for n in (4, 6)),
)

# --- what lies in a box ---


def _steps(first: Array, last: Array, count: int, size: int) -> Array:
    """Return where along an axis of ``size`` pixels the ``count`` points of each box lie, from its begin to its end."""
    if count == 1:
        return ((first + last) / 2 * (size - 1))[:, None]
    return (first * (size - 1))[:, None] + ((last - first) * (size - 1) / (count - 1))[:, None] * np.arange(count)


def _crop_points(boxes: Array, size: tuple[int, int], image: tuple[int, ...]) -> tuple[Array, Array]:
    """Return rows and columns of the points of each box, (boxes, rows, columns)."""
    rows = _steps(boxes[:, 0], boxes[:, 2], size[0], image[0])
    columns = _steps(boxes[:, 1], boxes[:, 3], size[1], image[1])
    shape = (len(boxes), *size)
    return np.broadcast_to(rows[:, :, None], shape), np.broadcast_to(columns[:, None, :], shape)


def _crop_taps(boxes: Array, index: Array, images: Shape, attrs: Attrs) -> tuple[Taps, Array, Array]:
    """Return what each point takes, which points lie outside of their image, and which images are here."""
    sizes = images[1:3]
    points = _crop_points(boxes.astype(np.float32), attrs["crop_size"], sizes)
    held = index - attrs.get("offset", 0)
    here = (held >= 0) & (held < images[0])
    outside = np.zeros(points[0].shape, np.bool_)
    for place, size in zip(points, sizes, strict=True):
        outside |= (place < 0) | (place > size - 1)
    shape = points[0].shape
    number = np.broadcast_to(np.where(here, held, 0)[:, None, None], shape).reshape(-1)
    flat = [np.clip(p, 0, n - 1).reshape(-1) for p, n in zip(points, sizes, strict=True)]
    if attrs["method"] == "nearest":
        taps = nearest_taps([np.floor(p + np.float32(0.5)) for p in flat], sizes, number)
    else:
        taps = linear_taps(flat, sizes, number)
    taken = np.broadcast_to(here[:, None, None], shape) & ~outside
    weighted = Taps(taps.pixels, taps.weights * taken.reshape(-1))
    return weighted, outside, here


def _crop(x: Array, boxes: Array, index: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    taps, outside, here = _crop_taps(boxes, index, x.shape, attrs)
    rows = x.reshape(-1, x.shape[3])
    made = taps.taken(rows if rows.dtype.kind == "f" else rows.astype(np.float32))
    made = made.reshape(len(boxes), *attrs["crop_size"], x.shape[3])
    made[outside & here[:, None, None]] = attrs["extrapolation"]
    return write(made, out)


def _crop_grad(g: Array, boxes: Array, index: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    shape = tuple[int, ...](attrs["shape"])
    taps, _, _ = _crop_taps(boxes, index, shape, attrs)
    return write(taps.given_back(g.reshape(-1, shape[3]), prod(shape[:3])).reshape(shape), out)


def _crop_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    sizes = dict(zip("pq", attrs["crop_size"], strict=True))
    return parse_rule("b h w c, n k, n -> n p q c", shapes, sizes=sizes, whole=("h", "w", "k", "p", "q"))


def _crop_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    sizes = dict(zip("bhw", attrs["shape"], strict=False))
    return parse_rule("n p q c, n k, n -> b h w c", shapes, sizes=sizes, whole=("h", "w", "k", "p", "q"))


def _shape_local(attrs: Attrs, local: Local) -> Attrs:
    return {**attrs, "shape": local.results[0]}


def _crop_bprop(
    g: Tensor, x: Tensor, boxes: Tensor, index: Tensor, *, crop_size: Any, method: str, extrapolation: float
) -> tuple[Tensor | None, None, None]:
    """Return the cotangent of the images; boxes are data."""
    if not x.dtype.is_float:
        return None, None, None
    attrs = {"crop_size": crop_size, "method": method, "extrapolation": extrapolation}
    return one("crop_and_resize_grad", g, boxes, index, shape=x.shape, **attrs).astype(x.dtype), None, None


_CROP: dict[str, Any] = {"crop_size": (3, 2), "method": "bilinear", "extrapolation": 0.5}
_NEAR: dict[str, Any] = {"crop_size": (2, 1), "method": "nearest", "extrapolation": 0.0}
_TYPES = ("float32", "float32", "int32")
op(
    "crop_and_resize",
    rule=_crop_rule,
    offsets="b",
    batch=1,
    kernel=_crop,
    bprop=_crop_bprop,
    dtype=constant_dtype(float32),
    examples=tuple(
        Example(((4, 5, 6, 2), (6, 4), (6,)), a, _TYPES, low=(-1, -0.1, 0), high=(1, 1.1, 4), grad=False)
        for a in (_CROP, _NEAR)
    ),
)
op(
    "crop_and_resize_grad",
    rule=_crop_grad_rule,
    offsets="b",
    kernel=_crop_grad,
    localize=_shape_local,
    dtype=pick_dtype(0),
    examples=tuple(
        Example(
            ((6, *a["crop_size"], 2), (6, 4), (6,)),
            {**a, "shape": (4, 5, 6, 2)},
            _TYPES,
            low=(-1, -0.1, 0),
            high=(1, 1.1, 4),
            grad=False,
        )
        for a in (_CROP, _NEAR)
    ),
)

# --- regions of interest: He et al., https://arxiv.org/abs/1703.06870 ---


def _read(begin: float, bin_size: float, bins: int, samples: int) -> Array:
    """Return where the samples of each bin lie along an axis, (bins, samples)."""
    within = (np.arange(samples) + 0.5) / samples
    return begin + (np.arange(bins)[:, None] + within) * bin_size


def _roi_taps(rois: Array, features: Shape, attrs: Attrs) -> list[tuple[Taps, int]]:
    """Return for each region what its points take (bins, samples), and how many samples a bin has."""
    sizes, bins = features[2:], tuple[int, ...](attrs["pooled"])
    made: list[tuple[Taps, int]] = []
    for roi in rois.astype(np.float64):
        image = int(np.rint(roi[0])) - attrs.get("offset", 0)
        begin, end = roi[[2, 1]] * attrs["scale"], (roi[[4, 3]] + attrs["end_mode"]) * attrs["scale"]
        sides = end - begin if attrs["end_mode"] else np.maximum(end - begin, 1)
        each = sides / bins
        samples = [attrs["samples"] or max(floor(n), 1) for n in each]
        axes = [_read(*of_axis) for of_axis in zip(begin, each, bins, samples, strict=True)]
        shape = (*bins, *samples)
        rows = np.broadcast_to(axes[0][:, None, :, None], shape).reshape(-1)
        columns = np.broadcast_to(axes[1][None, :, None, :], shape).reshape(-1)
        is_read = np.full(rows.shape, 0 <= image < features[0])
        for place, size in zip((rows, columns), sizes, strict=True):
            is_read &= (place >= -1) & (place <= size)
        flat = [np.clip(p, 0, n - 1) for p, n in zip((rows, columns), sizes, strict=True)]
        taps = linear_taps(flat, sizes, np.full(rows.shape, max(0, min(image, features[0] - 1))))
        made.append((Taps(taps.pixels, taps.weights * is_read), prod(samples)))
    return made


def _roi_align(x: Array, rois: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    channels = x.shape[1]
    rows = np.moveaxis(x, 1, -1).reshape(-1, channels)
    made = np.empty((len(rois), channels, *attrs["pooled"]), x.dtype)
    for target, (taps, samples) in zip(made, _roi_taps(rois, x.shape, attrs), strict=True):
        target[...] = taps.taken(rows).reshape(*attrs["pooled"], samples, channels).mean(2).transpose(2, 0, 1)
    return write(made, out)


def _roi_align_grad(g: Array, rois: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    shape = tuple[int, ...](attrs["shape"])
    count, channels = shape[0] * shape[2] * shape[3], shape[1]
    total = np.zeros((count, channels), g.dtype)
    for source, (taps, samples) in zip(g, _roi_taps(rois, shape, attrs), strict=True):
        share = np.repeat(source.transpose(1, 2, 0).reshape(-1, channels) / samples, samples, axis=0)
        total += taps.given_back(share.astype(g.dtype), count)
    return write(np.moveaxis(total.reshape(shape[0], *shape[2:], channels), -1, 1), out)


def _roi_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    if shapes[1][-1] != 5:
        raise RuleError(
            f"rois of shape {shapes[1]}: each has 5 numbers, which image, and columns and rows of 2 corners."
        )
    sizes = dict(zip("pq", attrs["pooled"], strict=True))
    return parse_rule("b c h w, n k -> n c p q", shapes, sizes=sizes, whole=("h", "w", "k", "p", "q"))


def _roi_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    sizes = {f: attrs["shape"][i] for f, i in (("b", 0), ("h", 2), ("w", 3))}
    return parse_rule("n c p q, n k -> b c h w", shapes, sizes=sizes, whole=("h", "w", "k", "p", "q"))


def _roi_bprop(
    g: Tensor, x: Tensor, rois: Tensor, *, pooled: Any, scale: float, samples: int, end_mode: int
) -> tuple[Tensor, None]:
    attrs = {"pooled": pooled, "scale": scale, "samples": samples, "end_mode": end_mode}
    return one("roi_align_grad", g, rois, shape=x.shape, **attrs), None


_ALIGN: dict[str, Any] = {"pooled": (2, 3), "scale": 0.5, "samples": 2, "end_mode": 1}
_ADAPT: dict[str, Any] = {"pooled": (2, 1), "scale": 1.0, "samples": 0, "end_mode": 0}
op(
    "roi_align",
    rule=_roi_rule,
    offsets="b",
    batch=1,
    kernel=_roi_align,
    bprop=_roi_bprop,
    dtype=pick_dtype(0),
    examples=tuple(
        Example(((4, 2, 6, 5), (6, 5)), a, low=(-1, 0), high=(1, 3.4), grad=False) for a in (_ALIGN, _ADAPT)
    ),
)
op(
    "roi_align_grad",
    rule=_roi_grad_rule,
    offsets="b",
    kernel=_roi_align_grad,
    localize=_shape_local,
    dtype=pick_dtype(0),
    examples=tuple(
        Example(((6, 2, *a["pooled"]), (6, 5)), {**a, "shape": (4, 2, 6, 5)}, low=(-1, 0), high=(1, 3.4), grad=False)
        for a in (_ALIGN, _ADAPT)
    ),
)
