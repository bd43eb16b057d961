"""Functions that take, put and order elements by number, and products."""

from collections.abc import Sequence

from simpar import ops
from simpar.dtype import int64
from simpar.errors import NotYetError
from simpar.ops import (
    addmm,
    addmv,
    baddbmm,
    cdist,
    dot,
    einsum,
    flip,
    inverse,
    masked_fill,
    masked_select,
    mv,
    nonzero,
    outer,
    roll,
    trace,
    unbind,
)
from simpar.tensor import Tensor, axis_of, call

__all__ = [
    "addmm",
    "addmv",
    "argsort",
    "baddbmm",
    "cdist",
    "dot",
    "einsum",
    "flip",
    "gather",
    "index_add",
    "index_select",
    "inverse",
    "masked_fill",
    "masked_select",
    "mv",
    "narrow",
    "nonzero",
    "outer",
    "repeat_interleave",
    "roll",
    "scatter",
    "scatter_add",
    "sort",
    "topk",
    "trace",
    "unbind",
    "unique",
]


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return elements along an axis, by indices of as many axes, in the shape of the indices."""
    return ops.gather_elements(input, dim, index)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the elements of an axis that a vector numbers."""
    return ops.index_select(input, dim, index)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """Return the tensor with ``alpha * source`` added to the elements of an axis that a vector numbers."""
    return ops.index_add(input, index, source if alpha == 1 else source * alpha, dim)


def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | float) -> Tensor:
    """Return the tensor with elements along an axis replaced, by indices of as many axes."""
    return ops.scatter(input, dim, index, src)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return the tensor with elements along an axis added to, by indices of as many axes."""
    return ops.tensor_scatter_elements(input, index, src, dim, "add")


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return ``length`` elements of one axis from ``start`` on."""
    return ops.narrow(input, dim, start, length)


def repeat_interleave(
    input: Tensor, repeats: int | Sequence[int] | Tensor, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Return the tensor with each element repeated along an axis, or of the flat tensor if None."""
    del output_size
    return ops.repeat_interleave(input, repeats, dim)


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """Return the largest or smallest elements along an axis, in order, and where they stand (int64)."""
    del sorted
    made = call("top_k", input, axis=axis_of(dim, input.ndim), k=int(k), largest=largest, ids="int64")
    return made[0], made[1]


def sort(input: Tensor, *, dim: int = -1, descending: bool = False, stable: bool = False) -> tuple[Tensor, Tensor]:
    """Return the elements along an axis in order, and where they stood (int64); equal ones keep theirs."""
    del stable
    made = call("sort", input, axis=axis_of(dim, input.ndim), descending=descending, ids="int64")
    return made[0], made[1]


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return where the elements along an axis stood (int64) before they are put in order."""
    return sort(input, dim=dim, descending=descending, stable=stable)[1]


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the different elements, by size, and with ``return_inverse`` for each element the number of its own.

    Raises:
        NotYetError: counts, or the different slices along an axis, are asked for.

    >>> [t.tolist() for t in unique(Tensor([5, 2, 5, 1]), return_inverse=True)]
    [[1, 2, 5], [2, 1, 2, 0]]
    """
    if return_counts or dim is not None:
        raise NotYetError("unique: simpar has no return_counts and no dim; leave them out.")
    values, numbers = ops.unique(input)
    if sorted:
        values, order = ops.sort(values)
        numbers = ops.gather(ops.sort(order)[1], numbers, 0)
    return (values, numbers.astype(int64)) if return_inverse else values
