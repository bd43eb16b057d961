"""Functions of shapes, and new tensors."""

from collections.abc import Sequence

from simpar import ops
from simpar.ops import (
    arange,
    broadcast_to,
    chunk,
    eye,
    flatten,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    permute,
    reshape,
    split,
    swapaxes,
    tril,
    triu,
    zeros,
    zeros_like,
)
from simpar.tensor import Tensor

__all__ = [
    "arange",
    "broadcast_to",
    "cat",
    "chunk",
    "concat",
    "eye",
    "flatten",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "permute",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unsqueeze",
    "zeros",
    "zeros_like",
]

transpose = swapaxes


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return tensors joined along an axis."""
    return ops.concat(tensors, dim)


concat = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return tensors joined along a new axis."""
    return ops.stack(tensors, dim)


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return the tensor without axes of length one; all of them if None."""
    return input.squeeze(dim)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return the tensor with an axis of length one inserted."""
    return input.expand_dims(dim)


def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """Return the tensor repeated so many times along each axis."""
    return ops.tile(input, dims)
