"""``data_sink``: a function of a row becomes one that takes its rows from a dataset itself."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from simpar.compile import jit
from simpar.errors import ContextError, DTypeError
from simpar.tensor import Tensor
from simpar.train.rows import Rows

__all__ = ["data_sink"]


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
