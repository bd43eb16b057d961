"""Transforms of rows: functions of arrays, which do their work on many rows at once where they can."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.dataset.order import Epoch
from simpar.dataset.rows import Column, rows_of
from simpar.dtype import DType, as_dtype
from simpar.errors import DatasetError

__all__ = [
    "Compose",
    "Concatenate",
    "Duplicate",
    "Fill",
    "OneHot",
    "PadEnd",
    "RandomApply",
    "RandomChoice",
    "RandomOrder",
    "Slice",
    "TensorOperation",
    "TypeCast",
    "Unique",
]

Array = NDArray[Any]


class TensorOperation:
    """Is the base of transforms of one array.

    A subclass gives ``on_rows`` if its work is the same on many rows at once, else ``on_row``.
    """

    def on_rows(self, rows: Array) -> Array | None:
        """Return what becomes of rows along axis 0, or None if they must be taken one by one."""
        return None

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> Any:
        """Return what becomes of one row; ``draws`` are 8 random numbers in [0, 1)."""
        made = self.on_rows(row[np.newaxis])
        assert made is not None, f"{type(self).__name__} has neither on_rows nor on_row."
        return made[0]

    def done_to_all(self, columns: Sequence[Column], draws: Epoch) -> list[Column] | None:
        """Return columns with this done to all rows at once, or None if that cannot be."""
        if not all(isinstance(c, np.ndarray) for c in columns):
            return None
        made = [self.on_rows(cast("Array", c)) for c in columns]
        return None if any(m is None for m in made) else cast("list[Column]", made)

    def done_by_row(self, columns: Sequence[Column], draws: Epoch) -> Iterator[tuple[Any, ...]]:
        """Give, row by row, what becomes of the columns; those of one row share what is drawn."""
        numbers = draws.uniform(8 * len(columns[0])).reshape(-1, 8)
        for row, drawn in zip(rows_of(tuple(columns)), numbers, strict=True):
            made = [self.on_row(value, drawn) for value in row]
            yield made[0] if len(made) == 1 and isinstance(made[0], tuple) else tuple(made)

    def __call__(self, *arrays: Any) -> Any:
        """Return what becomes of one row: an array for an array, a tuple for several."""
        made = tuple(next(self.done_by_row([np.asarray(a)[np.newaxis] for a in arrays], Epoch())))
        return made[0] if len(made) == 1 else made


class TypeCast(TensorOperation):
    """Changes the element type.

    >>> TypeCast("int32")(np.array([1.5, 2.0])).tolist()
    [1, 2]
    """

    def __init__(self, output_type: DType | str | type) -> None:
        self._dtype = as_dtype(output_type).numpy

    def on_rows(self, rows: Array) -> Array:
        """Return the rows with the element type."""
        return rows.astype(self._dtype)


class OneHot(TensorOperation):
    """Makes of each integer a row with a one at its place.

    Args:
        num_classes: the length of the row.
        smoothing_rate: how much of the one is spread over all places.
    """

    def __init__(self, num_classes: int, smoothing_rate: float = 0.0) -> None:
        if num_classes < 1 or not 0 <= smoothing_rate <= 1:
            raise DatasetError(
                f"OneHot: num_classes {num_classes} must be positive, smoothing {smoothing_rate} in [0, 1]."
            )
        self._num_classes, self._smoothing = num_classes, smoothing_rate

    def on_rows(self, rows: Array) -> Array:
        """Return the rows with one axis more."""
        if rows.size and (rows.min() < 0 or rows.max() >= self._num_classes):
            raise DatasetError(
                f"OneHot: a label is {rows.max() if rows.max() >= self._num_classes else rows.min()}; with num_classes "
                f"{self._num_classes} labels go from 0 to {self._num_classes - 1}."
            )
        hot = np.eye(self._num_classes, dtype=np.float32 if self._smoothing else rows.dtype)[rows]
        return hot * (1 - self._smoothing) + self._smoothing / self._num_classes if self._smoothing else hot


class Fill(TensorOperation):
    """Puts one value everywhere."""

    def __init__(self, fill_value: Any) -> None:
        self._value = fill_value

    def on_rows(self, rows: Array) -> Array:
        """Return rows of the same shape, all of that value."""
        return np.full_like(rows, self._value)


class PadEnd(TensorOperation):
    """Fills each axis up at its end.

    Args:
        pad_shape: the lengths to reach; None leaves an axis as it is.
        pad_value: what to fill with.
    """

    def __init__(self, pad_shape: Sequence[int | None], pad_value: Any = None) -> None:
        self._shape, self._value = tuple(pad_shape), 0 if pad_value is None else pad_value

    def on_rows(self, rows: Array) -> Array:
        """Return the longer rows."""
        lengths = [n if m is None else m for n, m in zip(rows.shape[1:], self._shape, strict=True)]
        out = np.full((len(rows), *lengths), self._value, rows.dtype)
        common = (slice(None), *(slice(min(a, b)) for a, b in zip(rows.shape[1:], lengths, strict=True)))
        out[common] = rows[common]
        return out


class Slice(TensorOperation):
    """Takes a part of the axes: an integer, list, slice, None or Ellipsis for each."""

    def __init__(self, *slices: Any) -> None:
        self._slices = tuple([s] if isinstance(s, int) else slice(None) if s is None else s for s in slices)

    def on_rows(self, rows: Array) -> Array:
        """Return that part of each row."""
        return rows[(slice(None), *self._slices)]


class Concatenate(TensorOperation):
    """Joins an array to each row."""

    def __init__(self, axis: int = 0, prepend: Any = None, append: Any = None) -> None:
        self._axis, self._before, self._after = axis, prepend, append

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> Array:
        """Return the longer row."""
        parts = [p for p in (self._before, row, self._after) if p is not None]
        return np.concatenate([np.asarray(p, row.dtype) for p in parts], axis=self._axis)


class Duplicate(TensorOperation):
    """Makes a second column of the first."""

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> tuple[Array, Array]:
        """Return the row twice."""
        return row, row.copy()


class Unique(TensorOperation):
    """Makes three columns: the distinct values, where each element is among them, and how often each occurs."""

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> tuple[Array, Array, Array]:
        """Return the three arrays."""
        values, places, counts = np.unique(row.reshape(-1), return_inverse=True, return_counts=True)
        return values, places.astype(np.int32), counts.astype(np.int32)


# --- transforms of transforms ---


class Compose:
    """Is several transforms, one after the other.

    >>> int(Compose([lambda x: x + 1, TypeCast("int32")])(np.array(1.5)))
    2
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        if not transforms:
            raise DatasetError("Compose: the list of transforms is empty.")
        self.transforms = list(transforms)

    def __call__(self, *arrays: Any) -> Any:
        """Return what becomes of one row."""
        for transform in self.transforms:
            made = transform(*arrays)
            arrays = cast("tuple[Any, ...]", made) if isinstance(made, tuple) else (made,)
        return arrays[0] if len(arrays) == 1 else arrays


