"""Images (n, c, h, w) in another size: each row and column is a mean of those it lies between.

Along each axis that is a product with a small matrix, so the gradient is the product with its transpose. Images and
channels may be cut; rows and columns stay whole.
"""

from collections.abc import Sequence

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import widened
from simpar.ops.support import Array, Attrs, Shape, one, write
from simpar.tensor import Tensor

__all__: list[str] = []

_WHOLE = ("h", "w", "p", "q")


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _sized("n c h w -> n c p q", shapes, attrs["size"], "pq")


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _sized("n c p q -> n c h w", shapes, attrs["size"], "hw")


def _sized(text: str, shapes: Sequence[Shape], size: Shape, letters: str) -> Rule:
    if len(shapes[0]) != 4 or len(size) != 2 or min(size) < 1:
        raise RuleError(f"images of shape {shapes[0]} (n, c, h, w) cannot have size {size}; give (rows, columns).")
    return parse_rule(text, shapes, sizes=dict(zip(letters, size, strict=True)), whole=_WHOLE)


def _weights(length: int, made: int, mode: str, align: bool, half: bool, dtype: np.dtype[np.float32]) -> Array:
    """Return the matrix (made, length) of what each new row takes of each old one.

    Args:
        length, made: how many rows there are, and how many there will be.
        mode: ``"nearest"`` or ``"bilinear"``.
        align: whether the first and last rows of both lie on each other.
        half: whether rows are spots in the middle of their pixel.
        dtype: the element type.
    """
    scale = (length - 1) / (made - 1) if align and made > 1 else length / made
    at = np.arange(made)
    place: Array = (at + 0.5) * scale - 0.5 if half and not align else at * scale
    total = np.zeros((made, length), dtype)
    if mode == "nearest":
        near = np.floor(place + 0.5) if align or half else np.floor(place)
        total[at, np.clip(near, 0, length - 1).astype(int)] = 1
        return total
    place = np.clip(place, 0, length - 1)
    low = np.floor(place).astype(int)
    np.add.at(total, (at, low), 1 - (place - low))
    np.add.at(total, (at, np.minimum(low + 1, length - 1)), place - low)
    return total


def _resize(x: Array, *, size: Shape, mode: str, align: bool, half: bool, out: Array | None = None) -> Array:
    rows, columns = (_weights(n, m, mode, align, half, x.dtype) for n, m in zip(x.shape[2:], size, strict=True))
    return write(rows @ x @ columns.T, out)


def _resize_grad(g: Array, *, size: Shape, mode: str, align: bool, half: bool, out: Array | None = None) -> Array:
    rows, columns = (_weights(n, m, mode, align, half, g.dtype) for n, m in zip(size, g.shape[2:], strict=True))
    return write(rows.T @ g @ columns, out)


def _bprop(g: Tensor, x: Tensor, *, mode: str, align: bool, half: bool) -> Tensor:
    return one("resize_grad", g, size=x.shape[2:], mode=mode, align=align, half=half)


def _grad_bprop(u: Tensor, g: Tensor, *, mode: str, align: bool, half: bool) -> Tensor:
    return one("resize", u, size=g.shape[2:], mode=mode, align=align, half=half)


_NEAR = {"mode": "nearest", "align": False, "half": False}
_MEAN = {"mode": "bilinear", "align": True, "half": False}
op(
    "resize",
    rule=_rule,
    kernel=widened(_resize),
    bprop=_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 3, 4),), {"size": (5, 6), **_MEAN}),
        Example(((2, 4, 5, 4),), {"size": (3, 8), **_NEAR}),
    ),
)
op(
    "resize_grad",
    rule=_grad_rule,
    kernel=widened(_resize_grad),
    bprop=_grad_bprop,
    linear="each",
    examples=(
        Example(((2, 4, 5, 6),), {"size": (3, 4), **_MEAN}),
        Example(((2, 4, 3, 8),), {"size": (5, 4), **_NEAR}),
    ),
)
