"""Images and volumes read at the points of a grid, whose coordinates go from -1 to 1 along each axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType
from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._sampling import Taps, linear_taps, nearest_taps
from simpar.ops.support import Array, Attrs, Shape
from simpar.tensor import Tensor, call

__all__: list[str] = []


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"n c h0 h1, n p0 p1 k -> n c p0 p1"``: places of the grid may be cut, those of the image not."""
    if len(shapes[0]) != len(shapes[1]) or shapes[1][-1] != len(shapes[0]) - 2:
        raise RuleError(
            f"a grid of shape {shapes[1]} for images of shape {shapes[0]}: give as many axes, the last one with a "
            f"coordinate for each of the {len(shapes[0]) - 2} axes of an image."
        )
    axes = range(len(shapes[0]) - 2)
    image, grid = (" ".join(f"{p}{i}" for i in axes) for p in "hp")
    whole = [*(f"h{i}" for i in axes), "k"]
    return parse_rule(f"n c {image}, n {grid} k -> n c {grid}", shapes, whole=whole)


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    axes = range(len(shapes[0]) - 2)
    image, grid = (" ".join(f"{p}{i}" for i in axes) for p in "hp")
    whole = [*(f"h{i}" for i in axes), "k"]
    text = f"n c {grid}, n c {image}, n {grid} k -> n c {image}, n {grid} k"
    return parse_rule(text, shapes, whole=whole)


def _mirrored(place: Array, low: float, high: float) -> tuple[Array, Array]:
    """Return places thrown back at both borders, and which way they moved last."""
    span = high - low
    if span <= 0:
        return np.zeros_like(place), np.zeros_like(place)
    turned = np.mod(place - low, 2 * span)
    back = turned > span
    return np.where(back, 2 * span - turned, turned) + low, np.where(back, -1, 1)


def _place(coordinate: Array, size: int, padding: str, corners: bool) -> tuple[Array, Array]:
    """Return where in pixels a coordinate lies, and how fast that changes with it."""
    scale = (size - 1) / 2 if corners else size / 2
    place, slope = (coordinate + 1) * scale - (0 if corners else 0.5), np.full(coordinate.shape, scale)
    if padding == "reflection":
        place, way = _mirrored(place, 0 if corners else -0.5, size - 1 if corners else size - 0.5)
        slope = slope * way
    if padding != "zeros":
        slope = slope * ((place > 0) & (place < size - 1))
        place = np.clip(place, 0, size - 1)
    return place, slope


def _taps(x: Array, grid: Array, attrs: Attrs, with_slopes: bool) -> tuple[Taps, Array]:
    """Return what each point takes, and how fast each of its places changes, in the order of the image's axes."""
    sizes, axes = x.shape[2:], x.ndim - 2
    found = [
        _place(grid[..., axes - 1 - i].reshape(-1).astype(np.float64), n, attrs["padding"], attrs["corners"])
        for i, n in enumerate(sizes)
    ]
    images = np.repeat(np.arange(len(grid)), grid[0, ..., 0].size)
    points = [place for place, _ in found]
    if attrs["mode"] == "nearest":
        return nearest_taps(points, sizes, images), np.zeros((len(images), axes))
    return linear_taps(points, sizes, images, with_slopes), np.stack([slope for _, slope in found], -1)


def _rows(x: Array) -> Array:
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _grid_sample(x: Array, grid: Array, *, out: Array | None = None, **attrs: Any) -> Array:
    taps, _ = _taps(x, grid, attrs, False)
    made = np.moveaxis(taps.taken(_rows(x)).reshape(*grid.shape[:-1], x.shape[1]), -1, 1)
    result = np.empty(made.shape, x.dtype) if out is None else out
    np.copyto(result, made, casting="unsafe")
    return result


def _grid_sample_grad(
    g: Array, x: Array, grid: Array, *, out: tuple[Array, ...] | None = None, **attrs: Any
) -> tuple[Array, ...]:
    """Return the cotangents of images and grid."""
    taps, slope = _taps(x, grid, attrs, True)
    rows, given = _rows(x), _rows(g)
    dx = np.moveaxis(taps.given_back(given, len(rows)).reshape(len(x), *x.shape[2:], x.shape[1]), -1, 1)
    dgrid = taps.pulled(given, rows) * slope if taps.slopes else np.zeros(slope.shape)
    results = out or (np.empty(x.shape, x.dtype), np.empty(grid.shape, grid.dtype))
    np.copyto(results[0], dx, casting="unsafe")
    np.copyto(results[1], dgrid[:, ::-1].reshape(grid.shape), casting="unsafe")
    return results


def _bprop(g: Tensor, x: Tensor, grid: Tensor, *, mode: str, padding: str, corners: bool) -> Any:
    return call("grid_sample_grad", g, x, grid, mode=mode, padding=padding, corners=corners)


def _types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, DType]:
    return types[1], types[2]


def _first_type(types: Sequence[DType], attrs: Attrs) -> DType:
    return types[0]


_PLANE: dict[str, Any] = {"mode": "bilinear", "padding": "zeros", "corners": False}
_SPACE: dict[str, Any] = {"mode": "bilinear", "padding": "border", "corners": True}
_RANGE: dict[str, Any] = {"low": (-1, -1.2), "high": (1, 1.2)}
op(
    "grid_sample",
    rule=_rule,
    kernel=_grid_sample,
    bprop=_bprop,
    dtype=_first_type,
    examples=(
        Example(((2, 4, 5, 6), (2, 4, 3, 2)), _PLANE, **_RANGE),
        Example(((2, 1, 3, 4, 3), (2, 2, 3, 4, 3)), _SPACE, **_RANGE),
        Example(((2, 2, 5, 6), (2, 4, 3, 2)), {**_PLANE, "mode": "nearest"}, grad=False, **_RANGE),
    ),
)
op(
    "grid_sample_grad",
    rule=_grad_rule,
    kernel=_grid_sample_grad,
    dtype=_types,
    examples=(
        Example(((2, 4, 4, 3), (2, 4, 5, 6), (2, 4, 3, 2)), {**_PLANE, "padding": "reflection"}, grad=False),
        Example(((2, 1, 2, 3, 4), (2, 1, 3, 4, 3), (2, 2, 3, 4, 3)), _SPACE, grad=False),
    ),
)
