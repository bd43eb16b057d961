"""The ops as functions, under MindSpore's lower-case names: elements by number, segments, putting elements."""

from typing import Literal, overload

import numpy as np

from simpar.context import current
from simpar.dtype import bool_, int64
from simpar.errors import NotYetError, RuleError
from simpar.graph import Strategy, Trace, Value
from simpar.ops.assignment import assign
from simpar.ops.support import one
from simpar.parameter import Parameter
from simpar.tensor import Tensor, as_tensor, axis_of, call

__all__ = [
    "embedding",
    "gather_d",
    "gather_elements",
    "gather_nd",
    "index_add",
    "index_select",
    "masked_fill",
    "masked_select",
    "nonzero",
    "scatter",
    "scatter_add",
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_nd",
    "scatter_nd_add",
    "scatter_nd_div",
    "scatter_nd_max",
    "scatter_nd_min",
    "scatter_nd_mul",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
    "tensor_scatter_add",
    "tensor_scatter_div",
    "tensor_scatter_elements",
    "tensor_scatter_max",
    "tensor_scatter_min",
    "tensor_scatter_mul",
    "tensor_scatter_sub",
    "unique",
    "unsorted_segment_max",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sum",
]


# --- taking out ---


def gather_nd(input_x: Tensor, indices: Tensor) -> Tensor:
    """Return the elements that the last axis of the indices numbers, in the shape of its other axes.

    >>> gather_nd(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[0, 1], [1, 0]])).tolist()
    [2.0, 3.0]
    """
    return one("gather_nd", input_x, indices)


def gather_elements(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return elements along an axis, by indices of as many axes, in the shape of the indices.

    >>> gather_elements(Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, Tensor([[1], [0]])).tolist()
    [[2.0], [3.0]]
    """
    return one("gather_elements", input, index, axis=axis_of(dim, input.ndim))


gather_d = gather_elements


def index_select(input: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return the elements of an axis that a vector numbers."""
    return one("gather", input, index, axis=axis_of(axis, input.ndim))


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """Return rows of a table by number; row ``padding_idx`` gets no gradient.

    Raises:
        NotYetError: ``max_norm`` or ``scale_grad_by_freq`` is wanted.
    """
    if max_norm is not None or scale_grad_by_freq:
        raise NotYetError("embedding: simpar has no max_norm and no scale_grad_by_freq; leave them out.")
    return without_gradient_at(padding_idx, input, one("gather", weight, input, axis=0))


def without_gradient_at(row: int | None, ids: Tensor, taken: Tensor) -> Tensor:
    """Return rows that were taken from a table, so that one row of the table gets no gradient."""
    if row is None:
        return taken
    kept = one("expand_dims", ids != row, axis=ids.ndim)
    return one("select", kept, taken, one("stop_gradient", taken))


# --- segments ---


def unsorted_segment_sum(x: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    """Return the sum of each segment; ``segment_ids`` numbers the first axes."""
    return one("unsorted_segment_sum", x, segment_ids, segments=int(num_segments))


def unsorted_segment_min(x: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    """Return the smallest element of each segment; ``segment_ids`` numbers the first axes."""
    return one("unsorted_segment_min", x, segment_ids, segments=int(num_segments))


def unsorted_segment_max(x: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    """Return the largest element of each segment; ``segment_ids`` numbers the first axes."""
    return one("unsorted_segment_max", x, segment_ids, segments=int(num_segments))


def unsorted_segment_prod(x: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    """Return the product of each segment; ``segment_ids`` numbers the first axes."""
    return one("unsorted_segment_prod", x, segment_ids, segments=int(num_segments))


# --- putting into ---


def scatter_nd(indices: Tensor, updates: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return zeros of a shape with updates added at the places that the last axis of the indices numbers.

    >>> scatter_nd(Tensor([[1], [1]]), Tensor([2.0, 3.0]), (3,)).tolist()
    [0.0, 5.0, 0.0]
    """
    return one("scatter_nd", indices, updates, shape=tuple(shape))


def scatter(input: Tensor, axis: int, index: Tensor, src: Tensor | float) -> Tensor:
    """Return the tensor with elements along an axis replaced, by indices of as many axes."""
    return tensor_scatter_elements(input, index, one("broadcast_to", as_tensor(src, input), shape=index.shape), axis)


def tensor_scatter_elements(
    input_x: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, reduction: str = "none"
) -> Tensor:
    """Return the tensor with elements along an axis replaced, or added to, by indices of as many axes.

    Raises:
        RuleError: the reduction is neither ``"none"`` nor ``"add"``.
    """
    if reduction not in ("none", "add"):
        raise RuleError(f"reduction is {reduction!r}; choose 'none' or 'add'.")
    how = "add" if reduction == "add" else "update"
    return one("scatter_elements", input_x, indices, updates, axis=axis_of(axis, input_x.ndim), how=how)


def index_add(x: Tensor, indices: Tensor, y: Tensor, axis: int) -> Tensor:
    """Return the tensor with ``y`` added to the elements of an axis that a vector numbers."""
    at = axis_of(axis, x.ndim)
    shape = tuple(-1 if i == at else 1 for i in range(x.ndim))
    ids = one("broadcast_to", indices.reshape(shape), shape=y.shape)
    return one("scatter_elements", x, ids, y, axis=at, how="add")


def masked_fill(input_x: Tensor, mask: Tensor, value: Tensor | float) -> Tensor:
    """Return the tensor with one number where a mask is true.

    >>> masked_fill(Tensor([1.0, 2.0]), Tensor([True, False]), 0.0).tolist()
    [0.0, 2.0]
    """
    return one("select", mask, as_tensor(value, input_x).astype(input_x.dtype), input_x)


def _put(into: Tensor, indices: Tensor, updates: Tensor, how: str, rows: bool = False) -> Tensor:
    at = {"rows": True} if rows else {}
    return one("tensor_scatter", into, indices, updates, how=how, **at)


def tensor_scatter_add(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor with updates added, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "add")


def tensor_scatter_sub(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor with updates subtracted, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "sub")


def tensor_scatter_mul(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor multiplied by updates, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "mul")


def tensor_scatter_div(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor divided by updates, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "div")


def tensor_scatter_max(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor raised to updates that are larger, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "max")


def tensor_scatter_min(input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Return a tensor lowered to updates that are smaller, at the places that the last axis of the indices numbers."""
    return _put(input_x, indices, updates, "min")


def scatter_update(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows replaced by updates, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "update", rows=True))


def scatter_add(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows with updates added, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "add", rows=True))


def scatter_sub(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows with updates subtracted, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "sub", rows=True))


def scatter_mul(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows multiplied by updates, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "mul", rows=True))


def scatter_div(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows divided by updates, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "div", rows=True))


def scatter_max(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows raised to updates that are larger, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "max", rows=True))


