"""Layouts at the door of a Cell: its inputs and results are marked with the cut that the user gave."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from simpar.context import GRAPH_MODE, current, runner
from simpar.errors import DTypeError, StrategyError
from simpar.graph import Strategy
from simpar.layout import Layout
from simpar.tensor import Tensor, call

__all__ = ["CellStrategy", "shard_function"]

CellStrategy = tuple[tuple[int, ...] | Layout | None, ...]


class _LayoutFace(Protocol):
    """MindSpore's ``Layout``."""

    def to_layout(self) -> Layout: ...


def shard_function(
    function: Callable[..., Any], in_strategy: CellStrategy, out_strategy: CellStrategy | None
) -> Callable[..., Any]:
    """Return ``function`` with its inputs and results marked with layouts.

    Raises:
        DTypeError: a strategy is no tuple.
        StrategyError: there are more layouts than inputs or results, when it is called.
    """
    for strategy in (in_strategy, out_strategy):
        if strategy is not None and not isinstance(strategy, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"a strategy is a tuple with one entry per tensor, such as ((2, 1),), not {strategy!r}.")

    def sharded(*args: Any) -> Any:
        out = function(*_mark("input", args, in_strategy))
        if out_strategy is None:
            return out
        results = cast("tuple[Any, ...]", out) if isinstance(out, tuple) else (out,)
        marked = _mark("result", results, out_strategy)
        return marked if isinstance(out, tuple) else marked[0]

    def run(*args: Any) -> Any:
        compiled = runner() if current().trace is None and current().mode == GRAPH_MODE else None
        return sharded(*args) if compiled is None else compiled(sharded, args, function)

    return run


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
