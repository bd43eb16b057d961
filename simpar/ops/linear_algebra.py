"""Systems of equations over the last two axes, which stay whole; matrices of a batch may lie on different ranks."""

from collections.abc import Sequence

import numpy as np

from simpar.dtype import DType, int64, promote
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write
from simpar.tensor import Tensor, call

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


# --- least squares ---


def _lstsq_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"w x, w k -> x k, , s"`` for each matrix of a batch; right-hand sides stay whole with it."""
    lead = letters(len(shapes[0]) - 2, "b")
    words = (("w", "x"), ("w", "k"), ("x", "k"), (), ("s",))
    given, right, *made = (" ".join([*lead, *w]) for w in words)
    sizes = {"s": min(shapes[0][-2:])}
    return parse_rule(f"{given}, {right} -> {', '.join(made)}", shapes, sizes=sizes, whole=("w", "x", "k", "s"))


def _lstsq(a: Array, b: Array, *, out: tuple[Array, ...] | None = None) -> tuple[Array, ...]:
    """Return the solution, the rank, and the singular values."""
    lead, (rows, columns), count = a.shape[:-2], a.shape[-2:], b.shape[-1]
    shapes = ((columns, count), (), (min(rows, columns),))
    made = out or tuple(np.empty((*lead, *s), np.int64 if k == 1 else a.dtype) for k, s in enumerate(shapes))
    for place in np.ndindex(*lead):
        solution, _, rank, values = np.linalg.lstsq(a[place], b[place])
        for target, result in zip(made, (solution, rank, values), strict=True):
            target[place] = result
    return made


def _lstsq_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    return promote(types), int64, promote(types)


def _lstsq_bprop(g: tuple[Tensor, ...], a: Tensor, b: Tensor, *, out: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Return the gradients of the solution by the slope of the pseudo-inverse (Golub and Pereyra, 1973)."""

    def solved(matrix: Tensor, right: Tensor) -> Tensor:
        made = call("lstsq", matrix, right)
        assert isinstance(made, tuple), "lstsq has three results"
        return made[0]

    last = (*range(a.ndim - 2), a.ndim - 1, a.ndim - 2)
    flipped, x = one("transpose", a, perm=last), out[0]
    db = solved(flipped, g[0])
    left = b - _product(a, x)
    beside = g[0] - solved(a, _product(a, g[0]))
    da = _product(left, solved(a, db), flip_y=True) - _product(db, x, flip_y=True)
    return da + _product(solved(flipped, x), beside, flip_y=True), db


op(
    "lstsq",
    rule=_lstsq_rule,
    kernel=_lstsq,
    bprop=_lstsq_bprop,
    dtype=_lstsq_types,
    examples=(Example(((4, 5, 2), (4, 5, 3))), Example(((2, 2, 3, 4), (2, 2, 3, 1))), Example(((4, 3), (4, 2)))),
)
