"""Inputs that a program takes from a queue itself: which they are, and that they are as it was compiled for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simpar.context import next_row
from simpar.errors import DatasetError
from simpar.graph import NEXT, Graph
from simpar.partition import Plan
from simpar.tensor import Tensor

__all__ = ["Queued", "merged", "queued_columns"]

Queued = Mapping[int, tuple[int, str]]
"""For the place of an argument its column, and the name of its queue."""


def queued_columns(graph: Graph) -> Queued:
    """Return which arguments of a graph come from queues."""
    found: dict[int, tuple[int, str]] = {}
    for place, argument in enumerate(graph.arguments):
        if argument.name.startswith(NEXT):
            column, _, queue = argument.name.removeprefix(NEXT).partition(" of ")
            found[place] = int(column), queue
    return found


def merged(given: Iterator[Any], arguments: Sequence[int], queued: Queued, plan: Plan) -> list[Any]:
    """Return a program's arguments in their order: those given, and between them the columns of rows from queues.

    Raises:
        DatasetError: a queue has no row, or a column is not of the shape and type that the program takes.
    """
    made: list[Any] = []
    row: Sequence[Tensor] = ()
    for place, number in enumerate(arguments):
        if place not in queued:
            made.append(next(given))
            continue
        column, name = queued[place]
        row = next_row(name) if column == 0 else row
        made.append(_checked(row, column, name, number, plan))
    return made


def _checked(row: Sequence[Tensor], column: int, name: str, number: int, plan: Plan) -> Tensor:
    if column >= len(row):
        raise DatasetError(f"queue {name!r} has rows of {len(row)} columns, but GetNext takes more.")
    wanted, found = plan.values.get(number), row[column]
    if wanted is not None and (found.shape, found.dtype) != (wanted.slice_shape, wanted.dtype):
        raise DatasetError(
            f"column {column} of queue {name!r} has shape {found.shape} and type {found.dtype}, but a rank takes "
            f"{wanted.slice_shape} {wanted.dtype} of the {wanted.shape} that GetNext was told. Batch and cast the "
            "dataset accordingly."
        )
    return found
