"""Tiles: a slice as the means of a few cells, small enough to keep, exact enough to draw.

All slices of a tensor have one shape, so they are cut into cells alike, and their tiles stand side by side as the
slices do in the tensor. A cell with a NaN or an infinity in it has no finite mean: it shows where they are.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tile", "cell_edges", "coarsened", "pooled", "stitched", "tile_shape"]

Tile = NDArray[np.float32]


def tile_shape(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """Return into how many cells each axis of a slice is cut, at most ``most`` in all; short axes stay whole.

    >>> tile_shape((64, 128), 1024), tile_shape((512, 3, 3), 1024), tile_shape((5,), 1024)
    ((32, 32), (113, 3, 3), (5,))
    """
    low, high = 1, max(1, most, *shape)
    while low < high:  # the largest number of cells of one axis that keeps all within the limit
        middle = (low + high + 1) // 2
        low, high = (middle, high) if prod(min(n, middle) for n in shape) <= most else (low, middle - 1)
    return tuple(min(n, low) for n in shape)


def cell_edges(length: int, cells: int) -> NDArray[np.int64]:
    """Return where the cells of an axis begin, and its end: ``cells + 1`` numbers.

    >>> cell_edges(10, 4).tolist()
    [0, 2, 5, 7, 10]
    """
    return np.arange(cells + 1) * length // max(1, cells)


def pooled(values: NDArray[Any], cells: Sequence[int]) -> Tile:
    """Return the mean of each cell of a slice, summed in float64.

    >>> pooled(np.array([[1, 3, 5], [1, 3, 7]]), (1, 2)).tolist()
    [[1.0, 4.5]]
    """
    found = values
    with np.errstate(invalid="ignore", over="ignore"):
        for axis in reversed(range(values.ndim)):  # the last first: what is left to sum shrinks the most, in order
            starts = cell_edges(values.shape[axis], cells[axis])[:-1]
            found = _summed(found, starts, axis)
        return np.asarray(found / _volumes(values.shape, cells), np.float32)


def _summed(values: NDArray[Any], starts: NDArray[np.int64], axis: int) -> NDArray[Any]:
    if len(starts) == values.shape[axis]:
        return values
    return np.add.reduceat(values, starts, axis, dtype=np.float64)


def _volumes(shape: Sequence[int], cells: Sequence[int]) -> NDArray[Any]:
    """Return how many elements each cell has."""
    found = np.ones((), np.int64)
    for length, n in zip(shape, cells, strict=True):
        found = found[..., None] * np.diff(cell_edges(length, n))
    return found


def coarsened(tile: Tile, shape: Sequence[int], most: int) -> tuple[Tile, tuple[tuple[int, ...], ...]]:
    """Join neighbouring cells of a tile until there are at most ``most``.

    Args:
        tile: of a slice.
        shape: of the slice.
        most: cells that may be left.

    Returns:
        The tile, and where its cells begin along each axis, with the end of the axis.
    """
    cells = tile_shape(tile.shape, most)
    kept = [cell_edges(n, m) for n, m in zip(tile.shape, cells, strict=True)]
    edges = [cell_edges(n, m)[k] for n, m, k in zip(shape, tile.shape, kept, strict=True)]
    told = tuple(tuple(map(int, e)) for e in edges)
    if cells == tile.shape:
        return tile, told
    with np.errstate(invalid="ignore", over="ignore"):
        found: NDArray[Any] = tile.astype(np.float64) * _volumes(shape, tile.shape)
        for axis, starts in enumerate(kept):
            found = np.add.reduceat(found, starts[:-1], axis)
        volumes = np.ones((), np.int64)
        for e in edges:
            volumes = volumes[..., None] * np.diff(e)
        return np.asarray(found / volumes, np.float32), told


def stitched(tiles: Mapping[int, Tile], cuts: Sequence[int]) -> Tile:
    """Put the tiles of slices together as the slices stand in the tensor; NaN where one is missing.

    Args:
        tiles: by the row-major number of the slice; at least one, all of one shape.
        cuts: into how many slices each tensor axis is cut.

    >>> stitched({0: np.zeros((1, 2), np.float32), 1: np.ones((1, 2), np.float32)}, (2, 1)).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    cells = next(iter(tiles.values())).shape
    whole = np.full([c * n for c, n in zip(cuts, cells, strict=True)], np.nan, np.float32)
    for number, tile in tiles.items():
        blocks = np.unravel_index(number, tuple(cuts)) if cuts else ()
        whole[tuple(slice(int(b) * n, (int(b) + 1) * n) for b, n in zip(blocks, cells, strict=True))] = tile
    return whole
