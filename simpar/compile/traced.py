"""From a function to a graph that is cut: it runs on symbolic Tensors, and again where lengths or loops want it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, cast

from simpar.compile.lengths import divisors, with_lengths
from simpar.compile.options import check_batch, partition_options
from simpar.compile.passes import partition_graph, with_files
from simpar.compile.tree import Rebuild, flatten
from simpar.context import Context
from simpar.graph import NESTED, Graph, ManyConditions, Trace, Value, tracing, user_line
from simpar.partition import Partitioned, PartitionOptions, argument_shape
from simpar.tensor import Tensor, branched

__all__ = ["Traced", "Way", "trace_and_cut"]


@dataclass(frozen=True, slots=True)
class Way:
    """The way on which a step goes through a function, as far as it is known.

    Args:
        drawn: how many ops that draw random numbers were traced before it; all its programs draw the same.
        answers: what its conditions and sizes turned out to be, in the order in which it asks; None while nobody has
            looked.
    """

    drawn: int
    answers: tuple[int, ...] | None = None


_DRAWN: Final = "dropout"
"""Under which name the context counts ops that draw random numbers."""


class _Unanswered(BaseException):
    """Ends the trace of a function at a condition whose value nobody has looked at yet."""

    def __init__(self, condition: Value) -> None:
        super().__init__()
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Traced:
    """A function as a graph, and the graph cut.

    Args:
        trace: what was recorded.
        graph: of one device.
        nest: puts results into the function's own nest.
        way: on which the function was traced.
        partitioned: the graph cut over the devices.
        is_condition: whether the result is the condition behind which the function goes on, not the function's.
    """

    trace: Trace
    graph: Graph
    nest: Rebuild
    way: Way
    partitioned: Partitioned
    is_condition: bool


def trace_and_cut(
    function: Callable[..., Any],
    tensors: list[Tensor],
    rebuild: Rebuild,
    owner: object,
    context: Context,
    way: Way | None,
    runs: bool,
) -> Traced:
    """Trace a function for these inputs and cut its graph over the devices.

    Args:
        function, tensors, rebuild, owner: what to run, on what; ``rebuild`` nests the Tensors.
        context: whose options count.
        way: what is known of the way; None if it begins.
        runs: whether the program is to run; if it is planned only, a loop goes round once.

    Raises:
        ManyConditions: a function of a pipeline asks for more conditions than are recorded both ways.
    """
    options, before = partition_options(context), context.counters.get(_DRAWN, 0)

    def made(way: Way, is_planned: bool = False) -> Traced:
        make = partial(_cut, function, rebuild, options, context, way, is_planned)
        return with_lengths(make, tensors, owner)

    try:
        return made(way or Way(before))
    except ManyConditions:
        if options.stages > 1:
            raise
        return made(Way(before, ()), is_planned=not runs)
    finally:
        context.counters[_DRAWN] = max(before, context.counters.get(_DRAWN, 0))


class _Told:
    """Answers as values did."""

    def __init__(self, answers: Sequence[int]) -> None:
        self._answers, self._asked = answers, list[Value]()

    def __call__(self, condition: Value, most: int | None) -> int:
        if condition not in self._asked:
            self._asked.append(condition)
        number = self._asked.index(condition)
        if number >= len(self._answers):
            raise _Unanswered(condition)
        return self._answers[number]


class _Once:
    """Answers yes where it is asked first, then no, so that a loop goes round once; sizes are as great as can be."""

    def __init__(self) -> None:
        self._lines: set[str] = set()

    def __call__(self, condition: Value, most: int | None) -> int:
        if most is not None:
            return most
        line = user_line()
        is_first = line not in self._lines
        self._lines.add(line)
        return is_first


def _cut(
    function: Callable[..., Any],
    rebuild: Rebuild,
    options: PartitionOptions,
    context: Context,
    way: Way,
    is_planned: bool,
    trace: Trace,
    tensors: list[Tensor],
) -> Traced:
    context.counters[_DRAWN] = way.drawn
    if way.answers is not None:
        trace.answering = _Once() if is_planned else _Told(way.answers)
    try:
        (graph, nest), is_condition = _traced(trace, function, tensors, rebuild, options), False
    except _Unanswered as end:
        graph, nest, is_condition = replace(trace.graph([end.condition]), writes={}), _only, True
    check_batch(context)
    graph = with_files(graph, context)
    return Traced(trace, graph, nest, way, partition_graph(graph, options), is_condition)


def _only(results: Any) -> Any:
    return results[0]


def _traced(
    trace: Trace, function: Callable[..., Any], tensors: list[Tensor], rebuild: Rebuild, options: PartitionOptions
) -> tuple[Graph, Rebuild]:
    """Run the function once on symbolic Tensors."""
    alone = {id(x) for x in cast("tuple[Any, ...]", rebuild(tensors))}
    symbols: list[Tensor] = []
    entry = 0
    for i, t in enumerate(tensors):
        is_cut = t.layout is not None and t.full_shape_of_slice is not None
        is_nested = options.mindspore and id(t) not in alone  # MindSpore takes it whole
        shape = cast("tuple[int, ...]", t.full_shape_of_slice) if is_cut else t.shape
        if not is_cut and not is_nested:
            shape = argument_shape(t.shape, entry, options)
            entry += 1
        layout = t.layout if is_cut and options.is_partitioned else None
        name = f"{NESTED}x{i}" if is_nested else f"x{i}"
        symbols.append(Tensor.wrap(trace.argument(shape, t.dtype, name, layout, divisors(t))))
    with tracing(trace):
        out = branched(lambda: function(*rebuild(symbols)))
        results, _, nest = flatten(out)
        values: list[Value] = [trace.bind(r.operand()) for r in results]
    return trace.graph(values), nest