def scatter_min(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its rows lowered to updates that are smaller, one for each index."""
    return assign(input_x, _put(input_x, indices, updates, "min", rows=True))


def scatter_nd_update(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements replaced by updates, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "update"))


def scatter_nd_add(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements with updates added, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "add"))


def scatter_nd_sub(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements with updates subtracted, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "sub"))


def scatter_nd_mul(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements multiplied by updates, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "mul"))


def scatter_nd_div(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements divided by updates, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "div"))


def scatter_nd_max(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements raised to larger updates, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "max"))


def scatter_nd_min(input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
    """Let a Parameter hold its elements lowered to smaller updates, where the last axis of the indices numbers them."""
    return assign(input_x, _put(input_x, indices, updates, "min"))


# --- results whose size depends on values ---


def unique(input: Tensor) -> tuple[Tensor, Tensor]:
    """Return the different elements in the order in which they come first, and for each element the number of its own.

    In a compiled function a program finds out how many there are before the step runs, as it does for a ``while``.

    >>> [t.tolist() for t in unique(Tensor([5, 2, 5, 1]))]
    [[5, 2, 1], [0, 1, 0, 2]]
    """
    made, numbers = distinct(input.reshape((-1,)))
    return made, numbers.reshape(input.shape)


def distinct(flat: Tensor, strategy: Strategy | None = None) -> tuple[Tensor, Tensor]:
    """Return the same of a tensor of one axis, with a strategy for it."""
    size = _size(one("distinct_count", flat), flat.size)
    made = call("distinct", flat, size=size, strategy=strategy)
    assert isinstance(made, tuple), "distinct has two results"
    return made[0], made[1]


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """Return the places of the elements that are not zero, one to a row, int64, or one tensor for each axis.

    >>> nonzero(Tensor([[0, 2], [5, 0]])).tolist()
    [[0, 1], [1, 0]]
    """
    found = one("places", input, size=_size(input.astype(bool_).astype(int64).sum(), input.size))
    return tuple(found[:, i] for i in range(input.ndim)) if as_tuple else found


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where a mask is true, on one axis.

    >>> masked_select(Tensor([1.0, 2.0, 3.0]), Tensor([True, False, True])).tolist()
    [1.0, 3.0]
    """
    shape = np.broadcast_shapes(input.shape, mask.shape)
    taken = nonzero(mask.broadcast_to(shape).reshape((-1,)))
    return one("gather", input.broadcast_to(shape).reshape((-1,)), taken.reshape((-1,)), axis=0)


def _size(count: Tensor, most: int) -> int:
    """Return a number that decides the size of a result."""
    value = count.operand()
    trace: Trace | None = current().trace
    return trace.size(value, most) if trace is not None and isinstance(value, Value) else int(count)
