"""What a Tensor holds: an array, a traced value, or nothing yet; and how an op is applied to Tensors."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, cast

import numpy as np
from numpy.typing import NDArray

from simpar import dtype as types
from simpar.context import current
from simpar.dtype import DType, as_dtype
from simpar.errors import DTypeError, LayoutError
from simpar.graph import Operand, Strategy, Trace, Value, apply, lookup, refuse_value, user_line
from simpar.layout import Layout
from simpar.tensor.methods import METHODS
from simpar.tensor.operators import Operators

__all__ = ["Tensor", "as_tensor", "call", "filled"]

Array = NDArray[Any]
Shape = tuple[int, ...]

_UNKNOWN: Final = 64
"""What an axis of unknown length is planned as; most cuts divide it."""


class Tensor(Operators):
    """An array of one element type, with MindSpore's interface.

    Args:
        input_data: a number, list, tuple, numpy array or Tensor; None with ``shape`` and ``init``.
        dtype: the element type; that of the data if None (Python floats are float32, Python ints int64).
        shape: without data: the shape of a tensor that has none yet; None in it for a length that is not known.
        init: with ``shape``: what fills the tensor later (an initializer, see ``simpar.common.initializer``).

    Raises:
        DTypeError: the data cannot be a tensor.

    >>> Tensor([[1, 2], [3, 4]], types.float32).shape
    (2, 2)
    """

    def __init__(
        self,
        input_data: object = None,
        dtype: DType | None = None,
        shape: int | Sequence[SupportsIndex | None] | None = None,
        init: Any = None,
    ) -> None:
        self._array: Array | None = None
        self._value: Value | None = None
        self.unknown: Mapping[int, SupportsIndex | None] = {}
        """The axes whose length is not known yet, each with None or the ``Symbol`` that describes it."""
        self._shape: Shape = ()
        self._dtype: DType = types.float32
        self.init: Any = init
        self.layout: Layout | None = None
        """How this tensor is cut over the ranks, if it is one rank's slice of a value."""
        self.full_shape_of_slice: Shape | None = None
        if init is not None or (input_data is None and shape is not None):
            lengths = (shape,) if isinstance(shape, int) else tuple(shape or ())
            self._shape = tuple(map(_length, lengths))
            self.unknown = {axis: n for axis, n in enumerate(lengths) if not isinstance(n, int)}
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
        made.unknown = {}
        return made

    def operand(self) -> Operand:
        """Return what ``graph.apply`` takes: the traced value, or the array."""
        return self._value if self._value is not None else self._data("this operation")

    @classmethod
    def from_numpy(cls, array: Array) -> "Tensor":
        """Return the Tensor of a numpy array, whose memory it shares; one that is not contiguous is copied.

        Raises:
            DTypeError: it is no numpy array.
        """
        if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"from_numpy takes a numpy array, not {array!r}, a {type(array).__name__}.")
        return cls.wrap(np.ascontiguousarray(array) if array.ndim else array)

    def _data(self, what: str) -> Array:
        if self._value is not None:
            raise refuse_value(what)
        if self._array is None and self.init is not None:
            self.init_data()
        if self._array is None:
            raise DTypeError(
                f"{what} needs data, but this Tensor of shape {self.shape} has none yet. Call init_data() first."
            )
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

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return self._data("strides").strides

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

    def writable(self) -> Array:
        """Return the values as an array to be written to, which is contiguous; the Tensor has what is written."""
        array = self._data("writing into it")
        if not (array.flags.c_contiguous and array.flags.writeable):
            array = array.copy()
            self._fill(array)
        return array

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

    def assign_value(self, value: "Tensor") -> "Tensor":
        """Hold other values from now on, with their shape and type; return the Tensor itself."""
        self._fill(value.asnumpy().copy())
        return self

    def set_dtype(self, dtype: DType) -> "Tensor":
        """Hold the values as another element type from now on; return the Tensor itself."""
        self._fill(self._data("set_dtype()").astype(as_dtype(dtype).numpy))
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._data("np.array(tensor)"), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        trace: Trace | None = current().trace
        given = None if trace is None else self.operand()
        return trace.decide(given) if trace and isinstance(given, Value) else bool(self._data("bool(tensor)"))

    def __float__(self) -> float:
        return float(self._data("float(tensor)").item())

    def __int__(self) -> int:
        return int(self._data("int(tensor)").item())

    def __index__(self) -> int:
        return int(self._data("using a tensor as an index").item())

    def __repr__(self) -> str:
        if self._array is None:
            return f"Tensor(shape={list(self.shape)}, dtype={self.dtype}, value= <uninitialized>)"
        return f"Tensor(shape={list(self.shape)}, dtype={self.dtype}, value={self._array!r})"

    def __str__(self) -> str:
        return repr(self) if self._array is None else str(self._array)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # --- ops ---

    def apply(self, op: str, *others: object, **attrs: Any) -> "Tensor":
        """Return the one result of an op of this and other operands, numbers included."""
        return _one(call(op, self, *(as_tensor(x, self) for x in others), **attrs))

    def apply_after(self, op: str, first: object) -> "Tensor":
        """Return the result of an op in which this is the second operand."""
        return _one(call(op, as_tensor(first, self), self))

    if not TYPE_CHECKING:  # a type checker knows the methods that are written here

        def __getattr__(self, name: str) -> Any:
            """Return a method that is a function of ``simpar.ops``."""
            if name not in METHODS:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            return partial(METHODS[name], self)

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
            raise DTypeError(
                "init_data() needs a Tensor made by an initializer that has no data yet; this one has its data."
            )
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
    """Apply an op to Tensors; see ``graph.apply``. One result is returned as it is, several as a tuple.

    Raises:
        LayoutError: outside of a compiled function an op is given a slice of a value, of which one rank alone could
            not compute what one device would.
    """
    cut = next((t for t in operands if t.full_shape_of_slice is not None), None)
    if cut is not None and (current().trace is not None or not current().is_partitioned):
        cut = None
    if cut is not None:
        _check_slices(name, operands, attrs, cut)
    results = apply(name, [t.operand() for t in operands], attrs, strategy, out_strategy)
    made = tuple(Tensor.wrap(r) for r in results)
    if cut is not None:
        for result in made:
            result.layout, result.full_shape_of_slice = cut.layout, cut.full_shape_of_slice
    return made[0] if len(made) == 1 else made


