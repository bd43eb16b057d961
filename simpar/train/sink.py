"""Rows that are not passed: functions and networks that take them from a dataset themselves.

``data_sink`` hands a function the next rows; ``connect_network_with_dataset`` lets a network take them from a queue.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from simpar import ops
from simpar.compile import jit, partition_options
from simpar.context import current
from simpar.dataset import TransferDataset
from simpar.errors import ContextError, DTypeError, TrainingError
from simpar.nn import Cell
from simpar.partition import argument_shape
from simpar.tensor import Tensor
from simpar.train.rows import Rows

__all__ = ["DatasetHelper", "connect_network_with_dataset", "data_sink"]


def data_sink(
    fn: Callable[..., Any],
    dataset: Any,
    sink_size: int = 1,
    jit_config: object = None,
    input_signature: Tensor | Sequence[Tensor] | None = None,
) -> Callable[..., Any]:
    """Return a function that calls ``fn`` with the next rows of a dataset, which begins anew when it ends.

    Args:
        fn: a function of the columns of a row.
        dataset: of ``simpar.dataset``, or with its interface.
        sink_size: with how many rows each call calls it; the last result is returned.
        jit_config: if it is given, ``fn`` becomes one program; its settings change nothing.
        input_signature: Tensors of the shape and type that each column must have.

    Raises:
        ContextError: ``sink_size`` is below 1.
        DTypeError: ``sink_size`` is no whole number; when it is called, a column differs from its signature.

    >>> from simpar.dataset import NumpySlicesDataset
    >>> rows = NumpySlicesDataset({"x": [1, 2, 3], "y": [10, 20, 30]}, shuffle=False)
    >>> add = data_sink(lambda x, y: x + y, rows, sink_size=2)
    >>> add().item(), add().item()
    (22, 11)
    """
    if isinstance(sink_size, bool) or not isinstance(sink_size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"sink_size is {sink_size!r}, a {type(sink_size).__name__}; give a whole number above 0.")
    if sink_size < 1:
        raise ContextError(f"sink_size is {sink_size}; give a whole number above 0.")
    wanted = (input_signature,) if isinstance(input_signature, Tensor) else tuple(input_signature or ())
    run = fn if jit_config is None else jit(fn)
    rows = Rows(dataset, sink_size, goes_on=True)

    @wraps(fn)
    def process(*_: Any, **__: Any) -> Any:
        result: Any = None
        for row in rows.epoch():
            _check(row, wanted)
            result = run(*row)
        return result

    return process


def _check(row: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    for number, (column, like) in enumerate(zip(row, wanted, strict=bool(wanted)), start=1):
        if (column.shape, column.dtype) != (like.shape, like.dtype):
            raise DTypeError(
                f"column {number} of the dataset has shape {column.shape} and type {column.dtype}, but input_signature "
                f"says {like.shape} {like.dtype}. Batch or cast the dataset accordingly."
            )


class DatasetHelper:
    """Gives the rows of a dataset; or nothing, once for each row, while a network takes the rows from a queue.

    Args:
        dataset: of ``simpar.dataset``.
        dataset_sink_mode: whether rows go into a queue, for ``connect_network_with_dataset``.
        sink_size: rows of a round in that mode; -1 for all of the dataset.
        epoch_num: how many rounds the queue has rows for; -1 for no limit.

    Raises:
        ContextError: ``sink_size`` is 0 or below -1.
    """

    def __init__(self, dataset: Any, dataset_sink_mode: bool = True, sink_size: int = -1, epoch_num: int = 1) -> None:
        if sink_size < -1 or sink_size == 0:
            raise ContextError(f"sink_size of DatasetHelper is {sink_size}; give -1 or a number above 0.")
        self._dataset, self._size = dataset, sink_size
        self.queue: TransferDataset | None = None
        """The queue, in sink mode."""
        if dataset_sink_mode:
            queue: TransferDataset = dataset.device_que()
            queue.send(-1 if sink_size != -1 else epoch_num)
            dataset.__transfer_dataset__ = self.queue = queue

    def __iter__(self) -> Iterator[Any]:
        if self.queue is None:
            yield from Rows(self._dataset, None).epoch()
            return
        for _ in range(self.sink_size()):
            yield ()

    def sink_size(self) -> int:
        """Return how many rows a round has."""
        return self._dataset.get_dataset_size() if self._size == -1 else self._size

    def types_shapes(self) -> tuple[list[Any], list[list[int]]]:
        """Return the element type and the shape of each column, as this rank has it."""
        return self._dataset.output_types(), self._dataset.output_shapes()

    def stop_send(self) -> None:
        """Close the queue."""
        if self.queue is not None:
            self.queue.stop_send()

    def release(self) -> None:
        """Close the queue."""
        self.stop_send()

    def continue_send(self) -> None:
        """Do nothing: a queue that is open goes on."""


class _Fed(Cell):
    """Calls a network with rows that it takes from a queue itself."""

    def __init__(self, network: Any, get_next: Any) -> None:
        super().__init__(auto_prefix=False)
        self.network, self.get_next = network, get_next

    def construct(self) -> Any:
        """Return what the network makes of the next row."""
        return self.network(*self.get_next())


def connect_network_with_dataset(network: Any, dataset_helper: DatasetHelper) -> Cell:
    """Return a network without inputs: each call takes the next row of the dataset, each rank its part of it.

    The rows are parts as ``dataset_strategy`` tells; the network sees the whole.

    Args:
        network: a Cell or function of a row's columns.
        dataset_helper: in sink mode.

    Raises:
        TrainingError: it is not.

    >>> from simpar.dataset import NumpySlicesDataset
    >>> helper = DatasetHelper(NumpySlicesDataset({"x": [1, 2]}, shuffle=False))
    >>> double = connect_network_with_dataset(lambda x: x + x, helper)
    >>> [double(*nothing).item() for nothing in helper]
    [2, 4]
    """
    if dataset_helper.queue is None:
        raise TrainingError(
            "connect_network_with_dataset needs a queue; make DatasetHelper(dataset, dataset_sink_mode=True)."
        )
    types, shapes = dataset_helper.types_shapes()
    options = partition_options(current())
    whole = [argument_shape(tuple(shape), place, options) for place, shape in enumerate(shapes)]
    fed = _Fed(network, ops.GetNext(types, whole, len(types), dataset_helper.queue.queue_name))
    return fed.set_train(getattr(network, "training", False))
