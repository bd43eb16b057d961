"""Layouts at the door of a Cell: inputs and results are marked with the user's cut, Parameters are stored in it."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, Protocol, cast

from simpar.context import AUTO_PARALLEL, GRAPH_MODE, SHARDING_PROPAGATION, current, runner
from simpar.errors import DTypeError, LayoutError, ModeError, StrategyError
from simpar.graph import Strategy
from simpar.layout import NOT_CUT, Layout
from simpar.tensor import Tensor, call

__all__ = ["CellStrategy", "shard_function"]

CellStrategy = tuple[tuple[int, ...] | Layout | None, ...]


class _LayoutFace(Protocol):
    """MindSpore's ``Layout``."""

    def to_layout(self) -> Layout: ...


def shard_function(
    function: Callable[..., Any],
    in_strategy: CellStrategy,
    out_strategy: CellStrategy | None,
    parameter_plan: Mapping[str, object] | None = None,
) -> Callable[..., Any]:
    """Return ``function`` with its inputs and results marked with layouts.

    Args:
        function: a Cell, or a function of Tensors.
        in_strategy: for each input its cut, a ``Layout``, or None to leave it.
        out_strategy: the same for the results.
        parameter_plan: for Parameters of a Cell, by name, the cut or the ``Layout`` in which they are stored; the ops
            that use them redistribute. Those that have a layout already keep it.

    Raises:
        DTypeError: a strategy is no tuple, or the plan no dictionary of them.
        LayoutError: a layout of the plan does not fit its Parameter.
        StrategyError: there are more layouts than inputs or results, when it is called.
        ModeError: it is called in a search that goes by cost.
    """
    for what, strategy in (("in_strategy", in_strategy), ("out_strategy", out_strategy)):
        if strategy is not None and not isinstance(strategy, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"{what} is a tuple with one entry per tensor, such as ((2, 1),), not {strategy!r}.")

        for entry in strategy or ():
            _check_entry(what, entry)

    planned = _planned(function, parameter_plan)

    def sharded(*args: Any, **named: Any) -> Any:
        _check_search()
        for parameter, cut in planned:
            _store_so(parameter, cut)
        out = function(*_mark("input", args, in_strategy), **named)
        if out_strategy is None:
            return out
        results = cast("tuple[Any, ...]", out) if isinstance(out, tuple) else (out,)
        marked = _mark("result", results, out_strategy)
        return marked if isinstance(out, tuple) else marked[0]

    def run(*args: Any, **named: Any) -> Any:
        compiled = runner() if current().trace is None and current().mode == GRAPH_MODE else None
        if compiled is None:
            return sharded(*args, **named)
        return compiled(partial(sharded, **named) if named else sharded, args, function)

    return run


# --- the plan of Parameters ---


def _planned(function: Any, plan: object) -> list[tuple[Any, Any]]:
    """Return the Parameters that a plan names, each with its cut or layout, checked."""
    if plan is None:
        return []
    if not isinstance(plan, dict) or not hasattr(function, "parameters_dict"):
        raise DTypeError(f"parameter_plan is {plan!r}; for a Cell, give a dictionary of names and tuples or Layouts.")
    held: dict[str, Any] = function.parameters_dict()
    found: list[tuple[Any, Any]] = []
    for name, given in cast("dict[object, Any]", plan).items():
        cut: Any = given.to_layout() if hasattr(given, "to_layout") else given
        if not isinstance(name, str) or not isinstance(cut, tuple | Layout):
            raise DTypeError(
                "For 'Shard', the type of each key and value in 'parameter_plan' must be str and tuple or Layout, but "
                f"it has {name!r}: {given!r}. Give a name, and a tuple of ints or a Layout."
            )
        parameter = held.get(name.removeprefix("self."))
        if parameter is None:
            warnings.warn(f"parameter_plan names {name!r}, which is none of {list(held)}; ignored.", stacklevel=4)
            continue
        checked = cut if isinstance(cut, Layout) else cast("tuple[int, ...]", cut)
        _check_cuts(name, parameter.full_shape, checked.cuts if isinstance(checked, Layout) else checked)
        found.append((parameter, checked))
    return found


