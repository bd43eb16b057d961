"""Systems of equations over the last two axes, which stay whole; matrices of a batch may lie on different ranks."""

from collections.abc import Sequence

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _square_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    text = " ".join([*letters(len(shapes[0]) - 2, "b"), "w", "x"])
    return parse_rule(f"{text} -> {text}", shapes, whole=("w", "x"))


def _solve_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"w x, x k -> w k"``: right-hand sides may be cut."""
    lead = letters(len(shapes[0]) - 2, "b")
    first, second, made = (" ".join([*lead, *w]) for w in (("w", "x"), ("x", "k"), ("w", "k")))
    return parse_rule(f"{first}, {second} -> {made}", shapes, whole=("w", "x"))


def _triangle(a: Array, lower: bool, unit: bool) -> Array:
    part = np.tril(a, -1 if unit else 0) if lower else np.triu(a, 1 if unit else 0)
    return part + np.eye(a.shape[-1], dtype=a.dtype) if unit else part


def _solve_triangular(a: Array, b: Array, *, trans: bool, lower: bool, unit: bool, out: Array | None = None) -> Array:
    part = _triangle(a, lower, unit)
    return write(np.linalg.solve(part.mT if trans else part, b), out)


def _mask(size: int, lower: bool, unit: bool, like: Tensor) -> Tensor:
    ones = np.ones((size, size), like.dtype.numpy)
    return Tensor(np.tril(ones, -int(unit)) if lower else np.triu(ones, int(unit)))


def _product(x: Tensor, y: Tensor, *, flip_x: bool = False, flip_y: bool = False) -> Tensor:
    return one("matmul", x, y, transpose_a=flip_x, transpose_b=flip_y)


def _solve_bprop(
    g: Tensor, a: Tensor, b: Tensor, *, out: Tensor, trans: bool, lower: bool, unit: bool
) -> tuple[Tensor, Tensor]:
    db = one("solve_triangular", a, g, trans=not trans, lower=lower, unit=unit)
    da = _product(out, db, flip_y=True) if trans else _product(db, out, flip_y=True)
    return -(da * _mask(a.shape[-1], lower, unit, a)), db


def _cholesky(x: Array, *, out: Array | None = None) -> Array:
    return write(np.linalg.cholesky(x), out)


def _cholesky_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    """Return L^-T P(L^T g) L^-1, made symmetric, where P keeps the lower triangle and half of the diagonal."""
    size = x.shape[-1]
    half = Tensor((np.tril(np.ones((size, size))) - np.eye(size) / 2).astype(x.dtype.numpy))
    inner = _product(out, g, flip_x=True) * half
    last = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)

    def solved(y: Tensor) -> Tensor:
        return one("solve_triangular", out, y, trans=True, lower=True, unit=False)

    made = solved(one("transpose", solved(one("transpose", inner, perm=last)), perm=last))
    return (made + one("transpose", made, perm=last)) * 0.5


def _inverse(x: Array, *, out: Array | None = None) -> Array:
    return write(np.linalg.inv(x), out)


def _inverse_bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor:
    return -_product(_product(out, g, flip_x=True), out, flip_y=True)


_LOWER = {"trans": False, "lower": True, "unit": False}
op(
    "solve_triangular",
    rule=_solve_rule,
    kernel=_solve_triangular,
    bprop=_solve_bprop,
    examples=(
        Example(((3, 3), (3, 4)), _LOWER, low=1, high=2),
        Example(((2, 3, 3), (2, 3, 2)), {"trans": True, "lower": False, "unit": True}, low=0.5),
    ),
)
op(
    "cholesky",
    rule=_square_rule,
    kernel=_cholesky,
    bprop=_cholesky_bprop,
    examples=(
        Example(((2, 1, 1),), low=1, high=2),
        Example(((4, 1, 1),), low=0.5, high=3),
    ),
)
op(
    "inverse",
    rule=_square_rule,
    kernel=_inverse,
    bprop=_inverse_bprop,
    examples=(Example(((3, 3),), low=0.2, high=1), Example(((4, 2, 2),), low=0.3, high=1)),
)
