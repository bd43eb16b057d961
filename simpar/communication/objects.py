"""Python objects between ranks, pickled; part of ``mindspore.mint.distributed``."""

import pickle
from typing import Any

import numpy as np

from simpar.collectives import Communicator
from simpar.communication.handles import group_of, place_in, swap
from simpar.errors import DTypeError

__all__ = [
    "all_gather_object",
    "broadcast_object_list",
    "gather_object",
    "recv_object_list",
    "scatter_object_list",
    "send_object_list",
]


def all_gather_object(object_list: list[Any], obj: object, group: str | None = None) -> None:
    """Put the object of rank i into element i of the list, on every rank."""
    ranks = group_of("all_gather_object", group)
    _check_list("all_gather_object", "object_list", object_list, ranks.size)
    object_list[:] = ranks.gather_objects(obj)


def gather_object(
    obj: object, object_gather_list: list[Any] | None = None, dst: int = 0, group: str | None = None
) -> None:
    """Put the object of rank i into element i of the list of rank ``dst``."""
    ranks = group_of("gather_object", group)
    is_there = place_in("gather_object", ranks, dst) == ranks.rank
    if is_there:
        _check_list("gather_object", "object_gather_list", object_gather_list, ranks.size)
    gathered = ranks.gather_objects(obj)
    if is_there and object_gather_list is not None:
        object_gather_list[:] = gathered


def broadcast_object_list(
    object_list: list[Any], src: int = 0, group: str | None = None, device: object = None
) -> None:
    """Replace the objects of a list on every rank by those of rank ``src``."""
    ranks = group_of("broadcast_object_list", group)
    _check_list("broadcast_object_list", "object_list", object_list)
    object_list[:] = ranks.broadcast_object(object_list, place_in("broadcast_object_list", ranks, src))


def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: list[Any] | None = None,
    src: int = 0,
    group: str | None = None,
) -> None:
    """Put element i of the list of rank ``src`` into the first place of the output list of rank i."""
    ranks = group_of("scatter_object_list", group)
    place = place_in("scatter_object_list", ranks, src)
    _check_list("scatter_object_list", "scatter_object_output_list", scatter_object_output_list)
    if place == ranks.rank:
        _check_list("scatter_object_list", "scatter_object_input_list", scatter_object_input_list, ranks.size)
    given = ranks.broadcast_object(scatter_object_input_list, place)
    scatter_object_output_list[0] = given[ranks.rank]


def send_object_list(object_list: list[Any], dst: int, group: str | None = None, device: object = None) -> None:
    """Send the objects of a list to a rank, which calls ``recv_object_list``."""
    ranks = group_of("send_object_list", group)
    _check_list("send_object_list", "object_list", object_list)
    told = np.frombuffer(pickle.dumps(object_list), np.uint8)
    _wait(ranks, place_in("send_object_list", ranks, dst), np.array([told.size]), sends=True)
    _wait(ranks, place_in("send_object_list", ranks, dst), told, sends=True)


def recv_object_list(object_list: list[Any], src: int = 0, group: str | None = None, device: object = None) -> int:
    """Replace the objects of a list by those that a rank sends, and return 0."""
    ranks = group_of("recv_object_list", group)
    _check_list("recv_object_list", "object_list", object_list)
    place, length = place_in("recv_object_list", ranks, src), np.zeros(1, int)
    _wait(ranks, place, length, sends=False)
    told = np.empty(int(length[0]), np.uint8)
    _wait(ranks, place, told, sends=False)
    object_list[:] = pickle.loads(told.tobytes())
    return 0


def _wait(ranks: Communicator, place: int, x: Any, sends: bool) -> None:
    for request in swap(ranks, {place: x}, {}, 0) if sends else swap(ranks, {}, {place: x}, 0):
        request.wait()


def _check_list(name: str, what: str, given: object, n: int | None = None) -> None:
    if not isinstance(given, list) or not given:
        raise DTypeError(f"{name}: {what} is {given!r}; give a list of objects.")
    if n is not None and len(given) != n:  # pyright: ignore[reportUnknownArgumentType]
        raise DTypeError(
            f"{name}: {what} has {len(given)} places in a group of {n} ranks; give one for each."  # pyright: ignore[reportUnknownArgumentType]
        )
