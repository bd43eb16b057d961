"""A run as CSV files, for a spreadsheet or pandas: one file for each kind of row.

Times are seconds since the first rank started.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from simpar.recorder.movement import movements
from simpar.recorder.reader import Run
from simpar.recorder.values import slice_values, value_steps

__all__ = ["write_csv_files"]


def write_csv_files(run: Run, folder: Path) -> list[Path]:
    """Write a run as CSV files into a folder, which is made if needed, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder / "parameters.csv", _PARAMETERS, _parameters(run)),
        _write(folder / "collectives.csv", _COLLECTIVES, _collectives(run)),
        _write(folder / "movements.csv", _MOVEMENTS, _movements(run)),
        _write(folder / "steps.csv", _STEPS, _steps(run)),
        _write(folder / "scalars.csv", _SCALARS, ((s.rank, s.name, s.step, s.value) for s in run.scalars())),
        _write(folder / "memory.csv", _MEMORY, _memory(run)),
        _write(folder / "values.csv", _VALUES, _values(run)),
    ]


_PARAMETERS = (
    "name", "kind", "shape", "dtype", "dev_mat", "tensor_map", "slice_shape", "slice_bytes", "copies",
    "compute_dev_mat", "compute_tensor_map", "comm_fusion", "flags",
)  # fmt: skip
_COLLECTIVES = (
    "rank", "program", "step", "kind", "ranks", "message_bytes", "cause", "fusion", "phase", "parameters",
    "start_s", "end_s",
)  # fmt: skip
_MOVEMENTS = (
    "program", "phase", "kind", "cause", "fusion", "groups", "count", "message_bytes", "steps", "total_bytes",
    "mean_s", "parameters",
)  # fmt: skip
_STEPS = ("rank", "program", "step", "start_s", "end_s", "loss")
_SCALARS = ("rank", "name", "step", "value")
_VALUES = (
    "program", "parameter", "step", "rank", "minimum", "maximum", "mean", "std", "norm", "nans", "infinities",
)  # fmt: skip
_MEMORY = ("rank", "step", "rss_bytes", "pss_bytes", "planned_bytes")


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    return path


def _parameters(run: Run) -> Iterator[Sequence[Any]]:
    for p in run.parameters():
        stored = (p.storage.dev_mat, p.storage.tensor_map, p.slice_shape, p.slice_bytes, p.copies)
        used = (p.compute.dev_mat, p.compute.tensor_map)
        yield p.name, p.kind, p.shape, p.dtype, *stored, *used, p.comm_fusion, " ".join(p.flags)


def _collectives(run: Run) -> Iterator[Sequence[Any]]:
    offsets = run.clock_offsets()
    specs = {(p, r.rank): run.collectives(p, r.rank) for p in run.programs() for r in run.ranks()}
    for s in run.steps():
        shift = offsets.get(s.rank, 0.0)
        for c in specs.get((s.program, s.rank), ()):
            if c.index < len(s.times):
                what = (c.kind, c.ranks, c.message_bytes, c.cause, c.fusion, c.phase, " ".join(c.parameters))
                start, end = map(float, s.times[c.index])
                yield s.rank, s.program, s.step, *what, start + shift, end + shift


def _movements(run: Run) -> Iterator[Sequence[Any]]:
    for m in movements(run):
        amounts = (m.groups, m.count, m.message_bytes, m.steps, m.total_bytes, m.mean_s)
        yield m.program, m.phase, m.kind, m.cause, m.fusion, *amounts, " ".join(m.parameters)


def _steps(run: Run) -> Iterator[Sequence[Any]]:
    offsets = run.clock_offsets()
    for s in run.steps():
        shift = offsets.get(s.rank, 0.0)
        yield s.rank, s.program, s.step, s.start_s + shift, s.end_s + shift, s.loss


def _memory(run: Run) -> Iterator[Sequence[Any]]:
    for m in run.memory():
        yield m.rank, m.step, m.rss_bytes, m.pss_bytes, m.planned_bytes


def _values(run: Run) -> Iterator[Sequence[Any]]:
    for name in (p.name for p in run.parameters()):
        for program in value_steps(run, name):
            for v in slice_values(run, name, program, with_tiles=False):
                yield tuple(getattr(v, column) for column in _VALUES)
