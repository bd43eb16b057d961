"""Parallel options that a part of a function asks for: the whole function is compiled under them (``AutoParallel``).

A Cell with MindSpore's flag ``skip_auto_parallel_compile`` asks that no program be cut: each rank runs its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import Any, TypeVar

from simpar.context import HYBRID_PARALLEL, Context, OptionsWanted, ParallelOptions
from simpar.errors import ModeError

__all__ = ["by_position", "notes_of", "under_wanted_options"]

Made = TypeVar("Made")

_WANTED = "_simpar_wanted"
_BY_POSITION = "_simpar_by_position"
_APART = "_simpar_apart"


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


def _apart(notes: dict[str, Any], before: ParallelOptions) -> ParallelOptions:
    """Return options under which each rank runs a function of its own, the same ones as long as the others are."""
    known: tuple[ParallelOptions, ParallelOptions] | None = notes.get(_APART)
    if known is None or known[0] is not before:
        own = {"full_batch": False, "dataset_strategy": "data_parallel", "pipeline_stages": 1}
        known = notes[_APART] = before, replace(before, parallel_mode=HYBRID_PARALLEL, **own)
    return known[1]


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
    flags: dict[str, Any] = notes.get("_flags") or {}
    if asking is None and context.is_partitioned and flags.get("skip_auto_parallel_compile"):
        asking = partial(_apart, notes, before)
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
