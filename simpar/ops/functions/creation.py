"""New tensors as functions, under MindSpore's lower-case names."""

from collections.abc import Sequence

import numpy as np

from simpar.dtype import DType, float32
from simpar.ops.primitives.creation import Eye, Fill, Fills, LinSpaceExt, Range, Tril, Triu
from simpar.tensor import Tensor

__all__ = ["eye", "fill", "fills", "linspace", "logspace", "range", "tril", "triu"]


def fill(type: DType, shape: Sequence[int], value: float) -> Tensor:
    """Return a Tensor of a type and shape that holds one number everywhere."""
    return Fill()(type, shape, value)


def fills(x: Tensor, value: float | Tensor) -> Tensor:
    """Return a Tensor of the shape and type of x that holds one number everywhere."""
    return Fills()(x, value)


def linspace(start: float | Tensor, end: float | Tensor, steps: int) -> Tensor:
    """Return ``steps`` numbers in equal steps, both ends included.

    >>> linspace(1, 10, 4).tolist()
    [1.0, 4.0, 7.0, 10.0]
    """
    return LinSpaceExt()(start, end, steps)


def logspace(start: float, end: float, steps: int, base: float = 10, *, dtype: DType = float32) -> Tensor:
    """Return powers of ``base`` whose exponents grow in equal steps."""
    return Tensor(np.logspace(start, end, steps, base=base), dtype)


def range(start: float | Tensor, end: float | Tensor, step: float | Tensor, maxlen: int = 1000000) -> Tensor:
    """Return numbers from ``start`` to before ``end`` in steps."""
    return Range(maxlen)(start, end, step)


def eye(n: int, m: int | None = None, dtype: DType | None = None) -> Tensor:
    """Return a matrix (n, m) with ones on its diagonal; square and float32 unless told otherwise.

    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return Eye()(n, n if m is None else m, dtype or float32)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """Return what lies on and below a diagonal of each matrix, and zeros elsewhere."""
    return Tril(diagonal)(x)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """Return what lies on and above a diagonal of each matrix, and zeros elsewhere."""
    return Triu(diagonal)(x)
