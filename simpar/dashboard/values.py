"""Answers about what slices hold, from the sums and tiles that ranks recorded."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from simpar.dashboard.agreement import checks
from simpar.dashboard.models.base import real
from simpar.dashboard.models.values import (
    ParameterHistory,
    ParameterStatistics,
    ParameterValues,
    RecordedStep,
    SliceHistory,
    SliceMeasured,
)
from simpar.dashboard.parameters import find_parameter
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.recorder import (
    ParameterPlaced,
    SliceValues,
    Tile,
    coarsened,
    slice_values,
    stitched,
    value_steps,
)

__all__ = ["Kept", "cells_of", "parameter_history", "parameter_statistics", "parameter_values"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a parameter's values.

    Args:
        placed: how the parameter is held.
        program: the one that is asked for; None if none has told.
        programs: those with values, the one with most steps first.
        steps: by which ranks each step of it was told, oldest first.
    """

    placed: ParameterPlaced
    program: str | None
    programs: tuple[str, ...]
    steps: dict[int, tuple[int, ...]]

    @property
    def slices(self) -> int:
        """How many different slices there are."""
        return prod(self.placed.storage.cuts)

    def is_complete(self, step: int) -> bool:
        """Return whether every slice was told at a step."""
        return len({self.placed.storage.slice_index(r) for r in self.steps[step]}) == self.slices

    def chosen(self, step: int | None) -> int:
        """Return a step that is kept: the one asked for, else the newest complete one, else the newest.

        Raises:
            RequestError: nothing is kept, or not of that step.
        """
        if not self.steps:
            words = f"no values of {self.placed.name[:200]!r} were recorded."
            raise RequestError(404, "no_values", f"{words} `simpar run SCRIPT --values seldom` records them.")
        if step is None:
            return next((s for s in reversed(self.steps) if self.is_complete(s)), max(self.steps))
        if step not in self.steps:
            near = ", ".join(map(str, sorted(sorted(self.steps, key=lambda s: abs(s - step))[:5])))
            words = f"values of {self.placed.name[:200]!r} are not kept of step {step}. The nearest are {near}."
            raise RequestError(404, "no_step", words)
        return step


def kept_values(opened: OpenedRun, name: str, program: str | None) -> Kept:
    """Return what is kept of a parameter's values.

    Raises:
        RequestError: there is no such parameter, or no values of it by that program.
    """
    found = opened.cached(("value steps", name), lambda: value_steps(opened.run, name))
    programs = sorted(found, key=lambda p: -len(found[p]))
    if program is not None and program not in found:
        words = f"program {program[:200]!r} recorded no values of {name[:200]!r}."
        raise RequestError(404, "no_program", f"{words} {', '.join(programs[:5]) or 'None'} did.")
    chosen = program or (programs[0] if programs else None)
    return Kept(find_parameter(opened, name), chosen, tuple(programs), found[chosen] if chosen else {})


def parameter_statistics(
    opened: OpenedRun, name: str, program: str | None = None, step: int | None = None, limit: int = 1024
) -> ParameterStatistics:
    """Return the sums of all slices at one step, by default the newest that is complete.

    Raises:
        RequestError: there is no such parameter, program or step.
    """
    kept = kept_values(opened, name, program)
    at = kept.chosen(step) if kept.steps or step is not None else None
    told = () if at is None or kept.program is None else slice_values(opened.run, name, kept.program, at)
    layout = kept.placed.storage
    return ParameterStatistics(
        name=name,
        program=kept.program,
        programs=kept.programs,
        step=at,
        steps=tuple(
            RecordedStep(step=s, ranks=len(ranks), is_complete=kept.is_complete(s)) for s, ranks in kept.steps.items()
        ),
        slice_elements=prod(kept.placed.slice_shape),
        rows=tuple(_measured(v, layout.slice_index(v.rank)) for v in told[:limit]),
        total=len(told),
        parted=() if "layerwise_parallel" in kept.placed.flags else _parted(kept.placed, told),
    )


def _measured(v: SliceValues, number: int) -> SliceMeasured:
    return SliceMeasured(
        rank=v.rank,
        slice=number,
        minimum=real(v.minimum),
        maximum=real(v.maximum),
        mean=real(v.mean),
        std=real(v.std),
        norm=real(v.norm),
        nans=v.nans,
        infinities=v.infinities,
        histogram=v.histogram,
    )


def _parted(placed: ParameterPlaced, told: Sequence[SliceValues]) -> tuple[int, ...]:
    """Return the slices of which ranks measured different things: equal slices measure equal, bit by bit."""
    seen: dict[int, set[bytes]] = {}
    for v in told:
        numbers = np.array((v.minimum, v.maximum, v.mean, v.std, v.norm, v.nans, v.infinities))
        seen.setdefault(placed.storage.slice_index(v.rank), set()).add(numbers.tobytes() + v.tile.tobytes())
    return tuple(sorted(number for number, kinds in seen.items() if len(kinds) > 1))


