"""The face of a dataset: MindSpore's methods, each of which returns a dataset with one stage more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from simpar.context import close_queue, current, open_queue
from simpar.dataset.batches import Batched
from simpar.dataset.order import Epoch, dataset_seed
from simpar.dataset.rows import Array, rows_of
from simpar.dataset.stages import (
    Concatenated,
    Filtered,
    Mapped,
    Names,
    Projected,
    Renamed,
    Repeated,
    Rows,
    Shuffled,
    Window,
    Zipped,
    names_of,
    split,
)
from simpar.dtype import DType, as_dtype
from simpar.errors import DatasetError
from simpar.tensor import Tensor

__all__ = ["Dataset", "EpochIterator", "TransferDataset"]


class Dataset:
    """Is rows of named columns, made when they are asked for: the last of a chain of stages.

    Args:
        rows: that last stage.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    # --- stages ---

    def map(
        self,
        operations: Any,
        input_columns: Names | None = None,
        output_columns: Names | None = None,
        num_parallel_workers: int | None = None,
        **_: Any,
    ) -> "Dataset":
        """Return the dataset with operations done to columns of each row.

        Args:
            operations: a function or transform, or a list of them, done one after the other.
            input_columns: what the first one takes; the first columns, as many as it takes, if None.
            output_columns: the names of what the last one returns; those of the input if None.
            num_parallel_workers: taken; rows are made in this process.
        """
        return Dataset(Mapped(self.rows, operations, input_columns, output_columns))

    def batch(
        self,
        batch_size: int | Callable[..., int],
        drop_remainder: bool = False,
        num_parallel_workers: int | None = None,
        **options: Any,
    ) -> "Dataset":
        """Return the dataset with each ``batch_size`` rows stacked to one.

        Args:
            batch_size: how many rows, or a function of a ``BatchInfo`` that says so.
            drop_remainder: whether a last batch with fewer rows is left out.
            num_parallel_workers: taken; rows are made in this process.
            **options: ``per_batch_map``, a function of the columns (lists of rows) and the ``BatchInfo``, with
                ``input_columns`` and ``output_columns``.
        """
        return Dataset(Batched(self.rows, batch_size, drop_remainder, **options))

    def padded_batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_workers: int | None = None,
        pad_info: Mapping[str, tuple[Sequence[int | None] | None, Any]] | None = None,
    ) -> "Dataset":
        """Return the dataset in batches whose rows are first padded to one shape.

        Args:
            batch_size: how many rows.
            drop_remainder: whether a last batch with fewer rows is left out.
            num_parallel_workers: taken; rows are made in this process.
            pad_info: per column the shape to pad to (None: the longest of the batch) and the value to pad with.
        """
        return Dataset(Batched(self.rows, batch_size, drop_remainder, pad_info=pad_info or {}))

    def shuffle(self, buffer_size: int) -> "Dataset":
        """Return the dataset in a random order, drawn anew in each epoch from a buffer of so many rows."""
        return Dataset(Shuffled(self.rows, buffer_size))

    def repeat(self, count: int | None = None) -> "Dataset":
        """Return the dataset ``count`` times over; without end if it is None or -1."""
        return Dataset(Repeated(self.rows, -1 if count is None else count))

    def skip(self, count: int) -> "Dataset":
        """Return the dataset without its first ``count`` rows."""
        return Dataset(Window(self.rows, count, None))

    def take(self, count: int = -1) -> "Dataset":
        """Return the first ``count`` rows of the dataset; all if it is -1."""
        return Dataset(Window(self.rows, 0, None if count == -1 else count))

    def project(self, columns: Names) -> "Dataset":
        """Return the dataset with these columns only, in this order."""
        return Dataset(Projected(self.rows, columns))

    def rename(self, input_columns: Names, output_columns: Names) -> "Dataset":
        """Return the dataset with some columns under other names."""
        return Dataset(Renamed(self.rows, input_columns, output_columns))

    def filter(self, predicate: Callable[..., Any], input_columns: Names | None = None, **_: Any) -> "Dataset":
        """Return the rows for which a function of their columns is true."""
        return Dataset(Filtered(self.rows, predicate, input_columns))

    def zip(self, datasets: "Dataset | tuple[Dataset, ...]") -> "Dataset":
        """Return rows with the columns of this dataset and of others side by side, as long as all have rows."""
        others = datasets if isinstance(datasets, tuple) else (datasets,)
        return Dataset(Zipped([d.rows for d in (self, *others)]))

    def concat(self, datasets: "Dataset | list[Dataset]") -> "Dataset":
        """Return the rows of this dataset and then those of others."""
        others = datasets if isinstance(datasets, list) else [datasets]
        return Dataset(Concatenated([d.rows for d in (self, *others)]))

    def __add__(self, other: "Dataset") -> "Dataset":
        return self.concat(other)

    def apply(self, apply_func: "Callable[[Dataset], Any]") -> "Dataset":
        """Return what a function makes of this dataset."""
        made = apply_func(self)
        if not isinstance(made, Dataset):
            raise DatasetError(f"apply: the function returned {type(made).__name__}; it must return a dataset.")
        return made

    def split(self, sizes: Sequence[int | float], randomize: bool = True) -> "tuple[Dataset, ...]":
        """Return the rows in disjoint parts.

        Args:
            sizes: of the parts, in rows, or as fractions that sum to 1.
            randomize: whether rows are shuffled first, in the same way in every epoch.
        """
        return tuple(map(Dataset, split(self.rows, sizes, randomize)))

    # --- what it holds ---

    def get_dataset_size(self) -> int:
        """Return how many rows (batches, after ``batch``) an epoch has."""
        return self.rows.count()

    def get_col_names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.rows.columns)

    def get_batch_size(self) -> int:
        """Return how many rows were stacked to one, 1 if none were."""
        return self.rows.batch_size

    def get_repeat_count(self) -> int:
        """Return how often the rows are repeated."""
        return self.rows.repeats

    def num_classes(self) -> int:
        """Return how many classes the labels tell apart, -1 if the source does not say."""
        return self.rows.classes

    def output_shapes(self, estimate: bool = False) -> list[list[int]]:
        """Return the shape of each column of the first row."""
        return [list(a.shape) for a in self._first_row()]

    def output_types(self) -> list[DType]:
        """Return the element type of each column of the first row."""
        return [as_dtype(a.dtype) for a in self._first_row()]

    def _first_row(self) -> tuple[Array, ...]:
        for block in self.rows.blocks(Epoch(seed=dataset_seed())):
            return next(rows_of(block))
        raise DatasetError("the dataset has no rows: nothing tells the shapes and types of its columns.")

    def __len__(self) -> int:
        return self.get_dataset_size()

    # --- reading ---

    def create_dict_iterator(
        self, num_epochs: int = -1, output_numpy: bool = False, do_copy: bool = False
    ) -> "EpochIterator":
        """Return an iterator over rows as dictionaries by column.

        Args:
            num_epochs: how often it can be gone through, each time in the order of the next epoch; -1: no limit.
            output_numpy: whether rows hold numpy arrays instead of Tensors.
            do_copy: taken; Tensors never share memory with the dataset.
        """
        return EpochIterator(self.rows, self.rows.columns, num_epochs, output_numpy, as_dict=True)

    def create_tuple_iterator(
        self, columns: Names | None = None, num_epochs: int = -1, output_numpy: bool = False, do_copy: bool = False
    ) -> "EpochIterator":
        """Return an iterator over rows as lists, of these columns if given; arguments as of the other iterator."""
        wanted = self.rows.columns if columns is None else names_of(columns)
        self.rows.places(wanted)
        return EpochIterator(self.rows, wanted, num_epochs, output_numpy, as_dict=False)

    def device_que(
        self, send_epoch_end: bool = True, create_data_info_queue: bool = False, queue_name: str = ""
    ) -> "TransferDataset":
        """Return the dataset as one whose rows go into a queue, from which programs take them with ``ops.GetNext``.

        Args:
            send_epoch_end, create_data_info_queue: taken; change nothing.
            queue_name: the queue's; one that the ranks agree on if empty.
        """
        del send_epoch_end, create_data_info_queue
        return TransferDataset(self, queue_name or f"queue-{current().count('queue')}")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.create_tuple_iterator(num_epochs=1))