def _check_slices(name: str, operands: Sequence[Tensor], attrs: Mapping[str, Any], cut: Tensor) -> None:
    """Refuse to compute on slices at once, unless the op works element by element on slices alike, and numbers."""
    made = lookup(name)
    by_element = made.elementwise and not made.bind([t.shape for t in operands], attrs).whole
    if not (by_element and all(_goes_with(cut, t) for t in operands)):
        raise LayoutError(
            f"op {name} ({user_line()}) was given a slice of shape {cut.shape} of a value of shape "
            f"{cut.full_shape_of_slice} outside of a compiled function, where each rank computes alone. Put it inside "
            f"of the function under jit, take the whole with simpar.parallel.full_tensor(x), or the slice's own "
            f"numbers with x.asnumpy()."
        )


def _goes_with(cut: Tensor, other: Tensor) -> bool:
    """Return whether the other is a slice alike, or a number."""
    if other.full_shape_of_slice is None:
        return other.size == 1 and other.ndim <= cut.ndim
    same = cut.full_shape_of_slice == other.full_shape_of_slice
    if cut.layout is None or other.layout is None:
        return same and cut.layout is other.layout
    return same and cut.layout.same_slices(other.layout)


def as_tensor(given: object, like: Tensor | None = None) -> Tensor:
    """Return ``given`` as a Tensor; a Python number takes the element type of ``like`` where that can hold it.

    A float beside whole numbers is float32, a whole number beside bools int64.
    """
    if isinstance(given, Tensor):
        return given
    if isinstance(given, complex):
        return Tensor(given, types.complex64 if like is None else like.dtype.complex)
    if isinstance(given, bool | int | float) and like is not None:
        wide = isinstance(given, float) and not like.dtype.has_gradient
        counts = like.dtype == types.bool_ and not isinstance(given, bool)
        return Tensor(given, types.float32 if wide else types.int64 if counts else like.dtype)
    return Tensor(given)


def filled(shape: Shape, dtype: DType, number: float) -> Tensor:
    """Return a Tensor that holds one number everywhere; while tracing no rank makes more of it than its slice."""
    scalar = Tensor(number, dtype)
    trace: Trace | None = current().trace
    if trace is not None:
        scalar = Tensor.wrap(trace.bind(scalar.operand()))  # a traced scalar: the op becomes a node, which can be cut
    return scalar if not shape else _one(call("broadcast_to", scalar, shape=tuple(shape)))


def _one(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(result, Tensor), "the op has one result"
    return result


def _length(given: SupportsIndex | None) -> int:
    """Return an axis's length; one that is not known yet is planned as ``_UNKNOWN``."""
    return _UNKNOWN if given is None else index(given)


def _to_array(data: object, dtype: DType | None) -> Array:
    """Copy data into an array as MindSpore types it."""
    wanted = None if dtype is None else as_dtype(dtype).numpy
    if isinstance(data, Tensor):
        return np.array(data.asnumpy(), dtype=wanted)
    if data is None or isinstance(data, str | dict | set):
        raise DTypeError(f"a Tensor is made of a number, list, tuple or array, not of {data!r}.")
    try:
        array = np.array(data, dtype=wanted)
    except (ValueError, TypeError, OverflowError) as error:
        raise DTypeError(f"this {type(data).__name__} cannot be a Tensor: {error}") from None
    if wanted is None and array.dtype.char == "d" and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(np.float32)
    as_dtype(array.dtype)  # refuses what MindSpore has no type for
    return array
