"""Nested arguments: tuples, lists and dicts of Tensors as a flat list and a shape to rebuild them."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from simpar.tensor import Tensor

__all__ = ["flatten"]

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(given: Any) -> tuple[list[Tensor], Any, Rebuild]:
    """Return the Tensors in a nest, what else it holds (hashable, to compare), and what puts Tensors back.

    >>> tensors, _, rebuild = flatten((Tensor(1), [Tensor(2), "x"]))
    >>> len(tensors), rebuild(["a", "b"])
    (2, ('a', ['b', 'x']))
    """
    leaves: list[Tensor] = []
    key, rebuild = _walk(given, leaves)
    return leaves, key, rebuild


def _walk(given: Any, leaves: list[Tensor]) -> tuple[Any, Rebuild]:
    if isinstance(given, np.ndarray):
        given = Tensor(cast("Any", given))
    if isinstance(given, Tensor):
        place = len(leaves)
        leaves.append(given)
        return "T", lambda new: new[place]
    if isinstance(given, tuple | list):
        parts = [_walk(x, leaves) for x in cast("Sequence[Any]", given)]
        is_tuple = isinstance(given, tuple)
        make = cast("Callable[[Any], Any]", tuple if is_tuple else list)
        return ("tuple" if is_tuple else "list", *(k for k, _ in parts)), lambda new: make([r(new) for _, r in parts])
    if isinstance(given, dict):
        items = cast("dict[Any, Any]", given)
        named = {k: _walk(v, leaves) for k, v in items.items()}
        return ("dict", *((k, key) for k, (key, _) in named.items())), lambda new: {
            k: r(new) for k, (_, r) in named.items()
        }
    return _hashable(given), lambda new: given


def _hashable(given: Any) -> Any:
    try:
        hash(given)
    except TypeError:
        return id(given)
    return (type(given).__name__, given)
