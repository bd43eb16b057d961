"""Imports go down a floor, never round in a circle, and ``import simpar`` starts nothing."""

import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

from tests.architecture.sources import ROOT

HEAVY = ("mpi4py", "torch", "sklearn", "cyclopts", "rich", "sqlite3", "http.server", "asyncio")
LIGHT_MODULES = 250
"""How many modules ``import simpar`` may load beside numpy's own."""


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


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
def test_importing_simpar_leaves_out(module: str) -> None:
    assert run_python(f"import sys, numpy, simpar; print({module!r} in sys.modules)").strip() == "False"


def test_importing_simpar_loads_few_modules() -> None:
    code = "import sys, numpy; before = len(sys.modules); import simpar; print(len(sys.modules) - before)"
    assert int(run_python(code)) <= LIGHT_MODULES
