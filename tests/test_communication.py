from types import SimpleNamespace
from typing import Any

import pytest

from simpar import communication as comm
from simpar.collectives import run_threads
from simpar.context import current


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "RANK_ID",
        "RANK_SIZE",
        "OMPI_COMM_WORLD_SIZE",
        "PMI_SIZE",
        "PMIX_RANK",
        "PMI_RANK",
        "MPI_LOCALNRANKS",
    ):
        monkeypatch.delenv(name, raising=False)


def test_before_init_there_is_one_rank_or_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (comm.get_rank(), comm.get_group_size()) == (0, 1)
    monkeypatch.setenv("RANK_ID", "3")
    monkeypatch.setenv("RANK_SIZE", "8")
    assert (comm.get_rank(), comm.get_group_size()) == (3, 8)


def test_init_without_a_launcher_opens_a_world_of_one() -> None:
    comm.init()
    world = current().world
    comm.init("nccl")
    assert current().world is world
    assert (world.rank, world.size) == (0, 1)
    comm.release()
    assert current().world is None


def test_release_leaves_open_what_init_did_not_open() -> None:
    def kept() -> bool:
        comm.init()
        comm.release()
        return current().world is not None

    assert run_threads(2, kept) == [True, True]


def test_groups_know_the_place_of_each_rank() -> None:
    def places() -> tuple[Any, ...]:
        comm.init()
        for group, ranks in (("even", [2, 0]), ("odd", [1, 3])):
            comm.create_group(group, ranks)
        mine = "odd" if comm.get_rank() % 2 else "even"
        return mine, comm.get_rank(mine), comm.get_group_size(mine), comm.get_world_rank_from_group_rank(mine, 0)

    assert run_threads(4, places) == [("even", 1, 2, 2), ("odd", 0, 2, 1), ("even", 0, 2, 2), ("odd", 1, 2, 1)]


def test_a_rank_outside_of_a_group_has_no_place_in_it() -> None:
    def ask() -> str:
        comm.create_group("pair", [1, 0])
        assert comm.get_group_rank_from_world_rank(0, "pair") == 1
        if comm.get_rank() < 2:
            return ""
        with pytest.raises(RuntimeError) as error:
            comm.get_rank("pair")
        return str(error.value)

    assert run_threads(3, ask)[2] == "rank 2 does not belong to group 'pair', whose ranks are [1, 0]."


@pytest.mark.parametrize(
    ("name", "ranks", "kind", "words"),
    [
        (3, [0], TypeError, "give text"),
        ("a", (0,), TypeError, "a list of ranks"),
        ("a", ["0"], TypeError, "a whole number"),
        ("a", [], RuntimeError, "at least one"),
        ("a", [0, 0], RuntimeError, "each once"),
        ("a", [1], RuntimeError, "of 0 to 0"),
        ("hccl_world_group", [0], RuntimeError, "already"),
    ],
)
def test_create_group_says_what_is_wrong(name: Any, ranks: Any, kind: type[Exception], words: str) -> None:
    comm.init()
    with pytest.raises(kind, match=words):
        comm.create_group(name, ranks)


def test_a_destroyed_group_is_unknown() -> None:
    comm.init()
    comm.create_group("a", [0])
    comm.destroy_group("a")
    with pytest.raises(RuntimeError, match="no group 'a'"):
        comm.get_group_size("a")
    with pytest.raises(RuntimeError, match="group of all ranks"):
        comm.destroy_group(comm.GlobalComm.WORLD_COMM_GROUP)


def test_backend_names_are_those_of_mindspore() -> None:
    with pytest.raises(RuntimeError, match="'gloo'"):
        comm.init("gloo")


def test_virtual_devices_need_no_world() -> None:
    current().planner = SimpleNamespace(device_num=64, rank=0)
    comm.init()
    assert current().world is None
    assert comm.get_group_size() == 64
    comm.create_group("last", [62, 63])
    assert comm.get_group_size("last") == 2
