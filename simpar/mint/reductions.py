"""Functions that put several elements together."""

from collections.abc import Sequence
from typing import overload

from simpar import ops
from simpar.dtype import DType, int64
from simpar.ops import all, amax, amin, any, argmax, argmin, cummax, cummin, cumprod, logsumexp, nansum
from simpar.tensor import Tensor, axes_of

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "nansum",
    "norm",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]

Axes = int | Sequence[int] | None


def _as(input: Tensor, dtype: DType | None) -> Tensor:
    return input if dtype is None else input.astype(dtype)


def sum(input: Tensor, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum over some axes, all if None; whole numbers are added as int64."""
    return _as(input, dtype or (None if input.dtype.has_gradient else int64)).sum(dim, keepdim)


def mean(input: Tensor, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the mean over some axes, all if None."""
    return _as(input, dtype).mean(dim, keepdim)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the product along an axis, of all elements if None."""
    return _as(input, dtype).prod(dim, keepdim)


def cumsum(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return the sums of all elements up to each, along an axis."""
    return _as(input, dtype).cumsum(dim)


@overload
def max(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]: ...
def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element; with ``dim``, the largest along it and where it stands."""
    return input.max() if dim is None else ops.max(input, dim, keepdim)


@overload
def min(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]: ...
def min(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """Return the smallest element; with ``dim``, the smallest along it and where it stands."""
    return input.min() if dim is None else ops.min(input, dim, keepdim)


# --- deviations and norms ---


def var(input: Tensor, dim: Axes = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Return the variance along axes, all if None; ``correction`` is subtracted from the count."""
    return ops.var(input, dim, correction, keepdim)


def std(input: Tensor, dim: Axes = None, *, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Return the standard deviation along axes, all if None; ``correction`` is subtracted from the count."""
    return ops.std(input, dim, correction, keepdim)


def var_mean(input: Tensor, dim: Axes = None, *, correction: int = 1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Return variance and mean."""
    return ops.var_mean(input, dim, correction, keepdim)


def std_mean(input: Tensor, dim: Axes = None, *, correction: int = 1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Return standard deviation and mean."""
    return ops.std_mean(input, dim, correction, keepdim)


def norm(
    input: Tensor, p: float | str = "fro", dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the p-norm of the elements along axes, all if None."""
    x = _as(input, dtype)
    return ops.vector_norm(x, 2 if isinstance(p, str) else p, axes_of(dim, x.ndim), keepdim)


def count_nonzero(input: Tensor, dim: Axes = None) -> Tensor:
    """Return how many elements along axes are not zero, of all if None."""
    return ops.count_nonzero(input, () if dim is None else dim, dtype=int64)