class TransferDataset:
    """A dataset that fills a queue, a row whenever a program takes one.

    Args:
        dataset: whose rows they are.
        queue_name: how ``ops.GetNext`` calls the queue.
    """

    def __init__(self, dataset: Dataset, queue_name: str) -> None:
        self._dataset, self.queue_name = dataset, queue_name

    def send(self, num_epochs: int = -1) -> None:
        """Let the queue have the rows of so many epochs; -1 for no limit."""
        rows = self._dataset.create_tuple_iterator(num_epochs=num_epochs)
        epochs = repeat(None) if num_epochs == -1 else repeat(None, num_epochs)
        open_queue(self.queue_name, (row for _ in epochs for row in rows))

    def stop_send(self) -> None:
        """Close the queue."""
        close_queue(self.queue_name)

    def continue_send(self) -> None:
        """Do nothing: a queue that is open goes on."""

    def release(self) -> None:
        """Close the queue."""
        self.stop_send()

    def get_data_info(self) -> tuple[list[DType], list[list[int]]]:
        """Return the element type and the shape of each column."""
        return self._dataset.output_types(), self._dataset.output_shapes()


class EpochIterator:
    """Goes through the rows of a dataset, once for each time it is asked to.

    Each ``for`` over it is an epoch of its own, with the next number, and so another shuffle.
    """

    def __init__(self, rows: Rows, columns: Sequence[str], num_epochs: int, output_numpy: bool, as_dict: bool) -> None:
        if num_epochs == 0 or num_epochs < -1:
            raise DatasetError(f"num_epochs is {num_epochs}; give a positive number, or -1 for no limit.")
        self._source, self._columns, self._num_epochs = rows, tuple(columns), num_epochs
        self._output_numpy, self._as_dict = output_numpy, as_dict
        self._epoch = 0
        self._rows: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        self._rows = self._read()
        return self

    def __next__(self) -> Any:
        if self._rows is None:
            self._rows = self._read()
        try:
            return next(self._rows)
        except StopIteration:
            self._rows = None
            raise

    def get_next(self) -> Any:
        """Return the next row."""
        return next(self)

    def _read(self) -> Iterator[Any]:
        if self._epoch == self._num_epochs:
            return
        epoch = Epoch(self._epoch, dataset_seed())
        self._epoch += 1
        places = self._source.places(self._columns)
        for block in self._source.blocks(epoch):
            for row in rows_of(block):
                values = [self._delivered(row[i]) for i in places]
                yield dict(zip(self._columns, values, strict=True)) if self._as_dict else values

    def _delivered(self, array: Array) -> Any:
        return array if self._output_numpy or array.dtype.kind in "US" else Tensor(np.asarray(array, order="C"))
