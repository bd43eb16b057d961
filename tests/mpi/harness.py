"""Tests that run on real ranks: many cases in one launch per number of ranks.

Write a function ``case_<statement>(world)`` in a file ``tests/mpi/cases_<room>.py``. It runs on every rank at once,
over MPI and again over threads, on 1, 2, 3, 4 and 8 ranks; it fails if any rank raises. ::

    from simpar.collectives import World
    from tests.mpi.harness import on_ranks

    @on_ranks(2, 4)             # only there; leave it out for all numbers of ranks
    def case_ranks_agree(world: World) -> None:
        assert len(set(world.communicator.gather_objects("same"))) == 1

    @on_ranks(4, threads=False) # not over threads, e.g. because it changes what the whole process shares
    def case_...

``simpar.context.current().world`` is the world too, and each case has a context of its own. pytest shows each case
under each number of ranks as one test. Choosing some (``pytest tests/mpi -k agree``) launches only those.

Starting ranks costs about a second, so all cases of one number of ranks share a launch. Every rank notes in a table in
shared memory how each case ended, and goes on when all have. If a rank fails, or if a case takes too long, the launch
ends; the case is reported with what every rank was doing, and the rest is launched anew.
"""

import importlib.util
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import World
from simpar.errors import LaunchError
from simpar.launch import find_mpi, run_ranks

__all__ = [
    "ALL_RANKS",
    "ENDED",
    "FAILED",
    "RUNNING",
    "Case",
    "Failure",
    "collect_cases",
    "is_mpi_here",
    "launch",
    "on_ranks",
    "open_table",
    "refusal",
]

ALL_RANKS = (1, 2, 3, 4, 8)
RUNNING, ENDED, FAILED = 0, 1, 2
CASE_LIMIT_S = 60.0
"""How long a case may take before it counts as a deadlock; the machine may be busy."""
HERE = Path(__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]

Function = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One function that runs on all ranks."""

    name: str
    function: Function
    ranks: tuple[int, ...]
    threads: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case failed: what each rank has to say."""

    text: str


def on_ranks(*ranks: int, threads: bool = True) -> Callable[[Function], Function]:
    """Run a case only on these numbers of ranks, and over threads or not."""

    def mark(function: Function) -> Function:
        function.__dict__.update(ranks=ranks or ALL_RANKS, threads=threads)
        return function

    return mark


def collect_cases(folder: Path = HERE) -> dict[str, Case]:
    """Return every case of the files ``cases_*.py`` in the folder, by name."""
    cases: dict[str, Case] = {}
    for path in sorted(folder.glob("cases_*.py")):
        for name, function in inspect.getmembers(_load(path), inspect.isfunction):
            if name.startswith("case_"):
                full = f"{path.stem.removeprefix('cases_')}-{name.removeprefix('case_')}"
                ranks, threads = getattr(function, "ranks", ALL_RANKS), getattr(function, "threads", True)
                cases[full] = Case(full, function, ranks, threads)
    return cases


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_mpi_{path.stem}", path)
    assert spec is not None, f"{path} is a Python file"
    assert spec.loader is not None, f"{path} is a Python file"
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_mpi_here() -> bool:
    """Return whether there is an MPI to launch ranks with."""
    try:
        find_mpi()
    except LaunchError:
        return False
    return True


def refusal(kind: type[Exception], call: Callable[[], object]) -> str:
    """Return the message of the error that ``call`` raises, which is to be of this kind."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__} was raised")


def open_table(folder: Path, cases: int, n: int) -> NDArray[np.uint8]:
    """Map the table that all ranks share: how each case ended on each rank, ``(cases, n)``."""
    return np.memmap(folder / "table", np.uint8, "r+", shape=(cases, n))


def launch(
    names: Sequence[str], n: int, cases: Path = HERE, limit_s: float = CASE_LIMIT_S
) -> dict[str, Failure | None]:
    """Run cases of a folder on ``n`` ranks and return how each ended, None for well."""
    outcomes: dict[str, Failure | None] = {}
    while left := [name for name in names if name not in outcomes]:
        outcomes |= _launch_once(left, n, cases, limit_s)
    return outcomes


def _launch_once(names: list[str], n: int, cases: Path, limit_s: float) -> dict[str, Failure | None]:
    """Run cases until one fails, which may leave messages behind that would disturb the next."""
    with tempfile.TemporaryDirectory(prefix="simpar-tests-") as name:
        folder = Path(name)
        (folder / "table").write_bytes(bytes(len(names) * n))
        program = [sys.executable, str(HERE / "runner.py"), name, str(cases), str(limit_s), *names]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        code = run_ranks(program, n, timeout_s=30 + limit_s * len(names), environ=environ)
        table = np.array(open_table(folder, len(names), n))
        outcomes: dict[str, Failure | None] = {}
        for number, case in enumerate(names):
            outcomes[case] = None if (table[number] == ENDED).all() else _failure(folder, number, table[number], code)
            if outcomes[case] is not None:
                break
        return outcomes


def _failure(folder: Path, number: int, row: NDArray[np.uint8], code: int) -> Failure:
    says: list[str] = []
    for rank, state in enumerate(row):
        notes = folder / f"{number}-{rank}"
        stood = ("did not end", "ended well", "failed")[int(state)]
        says.append(f"rank {rank} of {len(row)} {stood}")
        if notes.exists():
            says[-1] += ":\n" + notes.read_text(encoding="utf-8")
    return Failure("\n".join([*says, f"the launch ended with exit code {code}"]))
