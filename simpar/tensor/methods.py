"""Methods of Tensors that are functions of ``simpar.ops``, which stands above and leaves them here at its import."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["METHODS", "register_methods"]

METHODS: dict[str, Callable[..., Any]] = {}
"""Functions of a Tensor by the name of the method, filled as ``simpar.ops`` is imported."""


def register_methods(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Let ``x.name(...)`` be ``functions[name](x, ...)`` for every Tensor."""
    METHODS.update(functions)
