"""Answers about memory, about curves, and about copies that should agree."""

from collections.abc import Iterable, Sequence

from simpar.dashboard.models.base import real
from simpar.dashboard.models.measured import (
    Memory,
    MemoryClass,
    MemoryMeasurement,
    RankMemory,
    ScalarList,
    ScalarSeries,
    StepColumns,
    Steps,
)
from simpar.dashboard.parameters import placed
from simpar.dashboard.store import OpenedRun
from simpar.recorder import OPTIMIZER_STATE, PARAMETER, MemoryMeasured, ParameterPlaced, ScalarRow, StepRow

__all__ = ["columns", "memory", "planned_bytes", "scalar_list", "series", "steps"]

_MOST_RANKS = 4096
_MOST_MEASURED = 500


def planned_bytes(opened: OpenedRun) -> dict[int, int]:
    """Return, for each rank, what the plan that needs most memory needs."""

    def made() -> dict[int, int]:
        most: dict[int, int] = {}
        for program in opened.run.programs():
            for rank, peak in opened.run.peak_bytes(program).items():
                most[rank] = max(most.get(rank, 0), peak)
        return most

    return opened.planned("planned bytes", made)


def memory(opened: OpenedRun) -> Memory:
    """Return the memory of all ranks, foreseen and measured."""
    measured: dict[int, list[MemoryMeasured]] = {}
    for m in opened.run.memory():
        measured.setdefault(m.rank, []).append(m)
    planned = planned_bytes(opened)
    imagined = planned.get(0) if opened.info.started.world_size < opened.info.started.device_num else None
    devices = max(opened.info.started.world_size, opened.info.started.device_num, 1)
    kept = _kept_by_stage(opened, devices)
    unequal = [p for p in placed(opened) if p.storage.lengths]
    ranks = tuple(
        _rank_memory(
            rank,
            _with_own(kept[rank * len(kept) // devices], unequal, rank),
            planned.get(rank, imagined),
            measured.get(rank, []),
        )
        for rank in range(min(devices, _MOST_RANKS))
    )
    return Memory(
        ranks=ranks,
        assumptions=(
            "parameters and optimizer states are counted by their storage layouts: equal on every rank of a stage"
            + (", but for tables that are cut by unequal fields" if unequal else ""),
            "the arena is what the plan of the program that needs most keeps beside them: activations, gradients and "
            "buffers, those never needed at once sharing their bytes",
            "measured bytes are those of the whole process, Python and libraries included",
            *(("planned for one rank; all others are taken to need as much",) if imagined is not None else ()),
        ),
    )


def _kept_by_stage(opened: OpenedRun, devices: int) -> list[dict[str, int]]:
    """Return, for each stage of a pipeline, the bytes of each kind of state that its ranks keep; one stage if none.

    Those of which ranks keep slices of different sizes are left out.
    """
    stages = max((devices // p.storage.size for p in placed(opened)), default=1) or 1
    kept: list[dict[str, int]] = [{PARAMETER: 0, OPTIMIZER_STATE: 0} for _ in range(stages)]
    for p in (p for p in placed(opened) if not p.storage.lengths):
        for stage, own in enumerate(kept):
            if p.storage.size == devices or p.storage.ranks[0] * stages // devices == stage:
                own[p.kind] = own.get(p.kind, 0) + p.slice_bytes
    return kept


def _with_own(kept: dict[str, int], unequal: Sequence[ParameterPlaced], rank: int) -> dict[str, int]:
    """Return the bytes of each kind with those of what is cut into unequal slices."""
    found = dict(kept)
    for p in unequal:
        found[p.kind] = found.get(p.kind, 0) + p.bytes_of(rank)
    return found


def _rank_memory(rank: int, kept: dict[str, int], planned: int | None, measured: list[MemoryMeasured]) -> RankMemory:
    classes = [MemoryClass(name=kind, bytes=n) for kind, n in kept.items()]
    if planned is not None:
        classes.append(MemoryClass(name="arena", bytes=max(0, planned - sum(kept.values()))))
    stride = -(-len(measured) // _MOST_MEASURED) or 1
    return RankMemory(
        rank=rank,
        planned_bytes=planned,
        classes=tuple(classes),
        measured=tuple(
            MemoryMeasurement(step=m.step, rss_bytes=m.rss_bytes, pss_bytes=m.pss_bytes) for m in measured[::stride]
        ),
    )


# --- curves ---


def steps(opened: OpenedRun, rank: int | None, since: int, limit: int) -> Steps:
    """Return steps of one rank or of all that arrived after a cursor."""
    rows = list(opened.run.steps(rank, since, most=limit + 1, with_times=False))
    more, rows = len(rows) > limit, rows[:limit]
    programs = opened.run.programs()
    cursor = rows[-1].id if rows else since
    return Steps(
        programs=programs, columns=columns(rows, programs, opened.run.clock_offsets()), cursor=cursor, more=more
    )


def columns(rows: Iterable[StepRow], programs: tuple[str, ...], offsets: dict[int, float]) -> StepColumns:
    """Return steps as columns, on one time line; those of a program that has not been told yet are left out."""
    place = {p: i for i, p in enumerate(programs)}
    known = [r for r in rows if r.program in place]
    return StepColumns(
        rank=tuple(r.rank for r in known),
        program=tuple(place[r.program] for r in known),
        step=tuple(r.step for r in known),
        start_s=tuple(r.start_s + offsets.get(r.rank, 0.0) for r in known),
        end_s=tuple(r.end_s + offsets.get(r.rank, 0.0) for r in known),
        loss=tuple(None if r.loss is None else real(r.loss) for r in known),
    )


def scalar_list(opened: OpenedRun, since: int) -> ScalarList:
    """Return the numbers worth a curve that arrived after a cursor."""
    rows = opened.run.scalars(since)
    return ScalarList(series=series(rows), cursor=rows[-1].id if rows else since)


def series(rows: Iterable[ScalarRow]) -> tuple[ScalarSeries, ...]:
    """Return numbers as curves, one for each name and rank."""
    found: dict[tuple[str, int], list[ScalarRow]] = {}
    for row in rows:
        found.setdefault((row.name, row.rank), []).append(row)
    return tuple(
        ScalarSeries(name=name, rank=rank, step=tuple(r.step for r in rows), value=tuple(real(r.value) for r in rows))
        for (name, rank), rows in sorted(found.items())
    )
