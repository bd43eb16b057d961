"""Queues: rows that a dataset leaves under a name, for programs that take their inputs themselves."""

from collections.abc import Iterator, Sequence
from typing import Any

from simpar.context.state import current
from simpar.errors import DatasetError

__all__ = ["close_queue", "next_row", "open_queue"]

_KEY = "queues"


def open_queue(name: str, rows: Iterator[Sequence[Any]]) -> None:
    """Let a queue have these rows; one of its name that was there is gone."""
    current().others.setdefault(_KEY, {})[name] = rows


def close_queue(name: str) -> None:
    """Forget a queue."""
    current().others.get(_KEY, {}).pop(name, None)


def next_row(name: str) -> Sequence[Any]:
    """Return the next row of a queue, a Tensor for each column.

    Raises:
        DatasetError: there is no such queue, or it has no row left.
    """
    queues: dict[str, Iterator[Sequence[Any]]] = current().others.get(_KEY, {})
    if name not in queues:
        known = f"those that are: {', '.join(map(repr, queues))}" if queues else "none is open"
        raise DatasetError(
            f"GetNext takes rows from queue {name!r}, which no dataset fills ({known}). Fill it with "
            f"dataset.device_que(queue_name={name!r}).send(), or let connect_network_with_dataset do so."
        )
    row = next(queues[name], None)
    if row is None:
        raise DatasetError(f"queue {name!r} has no row left. Send the dataset again, or for more epochs.")
    return row
