"""Pooling of volumes (n, c, d, h, w): the largest or the mean value of each window. Images and channels may be cut."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import widened
from simpar.ops.support import Array, Attrs, Shape, one, write
from simpar.tensor import Tensor

__all__: list[str] = []

_WHOLE = ("d", "h", "w", "p", "q", "r")


def _counts(size: Sequence[int], attrs: Attrs) -> Shape:
    """Return how many windows there are along each axis."""
    each = zip(size, attrs["kernel"], attrs["stride"], attrs["pads"], strict=True)
    made = tuple((n + sum(pad) - k) // s + 1 for n, k, s, pad in each)
    if min(made) < 1:
        raise RuleError(f"a window of {attrs['kernel']} does not fit a volume of {tuple(size)}. Make it smaller.")
    return made


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    sizes = dict(zip("pqr", _counts(shapes[0][2:], attrs), strict=True))
    return parse_rule("n c d h w -> n c p q r", shapes, sizes=sizes, whole=_WHOLE)


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return parse_rule("n c p q r, n c d h w, n c p q r -> n c d h w", shapes, whole=_WHOLE)


def _padded(x: Array, attrs: Attrs, value: float) -> Array:
    return np.pad(x, ((0, 0), (0, 0), *attrs["pads"]), constant_values=value)


def _taps(padded: Array, counts: Shape, attrs: Attrs) -> Iterator[Array]:
    """Give, for each place in the window, the view of what it covers in all windows."""
    for place in product(*map(range, attrs["kernel"])):
        each = zip(place, counts, attrs["stride"], strict=True)
        yield padded[:, :, *(slice(at, at + (n - 1) * s + 1, s) for at, n, s in each)]


def _shares(x: Array, counts: Shape, attrs: Attrs) -> Array | float:
    """Return by how much the sum of each window is divided: its places, those of the padding included or not."""
    if attrs["count_pads"]:
        return float(prod(attrs["kernel"]))
    inside = _padded(np.ones((1, 1, *x.shape[2:]), x.dtype), attrs, 0)
    return np.add.reduce(list(_taps(inside, counts, attrs)))


def _pool3d(x: Array, *, mode: str, out: Array | None = None, **attrs: Any) -> Array:
    counts = _counts(x.shape[2:], attrs)
    largest = mode == "max"
    total = np.full((*x.shape[:2], *counts), -np.inf if largest else 0, x.dtype)
    for part in _taps(_padded(x, attrs, -np.inf if largest else 0), counts, attrs):
        (np.maximum if largest else np.add)(total, part, out=total)
    return write(total if largest else total / _shares(x, counts, attrs), out)


def _pool3d_grad(g: Array, x: Array, y: Array, *, mode: str, out: Array | None = None, **attrs: Any) -> Array:
    """Give each cotangent to the first of its window that is the largest, or share it among all."""
    counts = y.shape[2:]
    total = _padded(np.zeros_like(x, dtype=g.dtype), attrs, 0)
    targets = _taps(total, counts, attrs)
    if mode == "max":
        left = np.ones(y.shape, np.bool_)
        for part, target in zip(_taps(_padded(x, attrs, -np.inf), counts, attrs), targets, strict=True):
            found = (part == y) & left
            left ^= found
            target += g * found
    else:
        share = g / _shares(x, counts, attrs)
        for target in targets:
            target += share
    inner = tuple(slice(low, low + n) for (low, _), n in zip(attrs["pads"], x.shape[2:], strict=True))
    return write(total[:, :, *inner], out)


def _bprop(
    g: Tensor, x: Tensor, *, out: Tensor, mode: str, kernel: Any, stride: Any, pads: Any, count_pads: bool
) -> Tensor:
    return one("pool3d_grad", g, x, out, mode=mode, kernel=kernel, stride=stride, pads=pads, count_pads=count_pads)


_MAX = {"mode": "max", "kernel": (2, 2, 2), "stride": (2, 1, 2), "pads": ((0, 0), (0, 1), (1, 0)), "count_pads": True}
_AVG = {"mode": "avg", "kernel": (2, 3, 1), "stride": (1, 2, 1), "pads": ((1, 0), (1, 1), (0, 0)), "count_pads": False}
op(
    "pool3d",
    rule=_rule,
    kernel=widened(_pool3d),
    bprop=_bprop,
    examples=(Example(((2, 4, 4, 3, 5),), _MAX), Example(((2, 4, 3, 4, 2),), _AVG)),
)
op(
    "pool3d_grad",
    rule=_grad_rule,
    kernel=widened(_pool3d_grad),
    examples=(
        Example(((2, 4, 2, 3, 3), (2, 4, 4, 3, 5), (2, 4, 2, 3, 3)), _MAX, grad=False),
        Example(((2, 4, 3, 2, 2), (2, 4, 3, 4, 2), (2, 4, 3, 2, 2)), _AVG, grad=False),
    ),
)
