"""Products of tensors by an equation (einsum), distances between rows, and the sum of a diagonal.

The letters of an equation are the factors of its rule: one that is missing from the result is summed, and may be cut.
"""

from collections.abc import Sequence

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write
from simpar.tensor import Tensor

__all__ = ["spelled_out"]


def spelled_out(equation: str, axes: Sequence[int]) -> str:
    """Return an equation with its result, with letters in the place of ``...``.

    Args:
        equation: e.g. ``"ij,jk->ik"``; without a result, that is all letters that stand once, in alphabetical order.
        axes: how many axes each operand has.

    Raises:
        RuleError: the equation does not fit the operands, or a letter stands twice in one tensor.

    >>> spelled_out("...ij,...jk", (3, 2))
    'Aij,jk->Aik'
    """
    text = equation.replace(" ", "")
    given, arrow, result = text.partition("->")
    words = given.split(",")
    if len(words) != len(axes):
        raise RuleError(f"equation {equation!r} has {len(words)} operands, but {len(axes)} tensors are given.")
    lead = [n - len(w.replace("...", "")) if "..." in w else 0 for w, n in zip(words, axes, strict=True)]
    every = "ABCDEFGH"[: max(lead)]
    if not arrow:
        once = sorted(c for c in set(given) - set(".,") if given.count(c) == 1)
        result = ("..." if "..." in given else "") + "".join(once)
    made = [w.replace("...", every[len(every) - n :]) for w, n in zip(words, lead, strict=True)]
    result = result.replace("...", every)
    for word, n in zip((*made, result), (*axes, None), strict=True):
        if len(set(word)) != len(word) or n not in (None, len(word)):
            raise RuleError(
                f"equation {equation!r}: {word!r} must name each axis of its tensor once"
                + ("." if n is None else f", and the tensor has {n} axes.")
            )
    return f"{','.join(made)}->{result}"


def _einsum_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    given, _, result = attrs["equation"].partition("->")
    return parse_rule(f"{', '.join(map(' '.join, given.split(',')))} -> {' '.join(result)}", shapes)


def _einsum(*operands: Array, equation: str, out: Array | None = None) -> Array:
    made = np.einsum(equation, *operands, optimize=len(operands) > 1)
    return write(np.asarray(made), out)


def _einsum_bprop(g: Tensor, *operands: Tensor, equation: str) -> tuple[Tensor, ...]:
    given, _, result = equation.partition("->")
    words = given.split(",")
    made: list[Tensor] = []
    for place, (word, x) in enumerate(zip(words, operands, strict=True)):
        others = [(w, y) for i, (w, y) in enumerate(zip(words, operands, strict=True)) if i != place]
        known = set(result).union(*(w for w, _ in others))
        kept = "".join(c for c in word if c in known)  # a letter of this operand alone was summed: spread it again
        text = ",".join((result, *(w for w, _ in others)))
        part = one("einsum", g, *(y for _, y in others), equation=f"{text}->{kept}")
        if kept != word:
            shape = tuple(n if c in known else 1 for c, n in zip(word, x.shape, strict=True))
            part = one("broadcast_to", one("reshape", part, shape=shape), shape=x.shape)
        made.append(part.astype(x.dtype))
    return tuple(made)


op(
    "einsum",
    rule=_einsum_rule,
    kernel=_einsum,
    bprop=_einsum_bprop,
    linear="each",
    examples=(
        Example(((4, 6), (6, 2)), {"equation": "ij,jk->ki"}),
        Example(((4,), (6,)), {"equation": "i,j->ij"}),
        Example(((2, 4, 3), (2, 3, 4), (4,)), {"equation": "bij,bjk,i->bk"}),
        Example(((4, 6),), {"equation": "ij->j"}),
    ),
)


# --- distances ---


def _cdist_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    lead = letters(len(shapes[0]) - 2, "b")
    first, second, made = (" ".join([*lead, *w]) for w in (("i", "m"), ("j", "m"), ("i", "j")))
    return parse_rule(f"{first}, {second} -> {made}", shapes, whole=("m",))


