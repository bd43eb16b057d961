"""The few checks that options are made of: from an option's name and the value given to what is stored, or an error.

Each raises ``DTypeError`` for a value of another type, and ``ContextError`` for one that the option does not allow.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

from simpar.errors import ContextError, DTypeError

__all__ = [
    "Check",
    "bool_option",
    "choice_option",
    "dict_option",
    "int_option",
    "rising_ints",
    "text_option",
    "wrong_type",
]

Check = Callable[[str, object], Any]


def wrong_type(name: str, value: object, expected: str) -> DTypeError:
    """Return the error for a value of another type than the option takes."""
    return DTypeError(f"{name} is {value!r}, of type {type(value).__name__}; give {expected}.")


def bool_option(name: str, value: object) -> bool:
    """Take True or False only."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "True or False")
    return value


def text_option(name: str, value: object) -> str:
    """Take any text."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "text")
    return value


def int_option(low: int, high: int | None = None) -> Check:
    """Return the check of a whole number from ``low`` to ``high``, both included.

    >>> int_option(0, 4095)("global_rank", 7)
    7
    """

    def check(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(name, value, "a whole number")
        if value < low or (high is not None and value > high):
            wanted = f"at least {low}" if high is None else f"from {low} to {high}"
            raise ContextError(f"{name} is {value}; give a number {wanted}.")
        return value

    return check


def choice_option(*choices: str) -> Check:
    """Return the check of a text that must be one of ``choices``."""

    def check(name: str, value: object) -> str:
        if text_option(name, value) not in choices:
            raise ContextError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}.")
        return cast(str, value)

    return check


def dict_option(name: str, value: object) -> dict[str, object]:
    """Take a dictionary, and return a copy."""
    if not isinstance(value, dict):
        raise wrong_type(name, value, "a dictionary")
    return dict(cast(dict[str, object], value))


def rising_ints(name: str, value: object) -> list[int]:
    """Take a list of whole numbers, each larger than the one before."""
    if not isinstance(value, list):
        raise wrong_type(name, value, "a list of whole numbers")
    numbers = [int_option(0)(f"{name}[{i}]", n) for i, n in enumerate(cast(list[object], value))]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise ContextError(f"{name} is {numbers}; each number must be larger than the one before it.")
    return numbers
