"""The ops as objects, under MindSpore's class names: products, distances, linear algebra."""

from simpar.dtype import DType
from simpar.layout import Layout
from simpar.ops.functions.matrix import matrix_solve_triangular
from simpar.ops.primitive import Primitive
from simpar.ops.products import spelled_out
from simpar.ops.support import one
from simpar.tensor import Tensor, call

__all__ = [
    "BatchMatMulExt",
    "Cdist",
    "Cholesky",
    "Dense",
    "Einsum",
    "Ger",
    "LstsqV2",
    "MatMulExt",
    "MatrixInverse",
    "Outer",
    "SolveTriangular",
    "Trace",
    "TraceV2",
]


class MatMulExt(Primitive, op="matmul"):
    """Multiplies matrices, vectors or batches of matrices."""

    def __init__(self) -> None:
        super().__init__(transpose_a=False, transpose_b=False)

    def __call__(self, input: Tensor, other: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, other)


class BatchMatMulExt(MatMulExt):
    """Multiplies each pair of matrices of a batch."""


class Dense(Primitive, op="matmul"):
    """Is ``input @ weight.T + bias``; the bias is cut like the last axis of the product."""

    def __init__(self) -> None:
        super().__init__(transpose_a=False, transpose_b=True)

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Dense":
        """Say how input and weight are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        self.in_strategy = None if self.in_strategy is None else self.in_strategy[:2]
        return self

    def __call__(self, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Apply the op."""
        made = self.apply_one(input, weight)
        return made if bias is None else made + bias


class Outer(Primitive, op="einsum"):
    """Multiplies each element of one vector with each of another."""

    def __init__(self) -> None:
        super().__init__(equation="i,j->ij")

    def __call__(self, input: Tensor, vec2: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, vec2)


class Ger(Outer):
    """Multiplies each element of one vector with each of another."""


class Einsum(Primitive, op="einsum"):
    """Sums products as an equation over the letters of the axes tells; see ``ops.einsum``."""

    def __init__(self, equation: str) -> None:
        super().__init__()
        self.equation = equation

    def __call__(self, x: tuple[Tensor, ...]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*x, equation=spelled_out(self.equation, [t.ndim for t in x]))


class Cdist(Primitive, op="cdist"):
    """Measures the distance of each row of one matrix from each of another.

    Args:
        p: which norm.
    """

    def __init__(self, p: float = 2.0) -> None:
        super().__init__(p=float(p))

    def __call__(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x1, x2)


class Trace(Primitive, op="trace"):
    """Sums the diagonal of a matrix."""

    def __call__(self, input: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, offset=0, axis1=0, axis2=1)


class TraceV2(Primitive, op="trace"):
    """Sums a diagonal over two axes, which stay whole."""

    def __call__(
        self, input: Tensor, offset: int = 0, axis1: int = 1, axis2: int = 0, dtype: DType | None = None
    ) -> Tensor:
        """Apply the op."""
        made = self.apply_one(input, offset=offset, axis1=axis1, axis2=axis2)
        return made if dtype is None else made.astype(dtype)


class Cholesky(Primitive, op="cholesky"):
    """Finds the lower triangle L with L @ L.T equal to a symmetric, positive matrix.

    Args:
        upper: return its transpose.
    """

    def __init__(self, upper: bool = False) -> None:
        super().__init__()
        self.upper = upper

    def __call__(self, input_x: Tensor) -> Tensor:
        """Apply the op."""
        made = self.apply_one(input_x)
        return made.swapaxes(-1, -2) if self.upper else made


class MatrixInverse(Primitive, op="inverse"):
    """Inverts each matrix of a batch."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class SolveTriangular(Primitive, op="solve_triangular"):
    """Solves equations of which only a triangle is read; arguments as of ``ops.matrix_solve_triangular``."""

    def __call__(
        self, a: Tensor, b: Tensor, trans: int = 0, lower: bool = False, unit_diagonal: bool = False
    ) -> Tensor:
        """Apply the op."""
        given = self.in_strategy
        if given is None:
            return matrix_solve_triangular(a, b, trans, lower, unit_diagonal)
        attrs = {"trans": trans != 0, "lower": lower, "unit": unit_diagonal}
        if b.ndim == a.ndim:
            return self.apply_one(a, b, **attrs)
        strategy = tuple((*e, 1) if i and not isinstance(e, Layout) else e for i, e in enumerate(given))  # one column
        return one("solve_triangular", a, b.expand_dims(-1), strategy=strategy, **attrs).squeeze(-1)


class LstsqV2(Primitive, op="lstsq"):
    """Finds the ``x`` that makes ``a @ x - b`` shortest; of several such the shortest."""

    def __call__(self, a: Tensor, b: Tensor, driver: str | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the solution, the squared lengths of what is left, the rank, and the singular values.

        Gradients flow through the first two.

        Args:
            a: (..., m, n).
            b: (..., m, k), or (..., m) for one right-hand side.
            driver: the routine that MindSpore would call; here it is always that of singular values.
        """
        vector = b.ndim == a.ndim - 1
        with self._recorded():
            cut = self.in_strategy
            cut = (cut[0], (*cut[1], 1)) if cut and vector and isinstance(cut[1], tuple) else cut
            right = b.expand_dims(-1) if vector else b
            made = call("lstsq", a, right, strategy=cut)
        assert isinstance(made, tuple), "lstsq has three results"
        solution, rank, values = made
        left = ((right - a @ solution) ** 2).sum(-2)
        return (solution.squeeze(-1), left.squeeze(-1), rank, values) if vector else (solution, left, rank, values)
