"""Rows in blocks: what one stage of a dataset hands to the next.

A row is one array per column. Rows travel many at a time, so that a transform that can works on all of them at once:
a column of a block is one array with the rows along axis 0 where the rows are shaped alike, and a list of arrays where
they are not.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_ROWS", "Array", "Block", "Column", "Row", "block_of", "length", "packed", "recut", "rows_of", "taken"]

Array = NDArray[Any]
Row = tuple[Array, ...]
Column = Array | list[Array]
Block = tuple[Column, ...]

BLOCK_ROWS = 256
"""How many rows a source hands on at a time."""


def packed(values: Sequence[Any]) -> Column:
    """Return the values of one column, one per row, as one array if they are shaped alike, else as a list."""
    arrays = [np.asarray(v) for v in values]
    first = arrays[0]
    if all(a.shape == first.shape and a.dtype == first.dtype for a in arrays):
        return np.stack(arrays)
    return arrays


def block_of(rows: Sequence[Sequence[Any]]) -> Block:
    """Return rows as a block.

    >>> block_of([(np.array([1, 2]), np.array(0)), (np.array([3, 4]), np.array(1))])[0].tolist()
    [[1, 2], [3, 4]]
    """
    return tuple(packed(values) for values in zip(*rows, strict=True))


def length(block: Block) -> int:
    """Return how many rows a block has."""
    return len(block[0]) if block else 0


def rows_of(block: Block) -> Iterator[Row]:
    """Give the rows of a block."""
    for place in range(length(block)):
        yield tuple(np.asarray(column[place]) for column in block)


def taken(block: Block, places: Any) -> Block:
    """Return the rows at these places, a slice or a sequence of integers."""
    return tuple(_taken(column, places) for column in block)


def _taken(column: Column, places: Any) -> Column:
    if isinstance(column, np.ndarray) or isinstance(places, slice):
        return column[places]
    return [column[i] for i in places]


def recut(blocks: Iterable[Block], rows: int) -> Iterator[Block]:
    """Give the same rows in blocks of ``rows`` each; the last may be shorter."""
    held: list[Block] = []
    count = 0
    for block in blocks:
        start, end = 0, length(block)
        while end - start >= rows - count:
            piece = taken(block, slice(start, start + rows - count))
            yield _joined([*held, piece])
            start += rows - count
            held, count = [], 0
        if start < end:
            held.append(taken(block, slice(start, end)) if start else block)
            count += end - start
    if held:
        yield _joined(held)


def _joined(blocks: Sequence[Block]) -> Block:
    return blocks[0] if len(blocks) == 1 else tuple(_joined_column(c) for c in zip(*blocks, strict=True))


def _joined_column(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if isinstance(first, np.ndarray) and all(
        isinstance(c, np.ndarray) and c.shape[1:] == first.shape[1:] and c.dtype == first.dtype for c in columns
    ):
        return np.concatenate(columns)
    return [np.asarray(value) for column in columns for value in column]
