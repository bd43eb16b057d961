"""The ops as functions, under MindSpore's lower-case names: products, distances, linear algebra."""

from simpar.ops.products import spelled_out
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "cdist",
    "cholesky",
    "dense",
    "dot",
    "einsum",
    "inverse",
    "matrix_solve_triangular",
    "mm",
    "mv",
    "outer",
    "trace",
]


def _product(x: Tensor, y: Tensor, flip: bool = False) -> Tensor:
    return one("matmul", x, y, transpose_a=False, transpose_b=flip)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices."""
    return _product(input, mat2)


def mv(mat: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix and a vector."""
    return _product(mat, vec)


def dot(input: Tensor, other: Tensor) -> Tensor:
    """Return the sum of the products of the elements of two vectors."""
    return _product(input, other)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the products of each element of one vector with each of another.

    >>> outer(Tensor([1.0, 2.0]), Tensor([3.0, 4.0])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return one("einsum", input, vec2, equation="i,j->ij")


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Return the sum of products that an equation over the letters of the axes means.

    Args:
        equation: e.g. ``"ij,jk->ik"``; a letter that is missing from the result is summed. ``...`` stands for axes that
            have no letters. No letter stands twice in one operand.
        operands: one tensor for each word.

    >>> einsum("ij->j", Tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [4.0, 6.0]
    """
    return one("einsum", *operands, equation=spelled_out(equation, [x.ndim for x in operands]))


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * mat1 @ mat2``."""
    return _mixed(input, _product(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * mat @ vec``."""
    return _mixed(input, _product(mat, vec), beta, alpha)


def addr(x: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * x + alpha * outer(vec1, vec2)``."""
    return _mixed(x, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * batch1 @ batch2`` for each pair of matrices of a batch."""
    return _mixed(input, _product(batch1, batch2), beta, alpha)


def _mixed(given: Tensor, made: Tensor, beta: float, alpha: float) -> Tensor:
    made = made if alpha == 1 else made * as_tensor(alpha, made)
    return made + (given if beta == 1 else given * as_tensor(beta, given))


def dense(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``."""
    made = _product(input, weight, flip=weight.ndim > 1)
    return made if bias is None else made + bias


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """Return the distance of each row of one matrix from each of another, by the p-norm.

    >>> cdist(Tensor([[0.0, 0.0]]), Tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[5.0, 1.0]]
    """
    return one("cdist", x1, x2, p=float(p))


def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix."""
    return one("trace", input, offset=0, axis1=0, axis2=1)


def cholesky(input_x: Tensor, upper: bool = False) -> Tensor:
    """Return the lower triangle L with L @ L.T equal to a symmetric, positive matrix; its transpose if ``upper``."""
    made = one("cholesky", input_x)
    return made.swapaxes(-1, -2) if upper else made


def inverse(input: Tensor) -> Tensor:
    """Return the inverse of each matrix of a batch."""
    return one("inverse", input)


def matrix_solve_triangular(
    a: Tensor, b: Tensor, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Tensor:
    """Return x with ``a @ x == b``, where only a triangle of ``a`` is read.

    Args:
        a: square matrices.
        b: right-hand sides, as columns, or one vector.
        trans: 0 or ``"N"`` for ``a``, others for its transpose.
        lower: whether the lower triangle is read.
        unit_diagonal: whether the diagonal counts as ones.
    """
    attrs = {"trans": trans not in (0, "N"), "lower": lower, "unit": unit_diagonal}
    if b.ndim < a.ndim:
        return one("solve_triangular", a, b.expand_dims(-1), **attrs).squeeze(-1)
    return one("solve_triangular", a, b, **attrs)
