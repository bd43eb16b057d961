"""Functions of shapes, and new tensors."""

from collections.abc import Sequence

from simpar import ops
from simpar.ops import (
    arange,
    broadcast_to,
    chunk,
    cross,
    diag,
    dstack,
    eye,
    flatten,
    full,
    full_like,
    hstack,
    linspace,
    ones,
    ones_like,
    permute,
    ravel,
    reshape,
    split,
    swapaxes,
    t,
    tril,
    triu,
    zeros,
    zeros_like,
)
from simpar.tensor import Tensor, axis_of

__all__ = [
    "arange",
    "broadcast_to",
    "cat",
    "chunk",
    "clone",
    "concat",
    "cross",
    "diag",
    "diff",
    "dstack",
    "eye",
    "flatten",
    "full",
    "full_like",
    "hstack",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "permute",
    "ravel",
    "reshape",
    "select",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "t",
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


def clone(input: Tensor) -> Tensor:
    """Return a copy, through which gradients flow."""
    return ops.operations.Identity()(input)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return what lies at one place of an axis, without the axis."""
    return input[(*(slice(None),) * axis_of(dim, input.ndim), index)]


def meshgrid(*tensors: Tensor, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return for each vector a tensor with an axis for every vector; see ``ops.meshgrid``, here in ``"ij"`` order."""
    return ops.meshgrid(*tensors, indexing=indexing or "ij")


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Return the differences of neighbours along an axis; see ``ops.diff``."""
    return ops.diff(input, n, dim, prepend, append)
