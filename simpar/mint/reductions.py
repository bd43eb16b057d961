"""Functions that put several elements together."""

from collections.abc import Sequence
from typing import overload

from simpar import ops
from simpar.dtype import DType, int64
from simpar.ops import all, amax, amin, any, argmax, argmin
from simpar.tensor import Tensor

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "cumsum", "max", "mean", "min", "prod", "sum"]

Axes = int | Sequence[int] | None


def _as(input: Tensor, dtype: DType | None) -> Tensor:
    return input if dtype is None else input.astype(dtype)


def sum(input: Tensor, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum over some axes, all if None; whole numbers are added as int64."""
    return _as(input, dtype or (None if input.dtype.is_float else int64)).sum(dim, keepdim)


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