class _Random(TensorOperation):
    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        if not transforms:
            raise DatasetError(f"{type(self).__name__}: the list of transforms is empty.")
        self._transforms = list(transforms)

    @staticmethod
    def _one(transform: Callable[..., Any], row: Array, draws: NDArray[np.float32]) -> Any:
        return transform.on_row(row, np.roll(draws, 1)) if isinstance(transform, TensorOperation) else transform(row)


class RandomApply(_Random):
    """Does all of some transforms with a probability, or none."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], prob: float = 0.5) -> None:
        super().__init__(transforms)
        self._prob = prob

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> Any:
        """Return the row, with the transforms done or as it is."""
        for transform in self._transforms if draws[7] < self._prob else ():
            row = self._one(transform, row, draws)
        return row


class RandomChoice(_Random):
    """Does one of some transforms."""

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> Any:
        """Return the row with the transform done that was drawn."""
        return self._one(self._transforms[int(draws[7] * len(self._transforms))], row, draws)


class RandomOrder(_Random):
    """Does all of some transforms in an order that is drawn."""

    def on_row(self, row: Array, draws: NDArray[np.float32]) -> Any:
        """Return the row with all done."""
        left = list(self._transforms)
        for number in draws[: len(left)] if len(left) <= len(draws) else np.resize(draws, len(left)):
            row = self._one(left.pop(int(number * len(left))), row, draws)
        return row
