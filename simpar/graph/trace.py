"""Tracing: a function runs once on values without numbers, and every op it calls becomes a node.

Where the function asks for a value, which there is none of yet, ``decide`` answers; ``branches`` sees to it that every
answer is given in turn.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.dtype import DType, as_dtype
from simpar.errors import ParameterNameError, RuleError, TraceError
from simpar.graph.ir import (
    EVERY_STAGE,
    NO_MICRO,
    Argument,
    Constant,
    Graph,
    Node,
    ParameterInput,
    ParameterSpec,
    Recompute,
    Strategy,
    Value,
)
from simpar.graph.lines import ManyConditions, refuse_value, user_line
from simpar.graph.opdef import OpDef, lookup
from simpar.layout import Layout

__all__ = [
    "ACCUMULATED",
    "NESTED",
    "NEXT",
    "Call",
    "Operand",
    "ParameterLike",
    "Trace",
    "tracing",
]

NESTED = "nested "
"""How the names of arguments begin that came in a list or a tuple and are no part of the dataset therefore."""

NEXT = "next column "
"""How the names of arguments begin that come from a queue, not from the caller."""

Array = NDArray[np.generic]
Operand = Array | Value
Attrs = Mapping[str, Any]

ACCUMULATED = "accu_grads"  # what MindSpore calls a Parameter in which gradients add up

MOST_CONDITIONS = 8
"""How many conditions one Cell or function may ask for."""


class ParameterLike(Protocol):
    """What a trace asks of a Parameter."""

    @property
    def full_shape(self) -> tuple[int, ...]:
        """The global shape, whatever slice this rank holds."""
        ...

    @property
    def dtype(self) -> DType:
        """The element type."""
        ...

    def spec(self) -> ParameterSpec:
        """Return what a plan must know of it."""
        ...


@dataclass(slots=True)
class Call:
    """How ``apply`` was called, beside operands and attributes."""

    strategy: Strategy | None = None
    out_strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Where and when the nodes that are being recorded run, as far as the user said."""

    stage: int = EVERY_STAGE
    micro: int = NO_MICRO
    recompute: Recompute | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A condition that the function asked for, and the answer it was given.

    Args:
        condition: the value.
        answer: what the function was told.
        place: how many nodes had been recorded.
        line: file and line that asked.
    """

    condition: Value
    answer: bool
    place: int
    line: str


class Trace:
    """A graph while it is being recorded."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.phase = "forward"
        self.adjoint_of: Value | None = None
        self.scope: list[str] = []
        self.marks = Marks()
        self.cotangents: dict[Value, Value] = {}
        self.gradients: dict[Value, Value] = {}
        self.own_gradients: dict[Value, Callable[[Mapping[Value, Any]], Mapping[Value, Any]] | None] = {}
        """Of results whose maker has a gradient of its own: how their cotangents become those of what it was made of.
        The first of several results has it, the others have None."""
        self.guards: list[Callable[[], object]] = []
        self.parameters: list[ParameterLike] = []
        self.made = 0
        """How many values there are."""
        self._owned: set[Value] = set()
        self._arguments: list[Argument] = []
        self._specs: list[ParameterInput] = []
        self._named: dict[str, ParameterSpec] = {}
        self._constants: list[Constant] = []
        self._constant_of: dict[Any, Value] = {}
        self._place_of: dict[int, int] = {}
        self._now: dict[Value, Value] = {}
        self._owed: dict[str, Value] = {}
        self._step: Value | None = None
        self.asked: list[Decision] | None = None
        self.answers: Sequence[bool] = ()
        self.answering: Callable[[Value, int | None], int] | None = None
        """Answers conditions where not both ways are recorded, and tells sizes, each with the greatest it can be."""
        self.replays: list[deque[Node]] = []

    # --- inputs ---

    def new_value(self, shape: Sequence[int], dtype: DType) -> Value:
        """Return a value that nothing makes yet."""
        value = Value(self.made, tuple(shape), dtype)
        self.made += 1
        self._owned.add(value)
        return value

    def argument(
        self,
        shape: Sequence[int],
        dtype: DType,
        name: str,
        layout: Layout | None = None,
        unknown: Mapping[int, int] | None = None,
    ) -> Value:
        """Add an input that the caller gives at every call.

        Args:
            shape: of the whole value.
            dtype: its element type.
            name: for plans and errors.
            layout: how it arrives, if the caller gives a slice that says so itself.
            unknown: the axes whose length is not known yet, each with a number that divides it.
        """
        value = self.new_value(shape, dtype)
        self._arguments.append(Argument(value, name, layout, unknown=unknown or {}))
        return value

    def step(self) -> Value:
        """Return the scalar input that counts the calls of the program; dropout draws a new mask from it."""
        if self._step is None:
            self._step = self.argument((), as_dtype(np.dtype("int64")), "step")
        return self._step

    def parameter(self, given: ParameterLike) -> Value:
        """Return the present value of a Parameter: its input, or what the function last assigned to it."""
        place = self._place_of.get(id(given))
        if place is None:
            place = self._place_of[id(given)] = len(self.parameters)
            self.parameters.append(given)
            value, spec = self.new_value(given.full_shape, given.dtype), given.spec()
            self._check_name(spec)
            self._specs.append(ParameterInput(value, spec))
        entered, spec = self._specs[place].value, self._specs[place].spec
        if self._owed and spec.state_of in self._owed and ACCUMULATED in spec.name:
            self._now[entered] = self._accumulated(self._now.get(entered, entered), self._owed.pop(spec.state_of))
        return self._now.get(entered, entered)

    def owe(self, weight: ParameterLike, gradient: Operand) -> None:
        """Let the accumulator of a weight, if there is one, hold this gradient more when it is next looked at.

        An accumulator is a clone of the weight with ``accu_grads`` in its name, by which MindSpore's compiler knows
        where to add up the gradients of micro-batches.
        """
        name, value = weight.spec().name, self.bind(gradient)
        self._owed[name] = self._accumulated(self._owed[name], value) if name in self._owed else value

    def _accumulated(self, total: Value, term: Value) -> Value:
        with self.during("update"), self.marked(stage=EVERY_STAGE, micro=NO_MICRO, recompute=None):
            return self.record(lookup("add"), (total, term), {}, Call())[0]

    def _check_name(self, spec: ParameterSpec) -> None:
        """Refuse a name that two trained Parameters share: states and checkpoints go by it."""
        other = self._named.setdefault(spec.name, spec)
        if other is not spec and (other.requires_grad or spec.requires_grad):
            raise ParameterNameError(
                f"two Parameters of this program are named {spec.name!r}. Give each a name of its own (Parameter(..., "
                f"name=...)), or make them attributes of different Cells, whose names come before theirs."
            )

    def parameter_input(self, given: ParameterLike) -> Value:
        """Return the value with which a Parameter entered the function."""
        self.parameter(given)
        return self._specs[self._place_of[id(given)]].value

    def assign(self, given: ParameterLike, new: Operand) -> None:
        """Let a Parameter hold ``new`` from here on.

        Raises:
            TraceError: it has another shape or element type than the Parameter, or is of another trace.
        """
        entered = self.parameter_input(given)
        value = self.bind(new)
        if value.shape != entered.shape or value.dtype != entered.dtype:
            raise TraceError(
                f"Parameter {given.spec().name!r} has shape {entered.shape} and type {entered.dtype}, but was assigned "
                f"{value.shape} {value.dtype}. Reshape or cast the new value."
            )
        self._now[entered] = value

    def held(self) -> Mapping[Value, Value]:
        """Return what Parameters hold now that were assigned, by the value with which each entered."""
        return dict(self._now)

    def owed(self) -> Mapping[str, Value]:
        """Return the gradients that accumulators are to hold more, by the names of their weights."""
        return dict(self._owed)

    def hold(self, held: Mapping[Value, Value], owed: Mapping[str, Value]) -> None:
        """Let Parameters hold what ``held`` returned once, and accumulators be owed what ``owed`` did."""
        self._now, self._owed = dict(held), dict(owed)

    def changed_since(self, before: Mapping[Value, Value]) -> list[tuple[ParameterLike, Value, Value]]:
        """Return each Parameter that was assigned since ``held``, what it held then, and what it holds now."""
        pairs = zip(self.parameters, self._specs, strict=True)
        entered = [(p, s.value) for p, s in pairs if s.value in self._now]
        return [(p, before.get(v, v), self._now[v]) for p, v in entered if before.get(v, v) is not self._now[v]]

    def bind(self, given: Operand) -> Value:
        """Return the value of an operand; an array becomes a constant.

        Raises:
            TraceError: it is a value of another trace.
        """
        if isinstance(given, Value):
            if given not in self._owned:
                raise TraceError(
                    "a Tensor of another, finished trace is used here. Return it from the function that made it "
                    "instead of keeping it in an attribute or a global."
                )
            return given
        key = (given.dtype.str, given.item()) if given.ndim == 0 else id(given)
        if key not in self._constant_of:
            value = self.new_value(given.shape, as_dtype(given.dtype))
            self._constants.append(Constant(value, given))
            self._constant_of[key] = value
        return self._constant_of[key]

    # --- nodes ---

    def record(self, made: OpDef, operands: Sequence[Operand], attrs: Attrs, call: Call) -> tuple[Value, ...]:
        """Add a node and return its results.

        Raises:
            RuleError: the operands' shapes do not fit the op's rule; the error names Cell, op and line.
        """
        again = next((nodes for nodes in reversed(self.replays) if nodes), None)
        if again is not None:
            return self._recorded_again(made.name, again.popleft())
        inputs = tuple(self.bind(x) for x in operands)
        scope, line = ".".join(self.scope), user_line()
        try:
            _, results = made.infer([v.shape for v in inputs], [v.dtype for v in inputs], attrs)
        except RuleError as error:
            where = Node(made.name, inputs, (), attrs, scope=scope, line=line).cited
            raise error.at(where) from None
        outputs = tuple(self.new_value(shape, dtype) for shape, dtype in results)
        cut = (call.strategy, call.out_strategy)
        marks = self.marks
        how = (self.adjoint_of, marks.stage, marks.micro, marks.recompute)
        node = Node(made.name, inputs, outputs, attrs, *cut, self.phase, scope, line, *how)
        self.nodes.append(node)
        return outputs

    def _recorded_again(self, op: str, node: Node) -> tuple[Value, ...]:
        """Return the results of a node that was recorded when the function ran as far as this before."""
        if node.op != op:
            raise TraceError(
                f"op {op} at {user_line()} was {node.op} when the function ran with another answer to a condition. "
                "Let nothing but its inputs decide what a function does."
            )
        self.nodes.append(node)
        return node.outputs

    # --- conditions ---

    def decide(self, condition: Value) -> bool:
        """Answer a condition, for which there is no value yet: as ``branches`` planned, else with True.

        Raises:
            RuleError: it has more than one element.
            ValueDependentError: nobody sees to the other answers, or a function asks too often: a loop does.
        """
        if prod(condition.shape) != 1:
            raise RuleError(f"a condition has one element, but that at {user_line()} has shape {condition.shape}.")
        if self.answering is not None:
            return bool(self.answering(condition, None))
        if self.asked is None:
            raise refuse_value("bool(tensor) (an `if`, `while`, `and` or `or`)")
        known = next((d.answer for d in self.asked if d.condition is condition), None)
        if known is not None:
            return known
        if len(self.asked) == MOST_CONDITIONS:
            raise ManyConditions(str(refuse_value(f"the {MOST_CONDITIONS + 1}th condition of a function (a `while`?)")))
        number = len(self.asked)
        answer = self.answers[number] if number < len(self.answers) else True
        self.asked.append(Decision(condition, answer, len(self.nodes), user_line()))
        return answer

    def size(self, count: Value, most: int) -> int:
        """Return a size that values tell; ``ManyConditions`` if nobody has looked at them yet."""
        if self.answering is None:
            raise ManyConditions(str(refuse_value("the size of a result")))
        return self.answering(count, most)

    @contextmanager
    def inside(self, scope: str) -> Generator[None]:
        """Record what follows as part of a cell; of the one around it if ``scope`` is empty."""
        self.scope += [scope] if scope else []
        try:
            yield
        finally:
            if scope:
                self.scope.pop()

    @contextmanager
    def marked(self, **marks: Any) -> Generator[None]:
        """Record what follows with these fields of ``Marks``."""
        before, self.marks = self.marks, replace(self.marks, **marks)
        try:
            yield
        finally:
            self.marks = before

    @contextmanager
    def during(self, phase: str) -> Generator[None]:
        """Record what follows as part of a phase: forward, backward or update."""
        before, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = before

    def graph(self, outputs: Sequence[Value]) -> Graph:
        """Return the finished graph."""
        return Graph(
            tuple(self._arguments),
            tuple(self._specs),
            tuple(self._constants),
            tuple(self.nodes),
            tuple(outputs),
            dict(self._now),
            dict(self.cotangents),
            dict(self.gradients),
        )


@contextmanager
def tracing(trace: Trace) -> Generator[Trace]:
    """Record every op of the ``with`` block in ``trace``."""
    context = current()
    before, context.trace = context.trace, trace
    try:
        yield trace
    finally:
        context.trace = before
