"""Where rows come from: arrays, and Python objects that give them."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from simpar.dataset.dataset import Dataset
from simpar.dataset.order import Epoch, Sampler, chosen_sampler
from simpar.dataset.rows import BLOCK_ROWS, Array, Block, block_of
from simpar.dataset.stages import Rows
from simpar.dtype import as_dtype
from simpar.errors import DatasetError

__all__ = ["ArrayRows", "GeneratorDataset", "NumpySlicesDataset"]


class ArrayRows(Rows):
    """Gives the rows of arrays, one array per column, in the order of a sampler.

    Args:
        columns: their names.
        arrays: of one length along axis 0.
        sampler: which rows come, in which order.
        classes: how many classes the labels tell apart, -1 if that is not known.
    """

    def __init__(self, columns: Sequence[str], arrays: Sequence[Array], sampler: Sampler, classes: int = -1) -> None:
        super().__init__(columns)
        lengths = {c: len(a) for c, a in zip(columns, arrays, strict=True)}
        if len(set(lengths.values())) > 1:
            raise DatasetError(f"the columns have different numbers of rows: {lengths}. Give equally many of each.")
        self._arrays, self._sampler = tuple(arrays), sampler
        self.classes = classes

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        places = self._sampler.places(len(self._arrays[0]), epoch)
        for start in range(0, len(places), BLOCK_ROWS):
            some = places[start : start + BLOCK_ROWS]
            yield tuple(a[some] for a in self._arrays)

    def count(self) -> int:
        """Return how many rows an epoch has."""
        return self._sampler.count(len(self._arrays[0]))


class NumpySlicesDataset(Dataset):
    """Is the rows along axis 0 of arrays.

    Args:
        data: an array or list: one column; a tuple of them: several; a dictionary: several with names.
        column_names: their names; ``column_0``, ``column_1``, … if None.
        num_samples: at most so many rows.
        num_parallel_workers: taken; rows are made in this process.
        shuffle: whether the order is drawn anew in each epoch; yes if None.
        sampler: decides which rows come instead.
        num_shards: among how many ranks the rows are shared; each gets every ``num_shards``-th.
        shard_id: which of them this is.

    >>> data = NumpySlicesDataset({"x": [1, 2, 3], "y": [4, 5, 6]}, shuffle=False)
    >>> [int(row["y"]) for row in data.create_dict_iterator(num_epochs=1, output_numpy=True)]
    [4, 5, 6]
    """

    def __init__(
        self,
        data: Any,
        column_names: str | Sequence[str] | None = None,
        num_samples: int | None = None,
        num_parallel_workers: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        num_shards: int | None = None,
        shard_id: int | None = None,
    ) -> None:
        if isinstance(data, Mapping):
            named = cast("Mapping[str, Any]", data)
            names, values = list(named), list(named.values())
        else:
            values = list(cast("tuple[Any, ...]", data)) if isinstance(data, tuple) else [data]
            names = [f"column_{i}" for i in range(len(values))]
        if column_names is not None:
            names = [column_names] if isinstance(column_names, str) else list(column_names)
        if len(names) != len(values):
            raise DatasetError(f"{len(values)} columns of data, and {len(names)} names {names}: give one for each.")
        arrays = [_column(n, v) for n, v in zip(names, values, strict=True)]
        chosen = chosen_sampler(sampler, shuffle, num_samples, num_shards, shard_id)
        super().__init__(ArrayRows(names, arrays, chosen))


def _column(name: str, values: Any) -> Array:
    try:
        array = np.asarray(values.asnumpy() if hasattr(values, "asnumpy") else values)
    except ValueError as error:
        raise DatasetError(
            f"column {name!r} is ragged: {error}. Use GeneratorDataset for rows of many shapes."
        ) from error
    if array.ndim == 0 or not len(array):
        raise DatasetError(f"column {name!r} has no rows: it is {values!r}. Give an array with rows along axis 0.")
    return array


class GeneratorDataset(Dataset):
    """Is the rows that a Python object gives.

    Args:
        source: with ``__getitem__`` and ``__len__``: rows by number, in any order; or something iterable, or a function
            that returns an iterator: rows as they come. A row is an array, or a tuple with one for each column.
        column_names: the names of the columns.
        column_types: their element types; those of the arrays if None.
        schema: taken; the first rows tell shapes and types.
        num_samples: at most so many rows.
        num_parallel_workers: taken; rows are made in this process.
        shuffle: whether the order is drawn anew in each epoch; yes if None and rows can be had by number.
        sampler: decides which rows come instead.
        num_shards: among how many ranks the rows are shared.
        shard_id: which of them this is.

    Raises:
        DatasetError: rows in order are to be shuffled, sampled or shared, or a row does not fit the columns.
    """

    def __init__(
        self,
        source: Any,
        column_names: str | Sequence[str] | None = None,
        column_types: Sequence[Any] | None = None,
        schema: Any = None,
        num_samples: int | None = None,
        num_parallel_workers: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        num_shards: int | None = None,
        shard_id: int | None = None,
        **_: Any,
    ) -> None:
        names = [column_names] if isinstance(column_names, str) else list(column_names or ())
        if not names:
            raise DatasetError("GeneratorDataset: give column_names, one for each array of a row.")
        by_number = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        if not by_number and (shuffle or sampler is not None or num_shards is not None):
            raise DatasetError(
                f"GeneratorDataset: {type(source).__name__} gives rows in its own order, which cannot be shuffled, "
                f"sampled or shared. Give an object with __getitem__ and __len__, or use dataset.shuffle(...)."
            )
        if not by_number and not callable(source) and not hasattr(source, "__iter__"):
            raise DatasetError(f"GeneratorDataset: {type(source).__name__} gives no rows; see what source may be.")
        chosen = chosen_sampler(sampler, shuffle, num_samples, num_shards, shard_id) if by_number else None
        super().__init__(_Given(source, names, column_types, chosen, num_samples))


class _Given(Rows):
    """Gives the rows of a Python object: by number if there is a sampler, else as they come."""

    def __init__(
        self,
        source: Any,
        columns: Sequence[str],
        types: Sequence[Any] | None,
        sampler: Sampler | None,
        num_samples: int | None,
    ) -> None:
        super().__init__(columns)
        if types is not None and len(types) != len(columns):
            raise DatasetError(f"GeneratorDataset: {len(types)} column_types for {len(columns)} columns.")
        self._source, self._sampler, self._num_samples = source, sampler, num_samples
        self._types = None if types is None else [as_dtype(t).numpy for t in types]

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        rows = map(self._row, itertools.count(), self._values(epoch))
        while some := list(itertools.islice(rows, BLOCK_ROWS)):
            yield block_of(some)

    def _values(self, epoch: Epoch) -> Iterator[Any]:
        if self._sampler is not None:
            for place in self._sampler.places(len(self._source), epoch).tolist():
                yield self._source[place]
            return
        given = cast("Callable[[], Any]", self._source)() if callable(self._source) else self._source
        yield from itertools.islice(iter(given), self._num_samples)

    def _row(self, number: int, value: Any) -> tuple[Array, ...]:
        values = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        if len(values) != len(self.columns):
            raise DatasetError(
                f"row {number} of the source has {len(values)} arrays for {len(self.columns)} columns "
                f"{list(self.columns)}. Return a tuple with one array for each column."
            )
        arrays = [np.asarray(v.asnumpy() if hasattr(v, "asnumpy") else v) for v in values]
        if self._types is None:
            return tuple(arrays)
        return tuple(a.astype(t, copy=False) for a, t in zip(arrays, self._types, strict=True))

    def count(self) -> int:
        """Return how many rows an epoch has; rows that only come in order are read to count them."""
        if self._sampler is not None:
            return self._sampler.count(len(self._source))
        if hasattr(self._source, "__len__"):
            return min(len(self._source), self._num_samples or len(self._source))
        return sum(1 for _ in self._values(Epoch()))
