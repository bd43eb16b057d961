"""Ranks and groups: who is there, who speaks with whom, and under which name."""

import os
from typing import Final, cast

from simpar.collectives import open_world
from simpar.context import current
from simpar.errors import DTypeError, WorldError
from simpar.ops import WORLD_GROUPS, ranks_of_group

__all__ = [
    "HCCL_WORLD_COMM_GROUP",
    "MCCL_WORLD_COMM_GROUP",
    "NCCL_WORLD_COMM_GROUP",
    "GlobalComm",
    "create_group",
    "destroy_group",
    "get_group_rank_from_world_rank",
    "get_group_size",
    "get_local_rank",
    "get_local_rank_size",
    "get_process_group_ranks",
    "get_rank",
    "get_world_rank_from_group_rank",
    "init",
    "release",
]

HCCL_WORLD_COMM_GROUP: Final = WORLD_GROUPS[0]
NCCL_WORLD_COMM_GROUP: Final = WORLD_GROUPS[1]
MCCL_WORLD_COMM_GROUP: Final = WORLD_GROUPS[2]

_LOCAL_RANK = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "LOCAL_RANK")
_LOCAL_SIZE = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "LOCAL_WORLD_SIZE")


class GlobalComm:
    """Names the backend and the group of all ranks, as MindSpore does."""

    BACKEND = "mpi"
    WORLD_COMM_GROUP = WORLD_GROUPS[0]


def init(backend_name: str | None = None) -> None:
    """Open the world of ranks: MPI's if an MPI launcher started the program, else a world of one.

    A world that is open already stays; ``simpar plan`` needs none.

    Args:
        backend_name: ``"hccl"``, ``"nccl"`` or ``"mccl"``, taken for MindSpore's sake; ranks always speak MPI.

    Raises:
        DTypeError: the name is not text.
        WorldError: it is none of the three.
        MpiMissingError: a launcher started the program, but MPI or mpi4py is missing.

    >>> init()
    >>> get_rank(), get_group_size()
    (0, 1)
    """
    if backend_name is not None:
        _text("backend_name", backend_name)
        if backend_name not in ("hccl", "nccl", "mccl"):
            raise WorldError(f"backend_name is {backend_name!r}; choose 'hccl', 'nccl' or 'mccl', or leave it out.")
    context = current()
    if context.world is None and context.planner is None:
        context.world = context.others["opened_world"] = open_world()


def release() -> None:
    """Forget all groups, and close the world if ``init`` opened it."""
    context = current()
    context.others.pop("groups", None)
    opened = context.others.pop("opened_world", None)
    if opened is not None and opened is context.world:
        context.world = None
        opened.close()


# --- all ranks, or those of a group ---


def get_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """Return the place of this rank in a group; before ``init`` what ``RANK_ID`` says, else 0.

    Raises:
        WorldError: there is no such group, or this rank does not belong to it.
    """
    ranks = ranks_of_group(group)
    rank = _rank()
    return rank if ranks is None else _place(group, ranks, rank)


def get_group_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """Return how many ranks a group has; before ``init`` what ``RANK_SIZE`` says, else 1.

    Raises:
        WorldError: there is no such group.
    """
    ranks = ranks_of_group(group)
    return _size() if ranks is None else len(ranks)


def get_process_group_ranks(group: str = HCCL_WORLD_COMM_GROUP) -> list[int]:
    """Return the ranks of a group, by their numbers in the world."""
    ranks = ranks_of_group(group)
    return list(range(_size()) if ranks is None else ranks)


def get_world_rank_from_group_rank(group: str, group_rank_id: int) -> int:
    """Return the number in the world of the rank at a place of a group.

    Raises:
        WorldError: there is no such group or place.
    """
    ranks = get_process_group_ranks(group)
    if not 0 <= _whole("group_rank_id", group_rank_id) < len(ranks):
        raise WorldError(f"group {group!r} has the places 0 to {len(ranks) - 1}, not {group_rank_id}.")
    return ranks[group_rank_id]


def get_group_rank_from_world_rank(world_rank_id: int, group: str) -> int:
    """Return the place in a group of a rank.

    Raises:
        WorldError: there is no such group, or the rank does not belong to it.
    """
    return _place(group, tuple(get_process_group_ranks(group)), _whole("world_rank_id", world_rank_id))


def get_local_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """Return the number of this rank on its own machine, as the launcher tells it; else as ``get_rank``."""
    ranks_of_group(group)
    return _from_launcher(_LOCAL_RANK, _rank())


def get_local_rank_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """Return how many ranks this machine has, as the launcher tells it; else as ``get_group_size``."""
    ranks_of_group(group)
    return _from_launcher(_LOCAL_SIZE, _size())


# --- groups ---


def create_group(group: str, rank_ids: list[int], options: object = None) -> None:
    """Give some ranks a name. Every rank of the program calls it, in the same order of groups.

    Args:
        group: a new name.
        rank_ids: the ranks, by their numbers in the world; their order is that of gathered slices.
        options: of MindSpore's backend, taken for its sake.

    Raises:
        DTypeError: the name is not text, or the ranks are not a list of whole numbers.
        WorldError: the name is taken, or a rank stands twice or does not exist.

    >>> init()
    >>> create_group("first", [0])
    >>> get_group_size("first")
    1
    """
    ranks, context = _checked_ranks(_text("group", group), rank_ids), current()
    groups: dict[str, tuple[int, ...]] = context.others.setdefault("groups", {})
    if group in groups or group in WORLD_GROUPS:
        raise WorldError(f"there is a group {group!r} already. Choose another name, or destroy_group it first.")
    if context.world is not None and context.world.rank in ranks:
        context.world.group(ranks)
    groups[group] = ranks


def destroy_group(group: str) -> None:
    """Forget a group.

    Raises:
        WorldError: there is no such group, or it is that of all ranks.
    """
    if ranks_of_group(group) is None:
        raise WorldError(f"{group!r} is the group of all ranks, which stays. Use release() to close the world.")
    del current().others["groups"][group]


# --- checks ---


def _rank() -> int:
    context = current()
    known = context.world is not None or context.parallel.global_rank is not None or context.planner is not None
    return context.rank if known else _from_launcher(("RANK_ID",), 0)


def _size() -> int:
    context = current()
    known = context.world is not None or context.planner is not None
    return context.device_num if known else _from_launcher(("RANK_SIZE",), 1)


def _from_launcher(names: tuple[str, ...], default: int) -> int:
    found = (os.environ[name] for name in names if name in os.environ)
    return int(next(found, default))


def _place(group: str, ranks: tuple[int, ...], rank: int) -> int:
    if rank not in ranks:
        raise WorldError(f"rank {rank} does not belong to group {group!r}, whose ranks are {list(ranks)}.")
    return ranks.index(rank)


def _checked_ranks(group: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, list):
        raise DTypeError(f"rank_ids is {given!r}; give a list of ranks, e.g. [0, 1].")
    items = cast(list[object], given)
    ranks, size = tuple(_whole("a rank of rank_ids", r) for r in items), _size()
    if not ranks or len(set(ranks)) < len(ranks) or min(ranks) < 0 or max(ranks) >= size:
        raise WorldError(f"group {group!r} of ranks {items}: give at least one, each once, of 0 to {size - 1}.")
    return ranks


def _text(name: str, given: object) -> str:
    if not isinstance(given, str):
        raise DTypeError(f"{name} is {given!r}; give text.")
    return given


def _whole(name: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise DTypeError(f"{name} is {given!r}; give a whole number.")
    return given
