"""What moved: the collectives of a run, those alike taken together."""

from dataclasses import dataclass

import numpy as np

from simpar.recorder.events import CollectiveSpec
from simpar.recorder.reader import Run

__all__ = ["Movement", "movements"]


@dataclass(frozen=True, slots=True)
class Movement:
    """Is all collectives of a program that share kind, groups, cause, phase and fusion index.

    Args:
        program: the program they belong to.
        groups: each group of ranks that does it, once.
        count: how many of them a rank does in one step.
        message_bytes: what a rank puts into them in one step, together.
        parameters: names of what they carry, each once.
        steps: how often rank 0 ran the program.
        mean_s: seconds that they took on rank 0 in a step, on average; None if it ran no step.
    """

    program: str
    phase: str
    kind: str
    cause: str
    fusion: int
    groups: tuple[tuple[int, ...], ...]
    count: int
    message_bytes: int
    parameters: tuple[str, ...]
    steps: int
    mean_s: float | None

    @property
    def total_bytes(self) -> int:
        """What a rank put in over the whole run."""
        return self.message_bytes * self.steps


def movements(run: Run) -> tuple[Movement, ...]:
    """Return what moved in a run, program by program, in the order of the plan."""
    ranks = [r.rank for r in run.ranks()] or [0]
    means = _mean_seconds(run)
    found: list[Movement] = []
    for program in run.programs():
        steps, seconds = means.get(program, (0, None))
        found += _of_program(program, [run.collectives(program, r) for r in ranks], steps, seconds)
    return tuple(found)


def _of_program(
    program: str, by_rank: list[tuple[CollectiveSpec, ...]], steps: int, seconds: np.ndarray | None
) -> list[Movement]:
    """Take together, over ranks and rows, the collectives that are alike."""
    alike: dict[tuple[object, ...], list[CollectiveSpec]] = {}
    groups = _groups(by_rank)
    for rank, specs in enumerate(by_rank):
        for c in specs:
            key = (c.phase, c.kind, c.cause, c.fusion, groups[c.index, c.kind])
            if rank == 0 or c.index not in {known.index for known in alike.get(key, ())}:
                alike.setdefault(key, []).append(c)
    return [_movement(program, specs, groups, steps, seconds) for specs in alike.values()]


def _groups(by_rank: list[tuple[CollectiveSpec, ...]]) -> dict[tuple[int, str], tuple[tuple[int, ...], ...]]:
    """Return, for each row, the groups that do it: ranks run one plan, so a row means the same on all of them."""
    found: dict[tuple[int, str], set[tuple[int, ...]]] = {}
    for specs in by_rank:
        for c in specs:
            found.setdefault((c.index, c.kind), set()).add(c.ranks)
    return {row: tuple(sorted(groups)) for row, groups in found.items()}


def _movement(
    program: str,
    specs: list[CollectiveSpec],
    groups: dict[tuple[int, str], tuple[tuple[int, ...], ...]],
    steps: int,
    seconds: np.ndarray | None,
) -> Movement:
    first = specs[0]
    rows = [c.index for c in specs]
    in_range = seconds is not None and max(rows) < len(seconds)
    return Movement(
        program,
        first.phase,
        first.kind,
        first.cause,
        first.fusion,
        groups[first.index, first.kind],
        len(specs),
        sum(c.message_bytes for c in specs),
        tuple(dict.fromkeys(p for c in specs for p in c.parameters)),
        steps,
        float(seconds[rows].sum()) if in_range and seconds is not None else None,
    )


def _mean_seconds(run: Run) -> dict[str, tuple[int, np.ndarray]]:
    """Return, for each program, the steps of rank 0 and the mean seconds of each row of times."""
    sums: dict[str, tuple[int, np.ndarray]] = {}  # over the steps whose times are kept
    for step in run.steps(rank=0):
        if len(step.times):
            seconds = step.times[:, 1] - step.times[:, 0]
            count, total = sums.get(step.program, (0, np.zeros_like(seconds)))
            sums[step.program] = (count + 1, total + seconds)
    nothing = (1, np.zeros(0))
    counts = {program: count for (rank, program), count in run.step_counts().items() if rank == 0}
    timed = {program: sums.get(program, nothing) for program in counts}
    return {program: (counts[program], total / count) for program, (count, total) in timed.items()}
