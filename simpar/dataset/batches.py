"""Rows stacked to batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from simpar.dataset.order import Epoch
from simpar.dataset.rows import Array, Block, Column, length, recut
from simpar.dataset.stages import Names, Rows, Stage, names_of
from simpar.errors import DatasetError

__all__ = ["BatchInfo", "Batched"]

PadInfo = Mapping[str, tuple[Sequence[int | None] | None, Any]]


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """Tells a function that makes batches where it is.

    Args:
        batch: the number of this batch in its epoch.
        epoch: the number of the epoch.
    """

    batch: int
    epoch: int

    def get_batch_num(self) -> int:
        """Return the number of this batch in its epoch."""
        return self.batch

    def get_epoch_num(self) -> int:
        """Return the number of the epoch."""
        return self.epoch


class Batched(Stage):
    """Stacks rows to one; see ``Dataset.batch`` and ``Dataset.padded_batch``."""

    def __init__(
        self,
        source: Rows,
        batch_size: int | Callable[..., int],
        drop_remainder: bool = False,
        per_batch_map: Callable[..., Any] | None = None,
        input_columns: Names | None = None,
        output_columns: Names | None = None,
        pad_info: PadInfo | None = None,
        **_: Any,
    ) -> None:
        if not callable(batch_size) and (isinstance(batch_size, bool) or batch_size < 1):
            raise DatasetError(f"batch: batch_size is {batch_size}; give a positive number of rows.")
        self._inputs = source.columns if input_columns is None else names_of(input_columns)
        self._outputs = self._inputs if output_columns is None else names_of(output_columns)
        self._places = source.places(self._inputs)
        if pad_info:
            source.places(list(pad_info))
        kept = [c for c in source.columns if c not in self._inputs] if per_batch_map is not None else source.columns
        super().__init__(source, (*self._outputs, *kept) if per_batch_map is not None else kept)
        self._size, self._drop_remainder = batch_size, drop_remainder
        self._map, self._pad_info = per_batch_map, pad_info
        self.batch_size = -1 if callable(batch_size) else batch_size * source.batch_size

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the batches of one epoch, one row each."""
        for number, (rows, size) in enumerate(self._groups(epoch)):
            if length(rows) < size and self._drop_remainder:
                return
            columns = dict(zip(self.source.columns, rows, strict=True))
            if self._map is not None:
                columns |= self._mapped(rows, BatchInfo(number, epoch.number))
            yield tuple(self._stacked(c, columns[c])[np.newaxis] for c in self.columns)

    def _groups(self, epoch: Epoch) -> Iterator[tuple[Block, int]]:
        """Give the rows of each batch, and how many there should be."""
        source = self.source.blocks(epoch.below())
        if not callable(self._size):
            for block in recut(source, self._size):
                yield block, self._size
            return
        rows = recut(source, 1)
        for number, first in enumerate(rows):
            size = int(self._size(BatchInfo(number, epoch.number)))
            together = [first, *(row for _, row in zip(range(size - 1), rows, strict=False))]
            yield next(recut(together, len(together))), size

    def _mapped(self, rows: Block, info: BatchInfo) -> dict[str, Column]:
        assert self._map is not None
        made = self._map(*([np.asarray(v) for v in rows[i]] for i in self._places), info)
        results = cast("tuple[Any, ...]", made) if isinstance(made, tuple) else (made,)
        if len(results) != len(self._outputs):
            raise DatasetError(
                f"batch: per_batch_map returns {len(results)} columns, and output_columns names "
                f"{len(self._outputs)}: {list(self._outputs)}. Name each of them."
            )
        return dict(zip(self._outputs, ([np.asarray(v) for v in r] for r in results), strict=True))

    def _stacked(self, name: str, column: Column) -> Array:
        if self._pad_info is not None and (not self._pad_info or name in self._pad_info):
            column = _padded(name, column, *self._pad_info.get(name, (None, 0)))
        if isinstance(column, np.ndarray):
            return column
        shapes = sorted({a.shape for a in column})
        if len(shapes) > 1:
            raise DatasetError(
                f"batch: the rows of column {name!r} have shapes {shapes[:3]}; rows of one batch must be shaped alike. "
                f"Resize or pad them first, use padded_batch, or leave the column out with project."
            )
        return np.stack(column)

    def count(self) -> int:
        """Return how many batches an epoch has."""
        if callable(self._size):
            return sum(1 for _ in self.blocks(Epoch()))
        rows = self.source.count()
        return rows // self._size if self._drop_remainder else -(-rows // self._size)


def _padded(name: str, column: Column, shape: Sequence[int | None] | None, value: Any) -> Array:
    """Return the rows of a column, filled up to one shape."""
    rows = [np.asarray(a) for a in column]
    wanted = [None] * rows[0].ndim if shape is None else list(shape)
    lengths = [max(r.shape[i] for r in rows) if n is None or n == -1 else n for i, n in enumerate(wanted)]
    out = np.full((len(rows), *lengths), 0 if value is None else value, rows[0].dtype)
    for place, row in enumerate(rows):
        if row.ndim != len(lengths) or any(a > b for a, b in zip(row.shape, lengths, strict=True)):
            raise DatasetError(f"padded_batch: a row of column {name!r} is {row.shape}, larger than {tuple(lengths)}.")
        out[(place, *map(slice, row.shape))] = row
    return out
