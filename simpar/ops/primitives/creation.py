"""New tensors as objects, under MindSpore's class names."""

from collections.abc import Sequence
from math import ceil

from simpar.dtype import DType, float32, int64
from simpar.errors import RuleError
from simpar.ops._made import Made, lengths, places
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, as_tensor, filled

__all__ = [
    "Arange",
    "Eye",
    "Fill",
    "FillV2",
    "Fills",
    "LinSpace",
    "LinSpaceExt",
    "Ones",
    "Range",
    "Tril",
    "Triu",
    "Zeros",
    "count_of",
]

Number = int | float | Tensor


def _value(number: Number) -> int | float:
    """Return a number, or that of a Tensor without axes."""
    value: int | float = number.item() if isinstance(number, Tensor) else number
    return value


def count_of(start: Number, end: Number, step: Number) -> int:
    """Return how many numbers there are from ``start`` to before ``end``.

    Raises:
        RuleError: the step is 0, or leads away from the end.
    """
    first, last, by = map(_value, (start, end, step))
    if by == 0 or (last - first) / by < 0:
        raise RuleError(f"from {first} to {last} in steps of {by} leads nowhere. Give a step that leads to the end.")
    return ceil((last - first) / by)


class _Line(Made, op="line"):
    """Counts from one number to before another."""

    scalars = 2

    def _made(self, start: Number, end: Number, step: Number, dtype: DType | None) -> Tensor:
        given = [as_tensor(n) for n in (start, end, step)]
        kind = dtype or next((n.dtype for n in given if n.dtype.is_float), given[0].dtype)
        return self.apply_one(given[0], given[2], *places((count_of(start, end, step),)), dtype=kind.name)


class Range(_Line):
    """Counts from ``start`` to before ``end`` in steps.

    Args:
        maxlen: kept for MindSpore's sake.

    >>> Range()(0, 6, 2).tolist()
    [0, 2, 4]
    """

    def __init__(self, maxlen: int = 1000000) -> None:
        super().__init__()
        self.maxlen = maxlen

    def __call__(self, start: Number, end: Number, step: Number) -> Tensor:
        """Return the numbers, in the type of the arguments."""
        return self._made(start, end, step, None)


class Arange(_Line):
    """Counts from ``start`` to before ``end`` in steps."""

    def __call__(self, start: Number, end: Number, step: Number = 1, dtype: DType | None = None) -> Tensor:
        """Return the numbers: int64, or float32 if one of the arguments is no whole number."""
        whole = not any(as_tensor(n).dtype.is_float for n in (start, end, step))
        return self._made(start, end, step, dtype or (int64 if whole else float32))


class LinSpace(Made, op="linspace"):
    """Is ``num`` numbers in equal steps, both ends included.

    >>> LinSpace().shard(((2,),))(Tensor(1.0), Tensor(10.0), 4).tolist()
    [1.0, 4.0, 7.0, 10.0]
    """

    scalars = 2

    def __call__(self, start: Number, stop: Number, num: int) -> Tensor:
        """Return the numbers, as float32 or in the type of ``start``."""
        return self._spread(start, stop, num, None)

    def _spread(self, start: Number, stop: Number, num: int, dtype: DType | None) -> Tensor:
        if num < 1:
            raise RuleError(f"LinSpace of {num} numbers: give 1 or more.")
        kind = dtype or (start.dtype if isinstance(start, Tensor) and start.dtype.is_float else float32)
        ends = (n.astype(kind) if isinstance(n, Tensor) else Tensor(n, kind) for n in (start, stop))
        return self.apply_one(*ends, *places((num,)), num=num, dtype=kind.name)


class LinSpaceExt(LinSpace):
    """Is ``LinSpace`` under the name of ``mint``, with an element type."""

    def __call__(self, start: Number, stop: Number, num: int, dtype: DType | None = None) -> Tensor:
        """Return the numbers."""
        return self._spread(start, stop, num, dtype)


class Eye(Made, op="eye"):
    """Is a matrix with ones on its diagonal and zeros elsewhere."""

    scalars = 0

    def __call__(self, n: int, m: int, dtype: DType = float32) -> Tensor:
        """Return n rows and m columns."""
        return self.apply_one(*places((n, m)), dtype=dtype.name)


class _Triangle(Primitive):
    """Keeps a triangle of each matrix.

    Args:
        diagonal: how far the diagonal that ends the triangle lies above the main one.
    """

    def __init__(self, diagonal: int = 0) -> None:
        super().__init__(diagonal=diagonal)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class Tril(_Triangle, op="tril"):
    """Keeps what lies on and below a diagonal."""


class Triu(_Triangle, op="triu"):
    """Keeps what lies on and above a diagonal."""


# --- filled with one number ---


class Fill(Primitive, op="broadcast_to"):
    """Makes a tensor that holds one number everywhere."""

    def __call__(self, type: DType, shape: Sequence[int], value: float) -> Tensor:
        """Return the tensor."""
        return filled(lengths(shape), type, value)


class FillV2(Primitive, op="broadcast_to"):
    """Makes a tensor that holds the number of a Tensor without axes everywhere."""

    def __call__(self, shape: Sequence[int] | Tensor, value: Tensor | float) -> Tensor:
        """Return the tensor, in the type of the number."""
        number = as_tensor(value)
        return self.apply_one(number.reshape(()), shape=lengths(shape))


class Fills(Primitive, op="full_like"):
    """Makes a tensor of the shape and type of x that holds one number everywhere."""

    def __call__(self, x: Tensor, value: float | Tensor) -> Tensor:
        """Return the tensor."""
        return self.apply_one(x, value=_value(value))


class Zeros(Primitive, op="broadcast_to"):
    """Makes zeros."""

    def __call__(self, size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
        """Return the tensor, float32 if no type is given."""
        return filled(lengths(size), dtype or float32, 0)


class Ones(Primitive, op="broadcast_to"):
    """Makes ones."""

    def __call__(self, size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
        """Return the tensor, float32 if no type is given."""
        return filled(lengths(size), dtype or float32, 1)
