"""Copies that should agree: ranks that hold the same slice by its layout must have the same checksum."""

from dataclasses import dataclass

from simpar.recorder.events import ParameterPlaced
from simpar.recorder.reader import Run

__all__ = ["Disagreement", "disagreements"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Is the first step at which the copies of one slice differ.

    Args:
        parameter: whose slice it is.
        step: the first step at which they differ.
        ranks: those that hold the slice, grouped by what they hold, the largest group first.
    """

    parameter: str
    step: int
    ranks: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        parties = " and ".join("{" + ", ".join(map(str, group)) + "}" for group in self.ranks)
        return f"{self.parameter}: from step {self.step} on, ranks {parties} hold different copies of one slice"


def disagreements(run: Run) -> tuple[Disagreement, ...]:
    """Return, for each slice whose recorded copies ever differ, where they parted.

    Parameters that are ``layerwise_parallel`` are local to each rank by definition and are left out.
    """
    placed = (p for p in run.parameters() if "layerwise_parallel" not in p.flags)
    return tuple(d for p in placed for d in _of_parameter(run, p))


def _of_parameter(run: Run, p: ParameterPlaced) -> list[Disagreement]:
    told: dict[tuple[int, int], dict[int, list[str]]] = {}  # (slice, step) -> rank -> digests
    for c in run.checksums(p.name):
        key = (p.storage.slice_index(c.rank), c.step)
        told.setdefault(key, {}).setdefault(c.rank, []).append(c.digest)
    first: dict[int, Disagreement] = {}
    for (number, step), by_rank in sorted(told.items()):
        groups = _parted(by_rank)
        if len(groups) > 1 and number not in first:
            first[number] = Disagreement(p.name, step, groups)
    return list(first.values())


def _parted(by_rank: dict[int, list[str]]) -> tuple[tuple[int, ...], ...]:
    """Return ranks grouped by what they hold, the largest group first.

    Each program counts its own steps, so that a rank may tell of one step several times: the first of one rank belongs
    to the first of another. What some ranks have not told yet is left out.
    """
    common = min(map(len, by_rank.values()))
    holders: dict[tuple[str, ...], list[int]] = {}
    for rank, digests in by_rank.items():
        holders.setdefault(tuple(digests[:common]), []).append(rank)
    return tuple(sorted((tuple(sorted(ranks)) for ranks in holders.values()), key=lambda g: (-len(g), g)))
