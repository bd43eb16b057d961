"""Parallel options that a part of a function asks for: the whole function is compiled under them (``AutoParallel``)."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from simpar.context import Context, OptionsWanted, ParallelOptions
from simpar.errors import ModeError

__all__ = ["by_position", "notes_of", "under_wanted_options"]

Made = TypeVar("Made")

_WANTED = "_simpar_wanted"
_BY_POSITION = "_simpar_by_position"


def notes_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return where programs of a function are noted: the attributes of the Cell of a method, or its own."""
    bound: object = getattr(function, "__self__", None)
    return function.__dict__ if bound is None else bound.__dict__


def by_position(
    function: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function and its arguments without keywords; with some, a function of both, always the same one."""
    if not named:
        return function, tuple(args)

    @wraps(function)
    def called(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return function(*args, **named)

    known: dict[Callable[..., Any], Callable[..., Any]] = notes_of(function).setdefault(_BY_POSITION, {})
    return known.setdefault(function, called), (tuple(args), dict(named))


def under_wanted_options(work: Callable[[], Made], notes: dict[str, Any], context: Context) -> Made:
    """Do work under the parallel options that a part of it asks for, if one does; remember who asked.

    Args:
        work: compiles a program, or runs one.
        notes: remember who asked, so that the next call begins under those options.
        context: whose options are replaced meanwhile.

    Raises:
        ModeError: two parts ask for different options.
    """
    before = context.parallel
    asking: Callable[[], ParallelOptions] | None = notes.get(_WANTED)
    try:
        while True:
            if asking is not None:
                context.parallel = asking()
            try:
                return work()
            except OptionsWanted as wanted:
                if asking is not None:
                    raise ModeError(
                        "two parts of one program have parallel options of their own. Give it one."
                    ) from None
                asking = notes[_WANTED] = wanted.asking
    finally:
        context.parallel = before
