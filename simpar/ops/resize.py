"""Images (n, c, h, w), sequences and volumes in another size: each row is a mean of those it lies between, or over.

Along each axis that is a product with a small matrix, so the gradient is the product with its transpose. Images and
channels may be cut; a cut of rows or columns needs a halo, where new rows lie between those of two slices.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Reach, Rule
from simpar.ops._rows import widened
from simpar.ops._windows import letters, sliding_rule
from simpar.ops.support import Array, Attrs, Shape, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _sized("n c @~ -> n c @", shapes, attrs, shapes[0][2:], attrs["size"])


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _sized("n c @ -> n c @~", shapes, attrs, attrs["size"], shapes[0][2:])


def _sized(text: str, shapes: Sequence[Shape], attrs: Attrs, size: Shape, made: Shape) -> Rule:
    if not 1 <= len(size) == len(made) <= 3 or min(*size, *made) < 1:
        raise RuleError(f"images of shape {shapes[0]} cannot have size {attrs['size']}; give a number for each axis.")
    reaches = {f: reach_of(n, m, attrs) for f, n, m in zip(letters(len(size)).split(), size, made, strict=True)}
    return sliding_rule(text, shapes, size, made, {}, reaches=reaches)


def reach_of(length: int, made: int, attrs: Attrs) -> Reach:
    """Return which of ``length`` old rows each of the ``made`` new rows is made of.

    In whole numbers: where a new row lies among the old ones is a fraction, and a rounded one could be another row.

    Args:
        length, made: how many rows there are, and how many there will be.
        attrs: ``mode``; ``align``, whether the first and last rows of both lie on each other; ``half``, whether rows
            are spots in the middle of their pixel.
    """
    aligned = attrs["align"] and made > 1
    step, parts = (length - 1, made - 1) if aligned else (length, made)
    halves = attrs["half"] and not attrs["align"]
    if attrs["mode"] == "mean":  # all rows that a new one lies over
        return Reach(length, 0, length // made if length % made == 0 else -(-length // made) + 1, made)
    if attrs["mode"] == "nearest":  # the nearest row, or that before it
        shift = step if halves else parts if attrs["align"] else 0
        return Reach(2 * step, shift, 1, 2 * parts)
    return Reach(2 * step, step - parts if halves else 0, 2, 2 * parts)


def _weights(length: int, made: int, attrs: Attrs, axis: int, dtype: Any) -> Array:
    """Return the matrix of what each new row takes of each old one, for the rows that this rank makes and holds.

    Args:
        length, made: how many old rows there are here, and how many new ones.
        attrs: of the op; ``part`` tells where this rank's rows begin and how many there are together.
        axis: which of the image's last axes.
        dtype: the element type.
    """
    begin, start, old, new = (0, 0, length, made) if attrs["part"] is None else attrs["part"][axis]
    reach, here = reach_of(old, new, attrs), np.arange(made)
    place = (start + here) * reach.step + reach.shift
    low, between = np.divmod(place, reach.parts)
    total = np.zeros((made, length), dtype)
    if attrs["mode"] == "mean":
        behind = -(-(place + reach.step) // reach.parts)
        for row, (first, last) in enumerate(zip(low - begin, behind - begin, strict=True)):
            total[row, first:last] = 1 / (last - first)
        return total
    near = np.clip(low, 0, old - 1) - begin
    if attrs["mode"] == "nearest":
        total[here, near] = 1
        return total
    share = np.where(low < 0, 0.0, between / reach.parts)
    np.add.at(total, (here, near), 1 - share)
    np.add.at(total, (here, np.clip(low + 1, 0, old - 1) - begin), np.where(low < 0, 0.0, share))
    return total


def _local(attrs: Attrs, local: Local, image: Shape) -> Attrs:
    """Tell where this rank's old and new rows and columns begin, and how many there are on all ranks together.

    Args:
        attrs: of all ranks.
        local: this rank's part.
        image: the shape of the old images that it holds.
    """
    part: list[tuple[int, int, int, int]] = []
    for f, held in zip(letters(len(image) - 2).split(), image[2:], strict=True):
        old, new = local.sizes[f"{f}~"], local.sizes[f]
        part.append((0 if held == old else max(local.spans[f][0], 0), local.starts.get(f, 0), old, new))
    return {**attrs, "size": local.results[0][2:], "part": tuple(part)}


def _local_images(attrs: Attrs, local: Local) -> Attrs:
    return _local(attrs, local, local.operands[0])


def _local_gradients(attrs: Attrs, local: Local) -> Attrs:
    return _local(attrs, local, local.results[0])


def _resize(x: Array, *, size: Shape, out: Array | None = None, part: Any = None, **attrs: Any) -> Array:
    how = {**attrs, "part": part}
    for i, (n, m) in enumerate(zip(x.shape[2:], size, strict=True)):
        x = _product(_weights(n, m, how, i, x.dtype), x, i + 2)
    return write(x, out)


def _resize_grad(g: Array, *, size: Shape, out: Array | None = None, part: Any = None, **attrs: Any) -> Array:
    how = {**attrs, "part": part}
    for i, (n, m) in enumerate(zip(size, g.shape[2:], strict=True)):
        g = _product(_weights(n, m, how, i, g.dtype).T, g, i + 2)
    return write(g, out)


def _product(matrix: Array, x: Array, axis: int) -> Array:
    """Return the product of a matrix with an axis of images."""
    if axis == x.ndim - 1:
        return x @ matrix.T
    return np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T, -1, axis)


def _bprop(g: Tensor, x: Tensor, *, mode: str, align: bool, half: bool) -> Tensor:
    return one("resize_grad", g, size=x.shape[2:], mode=mode, align=align, half=half)


def _grad_bprop(u: Tensor, g: Tensor, *, mode: str, align: bool, half: bool) -> Tensor:
    return one("resize", u, size=g.shape[2:], mode=mode, align=align, half=half)


_NEAR = {"mode": "nearest", "align": False, "half": False}
_MEAN = {"mode": "bilinear", "align": True, "half": False}
_OVER = {"mode": "mean", "align": False, "half": False}
_HALF = {"mode": "bilinear", "align": False, "half": True}
op(
    "resize",
    rule=_rule,
    kernel=widened(_resize),
    localize=_local_images,
    bprop=_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 3, 4),), {"size": (5, 6), **_MEAN}),
        Example(((2, 4, 5, 4),), {"size": (3, 8), **_NEAR}),
        Example(((2, 2, 4, 6),), {"size": (8, 12), **_HALF}),
        Example(((2, 2, 6, 2, 4),), {"size": (4, 1, 2), **_OVER}),
    ),
)
op(
    "resize_grad",
    rule=_grad_rule,
    kernel=widened(_resize_grad),
    localize=_local_gradients,
    bprop=_grad_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 5, 6),), {"size": (3, 4), **_MEAN}),
        Example(((2, 4, 3, 8),), {"size": (5, 4), **_NEAR}),
        Example(((2, 2, 8, 12),), {"size": (4, 6), **_HALF}),
        Example(((2, 2, 4),), {"size": (6,), **_OVER}),
    ),
)
