"""Names of Parameters: what may be one, what marks a Parameter as nameless, and when two collide.

MindSpore's rules: a nameless Parameter carries the name ``Parameter``, which asks the Cell that takes it for a name:
the attribute's, or ``Parameter$1``, ``Parameter$2``, ... in a list or tuple. Two *different* Parameters of one network
may not have the same name; the same object may stand in it several times.
"""

import re
from collections.abc import Iterable
from typing import Protocol

from simpar.errors import ParameterError, ParameterNameError

__all__ = ["UNNAMED", "Named", "check_names", "check_prefix", "checked_name", "is_unnamed", "number_unnamed"]

UNNAMED = "Parameter"
"""The name of a Parameter that was given none."""

_LONGEST = 1024
_PREFIX = re.compile(r"[\w$.]+")


class Named(Protocol):
    """Something with a name that can be set: a Parameter."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    @name.setter
    def name(self, given: str | None) -> None: ...


def checked_name(given: object) -> str:
    """Return a name as a Parameter keeps it: stripped, and ``UNNAMED`` for None or blanks.

    Raises:
        ParameterNameError: it is no string, or longer than 1024 characters.

    >>> checked_name(" weight "), checked_name(None)
    ('weight', 'Parameter')
    """
    if given is None:
        return UNNAMED
    if not isinstance(given, str):
        raise ParameterNameError(f"name is {given!r}, a {type(given).__name__}; give a string or None.")
    if len(given) > _LONGEST:
        raise ParameterNameError(f"name {given[:20]!r}... has {len(given)} characters; the longest has {_LONGEST}.")
    return given.strip() or UNNAMED


def is_unnamed(parameter: Named) -> bool:
    """Return whether a Parameter was given no name, so that a Cell may name it."""
    return parameter.name == UNNAMED


def number_unnamed(parameters: Iterable[Named], first: int = 1) -> int:
    """Name the nameless among these ``Parameter$first``, ``Parameter$first+1``, ...

    Returns:
        The number for the next one; a Cell keeps it for all its lists and tuples.
    """
    number = first
    for parameter in parameters:
        if is_unnamed(parameter):
            parameter.name = f"{UNNAMED}${number}"
            number += 1
    return number


def check_names(parameters: Iterable[Named]) -> None:
    """Refuse two different Parameters of one name; nameless ones do not collide.

    Raises:
        ParameterNameError: two have the same name.
    """
    seen: dict[str, Named] = {}
    for parameter in parameters:
        other = seen.setdefault(parameter.name, parameter)
        if other is not parameter and not is_unnamed(parameter):
            raise ParameterNameError(
                f"{parameter} cannot be added, its name '{parameter.name}' already exists: {other} has it. "
                f"Give one of them another name."
            )


def check_prefix(prefix: object) -> str:
    """Return the prefix of cloned names.

    Raises:
        ParameterError: it is not made of letters, digits, ``_``, ``.`` and ``$``.
    """
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise ParameterError(f"prefix is {prefix!r}; use letters, digits, '_', '.' and '$', at least one.")
    return prefix
