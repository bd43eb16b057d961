"""What can be written with tensors: ``x + 1``, ``x @ y``, ``x.sum(0)``. Each is an op, found by its name."""

from collections.abc import Iterator, Sequence
from math import prod
from numbers import Number
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simpar.dtype import DType, as_dtype
from simpar.tensor.axes import axes_of, axis_of, lengths_of
from simpar.tensor.indexing import bounds_of

if TYPE_CHECKING:
    from simpar.tensor.tensor import Tensor

__all__ = ["Operators"]

Axes = int | Sequence[int] | None


class Operators:
    """Is the arithmetic of ``Tensor``, which says what it is and how it applies an op."""

    __array_priority__ = 100  # numpy lets our operators go first

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        raise NotImplementedError

    @property
    def dtype(self) -> DType:
        """The element type."""
        raise NotImplementedError

    def apply(self, op: str, *others: object, **attrs: Any) -> "Tensor":
        """Return the one result of an op of this and other operands, numbers included."""
        raise NotImplementedError

    def apply_after(self, op: str, first: object) -> "Tensor":
        """Return the result of an op in which this is the second operand."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return prod(self.shape)

    # --- arithmetic ---

    def _with(self, op: str, other: object) -> Any:
        return self.apply(op, other) if _is_operand(other) else NotImplemented

    def _after(self, op: str, other: object) -> Any:
        return self.apply_after(op, other) if _is_operand(other) else NotImplemented

    def __add__(self, other: object) -> "Tensor":
        return self._with("add", other)

    def __radd__(self, other: object) -> "Tensor":
        return self._after("add", other)

    def __sub__(self, other: object) -> "Tensor":
        return self._with("sub", other)

    def __rsub__(self, other: object) -> "Tensor":
        return self._after("sub", other)

    def __mul__(self, other: object) -> "Tensor":
        return self._with("mul", other)

    def __rmul__(self, other: object) -> "Tensor":
        return self._after("mul", other)

    def __truediv__(self, other: object) -> "Tensor":
        return self._with("div", other)

    def __rtruediv__(self, other: object) -> "Tensor":
        return self._after("div", other)

    def __floordiv__(self, other: object) -> "Tensor":
        return self._with("floor_div", other)

    def __rfloordiv__(self, other: object) -> "Tensor":
        return self._after("floor_div", other)

    def __mod__(self, other: object) -> "Tensor":
        return self._with("mod", other)

    def __rmod__(self, other: object) -> "Tensor":
        return self._after("mod", other)

    def __pow__(self, other: object) -> "Tensor":
        if isinstance(other, int | float) and other == 2:
            return self.apply("square")
        return self._with("pow", other)

    def __rpow__(self, other: object) -> "Tensor":
        return self._after("pow", other)

    def __matmul__(self, other: object) -> "Tensor":
        return self._with("matmul", other)

    def __rmatmul__(self, other: object) -> "Tensor":
        return self._after("matmul", other)

    def __neg__(self) -> "Tensor":
        return self.apply("neg")

    def __pos__(self) -> "Tensor":
        return self.apply("identity")

    def __abs__(self) -> "Tensor":
        return self.apply("abs")

    # --- comparison and logic ---

    def __lt__(self, other: object) -> "Tensor":
        return self._with("less", other)

    def __le__(self, other: object) -> "Tensor":
        return self._with("less_equal", other)

    def __gt__(self, other: object) -> "Tensor":
        return self._with("greater", other)

    def __ge__(self, other: object) -> "Tensor":
        return self._with("greater_equal", other)

    def __eq__(self, other: object) -> Any:
        return self._with("equal", other)

    def __ne__(self, other: object) -> Any:
        return self._with("not_equal", other)

    def __and__(self, other: object) -> "Tensor":
        return self._with("logical_and", other)

    def __or__(self, other: object) -> "Tensor":
        return self._with("logical_or", other)

    def __xor__(self, other: object) -> "Tensor":
        return self._with("logical_xor", other)

    def __invert__(self) -> "Tensor":
        return self.apply("logical_not")

    def __hash__(self) -> int:
        return id(self)

    # --- shape ---

    def __getitem__(self, index: Any) -> "Tensor":
        bounds = bounds_of(self.shape, index)
        made = self.apply("strided_slice", begin=bounds.begin, end=bounds.end, strides=bounds.strides)
        return made if made.shape == bounds.shape else made.reshape(bounds.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor without axes")
        return self.shape[0]

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    @property
    def T(self) -> "Tensor":
        """The Tensor with its axes in reverse order."""
        return self.transpose(*reversed(range(self.ndim)))

    @property
    def mT(self) -> "Tensor":
        """The Tensor with its last two axes swapped."""
        return self.swapaxes(-2, -1)

    def transpose(self, *axes: Any) -> "Tensor":
        """Return the Tensor with its axes in this order; in reverse order if none is given."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        perm = tuple(axis_of(int(a), self.ndim) for a in (given or reversed(range(self.ndim))))
        return self.apply("transpose", perm=perm)

    permute = transpose

    def swapaxes(self, one: int, other: int) -> "Tensor":
        """Return the Tensor with two axes swapped."""
        perm = list(range(self.ndim))
        i, j = axis_of(one, self.ndim), axis_of(other, self.ndim)
        perm[i], perm[j] = perm[j], perm[i]
        return self.apply("transpose", perm=tuple(perm))

    def reshape(self, *shape: Any) -> "Tensor":
        """Return the Tensor with another shape; one length may be -1."""
        given = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return self.apply("reshape", shape=lengths_of(given, self.size))

    view = reshape

    def flatten(self) -> "Tensor":
        """Return all elements along one axis."""
        return self.apply("reshape", shape=(self.size,))

    def expand_dims(self, axis: int) -> "Tensor":
        """Return the Tensor with an axis of length one inserted."""
        return self.apply("expand_dims", axis=axis_of(axis, self.ndim + 1))

    unsqueeze = expand_dims

    def squeeze(self, axis: Any = None) -> "Tensor":
        """Return the Tensor without axes of length one; all of them if None."""
        ones = tuple(i for i, n in enumerate(self.shape) if n == 1)
        over = ones if axis is None else axes_of(axis, self.ndim)
        return self.apply("squeeze", axis=over) if over else self.apply("identity")

    def broadcast_to(self, shape: tuple[int, ...]) -> "Tensor":
        """Return the Tensor repeated to a shape; -1 keeps an axis."""
        lead = len(shape) - self.ndim
        made = tuple(self.shape[i - lead] if n == -1 else n for i, n in enumerate(shape))
        return self.apply("broadcast_to", shape=made)

    def expand_as(self, other: "Tensor") -> "Tensor":
        """Return the Tensor repeated to the shape of another."""
        return self.broadcast_to(other.shape)

    # --- reductions ---

    def sum(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Return the sum over some axes, all if None."""
        return self.apply("reduce_sum", axis=axes_of(axis, self.ndim), keep_dims=keepdims)

    def mean(self, axis: Axes = None, keep_dims: bool = False) -> "Tensor":
        """Return the mean over some axes, all if None."""
        over = axes_of(axis, self.ndim)
        count = prod(self.shape[a] for a in over)
        return self.apply("reduce_mean", axis=over, keep_dims=keep_dims, count=count)

    def max(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Return the largest element along some axes, all if None."""
        return self.apply("reduce_max", axis=axes_of(axis, self.ndim), keep_dims=keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Return the smallest element along some axes, all if None."""
        return self.apply("reduce_min", axis=axes_of(axis, self.ndim), keep_dims=keepdims)

    def prod(self, axis: Axes = None, keep_dims: bool = False) -> "Tensor":
        """Return the product over some axes, all if None."""
        return self.apply("reduce_prod", axis=axes_of(axis, self.ndim), keep_dims=keep_dims)

    def all(self, axis: Axes = None, keep_dims: bool = False) -> "Tensor":
        """Return whether all elements along some axes are true, all axes if None."""
        return self.astype("bool").apply("reduce_all", axis=axes_of(axis, self.ndim), keep_dims=keep_dims)

    def any(self, axis: Axes = None, keep_dims: bool = False) -> "Tensor":
        """Return whether any element along some axes is true, all axes if None."""
        return self.astype("bool").apply("reduce_any", axis=axes_of(axis, self.ndim), keep_dims=keep_dims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> "Tensor":
        """Return where the largest element stands along an axis; among all elements if None."""
        return self._arg("argmax", axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> "Tensor":
        """Return where the smallest element stands along an axis; among all elements if None."""
        return self._arg("argmin", axis, keepdims)

    def _arg(self, op: str, axis: int | None, keepdims: bool) -> "Tensor":
        if axis is None:
            return self.flatten().apply(op, axis=0, keep_dims=False)
        return self.apply(op, axis=axis_of(axis, self.ndim), keep_dims=keepdims)

    def cumsum(self, axis: int) -> "Tensor":
        """Return the sums of all elements up to each, along an axis."""
        return self.apply("cumsum", axis=axis_of(axis, self.ndim))

    # --- element by element ---

    def abs(self) -> "Tensor":
        """Return the absolute value of each element."""
        return self.apply("abs")

    def exp(self) -> "Tensor":
        """Return e to the power of each element."""
        return self.apply("exp")

    def log(self) -> "Tensor":
        """Return the natural logarithm of each element."""
        return self.apply("log")

    def sqrt(self) -> "Tensor":
        """Return the square root of each element."""
        return self.apply("sqrt")

    def square(self) -> "Tensor":
        """Return the square of each element."""
        return self.apply("square")

    def pow(self, exponent: object) -> "Tensor":
        """Return each element to a power."""
        return self**exponent

    def tanh(self) -> "Tensor":
        """Return the hyperbolic tangent of each element."""
        return self.apply("tanh")

    def sigmoid(self) -> "Tensor":
        """Return 1 / (1 + exp(-x)) of each element."""
        return self.apply("sigmoid")

    def matmul(self, other: object) -> "Tensor":
        """Return the matrix product with another Tensor."""
        return self.apply("matmul", other)

    # --- type: last, for they have the names of Python's types ---

    def astype(self, dtype: object) -> "Tensor":
        """Return the Tensor with another element type."""
        wanted = as_dtype(dtype)
        return cast("Tensor", self) if wanted == self.dtype else self.apply("cast", dtype=wanted.name)

    to = astype

    def float(self) -> "Tensor":
        """Return the Tensor as float32."""
        return self.astype("float32")

    def int(self) -> "Tensor":
        """Return the Tensor as int32."""
        return self.astype("int32")

    def bool(self) -> "Tensor":
        """Return the Tensor as bool."""
        return self.astype("bool")


def _is_operand(given: object) -> bool:
    return isinstance(given, Operators | Number | np.ndarray | np.generic)
