"""The ops as functions, under MindSpore's lower-case names: reductions, shapes and new tensors."""

from collections.abc import Sequence

import numpy as np

from simpar.dtype import DType, as_dtype, float32, int64
from simpar.errors import RuleError
from simpar.ops.shape import call_split
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor, axis_of, call, filled

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "arange",
    "argmax",
    "argmin",
    "broadcast_to",
    "chunk",
    "concat",
    "cumsum",
    "expand_dims",
    "flatten",
    "full",
    "full_like",
    "max",
    "mean",
    "min",
    "ones",
    "ones_like",
    "permute",
    "prod",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "sum",
    "swapaxes",
    "tile",
    "transpose",
    "unsqueeze",
    "zeros",
    "zeros_like",
]

Axes = int | Sequence[int] | None


# --- reductions ---


def sum(x: Tensor, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum over some axes, all if None."""
    return (x if dtype is None else x.astype(dtype)).sum(dim, keepdim)


def mean(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return the mean over some axes, all if None."""
    return x.mean(axis, keep_dims)


def prod(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return the product over some axes, all if None."""
    return x.prod(axis, keep_dims)


def amax(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the largest element along some axes, all if None."""
    return x.max(axis, keepdims)


def amin(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element along some axes, all if None."""
    return x.min(axis, keepdims)


def max(x: Tensor, axis: int | None = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the largest element along an axis and where it stands first; of all elements, and 0, if None."""
    return (x.max(), Tensor(0, int64)) if axis is None else _with_place("max_with_index", x, axis, keepdims)


def min(x: Tensor, axis: int | None = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the smallest element along an axis and where it stands first; of all elements, and 0, if None."""
    return (x.min(), Tensor(0, int64)) if axis is None else _with_place("min_with_index", x, axis, keepdims)


def _with_place(name: str, x: Tensor, axis: int, keepdims: bool) -> tuple[Tensor, Tensor]:
    made = call(name, x, axis=axis_of(axis, x.ndim), keep_dims=keepdims)
    assert isinstance(made, tuple), f"{name} has two results"
    return made[0], made[1]


def all(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return whether all elements along some axes are true."""
    return x.all(axis, keep_dims)


def any(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return whether any element along some axes is true."""
    return x.any(axis, keep_dims)


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return where the largest element stands along an axis; among all elements if None."""
    return x.argmax(dim, keepdim)


def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the smallest element stands along an axis; among all elements if None."""
    return x.argmin(axis, keepdims)


def cumsum(x: Tensor, axis: int, dtype: DType | None = None) -> Tensor:
    """Return the sums of all elements up to each, along an axis."""
    return (x if dtype is None else x.astype(dtype)).cumsum(axis)


reduce_sum, reduce_mean, reduce_max, reduce_min = sum, mean, amax, amin


# --- shape ---


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x with another shape; one length may be -1."""
    return x.reshape(tuple(shape))


def flatten(x: Tensor, order: str = "C", *, start_dim: int = 1, end_dim: int = -1) -> Tensor:
    """Return x with the axes from ``start_dim`` to ``end_dim`` merged into one.

    Raises:
        RuleError: another order than C's is wanted.
        LayoutError: there is no such axis.
    """
    if order != "C":
        raise RuleError(f"flatten reads in order 'C', not {order!r}. Transpose before it.")
    if x.ndim < 2:
        return x.flatten()
    first, last = axis_of(start_dim, x.ndim), axis_of(end_dim, x.ndim)
    return x.reshape((*x.shape[:first], -1, *x.shape[last + 1 :]))


def transpose(x: Tensor, input_perm: Sequence[int]) -> Tensor:
    """Return x with its axes in this order."""
    return x.transpose(tuple(input_perm))


def permute(x: Tensor, axis: Sequence[int]) -> Tensor:
    """Return x with its axes in this order."""
    return x.transpose(tuple(axis))


def swapaxes(x: Tensor, axis0: int, axis1: int) -> Tensor:
    """Return x with two axes swapped."""
    return x.swapaxes(axis0, axis1)


def expand_dims(x: Tensor, axis: int) -> Tensor:
    """Return x with an axis of length one inserted."""
    return x.expand_dims(axis)


unsqueeze = expand_dims


def squeeze(x: Tensor, axis: Axes = None) -> Tensor:
    """Return x without axes of length one; all of them if None."""
    return x.squeeze(axis)


def broadcast_to(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x repeated to a shape; -1 keeps an axis."""
    return x.broadcast_to(tuple(shape))


def tile(x: Tensor, multiples: Sequence[int]) -> Tensor:
    """Return x repeated so many times along each axis."""
    lead = x.ndim - len(multiples)
    return one("tile", x, multiples=(*(1,) * lead, *multiples))


def concat(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis."""
    return one("concat", *tensors, axis=axis_of(axis, tensors[0].ndim))


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along a new axis."""
    return one("stack", *tensors, axis=axis_of(axis, tensors[0].ndim + 1))


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Return pieces of this length (the last may be shorter), or of these lengths, along an axis."""
    axis = axis_of(axis, tensor.ndim)
    length, given = tensor.shape[axis], split_size_or_sections
    if not isinstance(given, int):
        return call_split(tensor, axis, tuple(given))
    if length % given == 0:
        return call_split(tensor, axis, length // given)
    return call_split(tensor, axis, (*(given,) * (length // given), length % given))


def chunk(x: Tensor, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Return so many pieces along an axis, of equal length but for the last."""
    return split(x, -(-x.shape[axis] // chunks), axis)


# --- new tensors ---


def full(size: int | Sequence[int], fill_value: float, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor that holds one number everywhere."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return filled(shape, as_tensor(fill_value).dtype if dtype is None else as_dtype(dtype), fill_value)


def zeros(size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
    """Return a Tensor of zeros, float32 if no type is given."""
    return full(size, 0, dtype=dtype or float32)


def ones(size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
    """Return a Tensor of ones, float32 if no type is given."""
    return full(size, 1, dtype=dtype or float32)


def full_like(x: Tensor, fill_value: float, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of the shape of x that holds one number everywhere."""
    return one("full_like", x if dtype is None else x.astype(dtype), value=fill_value)


def zeros_like(x: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of zeros in the shape and type of x."""
    return full_like(x, 0, dtype=dtype)


def ones_like(x: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of ones in the shape and type of x."""
    return full_like(x, 1, dtype=dtype)


def arange(start: float = 0, end: float | None = None, step: float = 1, *, dtype: DType | None = None) -> Tensor:
    """Return numbers from ``start`` to below ``end``; from 0 to below ``start`` if no end is given."""
    first, last = (0, start) if end is None else (start, end)
    return Tensor(np.arange(first, last, step).tolist(), dtype)
