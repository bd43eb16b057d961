"""Running products and extrema, deviations, norms and similarities as functions, under MindSpore's lower-case names."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any

from simpar.dtype import DType, int32
from simpar.errors import NotYetError
from simpar.ops.primitives.reduction import Cummax, Cummin, RmsNorm
from simpar.ops.support import like, one
from simpar.tensor import Tensor, axes_of, axis_of

__all__ = [
    "cosine_similarity",
    "count_nonzero",
    "cummax",
    "cummin",
    "cumprod",
    "logsumexp",
    "nansum",
    "norm",
    "rms_norm",
    "std",
    "std_mean",
    "var",
    "var_mean",
    "vector_norm",
]

Axes = int | Sequence[int] | None


def cumprod(x: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return the products of all elements up to each, along an axis; the gradient divides by x, which has no zeros."""
    return one("cumprod", x if dtype is None else x.astype(dtype), axis=axis_of(dim, x.ndim))


def cummax(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the largest element up to each, along an axis, and where it stands last."""
    return Cummax(axis)(x)


def cummin(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the smallest element up to each, along an axis, and where it stands last."""
    return Cummin(axis)(x)


# --- deviations ---


def var_mean(x: Tensor, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the variance and the mean along axes, all if None.

    Args:
        ddof: what is subtracted from the count of elements; True means 1.
    """
    over = axes_of(axis, x.ndim)
    mean = x.mean(over, keep_dims=True)
    squares = one("square", x - mean)
    count = max(prod(x.shape[a] for a in over) - int(ddof), 0)
    variance = squares.sum(over, keepdims) / like(count, squares)
    return variance, mean if keepdims else x.mean(over)


def var(x: Tensor, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the variance along axes; arguments as of ``var_mean``."""
    return var_mean(x, axis, ddof, keepdims)[0]


def std_mean(x: Tensor, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the standard deviation and the mean along axes; arguments as of ``var_mean``."""
    variance, mean = var_mean(x, axis, ddof, keepdims)
    return one("sqrt", variance), mean


def std(x: Tensor, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation along axes; arguments as of ``var_mean``.

    >>> std(Tensor([1.0, 3.0])).item()
    1.0
    """
    return std_mean(x, axis, ddof, keepdims)[0]


# --- sums and norms ---


def logsumexp(x: Tensor, dim: Axes, keepdim: bool = False) -> Tensor:
    """Return the logarithm of the sum of exp(x) along axes, computed without leaving the range."""
    over = axes_of(dim, x.ndim)
    top = one("stop_gradient", x.max(over, keepdims=True))
    total = one("log", one("exp", x - top).sum(over, keepdims=True)) + top
    return total if keepdim else total.squeeze(over)


def nansum(x: Tensor, axis: Axes = None, keepdims: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum along axes, where what is no number counts as 0."""
    there = one("select", one("isnan", x), like(0, x), x)
    return (there if dtype is None else there.astype(dtype)).sum(axis, keepdims)


def count_nonzero(x: Tensor, axis: Axes = (), keep_dims: bool = False, dtype: DType = int32) -> Tensor:
    """Return how many elements along axes are not zero; along all for ``()``."""
    return one("not_equal", x, like(0, x)).astype(dtype).sum(axis, keep_dims)


def norm(
    A: Tensor, ord: float | str | None = None, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the norm of vectors along axes, of all elements together if ``dim`` is None.

    Args:
        ord: 2 if None or ``"fro"``; any number, or plus or minus infinity, for the largest and smallest element.

    Raises:
        NotYetError: a matrix norm is wanted that is no norm of its elements.
    """
    x = A if dtype is None else A.astype(dtype)
    over = axes_of(dim, x.ndim)
    if (isinstance(ord, str) and ord != "fro") or (isinstance(ord, int | float) and len(over) > 1):
        raise NotYetError(f"norm of order {ord!r} of matrices: simpar has norms of vectors, and 'fro'.")
    return vector_norm(x, 2 if ord is None or isinstance(ord, str) else ord, over, keepdim)


def vector_norm(x: Tensor, p: float, over: tuple[int, ...], keepdim: bool) -> Tensor:
    """Return the p-norm along axes: the largest element for infinity, the count of elements that are not 0 for 0."""
    size = x.abs()
    if p == inf:
        return size.max(over, keepdim)
    if p == -inf:
        return size.min(over, keepdim)
    if p == 0:
        return one("not_equal", x, like(0, x)).astype(x.dtype).sum(over, keepdim)
    if p == 1:
        return size.sum(over, keepdim)
    if p == 2:
        return one("sqrt", one("square", x).sum(over, keepdim))
    return one("pow", one("pow", size, like(p, x)).sum(over, keepdim), like(1 / p, x))


def rms_norm(x: Tensor, gamma: Tensor, epsilon: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Return x / sqrt(mean of squares + epsilon) * gamma, and what x was multiplied by; arguments as of ``RmsNorm``."""
    return RmsNorm(epsilon)(x, gamma)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors along an axis; lengths count as at least ``eps``."""
    over = axes_of(dim, max(x1.ndim, x2.ndim))

    def long(x: Tensor) -> Any:
        return one("maximum", one("square", x).sum(over), like(eps * eps, x))

    return (x1 * x2).sum(over) * one("rsqrt", long(x1) * long(x2))
