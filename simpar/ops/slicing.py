"""Parts of axes: slices and padding. An axis that is taken whole may stay cut, others must be whole."""

from collections.abc import Sequence

import numpy as np

from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _rule(given: Shape, made: Shape, kept: Sequence[bool]) -> Rule:
    """Return ``"a0 c1 -> a0 d1"``, where axis 1 is worked on and so is whole."""
    names = letters(len(given))
    left = " ".join(f if k else f"c{f}" for f, k in zip(names, kept, strict=True))
    right = " ".join(f if k else f"d{f}" for f, k in zip(names, kept, strict=True))
    sizes = {f"d{f}": n for f, n in zip(names, made, strict=True)}
    worked = [f"{c}{f}" for f, k in zip(names, kept, strict=True) if not k for c in "cd"]
    return parse_rule(f"{left} -> {right}", (given,), sizes=sizes, whole=worked)


def _taken_whole(shape: Shape, attrs: Attrs) -> list[bool]:
    bounds = zip(shape, attrs["begin"], attrs["end"], attrs["strides"], strict=True)
    return [begin == 0 and end == n and stride == 1 for n, begin, end, stride in bounds]


def _slices(begin: Shape, end: Shape, strides: Shape) -> tuple[slice, ...]:
    return tuple(slice(*bounds) for bounds in zip(begin, end, strides, strict=True))


def _slice_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    bounds = zip(attrs["begin"], attrs["end"], attrs["strides"], strict=True)
    made = tuple(len(range(*b)) for b in bounds)
    return _rule(shapes[0], made, _taken_whole(shapes[0], attrs))


def _slice_local(attrs: Attrs, local: Local) -> Attrs:
    """Let axes that are cut, which are taken whole, end where the slice ends."""
    return {**attrs, "end": tuple(map(min, attrs["end"], local.operands[0]))}


def _strided_slice(x: Array, *, begin: Shape, end: Shape, strides: Shape, out: Array | None = None) -> Array:
    return write(x[_slices(begin, end, strides)], out)


def _slice_bprop(g: Tensor, x: Tensor, *, begin: Shape, end: Shape, strides: Shape) -> Tensor:
    return one("strided_slice_grad", g, shape=x.shape, begin=begin, end=end, strides=strides)


def _slice_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _rule(shapes[0], attrs["shape"], _taken_whole(attrs["shape"], attrs))


def _slice_grad_local(attrs: Attrs, local: Local) -> Attrs:
    shape = local.results[0]
    return {**attrs, "shape": shape, "end": tuple(map(min, attrs["end"], shape))}


def _strided_slice_grad(
    g: Array, *, shape: Shape, begin: Shape, end: Shape, strides: Shape, out: Array | None = None
) -> Array:
    """Put ``g`` where the slice was taken, and zeros around it."""
    made = np.empty(shape, g.dtype) if out is None else out
    made.fill(0)
    made[_slices(begin, end, strides)] = g
    return made


def _slice_grad_bprop(g: Tensor, x: Tensor, *, begin: Shape, end: Shape, strides: Shape) -> Tensor:
    return one("strided_slice", g, begin=begin, end=end, strides=strides)


_BOUNDS = (
    ((4, 6), {"begin": (0, 1), "end": (4, 5), "strides": (1, 2)}),
    ((4, 6), {"begin": (2, 0), "end": (3, 6), "strides": (1, 1)}),
    ((2, 3, 4), {"begin": (0, 0, 0), "end": (2, 3, 3), "strides": (1, 2, 1)}),
)
op(
    "strided_slice",
    rule=_slice_rule,
    kernel=_strided_slice,
    bprop=_slice_bprop,
    linear="each",
    view=True,
    localize=_slice_local,
    examples=tuple(Example((shape,), bounds) for shape, bounds in _BOUNDS),
)
op(
    "strided_slice_grad",
    rule=_slice_grad_rule,
    kernel=_strided_slice_grad,
    bprop=_slice_grad_bprop,
    linear="each",
    localize=_slice_grad_local,
    examples=(
        Example(((4, 2),), {"shape": (4, 6), "begin": (0, 1), "end": (4, 5), "strides": (1, 2)}),
        Example(((1, 6),), {"shape": (4, 6), "begin": (2, 0), "end": (3, 6), "strides": (1, 1)}),
    ),
)


# --- padding ---


def _pad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    paddings: tuple[tuple[int, int], ...] = attrs["paddings"]
    made = tuple(low + n + high for n, (low, high) in zip(shapes[0], paddings, strict=True))
    return _rule(shapes[0], made, [pair == (0, 0) for pair in paddings])


def _pad(x: Array, *, paddings: tuple[tuple[int, int], ...], value: float = 0, out: Array | None = None) -> Array:
    shape = tuple(low + n + high for n, (low, high) in zip(x.shape, paddings, strict=True))
    made = np.empty(shape, x.dtype) if out is None else out
    made.fill(value)
    made[tuple(slice(low, low + n) for n, (low, _) in zip(x.shape, paddings, strict=True))] = x
    return made


def _pad_bprop(g: Tensor, x: Tensor, *, paddings: tuple[tuple[int, int], ...]) -> Tensor:
    begin = tuple(low for low, _ in paddings)
    end = tuple(low + n for n, low in zip(x.shape, begin, strict=True))
    return one("strided_slice", g, begin=begin, end=end, strides=(1,) * x.ndim)


op(
    "pad",
    rule=_pad_rule,
    kernel=_pad,
    bprop=_pad_bprop,
    examples=(
        Example(((4, 6),), {"paddings": ((0, 0), (1, 2))}),
        Example(((2, 3, 4),), {"paddings": ((1, 0), (0, 0), (0, 0)), "value": 2.0}),
    ),
)
