"""Checks of the numbers that schedules and optimizers are given: the wrong type and the wrong value differ."""

from typing import Any

from simpar.errors import ContextError, DTypeError

__all__ = ["check_flag", "check_float", "check_number", "check_steps"]


def check_number(owner: str, name: str, given: Any, least: float = 0.0, above: bool = False) -> None:
    """Check that something is a number of at least ``least``, or above it.

    Raises:
        DTypeError: it is no number; True and False are none.
        ContextError: it is too small.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a number.")
    if given < least or (above and given == least):
        raise ContextError(
            f"{owner}: {name} is {given}; give a number {'above' if above else 'of at least'} {least:g}."
        )


def check_float(owner: str, name: str, given: Any, least: float = 0.0, above: bool = False) -> None:
    """Check a number as ``check_number`` does, and that it is a float.

    Raises:
        DTypeError: it is none.
        ContextError: it is too small.
    """
    if not isinstance(given, float):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a float, such as 0.1.")
    check_number(owner, name, given, least, above)


def check_steps(owner: str, **counts: Any) -> None:
    """Check that numbers of steps or epochs are whole and above 0.

    Raises:
        DTypeError: one is no whole number.
        ContextError: one is 0 or less.
    """
    for name, given in counts.items():
        if isinstance(given, bool) or not isinstance(given, int):
            raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a whole number.")
        check_number(owner, name, given, above=True)


def check_flag(owner: str, name: str, given: Any) -> None:
    """Check that something is True or False.

    Raises:
        DTypeError: it is neither.
    """
    if not isinstance(given, bool):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give True or False.")