def parameter_values(
    opened: OpenedRun, name: str, program: str | None, step: int | None, rank: int | None, most: int
) -> ParameterValues:
    """Return a tensor, or one rank's slice, as cells.

    Args:
        opened: the run.
        name: of the parameter.
        program: that wrote the values; by default the one with most steps.
        step: of that program; by default the newest that is complete.
        rank: whose slice is wanted; all, put together, if None.
        most: cells that the answer may have; every slice has at least one.

    Raises:
        RequestError: there is no such parameter, program or step, or the rank told nothing then.
    """
    kept = kept_values(opened, name, program)
    at = kept.chosen(step)
    placed, cells, edges, missing = cells_of(opened, kept, at, rank, most)
    finite = cells[np.isfinite(cells)]
    gaps = len(missing) * (cells.size // max(1, kept.slices))
    return ParameterValues(
        name=name,
        program=kept.program or "",
        step=at,
        rank=rank,
        shape=placed.shape if rank is None else placed.storage.slice_shape(placed.shape, rank),
        cuts=placed.storage.cuts if rank is None else (1,) * len(placed.shape),
        cells=cells.shape,
        edges=edges,
        missing=missing,
        minimum=real(float(finite.min())) if finite.size else None,
        maximum=real(float(finite.max())) if finite.size else None,
        unfinite=cells.size - finite.size - gaps,
        values=base64.b64encode(cells.astype("<f4").tobytes()).decode(),
    )


def cells_of(
    opened: OpenedRun, kept: Kept, step: int, rank: int | None, most: int
) -> tuple[ParameterPlaced, Tile, tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Return a parameter, its cells, their edges within a slice, and the slices that are missing.

    Raises:
        RequestError: the rank told nothing at this step; or no rank is given, but slices are not equally long.
    """
    placed, layout = kept.placed, kept.placed.storage
    if layout.lengths and rank is None:
        words = f"slices of {placed.name[:200]!r} are not equally long: they are shown one rank at a time. Choose one."
        raise RequestError(409, "unequal_slices", words)
    told = slice_values(opened.run, placed.name, kept.program or "", step, rank)
    if not told:
        ranks = ", ".join(map(str, kept.steps[step][:8]))
        words = f"rank {rank} told no values of {placed.name[:200]!r} at step {step}. Ranks {ranks} did."
        raise RequestError(404, "no_rank", words)
    tiles: dict[int, Tile] = {}
    for v in told:
        tiles.setdefault(layout.slice_index(v.rank) if rank is None else 0, v.tile)
    slices = kept.slices if rank is None else 1
    shape = layout.slice_shape(placed.shape, rank)
    made = {n: coarsened(tile, shape, max(1, most // slices)) for n, tile in tiles.items()}
    edges = next(iter(made.values()))[1]
    whole = stitched({n: tile for n, (tile, _) in made.items()}, layout.cuts if rank is None else (1,) * len(edges))
    return placed, whole, edges, tuple(n for n in range(slices) if n not in made)


def parameter_history(
    opened: OpenedRun, name: str, program: str | None = None, first: int = 0, limit: int = 16
) -> ParameterHistory:
    """Return how slices changed, one curve for each different slice.

    Args:
        opened: the run.
        name: of the parameter.
        program: that wrote the values; by default the one with most steps.
        first: the number of the first slice that is wanted.
        limit: no more slices than so many.

    Raises:
        RequestError: there is no such parameter, or no values of it by that program.
    """
    kept = kept_values(opened, name, program)
    layout = kept.placed.storage
    wanted = range(first, min(first + limit, kept.slices))
    columns: dict[int, dict[int, SliceValues]] = {number: {} for number in wanted}
    told = slice_values(opened.run, name, kept.program, with_tiles=False) if kept.program else ()
    for v in told:
        number = layout.slice_index(v.rank)
        if number in columns:
            columns[number].setdefault(v.step, v)
    holders: dict[int, list[int]] = {number: [] for number in wanted}
    for rank in layout.ranks:
        holders.get(layout.slice_index(rank), []).append(rank)
    return ParameterHistory(
        name=name,
        program=kept.program,
        total=kept.slices,
        slices=tuple(_history(n, holders[n], tuple(columns[n].values())) for n in wanted),
        disagreements=checks(opened, name).disagreements,
    )


def _history(number: int, ranks: Sequence[int], told: Sequence[SliceValues]) -> SliceHistory:
    return SliceHistory(
        slice=number,
        ranks=tuple(ranks),
        step=tuple(v.step for v in told),
        minimum=tuple(real(v.minimum) for v in told),
        maximum=tuple(real(v.maximum) for v in told),
        mean=tuple(real(v.mean) for v in told),
        std=tuple(real(v.std) for v in told),
        norm=tuple(real(v.norm) for v in told),
    )
