"""Imports go down a floor, never round in a circle, and ``import simpar`` starts nothing."""

import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

from tests.architecture.sources import ROOT

HEAVY = ("mpi4py", "torch", "sklearn", "cyclopts", "rich", "sqlite3", "http.server", "asyncio")
LIGHT_MODULES = 355
"""How many modules ``import simpar`` may load beside numpy's own."""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return the modules that ``import simpar`` loads beside those of numpy."""
    code = "import sys, numpy; numpys = set(sys.modules); import simpar; print(*set(sys.modules) - numpys)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return set(run.stdout.split())


def test_import_contracts_hold() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("simpar", cache_dir=None, exclude_type_checking_imports=True)
    TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in graph.modules}).prepare()


@pytest.mark.parametrize("module", HEAVY)
def test_importing_simpar_leaves_out(module: str, loaded: set[str]) -> None:
    assert module not in loaded


def test_importing_simpar_loads_few_modules(loaded: set[str]) -> None:
    assert len(loaded) <= LIGHT_MODULES, sorted(loaded)
