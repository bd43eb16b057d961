"""Runs a checkout's test files, each in a process of its own, and collects what each test did."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.suites import imagines_devices

__all__ = ["Result", "run_files"]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Result:
    """What one test did.

    Args:
        file: its file, from the folder that was given.
        test: its name, ``(import)`` for a file that could not be imported.
        outcome: ``passed``, ``failed``, ``skipped``, ``backend`` or ``out of scope``.
        error, message: the class of the error and its text.
        where: file and line that raised it.
        layouts: for each compilation, ``parameter_layout_dict``.
    """

    file: str
    test: str
    outcome: str
    error: str = ""
    message: str = ""
    where: str = ""
    layouts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


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

    def play(share: Sequence[Path]) -> list[Result]:
        with _Worker(share[0], timeout_s) as worker:
            return [result for path in share for result in one(worker, path)]

    def one(worker: _Worker, path: Path) -> list[Result]:
        name = str(path.relative_to(folder))
        made = worker.run(path, name)
        passed = sum(r.outcome == "passed" for r in made)
        tell(f"{name}: {passed} of {len(made)}")
        return made

    shares = [share for i in range(at_once) if (share := files[i::at_once])]
    with ThreadPoolExecutor(at_once) as pool:
        found = [result for results in pool.map(play, shares) for result in results]
    return sorted(found, key=lambda r: r.file)


class _Worker:
    """A process that runs files, one after the other, each in a process forked from it."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        command = [sys.executable, "-m", "worker"]
        self.process = subprocess.Popen(
            command, env=os.environ | _environment(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)

    def run(self, path: Path, name: str) -> list[Result]:
        """Return the results of a file."""
        with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
            report, output = Path(scratch) / "report.json", Path(scratch) / "output"
            request: dict[str, object] = {
                "file": str(path),
                "scratch": scratch,
                "report": str(report),
                "output": str(output),
            }
            answer = self._ask(request | {"timeout_s": self.timeout_s})
            if answer == "timeout":
                return [Result(name, "(file)", "failed", "Timeout", f"not done after {self.timeout_s:g} s")]
            if not report.exists():
                printed = output.read_text("utf-8", "replace").strip() if output.exists() else ""
                last = (printed or f"nothing was printed, {answer}").splitlines()[-1]
                return [Result(name, "(file)", "failed", "Crash", last)]
            kept = json.loads(report.read_text("utf-8"))
        return [Result(name, **r) for r in kept] or [Result(name, "(file)", "skipped", "", "no tests were found")]

    def _ask(self, request: dict[str, object]) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def _environment(path: Path) -> dict[str, str]:
    """Return where Python looks: our plugin and package, the checkout, and its folder of Python tests."""
    python = next((p for p in path.parents if p.name == "python" and p.parent.name == "ut"), path.parent)
    checkout = python.parents[2] if python.name == "python" else path.parent
    places = [HERE, ROOT, python, checkout]
    return {
        "SIMPAR_CONFORMANCE_DEVICES": "imagined" if imagines_devices(path) else "one",
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "SIMPAR_RECORD": "0",
    }
