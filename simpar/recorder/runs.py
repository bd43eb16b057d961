"""Where runs lie: one folder each, named by the time and the script, below ``./simpar-runs`` or ``SIMPAR_RUNS``."""

import os
import re
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from simpar.errors import RunStoreError
from simpar.recorder.reader import RunInfo, open_run
from simpar.recorder.schema import STORE_NAME

__all__ = ["find_run", "list_runs", "new_run", "runs_folder"]

_LONGEST_NAME = 40


def runs_folder(given: Path | str | None = None) -> Path:
    """Return the folder of all runs: the argument, else the variable ``SIMPAR_RUNS``, else ``./simpar-runs``."""
    return Path(given or os.environ.get("SIMPAR_RUNS") or "simpar-runs")


def new_run(script: str, folder: Path, now: datetime | None = None) -> Path:
    """Make the folder of a new run and return the path of its store, which is not made yet.

    The id is the local time and the script's name; if there is one of that name, a number is added, so that two runs
    never share a folder even when they start at once.

    Raises:
        RunStoreError: the folder cannot be made.
    """
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", Path(script).stem).strip("-.")[:_LONGEST_NAME] or "interactive"
    first = f"{now or datetime.now():%Y-%m-%d-%H%M%S}-{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10_000):
            run = folder / (first if number == 1 else f"{first}-{number}")
            try:
                run.mkdir()  # fails if another process made it: this is what keeps ids apart
            except FileExistsError:
                continue
            return run / STORE_NAME
    except OSError as error:
        raise RunStoreError(f"runs cannot be kept in {folder}: {error}. Set SIMPAR_RUNS to another folder.") from error
    raise RunStoreError(f"{folder} has 10000 runs named {first}. Delete some, or set SIMPAR_RUNS to another folder.")


def run_paths(folder: Path) -> list[Path]:
    """Return the stores below a folder, those written last at the end."""
    return sorted(folder.glob(f"*/{STORE_NAME}"), key=lambda p: (p.parent.stat().st_mtime_ns, p.parent.name))


def list_runs(folder: Path) -> tuple[Sequence[RunInfo], Sequence[RunStoreError]]:
    """Return what can be read of all runs below a folder, oldest first, and the errors of the others."""
    found: list[RunInfo] = []
    errors: list[RunStoreError] = []
    for path in run_paths(folder):
        try:
            with open_run(path) as run:
                found.append(run.info())
        except RunStoreError as error:
            errors.append(error)
    return sorted(found, key=lambda i: (i.started.started_s, i.run)), errors


def find_run(name: str, folder: Path) -> Path:
    """Return the store that a user means.

    Args:
        name: ``last``, an id, the beginning of one, or a path.
        folder: of all runs.

    Raises:
        RunStoreError: there is none, or the beginning fits several.
    """
    stores = {p.parent.name: p for p in run_paths(folder)}
    if name == "last" and stores:
        return _last(folder)
    if name in stores:
        return stores[name]
    fitting = sorted(run for run in stores if run.startswith(name))
    if len(fitting) == 1:
        return stores[fitting[0]]
    if fitting:
        raise RunStoreError(f"{name} is the beginning of {len(fitting)} runs: {_some(fitting)}. Give more of the id.")
    given = Path(name)
    if given.exists() and name != "last":
        return given / STORE_NAME if given.is_dir() else given
    near = get_close_matches(name, stores, n=3, cutoff=0.5)
    there = f"The runs there: {_some(sorted(stores))}" if stores else "There is none yet: `simpar demo` makes one"
    there = f"Did you mean {' or '.join(near)}? {there}" if near else there
    raise RunStoreError(f"no run {name!r} in {folder}. {there}.")


def _last(folder: Path) -> Path:
    """Return the run that started last; one that cannot be read is passed over."""
    readable, errors = list_runs(folder)
    if not readable:
        raise errors[0]
    return readable[-1].path


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[-most:]) + ("" if len(names) <= most else f" and {len(names) - most} more")
