"""What ``run_ranks`` makes of an mpiexec that does not end as it should."""

import sys
from pathlib import Path

import pytest

from simpar.launch import process, run_script
from simpar.launch.mpi import MPICH, Mpi

CRASHING = f"""#!/bin/sh
while [ "$1" != "{sys.executable}" ]; do shift; done
"$@"
kill -SEGV $$
"""


@pytest.fixture
def crashing_mpiexec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start one rank by an mpiexec that crashes when the rank has ended."""
    launcher = tmp_path / "mpiexec"
    launcher.write_text(CRASHING, encoding="utf-8")
    launcher.chmod(0o755)
    monkeypatch.setattr(process, "find_mpi", lambda _: Mpi(MPICH, "5.0.2", launcher))


@pytest.mark.usefixtures("crashing_mpiexec")
@pytest.mark.parametrize(("text", "code"), [("raise ValueError('no data')", 1), ("import sys; sys.exit(7)", 7)])
def test_the_exit_code_is_the_failed_ranks_though_mpiexec_crashes(tmp_path: Path, text: str, code: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    assert run_script(script, [], 2, timeout_s=30) == code


@pytest.mark.usefixtures("crashing_mpiexec")
def test_a_crash_of_mpiexec_is_not_hidden_when_no_rank_has_failed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("", encoding="utf-8")
    assert run_script(script, [], 2, timeout_s=30) == 128 + 11
