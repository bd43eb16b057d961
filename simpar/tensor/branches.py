"""Conditions on values: each way that a traced function can go is recorded, and ``select`` joins where they lead.

While a function is traced there are no values yet, so ``if loss > 10:`` has no answer. The function runs once for every
answer: again from its beginning, where it finds what it recorded before and records only what differs. At its end each
result, and each Parameter that one of the ways assigned, is what the condition selects. So every way is computed in
every step, as one device would compute ``select``. A loop whose end depends on values has no such form: ``compile``
lets it go one way, as the values say.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from simpar.context import current
from simpar.errors import SimparError, ValueDependentError
from simpar.graph import Decision, Node, Trace, Value
from simpar.tensor.tensor import Tensor, as_tensor, call

__all__ = ["branched"]

_MOST_WAYS: Final = 32


def branched(function: Callable[[], Any]) -> Any:
    """Return what a function computes under the active trace, whatever the answers to its conditions will be.

    Args:
        function: a part of what is traced; it may run several times.

    Raises:
        ValueDependentError: its ways end in results that cannot be joined, one of them fails, or there are too many.
    """
    trace: Trace | None = current().trace
    assert trace is not None, "only a function that is traced has no values"
    before, trace.asked = (trace.asked, trace.answers), []
    trace.answers = ()
    try:
        start, entered, owed = len(trace.nodes), trace.held(), trace.owed()
        result = function()
        if not trace.asked:
            return result
        return _Ways(trace, function, trace.nodes[:start], entered, owed).joined(result)
    except Exception as error:
        if trace.asked and not isinstance(error, SimparError):
            raise _no_way(trace.asked[-1].line, f"one way raises {type(error).__name__}: {error}") from error
        raise
    finally:
        trace.asked, trace.answers = before


@dataclass(frozen=True, slots=True)
class _End:
    """Where one way through the function leads."""

    result: Any
    held: Mapping[Value, Value]
    owed: Mapping[str, Value]


class _Ways:
    """The ways through one function, of which the first was gone already."""

    def __init__(
        self,
        trace: Trace,
        function: Callable[[], Any],
        base: Sequence[Node],
        entered: Mapping[Value, Value],
        owed: Mapping[str, Value],
    ) -> None:
        self.trace, self.function, self.base, self.entered, self.owed = trace, function, base, entered, owed
        self.nodes = list(trace.nodes)
        self.count = 1

    def joined(self, result: Any) -> Any:
        """Return what the function computes, and leave in the trace what it assigns."""
        end = self._explored(result, ())
        self.trace.hold(end.held, end.owed)
        return end.result

    def _explored(self, result: Any, answers: Sequence[bool]) -> _End:
        """Return the end of the way just gone, joined with those that turn off it after ``answers``."""
        trace = self.trace
        asked, gone = list(trace.asked or ()), list(trace.nodes)
        end = _End(_now(result), trace.held(), trace.owed())
        for place in range(len(asked) - 1, len(answers) - 1, -1):
            decision = asked[place]
            turned = (*(d.answer for d in asked[:place]), False)
            other = self._gone(turned, gone[len(self.base) : decision.place])
            trace.nodes = self.nodes
            end = self._joined(decision, end, other)
        return end

    def _gone(self, answers: Sequence[bool], known: Sequence[Node]) -> _End:
        """Run the function with these answers; ``known`` is what it records before the last of them."""
        self.count += 1
        trace = self.trace
        if self.count > _MOST_WAYS:
            raise _no_way((trace.asked or [])[-1].line, f"more than {_MOST_WAYS} ways lead through this function")
        trace.asked, trace.answers, trace.nodes = [], answers, list(self.base)
        trace.hold(self.entered, self.owed)
        trace.replays.append(deque(known))
        try:
            result = self.function()
        finally:
            left = trace.replays.pop()
        assert not left, "what was recorded before is recorded again"
        self.nodes += trace.nodes[len(self.base) + len(known) :]
        return self._explored(result, answers)

    def _joined(self, decision: Decision, one: _End, two: _End) -> _End:
        """Return where the function leads whichever the answer."""
        if one.owed != two.owed:
            raise _no_way(decision.line, "one way accumulates other gradients of micro-batches than the other")
        condition = Tensor.wrap(decision.condition).reshape(()).astype(bool)

        def chosen(true: Any, false: Any) -> Any:
            return _chosen(condition, true, false, decision.line)

        held = dict(self.entered)
        updated = {v for node in self.nodes if node.phase == "update" for v in node.outputs}
        for place in {**one.held, **two.held}:
            ends = [end.held.get(place, self.entered.get(place, place)) for end in (one, two)]
            with self.trace.during(self.trace.phase if updated.isdisjoint(ends) else "update"):
                held[place] = self.trace.bind(chosen(*map(Tensor.wrap, ends)).operand())
        return _End(chosen(one.result, two.result), held, one.owed)


def _now(result: Any) -> Any:
    """Return a result with what its Tensors hold now; a Parameter may be assigned on another way."""
    if isinstance(result, Tensor):
        return Tensor.wrap(result.operand())
    if isinstance(result, tuple | list):
        return type(cast("Any", result))(map(_now, cast("Sequence[Any]", result)))
    if isinstance(result, dict):
        return {name: _now(x) for name, x in cast("dict[Any, Any]", result).items()}
    return result


def _chosen(condition: Tensor, true: Any, false: Any, line: str) -> Any:
    """Return a nest of results whose Tensors the condition selects."""
    one, two = true, false
    if isinstance(true, tuple | list) and type(one) is type(two) and len(one) == len(two):
        return type(one)(_chosen(condition, *pair, line) for pair in zip(one, two, strict=True))
    if isinstance(true, dict) and isinstance(false, dict) and one.keys() == two.keys():
        return {name: _chosen(condition, x, two[name], line) for name, x in one.items()}
    if isinstance(true, Tensor) or isinstance(false, Tensor):
        return _selected(condition, true, false, line)
    if one is two or one == two:
        return one
    if all(isinstance(x, bool | int | float) for x in (one, two)):
        return _selected(condition, Tensor(one), Tensor(two), line)
    raise _no_way(line, f"one way ends in {one!r}, the other in {two!r}")


def _selected(condition: Tensor, true: Any, false: Any, line: str) -> Tensor:
    like = true if isinstance(true, Tensor) else false
    if not all(isinstance(x, Tensor | bool | int | float) for x in (true, false)):
        raise _no_way(line, f"one way ends in {true!r}, the other in {false!r}")
    one, two = as_tensor(true, like), as_tensor(false, like)
    if one.operand() is two.operand():
        return one
    if (one.shape, one.dtype) != (two.shape, two.dtype):
        raise _no_way(line, f"one way ends in {one.shape} {one.dtype}, the other in {two.shape} {two.dtype}")
    made = call("select", condition, one, two)
    assert isinstance(made, Tensor), "select has one result"
    return made


def _no_way(line: str, why: str) -> ValueDependentError:
    return ValueDependentError(
        f"the condition at {line} depends on values, so both ways are computed and joined at the end of the function; "
        f"but {why}. Let both end in Tensors of one shape and type, or decide outside of the compiled function."
    )
