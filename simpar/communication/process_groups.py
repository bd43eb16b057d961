"""Ranks and groups under the names of ``mindspore.mint.distributed``: what ``places`` has, and None for all ranks."""

from hashlib import sha256

from simpar.communication import places
from simpar.context import current
from simpar.errors import ContextError, DTypeError
from simpar.ops import WORLD_GROUPS

__all__ = [
    "destroy_process_group",
    "get_backend",
    "get_global_rank",
    "get_group_rank",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "new_group",
]


def is_available() -> bool:
    """Return whether ranks can speak with each other: always."""
    return True


def is_initialized() -> bool:
    """Return whether the world of ranks is open."""
    return current().world is not None


def init_process_group(
    backend: str = "hccl",
    init_method: str | None = None,
    timeout: object = None,
    world_size: int = -1,
    rank: int = -1,
    store: object = None,
    group_name: str = "",
    pg_options: object = None,
    device_id: int | None = None,
) -> None:
    """Open the world of ranks; MPI's launcher has told each its place, so that only ``world_size`` is looked at.

    Raises:
        ContextError: ``world_size`` is not the number of ranks, or both ``init_method`` and ``store`` are given.
    """
    if init_method is not None and store is not None:
        raise ContextError("init_process_group takes init_method or store, not both; here it needs neither.")
    places.init(backend)
    size = places.get_group_size()
    if world_size not in (-1, size):
        raise ContextError(f"world_size is {world_size}, but {size} ranks run. Leave it out, or start as many ranks.")


def destroy_process_group(group: str | None = None) -> None:
    """Forget a group; all, and close the world, if none is named."""
    if group is None or group in WORLD_GROUPS:
        places.release()
    else:
        places.destroy_group(group)


def new_group(
    ranks: list[int] | None = None,
    timeout: object = None,
    backend: str | None = None,
    pg_options: object = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
) -> str:
    """Return the name of the group of some ranks, in rising order, which is made if it is new; all ranks call it."""
    if ranks is None:
        return WORLD_GROUPS[0]
    if not isinstance(ranks, list):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"ranks is {ranks!r}; give a list of ranks, e.g. [0, 1].")
    members = sorted(ranks)
    name = f"{backend or 'hccl'}_{len(members)}_{sha256('_'.join(map(str, members)).encode()).hexdigest()[:40]}"
    if name not in current().others.get("groups", {}):
        places.create_group(name, members)
    return name


def get_rank(group: str | None = None) -> int:
    """Return the place of this rank in a group; -1 if it does not belong to it."""
    ranks = get_process_group_ranks(group)
    rank = places.get_rank()
    return ranks.index(rank) if rank in ranks else -1


def get_world_size(group: str | None = None) -> int:
    """Return how many ranks a group has; -1 if this one does not belong to it."""
    ranks = get_process_group_ranks(group)
    return len(ranks) if places.get_rank() in ranks else -1


def get_process_group_ranks(group: str | None = None) -> list[int]:
    """Return the ranks of a group, by their numbers in the world."""
    return places.get_process_group_ranks(WORLD_GROUPS[0] if group is None else group)


def get_backend(group: str | None = None) -> str:
    """Return the name that MindSpore's scripts know the means of communication by; here it is always MPI."""
    get_process_group_ranks(group)
    return next((name for name in ("mccl", "nccl") if group is not None and group.startswith(name)), "hccl")


def get_global_rank(group: str | None, group_rank: int) -> int:
    """Return the number in the world of the rank at a place of a group."""
    return places.get_world_rank_from_group_rank(WORLD_GROUPS[0] if group is None else group, group_rank)


def get_group_rank(group: str | None, global_rank: int) -> int:
    """Return the place in a group of a rank."""
    return places.get_group_rank_from_world_rank(global_rank, WORLD_GROUPS[0] if group is None else group)