def _check_cuts(name: str, shape: tuple[int, ...], cuts: tuple[int, ...]) -> None:
    if len(cuts) != len(shape):
        raise LayoutError(
            f"parameter_plan cuts {name!r} of shape {shape} into {cuts}: the length of param_strategy: {len(cuts)}, is "
            f"not equal to param_shape len: {len(shape)}. Give one number for each axis."
        )
    for i, (n, cut) in enumerate(zip(shape, cuts, strict=True)):
        if n % cut:
            raise LayoutError(
                f"For {name!r}, the param_shape is {shape} and the setting param_strategy is {cuts}. The "
                f"param_shape[{i}]: {n} cannot be divisible by param_strategy[{i}]: {cut}. Choose a divisor of {n}."
            )


def _store_so(parameter: Any, cut: tuple[int, ...] | Layout) -> None:
    """Let a Parameter without a layout be stored in this one, in the modes that cut Parameters."""
    if parameter.layout is not None or not current().is_partitioned:
        return
    n, used = current().device_num, cut.size if isinstance(cut, Layout) else prod(cut)
    if n % used or (isinstance(cut, Layout) and n != used):
        raise StrategyError(f"parameter_plan cuts {parameter.name!r} as {cut}, which does not fit {n} devices.")
    if isinstance(cut, Layout):
        parameter.layout = cut
        return
    entries = tuple(len(cut) - i if c > 1 else NOT_CUT for i, c in enumerate(cut))
    parameter.layout = Layout((*cut, n // used), entries)


# --- inputs and results ---


def _check_entry(what: str, entry: object) -> None:
    """Check that an entry of a strategy is a tuple of whole numbers, a layout, or None."""
    if entry is None or isinstance(entry, Layout) or hasattr(entry, "to_layout"):
        return
    if not isinstance(entry, tuple):
        raise DTypeError(
            f"The '{what}' should be a tuple(tuple(int)) or tuple(mindspore.parallel.Layout), but got "
            f"{type(entry).__name__} {entry!r} in it. Give each tensor a tuple such as (2, 1), a Layout, or None."
        )
    numbers = cast("tuple[object, ...]", entry)
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        raise DTypeError(
            f"The tuple strategy for each dimension should be tuple(int), but '{what}' has {entry!r}. Give one whole "
            "number for each axis."
        )


def _check_search() -> None:
    """Check that layouts can spread from here, where a search for strategies is on.

    Raises:
        ModeError: the search goes by cost.
    """
    search = current().parallel.search_mode
    if current().parallel.parallel_mode == AUTO_PARALLEL and search != SHARDING_PROPAGATION:
        raise ModeError(
            f"'search_mode' must be 'sharding_propagation' for 'Shard' in auto_parallel mode, but it is {search!r}: a "
            "search by cost does not know how a Cell or a function is cut. Set it, or shard the ops."
        )


def _mark(what: str, tensors: Sequence[Any], strategy: CellStrategy) -> tuple[Any, ...]:
    if len(strategy) > len(tensors):
        raise StrategyError(f"Cell.shard was given {len(strategy)} layouts for {len(tensors)} {what}s; give one each.")
    rest = (None,) * (len(tensors) - len(strategy))
    return tuple(_marked(t, cut) for t, cut in zip(tensors, (*strategy, *rest), strict=True))


def _marked(tensor: Any, cut: Any) -> Any:
    if cut is None or not isinstance(tensor, Tensor):
        return tensor
    layout = cast("_LayoutFace", cut).to_layout() if hasattr(cut, "to_layout") else cut
    return call("identity", tensor, strategy=cast("Strategy", (layout,)))
