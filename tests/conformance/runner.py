"""Runs a checkout's test files, each in a process of its own, and collects what each test did."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Result", "run_files", "test_files"]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Result:
    """What one test did.

    Args:
        file: its file, from the folder that was given.
        test: its name, ``(import)`` for a file that could not be imported.
        outcome: ``passed``, ``failed``, ``skipped`` or ``backend``.
        error, message: the class of the error and its text.
        where: file and line that raised it.
    """

    file: str
    test: str
    outcome: str
    error: str = ""
    message: str = ""
    where: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def test_files(folder: Path, wanted: str = "") -> list[Path]:
    """Return the test files below a folder whose path holds all the words wanted."""
    found = sorted(folder.rglob("test_*.py")) if folder.is_dir() else [folder]
    return [path for path in found if all(word in str(path) for word in wanted.split())]


def run_files(
    folder: Path, files: Sequence[Path], *, at_once: int, timeout_s: float, tell: Callable[[str], None]
) -> list[Result]:
    """Run test files and return the results of all their tests.

    Args:
        folder: names in the results begin below it.
        files: what to run.
        at_once: how many processes at a time.
        timeout_s: for each file.
        tell: is told a line for each file that has ended.
    """

    def one(path: Path) -> list[Result]:
        name = str(path.relative_to(folder)) if folder.is_dir() else path.name
        made = _run(path, name, timeout_s)
        passed = sum(r.outcome == "passed" for r in made)
        tell(f"{name}: {passed} of {len(made)}")
        return made

    with ThreadPoolExecutor(at_once) as pool:
        return [result for results in pool.map(one, files) for result in results]


def _run(path: Path, name: str, timeout_s: float) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "plugin", "-p", "no:cacheprovider"]
        command += ["-o", "consider_namespace_packages=true", "--basetemp", f"{scratch}/tests", str(path)]
        environ = os.environ | _environment(path) | {"SIMPAR_CONFORMANCE_REPORT": str(report)}
        try:
            ended = subprocess.run(
                command, cwd=scratch, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return [Result(name, "(file)", "failed", "Timeout", f"not done after {timeout_s:g} s")]
        if not report.exists():
            last = (ended.stderr.strip() or ended.stdout.strip() or "nothing was printed").splitlines()[-1]
            return [Result(name, "(file)", "failed", "Crash", last)]
        kept = json.loads(report.read_text("utf-8"))
    return [Result(name, **r) for r in kept] or [Result(name, "(file)", "skipped", "", "no tests were found")]


def _environment(path: Path) -> dict[str, str]:
    """Return where Python looks: our plugin and package, the checkout, and its folder of Python tests."""
    python = next((p for p in path.parents if p.name == "python" and p.parent.name == "ut"), path.parent)
    checkout = python.parents[2] if python.name == "python" else path.parent
    places = [HERE, ROOT, python, checkout]
    return {
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "SIMPAR_RECORD": "0",
    }
