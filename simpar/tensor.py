"""``Tensor``: a numpy array, or a value of a graph that is being traced.

Every operator of a Tensor calls an op by name (``graph.apply``), so that the same program computes at once or becomes
a graph, and so that tensors stand below the ops.
"""

from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar import dtype as types
from simpar.dtype import DType, as_dtype
from simpar.errors import DTypeError
from simpar.graph import Operand, Strategy, Value, apply, refuse_value
from simpar.layout import Layout

__all__ = ["Tensor", "as_tensor", "call", "filled"]

Array = NDArray[Any]
Index = int | slice | None | type(Ellipsis)
Shape = tuple[int, ...]


class Tensor:
    """An array of one element type, with MindSpore's interface.

    Args:
        input_data: a number, list, tuple, numpy array or Tensor; None with ``shape`` and ``init``.
        dtype: the element type; that of the data if None (Python floats are float32, Python ints int64).
        shape: with ``init``: the shape of a tensor that has no data yet.
        init: with ``shape``: what fills the tensor later (an initializer, see ``simpar.common.initializer``).

    Raises:
        DTypeError: the data cannot be a tensor.

    >>> Tensor([[1, 2], [3, 4]], types.float32).shape
    (2, 2)
    """

    __array_priority__ = 100  # numpy lets our operators go first

    def __init__(
        self,
        input_data: object = None,
        dtype: DType | None = None,
        shape: int | Sequence[int] | None = None,
        init: Any = None,
    ) -> None:
        self._array: Array | None = None
        self._value: Value | None = None
        self._shape: Shape = ()
        self._dtype: DType = types.float32
        self.init: Any = init
        self.layout: Layout | None = None
        """How this tensor is cut over the ranks, if it is one rank's slice of a value."""
        self.full_shape_of_slice: Shape | None = None
        if init is not None:
            self._shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
            self._dtype = types.float32 if dtype is None else as_dtype(dtype)
        else:
            self._fill(_to_array(input_data, dtype))

    def _fill(self, array: Array) -> None:
        self._array, self._shape, self._dtype = array, array.shape, as_dtype(array.dtype)

    @classmethod
    def wrap(cls, operand: Operand) -> "Tensor":
        """Return the Tensor of an array or of a traced value, without a copy."""
        made = Tensor.__new__(Tensor)
        made._value = operand if isinstance(operand, Value) else None
        made._array = None if isinstance(operand, Value) else operand
        made._shape = operand.shape
        made._dtype = as_dtype(operand.dtype)
        made.init = made.layout = made.full_shape_of_slice = None
        return made

    def operand(self) -> Operand:
        """Return what ``graph.apply`` takes: the traced value, or the array."""
        return self._value if self._value is not None else self._data("this operation")

    def _data(self, what: str) -> Array:
        if self._value is not None:
            raise refuse_value(what)
        if self._array is None:
            raise DTypeError(f"{what} needs data, but this Tensor of shape {self.shape} has none yet. Call init_data() first.")
        return self._array

    # --- what it is ---

    @property
    def shape(self) -> Shape:
        """Length of each axis (of this rank's slice, if it is one)."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def has_init(self) -> bool:
        """Whether it has an initializer and no data yet."""
        return self.init is not None

    def dim(self) -> int:
        """Return how many axes there are."""
        return self.ndim

    # --- its values ---

    def asnumpy(self) -> Array:
        """Return the values as a numpy array, without a copy."""
        return self._data("asnumpy()")

    def numpy(self) -> Array:
        """Return the values as a numpy array, without a copy."""
        return self._data("numpy()")

    def item(self) -> Any:
        """Return the only element as a Python number."""
        return self._data("item()").item()

    def tolist(self) -> Any:
        """Return the values as nested lists."""
        return self._data("tolist()").tolist()

    def copy(self) -> "Tensor":
        """Return a Tensor with data of its own."""
        return Tensor.wrap(self._data("copy()").copy())

    def value(self) -> "Tensor":
        """Return the values as a Tensor."""
        return Tensor.wrap(self.operand())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._data("np.array(tensor)"), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        return bool(self._data("bool(tensor) (an `if`, `while`, `and` or `or`)"))

    def __float__(self) -> float:
        return float(self._data("float(tensor)").item())

    def __int__(self) -> int:
        return int(self._data("int(tensor)").item())

    def __index__(self) -> int:
        return int(self._data("using a tensor as an index").item())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor without axes")
        return self.shape[0]

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        if self._array is None:
            return f"Tensor(shape={list(self.shape)}, dtype={self.dtype}, value= <uninitialized>)"
        return f"Tensor(shape={list(self.shape)}, dtype={self.dtype}, value={self._array!r})"

    def __str__(self) -> str:
        return repr(self) if self._array is None else str(self._array)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # --- arithmetic ---

    def __add__(self, other: object) -> "Tensor":
        return _binary("add", self, other)

    def __radd__(self, other: object) -> "Tensor":
        return _binary("add", other, self)

    def __sub__(self, other: object) -> "Tensor":
        return _binary("sub", self, other)

    def __rsub__(self, other: object) -> "Tensor":
        return _binary("sub", other, self)

    def __mul__(self, other: object) -> "Tensor":
        return _binary("mul", self, other)

    def __rmul__(self, other: object) -> "Tensor":
        return _binary("mul", other, self)

    def __truediv__(self, other: object) -> "Tensor":
        return _binary("div", self, other)

    def __rtruediv__(self, other: object) -> "Tensor":
        return _binary("div", other, self)

    def __pow__(self, other: object) -> "Tensor":
        return _binary("pow", self, other)

    def __matmul__(self, other: "Tensor") -> "Tensor":
        return _one(call("matmul", self, other))

    def __neg__(self) -> "Tensor":
        return _one(call("neg", self))

    def __lt__(self, other: object) -> "Tensor":
        return _binary("less", self, other)

    def __le__(self, other: object) -> "Tensor":
        return _binary("less_equal", self, other)

    def __gt__(self, other: object) -> "Tensor":
        return _binary("greater", self, other)

    def __ge__(self, other: object) -> "Tensor":
        return _binary("greater_equal", self, other)

    def __eq__(self, other: object) -> Any:
        return _binary("equal", self, other) if _is_operand(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return _binary("not_equal", self, other) if _is_operand(other) else NotImplemented

    # --- shape ---

    @property
    def T(self) -> "Tensor":  # noqa: N802 - MindSpore's name
        """The Tensor with its axes in reverse order."""
        return self.transpose(*reversed(range(self.ndim)))

    @property
    def mT(self) -> "Tensor":  # noqa: N802 - MindSpore's name
        """The Tensor with its last two axes swapped."""
        axes = list(range(self.ndim))
        return self.transpose(*axes[:-2], axes[-1], axes[-2])

    def transpose(self, *axes: Any) -> "Tensor":
        """Return the Tensor with its axes in this order; in reverse order if none is given."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        perm = tuple(int(a) % self.ndim for a in (given or reversed(range(self.ndim))))
        return _one(call("transpose", self, perm=perm))

    permute = transpose

    def reshape(self, *shape: Any) -> "Tensor":
        """Return the Tensor with another shape; one length may be -1."""
        given = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return _one(call("reshape", self, shape=_fill_in(tuple(int(n) for n in given), self.size)))

    view = reshape

    def astype(self, dtype: Any) -> "Tensor":
        """Return the Tensor with another element type."""
        return self if as_dtype(dtype) == self.dtype else _one(call("cast", self, dtype=as_dtype(dtype).name))

    to = astype

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Return the sum over some axes, all if None."""
        return _one(call("reduce_sum", self, axis=_axes(axis, self.ndim), keep_dims=keepdims))

    def mean(self, axis: Any = None, keep_dims: bool = False) -> "Tensor":
        """Return the mean over some axes, all if None."""
        over = _axes(axis, self.ndim)
        count = int(np.prod([self.shape[a] for a in over], dtype=np.int64))
        return _one(call("reduce_mean", self, axis=over, keep_dims=keep_dims, count=count))

    def max(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Return the largest element along some axes, all if None."""
        return _one(call("reduce_max", self, axis=_axes(axis, self.ndim), keep_dims=keepdims))

    def min(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """Return the smallest element along some axes, all if None."""
        return _one(call("reduce_min", self, axis=_axes(axis, self.ndim), keep_dims=keepdims))

    def abs(self) -> "Tensor":
        """Return the absolute value of each element."""
        return _one(call("abs", self))

    def __getitem__(self, index: Any) -> "Tensor":
        return _slice(self, index if isinstance(index, tuple) else (index,))

    # --- laziness ---

    def init_data(
        self, slice_index: int | None = None, shape: Sequence[int] | None = None, opt_shard_group: str | None = None
    ) -> "Tensor":
        """Fill a tensor that has an initializer, clear ``init`` and return the tensor itself.

        Args:
            slice_index: which slice of the tensor this is; equal numbers give equal values.
            shape: the shape of the slice; the tensor's own if None.
            opt_shard_group: accepted as MindSpore does; the slice is filled whole.

        Raises:
            DTypeError: there is no initializer, or it was used already.
        """
        if self.init is None:
            raise DTypeError("init_data() needs a Tensor made by an initializer that has no data yet; this one has its data.")
        filler = cast("Callable[..., Array]", self.init.fill_slice)
        self._fill(filler(tuple(shape or self.shape), self.dtype, slice_index))
        self.init = None
        return self


# --- applying ops to Tensors ---


def call(
    name: str,
    *operands: Tensor,
    strategy: Strategy | None = None,
    out_strategy: Strategy | None = None,
    **attrs: Any,
) -> Tensor | tuple[Tensor, ...]:
    """Apply an op to Tensors; see ``graph.apply``. One result is returned as it is, several as a tuple."""
    results = apply(name, [t.operand() for t in operands], attrs, strategy, out_strategy)
    made = tuple(Tensor.wrap(r) for r in results)
    return made[0] if len(made) == 1 else made


def as_tensor(given: object, like: Tensor | None = None) -> Tensor:
    """Return ``given`` as a Tensor; a Python number takes the element type of ``like`` where that can hold it."""
    if isinstance(given, Tensor):
        return given
    if isinstance(given, bool | int | float) and like is not None:
        wide = isinstance(given, float) and not like.dtype.is_float
        return Tensor(given, types.float32 if wide else like.dtype)
    return Tensor(given)


def filled(shape: Shape, dtype: DType, number: float) -> Tensor:
    """Return a Tensor that holds one number everywhere; while tracing no rank makes more of it than its slice."""
    scalar = Tensor(number, dtype)
    return scalar if not shape else _one(call("broadcast_to", scalar, shape=tuple(shape)))


def _one(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(result, Tensor), "the op has one result"
    return result


def _is_operand(other: object) -> bool:
    return isinstance(other, Tensor | Number | np.ndarray | np.generic)


def _binary(name: str, one: object, other: object) -> Tensor:
    if not (_is_operand(one) and _is_operand(other)):
        return NotImplemented
    like = one if isinstance(one, Tensor) else other if isinstance(other, Tensor) else None
    return _one(call(name, as_tensor(one, like), as_tensor(other, like)))


def _to_array(data: object, dtype: DType | None) -> Array:
    """Copy data into an array as MindSpore types it."""
    wanted = None if dtype is None else as_dtype(dtype).numpy
    if isinstance(data, Tensor):
        return np.array(data.asnumpy(), dtype=wanted)
    if data is None or isinstance(data, str | dict | set | complex):
        raise DTypeError(f"a Tensor is made of a number, list, tuple or array, not of {data!r}.")
    try:
        array = np.array(data, dtype=wanted)
    except (ValueError, TypeError) as error:
        raise DTypeError(f"this {type(data).__name__} cannot be a Tensor: {error}") from None
    if wanted is None and array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(np.float32)
    as_dtype(array.dtype)  # refuses what MindSpore has no type for
    return array


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None or axis == ():
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    return tuple(sorted(a % ndim for a in given))


def _fill_in(shape: Shape, size: int) -> Shape:
    """Replace -1 by the length that keeps the number of elements."""
    known = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
    return tuple(size // max(known, 1) if n == -1 else n for n in shape)


def _slice(given: Tensor, index: tuple[Index, ...]) -> Tensor:
    """Take ints, slices, ``...`` and None, as one strided slice and one reshape."""
    if Ellipsis in index:
        at = index.index(Ellipsis)
        rest = given.ndim - sum(i is not None and i is not Ellipsis for i in index)
        index = (*index[:at], *(slice(None),) * rest, *index[at + 1 :])
    else:
        index = (*index, *(slice(None),) * (given.ndim - sum(i is not None for i in index)))
    begin, end, step, shape = _bounds(given.shape, index)
    out = _one(call("strided_slice", given, begin=begin, end=end, strides=step))
    return out if out.shape == shape else out.reshape(shape)


def _bounds(lengths: Shape, index: tuple[Index, ...]) -> tuple[Shape, Shape, Shape, Shape]:
    """Return begin, end and stride per axis, and the shape that is left when ints have taken their axes away."""
    begin, end, step, shape = [], [], [], []
    left = iter(lengths)
    for entry in index:
        if entry is None:
            shape.append(1)
            continue
        length = next(left)
        if isinstance(entry, slice):
            low, high, by = entry.indices(length)
            if by < 1:
                raise DTypeError(f"a Tensor is sliced with steps of at least 1, not {by}.")
            shape.append(len(range(low, high, by)))
        elif isinstance(entry, int):
            if not -length <= entry < length:
                raise IndexError(f"index {entry} is out of range for an axis of length {length}.")
            low, high, by = entry % length, entry % length + 1, 1
        else:
            raise DTypeError(f"a Tensor is indexed by ints, slices, `...` and None, not by {type(entry).__name__}; use ops.gather.")
        begin.append(low), end.append(high), step.append(by)
    return tuple(begin), tuple(end), tuple(step), tuple(shape)

