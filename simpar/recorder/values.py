"""What was measured of slices, read from a run store: which steps are kept, and what ranks told of them."""

import json
from typing import Any

import numpy as np

from simpar.recorder.events import SliceValues
from simpar.recorder.reader import Run

__all__ = ["slice_values", "value_steps"]

_COLUMNS = "rank, program, parameter, step, minimum, maximum, mean, std, norm, nans, infinities, histogram"


def value_steps(run: Run, parameter: str) -> dict[str, dict[int, tuple[int, ...]]]:
    """Return of which steps the values of a parameter's slices are kept, and by which ranks, for each program."""
    found: dict[str, dict[int, list[int]]] = {}
    query = "SELECT program, step, rank FROM slice_values WHERE parameter = ? ORDER BY program, step, rank"
    for program, step, rank in run.rows(query, parameter) if _keeps_values(run) else ():
        found.setdefault(program, {}).setdefault(step, []).append(rank)
    return {p: {step: tuple(ranks) for step, ranks in steps.items()} for p, steps in found.items()}


def slice_values(
    run: Run,
    parameter: str,
    program: str,
    step: int | None = None,
    rank: int | None = None,
    *,
    with_tiles: bool = True,
) -> tuple[SliceValues, ...]:
    """Return what was measured of a parameter's slices, by step, then by rank.

    Args:
        run: opened for reading.
        parameter: whose slices they are.
        program: that wrote them.
        step: of this step only.
        rank: of this rank only.
        with_tiles: with the tiles; without, those are empty.
    """
    which: dict[str, Any] = {"parameter": parameter, "program": program, "step": step, "rank": rank}
    given = {name: value for name, value in which.items() if value is not None}
    tile = "tile_shape, tile" if with_tiles else "'[0]', x''"
    where = " AND ".join(f"{name} = ?" for name in given)
    query = f"SELECT {_COLUMNS}, {tile} FROM slice_values WHERE {where} ORDER BY step, rank"
    return tuple(_values(row) for row in run.rows(query, *given.values())) if _keeps_values(run) else ()


def _keeps_values(run: Run) -> bool:
    """Return whether a store has the table: those of schema version 1 do not."""
    return bool(run.rows("SELECT 1 FROM sqlite_master WHERE name = 'slice_values'"))


def _values(row: tuple[Any, ...]) -> SliceValues:
    rank, program, parameter, step, *numbers, nans, infinities, histogram, shape, tile = row
    minimum, maximum, mean, std, norm = map(float, numbers)
    cells = np.frombuffer(tile, np.float32).reshape(json.loads(shape))
    told = (nans, infinities, tuple(json.loads(histogram)))
    return SliceValues(rank, program, parameter, step, minimum, maximum, mean, std, norm, *told, cells)