def _cdist(x: Array, y: Array, *, p: float, out: Array | None = None) -> Array:
    """Work row by row of the first operand, so that the differences stay small."""
    made = np.empty((*x.shape[:-1], y.shape[-2]), np.result_type(x, y)) if out is None else out
    for i in range(x.shape[-2]):
        gaps = np.abs(x[..., i, None, :] - y)
        made[..., i, :] = np.linalg.norm(gaps, ord=p, axis=-1)
    return made


def _cdist_bprop(g: Tensor, x: Tensor, y: Tensor, *, out: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Differentiate by the first operand; where the distance is zero it has no slope."""
    dx = one("cdist_grad", g, x, y, out, p=p)
    turned = [one("transpose", v, perm=(*range(v.ndim - 2), v.ndim - 1, v.ndim - 2)) for v in (g, out)]
    return dx, one("cdist_grad", turned[0], y, x, turned[1], p=p)


def _cdist_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    lead = letters(len(shapes[0]) - 2, "b")
    first, second, pairs = (" ".join([*lead, *w]) for w in (("i", "m"), ("j", "m"), ("i", "j")))
    return parse_rule(f"{pairs}, {first}, {second}, {pairs} -> {first}", shapes, whole=("m",))


def _cdist_grad(g: Array, x: Array, y: Array, d: Array, *, p: float, out: Array | None = None) -> Array:
    made = np.empty(x.shape, x.dtype) if out is None else out
    for i in range(x.shape[-2]):
        gaps, far = x[..., i, None, :] - y, d[..., i, :, None]
        if p == 0:
            slope = np.zeros_like(gaps)
        elif np.isinf(p):
            slope = np.sign(gaps) * (np.abs(gaps) == far)
        else:
            safe = np.where(far == 0, 1, far)
            slope = np.sign(gaps) * (np.abs(gaps) / safe) ** (p - 1) * (far != 0)
        made[..., i, :] = (g[..., i, :, None] * slope).sum(axis=-2)
    return made


op(
    "cdist",
    rule=_cdist_rule,
    kernel=_cdist,
    bprop=_cdist_bprop,
    examples=(
        Example(((4, 3), (6, 3)), {"p": 2.0}),
        Example(((2, 4, 3), (2, 2, 3)), {"p": 1.0}),
        Example(((2, 4, 3), (2, 2, 3)), {"p": float("inf")}),
        Example(((4, 3), (6, 3)), {"p": 3.0}),
    ),
)
op(
    "cdist_grad",
    rule=_cdist_grad_rule,
    kernel=_cdist_grad,
    examples=(
        Example(((4, 6), (4, 3), (6, 3), (4, 6)), {"p": 2.0}, low=0.5, high=2, grad=False),
        Example(((2, 4, 2), (2, 4, 3), (2, 2, 3), (2, 4, 2)), {"p": 1.0}, low=0.5, high=2, grad=False),
    ),
)


# --- diagonals ---


def _trace_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    gone = [names[i] for i in _two(attrs, len(names))]
    return parse_rule(f"{' '.join(names)} -> {' '.join(f for f in names if f not in gone)}", shapes, whole=gone)


def _two(attrs: Attrs, axes: int) -> tuple[int, int]:
    return attrs["axis1"] % axes, attrs["axis2"] % axes


def _trace(x: Array, *, offset: int, axis1: int, axis2: int, out: Array | None = None) -> Array:
    return write(np.asarray(np.trace(x, offset, axis1, axis2)), out)


def _trace_bprop(g: Tensor, x: Tensor, *, offset: int, axis1: int, axis2: int) -> Tensor:
    first, second = axis1 % x.ndim, axis2 % x.ndim
    ones = np.eye(x.shape[first], x.shape[second], offset, dtype=x.dtype.numpy)
    ones = ones if first < second else ones.T
    shape = tuple(n if i in (first, second) else 1 for i, n in enumerate(x.shape))
    spread = tuple(1 if i in (first, second) else n for i, n in enumerate(x.shape))
    return one("reshape", g, shape=spread) * Tensor(ones.reshape(shape))


op(
    "trace",
    rule=_trace_rule,
    kernel=_trace,
    bprop=_trace_bprop,
    linear="each",
    examples=(
        Example(((4, 6),), {"offset": 1, "axis1": 0, "axis2": 1}),
        Example(((4, 2, 3),), {"offset": 0, "axis1": 2, "axis2": 1}),
    ),
)
