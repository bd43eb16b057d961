"""What ``run_ranks`` makes of an mpiexec that does not end as it should."""

import sys
from pathlib import Path

import pytest

from simpar.errors import LaunchError
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


SCRIPT = """
from pathlib import Path
import sys

def test_it():
    Path("told").write_text(" ".join([__name__, *sys.argv]))

if __name__ == "__main__":
    Path("told").write_text("as a whole")
"""


@pytest.mark.parametrize(("what", "told"), [("", "as a whole"), ("::test_it", "script script.py again")])
def test_a_function_of_a_script_is_called_as_pytest_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(SCRIPT, encoding="utf-8")
    assert run_script(Path(f"script.py{what}"), ["again"], 1) == 0
    assert Path("told").read_text("utf-8") == told


def test_a_function_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    assert run_script(Path(f"{script}::test_that"), [], 1) == 1
    assert "has no function 'test_that'. Those that begin with test_: test_it." in capfd.readouterr().err


def test_a_file_that_is_not_there_is_named_without_the_function(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"gone.py' does not exist"):
        run_script(tmp_path / "gone.py::test_it", [], 1)
