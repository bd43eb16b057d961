"""A recorded run, and its views."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from simpar.dashboard import RequestError, RunsFolder, main_program
from simpar.errors import RunStoreError
from simpar.recorder import ParameterPlaced, RunInfo, find_run, list_runs, runs_folder
from simpar.runs import memory, moving, ranks, steps, times
from simpar.runs.view import View

if TYPE_CHECKING:
    from simpar.dashboard import Metric, OpenedRun

__all__ = ["RecordedRun", "find", "latest", "names"]


def names(folder: Path | str | None = None) -> tuple[str, ...]:
    """Return the ids of the recorded runs that can be read, the latest last.

    Args:
        folder: where they lie; by default the variable ``SIMPAR_RUNS``, else ``./simpar-runs``.
    """
    return tuple(info.run for info in list_runs(runs_folder(folder))[0])


def latest(folder: Path | str | None = None) -> "RecordedRun":
    """Return the run that started last.

    Raises:
        RunStoreError: there is none, or none can be read.
    """
    return find("last", folder)


def find(name: Path | str, folder: Path | str | None = None) -> "RecordedRun":
    """Return a run.

    Args:
        name: its id, the beginning of one, a path, or ``last``.
        folder: where the runs lie; by default the variable ``SIMPAR_RUNS``, else ``./simpar-runs``.

    Raises:
        RunStoreError: there is none, the beginning fits several, or it cannot be read.
    """
    run = RecordedRun(find_run(str(name), runs_folder(folder)))
    run.info()
    return run


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """Is a run whose views can be looked at, also while it grows: each view shows what is recorded at that moment.

    Args:
        path: of its store.
    """

    path: Path
    _folder: RunsFolder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folder", RunsFolder(self.path))

    @property
    def name(self) -> str:
        """The id of the run: the name of its folder."""
        return self.path.absolute().parent.name

    def info(self) -> RunInfo:
        """Return what sums it up: how it was started, its state, steps and last loss."""
        with self._opened() as opened:
            return opened.info

    def parameters(self) -> tuple[str, ...]:
        """Return the names of its parameters and optimizer states."""
        with self._opened() as opened:
            return tuple(p.name for p in opened.run.parameters())

    def programs(self) -> tuple[str, ...]:
        """Return the names of its compiled programs, in order; views show the one that ran most steps by default."""
        with self._opened() as opened:
            return opened.run.programs()

    def devices(self, rank: int | None = None, parameter: str | None = None) -> View:
        """Return where each rank stands.

        Args:
            rank: one that stands out, with those that it does collectives with.
            parameter: whose slices are shown in the ranks.
        """
        with self._opened() as opened:
            placed = None if parameter is None else _parameter(opened, parameter)
            return ranks.devices(opened, _rank(opened, rank), placed)

    def tensor(self, parameter: str, rank: int | None = None) -> View:
        """Return which rank holds which slice of a parameter.

        Args:
            parameter: its name.
            rank: one whose slice stands out.
        """
        with self._opened() as opened:
            return ranks.tensor(opened, _parameter(opened, parameter), _rank(opened, rank))

    def memory(self) -> View:
        """Return what fills each rank, by its plan, and what was measured."""
        with self._opened() as opened:
            return memory.memory(opened)

    def timeline(self, step: int | None = None, program: str | None = None) -> View:
        """Return when each rank computed, moved data and waited.

        Args:
            step: the one to show; the last one if None.
            program: whose step it is.
        """
        with self._opened() as opened:
            return times.timeline(opened, step, _program(opened, program))

    def loss(self) -> View:
        """Return the losses, step by step."""
        with self._opened() as opened:
            return times.loss(opened)

    def collectives(self, program: str | None = None) -> View:
        """Return what moves in a step, kind by kind."""
        with self._opened() as opened:
            return moving.collectives(opened, _program(opened, program))

    def buckets(self, program: str | None = None) -> View:
        """Return the messages that gradients travel in, and what fills them."""
        with self._opened() as opened:
            return moving.buckets(opened, _program(opened, program))

    def matrix(self, metric: "Metric" = "bytes", program: str | None = None) -> View:
        """Return who sends how much to whom in a step.

        Args:
            metric: ``"bytes"``, ``"messages"`` or ``"seconds"``.
            program: whose step it is.
        """
        if metric not in ("bytes", "messages", "seconds"):
            raise RunStoreError(f"the matrix has no metric {metric!r}. It has bytes, messages and seconds.")
        with self._opened() as opened:
            return moving.matrix(opened, _program(opened, program), metric)

    def redistribution(self, number: int = 0, program: str | None = None) -> View:
        """Return how a value gets from one layout to another, step by step.

        Args:
            number: which one; ``redistributions`` lists them.
            program: whose.
        """
        with self._opened() as opened:
            return steps.redistribution(opened, _program(opened, program), number)

    def redistributions(self, program: str | None = None) -> View:
        """Return all redistributions of a step: what, from where to where, why and how much."""
        with self._opened() as opened:
            return steps.redistributions(opened, _program(opened, program))

    @contextmanager
    def _opened(self) -> "Generator[OpenedRun]":
        try:
            with self._folder.opened(self.name) as opened:
                yield opened
        except RequestError as error:
            raise RunStoreError(error.message) from None


def _parameter(opened: "OpenedRun", name: str) -> ParameterPlaced:
    by_name = {p.name: p for p in opened.run.parameters()}
    if name not in by_name:
        raise RunStoreError(f"run {opened.name} has no parameter {name!r}. {_nearest(name, by_name)}")
    return by_name[name]


def _program(opened: "OpenedRun", name: str | None) -> str:
    known = opened.run.programs()
    found = name or main_program(opened)
    if found is None:
        raise RunStoreError(f"run {opened.name} has compiled no program yet. Wait until its first step has begun.")
    if found not in known:
        raise RunStoreError(f"run {opened.name} has no program {found!r}. {_nearest(found, known)}")
    return found


def _rank(opened: "OpenedRun", rank: int | None) -> int | None:
    started = opened.info.started
    size = max(started.world_size, started.device_num, 1)
    if rank is not None and not 0 <= rank < size:
        raise RunStoreError(f"run {opened.name} has no rank {rank}: its {size} ranks are 0 to {size - 1}.")
    return rank


def _nearest(name: str, known: Iterable[str]) -> str:
    everyone = list(known)
    near = get_close_matches(name, everyone, n=3, cutoff=0.4)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    more = f" and {len(everyone) - 5} more" if len(everyone) > 5 else ""
    return f"It has {', '.join(everyone[:5])}{more}." if everyone else "It recorded none."
