"""Products: matmul over leading axes, its weight gradient as one large product, and the bias of a layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, sum_to
from simpar.tensor import Tensor

__all__: list[str] = []


def _flip(word: str) -> str:
    """Swap the last two words of an operand.

    >>> _flip("... i k")
    '... k i'
    """
    *lead, one_, other = word.split()
    return " ".join((*lead, other, one_))


def _matmul_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"... i k, ... k j -> ... i j"``, with operands flipped where they are given transposed.

    The device matrix is filled in the order leading axes, i, k, j, as MindSpore's.
    """
    x, y = ("... i k" if len(shapes[0]) > 1 else "k"), ("... k j" if len(shapes[1]) > 1 else "k")
    result = " ".join(w for w, s in (("...", None), ("i", shapes[0]), ("j", shapes[1])) if s is None or len(s) > 1)
    x = _flip(x) if attrs.get("transpose_a") and len(shapes[0]) > 1 else x
    y = _flip(y) if attrs.get("transpose_b") and len(shapes[1]) > 1 else y
    lead = [f"_{i}" for i in reversed(range(max(map(len, shapes)) - 2))]
    used = [f for f in "ikj" if f in f"{x} {y}"]
    batch = "" if lead or len(shapes[0]) == 1 else "i"
    return parse_rule(f"{x}, {y} -> {result}", shapes, order=(*lead, *used), batch=batch)


def _matmul(
    x: Array, y: Array, *, transpose_a: bool = False, transpose_b: bool = False, out: Array | None = None, **cut: Any
) -> Array:
    """Return the product; what else is given only says how it is cut (``enable_nd_tp``)."""
    x = x.mT if transpose_a and x.ndim > 1 else x
    y = y.mT if transpose_b and y.ndim > 1 else y
    if y.ndim != 2 or x.ndim < 3 or not x.flags.c_contiguous or not (out is None or out.flags.c_contiguous):
        return np.matmul(x, y, out=out)
    if out is None:
        out = np.empty((*x.shape[:-1], y.shape[-1]), np.result_type(x, y))
    rows = x.reshape(-1, x.shape[-1])  # one large product instead of one for each leading index
    np.matmul(rows, y, out=out.reshape(-1, y.shape[-1]))
    return out


def _matmul_bprop(
    g: Tensor, x: Tensor, y: Tensor, *, transpose_a: bool = False, transpose_b: bool = False
) -> tuple[Tensor | None, Tensor | None]:
    if x.ndim == 1 or y.ndim == 1:
        return _vector_bprop(g, x, y, transpose_a, transpose_b)
    if transpose_a:
        dx = one("matmul", y, g, transpose_a=transpose_b, transpose_b=True)
    else:
        dx = one("matmul", g, y, transpose_a=False, transpose_b=not transpose_b)
    if y.ndim == 2 and not transpose_a:
        dy = one("matmul_tn", g, x) if transpose_b else one("matmul_tn", x, g)
    elif transpose_b:
        dy = one("matmul", g, x, transpose_a=True, transpose_b=transpose_a)
    else:
        dy = one("matmul", x, g, transpose_a=not transpose_a, transpose_b=False)
    return sum_to(dx, x), sum_to(dy, y)


def _vector_bprop(
    g: Tensor, x: Tensor, y: Tensor, transpose_a: bool, transpose_b: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Treat a vector as a matrix of one row or column."""
    rows = x if x.ndim > 1 else one("expand_dims", x, axis=0)
    columns = y if y.ndim > 1 else one("expand_dims", y, axis=1)
    shape = (*g.shape, 1) if y.ndim == 1 else (*g.shape[:-1], 1, *g.shape[-1:])
    shape = (*g.shape, 1, 1) if x.ndim == y.ndim == 1 else shape
    dx, dy = _matmul_bprop(
        one("reshape", g, shape=shape),
        rows,
        columns,
        transpose_a=transpose_a and x.ndim > 1,
        transpose_b=transpose_b and y.ndim > 1,
    )
    return _reshaped(dx, x), _reshaped(dy, y)


def _reshaped(g: Tensor | None, given: Tensor) -> Tensor | None:
    return None if g is None else one("reshape", g, shape=given.shape)


def _matmul_tn(x: Array, y: Array, *, out: Array | None = None) -> Array:
    return np.matmul(x.reshape(-1, x.shape[-1]).T, y.reshape(-1, y.shape[-1]), out=out)


def _matmul_tn_bprop(g: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor | None, Tensor | None]:
    dx = one("matmul", y, g, transpose_a=False, transpose_b=True)
    return sum_to(dx, x), sum_to(one("matmul", x, g, transpose_a=False, transpose_b=False), y)


op(
    "matmul",
    rule=_matmul_rule,
    kernel=_matmul,
    bprop=_matmul_bprop,
    linear="each",
    examples=(
        Example(((4, 6), (6, 8))),
        Example(((6, 4), (8, 6)), {"transpose_a": True, "transpose_b": True}),
        Example(((4, 6), (8, 6)), {"transpose_a": False, "transpose_b": True}),
        Example(((2, 3, 4), (4, 6))),
        Example(((2, 3, 4), (6, 4)), {"transpose_a": False, "transpose_b": True}),
        Example(((2, 4, 3), (4, 6)), {"transpose_a": True, "transpose_b": False}),
        Example(((2, 3, 4), (2, 4, 6))),
        Example(((2, 4, 3), (2, 4, 6)), {"transpose_a": True, "transpose_b": False}),
        Example(((2, 1, 3, 4), (4, 4, 2))),
        Example(((4,), (4, 6))),
        Example(((2, 3, 4), (4,))),
        Example(((6,), (6,))),
    ),
)
op(
    "matmul_tn",
    rule="... r i, ... r j -> i j",
    kernel=_matmul_tn,
    bprop=_matmul_tn_bprop,
    linear="each",
    examples=(Example(((4, 6), (4, 2))), Example(((2, 3, 4), (2, 3, 6)))),
)


# --- bias ---


def _bias_rule(shapes: Sequence[Shape], attrs: Attrs) -> str:
    """Return ``"a0 a1, a1 -> a0 a1"``: the bias is cut like the channel axis."""
    names = letters(len(shapes[0]))
    text = " ".join(names)
    return f"{text}, {names[attrs.get('axis', 1)]} -> {text}"


def _bias_add(x: Array, bias: Array, *, axis: int = 1, out: Array | None = None) -> Array:
    return np.add(x, bias.reshape((-1, *(1,) * (x.ndim - 1 - axis % x.ndim))), out=out)


def _bias_bprop(g: Tensor, x: Tensor, bias: Tensor, *, axis: int = 1) -> tuple[Tensor, Tensor]:
    over = tuple(i for i in range(g.ndim) if i != axis % g.ndim)
    return g, one("reduce_sum", g, axis=over, keep_dims=False)


op(
    "bias_add",
    rule=_bias_rule,
    kernel=_bias_add,
    bprop=_bias_bprop,
    linear="joint",
    elementwise=True,
    examples=(
        Example(((4, 6), (6,))),
        Example(((2, 3, 4), (4,)), {"axis": 2}),
        Example(((2, 4, 3, 2), (4,)), {"axis": 1}),
    ),
)
