"""``Rows``: the rows of a dataset, epoch by epoch, as whoever trains takes them."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from simpar.tensor import Tensor

__all__ = ["Rows"]


class Rows:
    """Gives the rows of a dataset, epoch by epoch.

    Args:
        dataset: MindSpore's interface: ``create_tuple_iterator``.
        batches: how many rows an epoch has; None for all.
        goes_on: whether an epoch begins where the last one ended, not with the first row.
    """

    def __init__(self, dataset: Any, batches: int | None, goes_on: bool = False) -> None:
        self._iterator = dataset.create_tuple_iterator(num_epochs=-1, do_copy=True)
        self._batches, self._goes_on = batches, goes_on
        self._going: Iterator[Any] | None = None

    def epoch(self) -> Iterator[list[Any]]:
        """Give the rows of one epoch."""
        rows = self._endless() if self._goes_on else iter(self._iterator)
        for number, row in enumerate(rows, start=1):
            columns = cast("Sequence[Any]", row if isinstance(row, list | tuple) else (row,))
            yield [v if isinstance(v, Tensor) else Tensor(np.asarray(v)) for v in columns]
            if number == self._batches:
                return

    def _endless(self) -> Iterator[Any]:
        while True:
            if self._going is None:
                self._going = iter(self._iterator)
            while (row := next(self._going, None)) is not None:  # no for, which would begin anew
                yield row
            self._going = None
