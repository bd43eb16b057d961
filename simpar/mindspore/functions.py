"""Functions of MindSpore that are private, or older names of others."""

from typing import Any

from simpar.ops import Primitive

__all__ = ["_get_cache_prim", "make_range", "tuple_len"]


def _get_cache_prim(cls: type[Primitive]) -> type[Primitive]:
    """Return the class of an op: its objects are cheap, so that none is kept."""
    return cls


def make_range(*bounds: int) -> tuple[int, ...]:
    """Return whole numbers in order.

    >>> make_range(1, 4)
    (1, 2, 3)
    """
    return tuple(range(*bounds))


def tuple_len(x: tuple[Any, ...]) -> int:
    """Return how many members a tuple has."""
    return len(x)
