"""Nested arguments: tuples, lists and dicts of Tensors as a flat list and a shape to rebuild them."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from simpar.tensor import Tensor

__all__ = ["flatten"]

Rebuild = Callable[[Sequence[Any]], Any]


class _Same:
    """Compares by identity, and keeps its object alive so that no other can take its place."""

    def __init__(self, given: object) -> None:
        self.given = given

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.given is self.given

    def __hash__(self) -> int:
        return id(self.given)


def flatten(given: Any, but: type[Tensor] | tuple[()] = ()) -> tuple[list[Tensor], Any, Rebuild]:
    """Return the Tensors in a nest, what else it holds (hashable, to compare), and what puts Tensors back.

    Args:
        given: tuples, lists and dicts of Tensors, arrays and anything else.
        but: Tensors of this class stay where they are: a Parameter that is an argument is itself, not its values.

    >>> tensors, _, rebuild = flatten((Tensor(1), [Tensor(2), "x"]))
    >>> len(tensors), rebuild(["a", "b"])
    (2, ('a', ['b', 'x']))
    """
    leaves: list[Tensor] = []
    key, rebuild = _walk(given, leaves, but)
    return leaves, key, rebuild


def _walk(given: Any, leaves: list[Tensor], but: type[Tensor] | tuple[()]) -> tuple[Any, Rebuild]:
    if isinstance(given, np.ndarray):
        given = Tensor(cast("Any", given))
    if isinstance(given, Tensor) and not isinstance(given, but):
        place = len(leaves)
        leaves.append(given)
        return "T", lambda new: new[place]
    if isinstance(given, tuple | list):
        parts = [_walk(x, leaves, but) for x in cast("Sequence[Any]", given)]
        is_tuple = isinstance(given, tuple)
        make = cast("Callable[[Any], Any]", tuple if is_tuple else list)
        return ("tuple" if is_tuple else "list", *(k for k, _ in parts)), lambda new: make([r(new) for _, r in parts])
    if isinstance(given, dict):
        named = {k: _walk(v, leaves, but) for k, v in cast("dict[Any, Any]", given).items()}
        key = ("dict", *((name, key) for name, (key, _) in named.items()))
        return key, lambda new: {name: rebuild(new) for name, (_, rebuild) in named.items()}
    return _hashable(given), lambda new: given


def _hashable(given: Any) -> Any:
    """Return what stands for a plain argument in a key: its value if it is immutable, else the object itself."""
    is_plain = given is None or isinstance(given, bool | int | float | complex | str | bytes)
    return (type(given).__name__, given) if is_plain else _Same(given)
