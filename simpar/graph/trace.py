"""Tracing: a function runs once on values without numbers, and every op it calls becomes a node.

``apply`` is the one place where an op meets its operands. While a trace is active it records; otherwise it computes at
once on numpy arrays. ``Tensor`` calls it by the op's name, so that tensors stand below the ops.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.dtype import DType, as_dtype, bfloat16
from simpar.errors import ParameterNameError, RuleError, TraceError, ValueDependentError
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
from simpar.graph.lines import user_line
from simpar.graph.opdef import OpDef, kernel_of, lookup
from simpar.layout import Layout

__all__ = [
    "ACCUMULATED",
    "NESTED",
    "NEXT",
    "Operand",
    "ParameterLike",
    "Trace",
    "apply",
    "refuse_value",
    "register_collectives",
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
class _Call:
    """How ``apply`` was called, beside operands and attributes."""

    strategy: Strategy | None = None
    out_strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Where and when the nodes that are being recorded run, as far as the user said."""

    stage: int = EVERY_STAGE
    micro: int = NO_MICRO
    recompute: Recompute | None = None


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
        self.guards: list[Callable[[], object]] = []
        self.parameters: list[ParameterLike] = []
        self._count = 0
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

    # --- inputs ---

    def new_value(self, shape: Sequence[int], dtype: DType) -> Value:
        """Return a value that nothing makes yet."""
        value = Value(self._count, tuple(shape), dtype)
        self._count += 1
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
            return self.record(lookup("add"), (total, term), {}, _Call())[0]

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

    def record(self, made: OpDef, operands: Sequence[Operand], attrs: Attrs, call: _Call) -> tuple[Value, ...]:
        """Add a node and return its results.

        Raises:
            RuleError: the operands' shapes do not fit the op's rule; the error names Cell, op and line.
        """
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


def apply(
    name: str,
    operands: Sequence[Operand],
    attrs: Attrs,
    strategy: Strategy | None = None,
    out_strategy: Strategy | None = None,
) -> tuple[Operand, ...]:
    """Apply an op: record it while a trace is active, compute it otherwise.

    Args:
        name: the op's name in ``OPS``.
        operands: arrays, or values of the active trace.
        attrs: the op's attributes, plain data.
        strategy, out_strategy: the user's cut, kept on the node.

    Returns:
        The results: values while tracing, arrays otherwise.
    """
    made = lookup(name)
    trace: Trace | None = current().trace
    symbolic = any(isinstance(x, Value) for x in operands)
    if trace is not None and (symbolic or made.kernel is None):
        return trace.record(made, operands, attrs, _Call(strategy, out_strategy))
    if symbolic:
        raise TraceError(
            f"op {name} was given a Tensor of a trace that has ended. Keep such Tensors inside the function."
        )
    return _compute(made, [x for x in operands if not isinstance(x, Value)], attrs)


def _compute(made: OpDef, arrays: list[Array], attrs: Attrs) -> tuple[Array, ...]:
    """Compute an op at once."""
    if made.kernel is None:
        if not _COLLECTIVES:
            raise TraceError(f"op {made.name} moves data between ranks, which needs `import simpar` as a whole.")
        result = _COLLECTIVES[0](made.name, arrays, attrs)
    else:
        _, results = made.infer([a.shape for a in arrays], [as_dtype(a.dtype) for a in arrays], attrs)
        types = [dtype for _, dtype in results]
        result = kernel_of(made, (*(as_dtype(a.dtype) for a in arrays), *types))(*arrays, **attrs)
        if not isinstance(result, tuple):
            made_array = np.asarray(result, dtype=types[0].numpy)
            # a view of a Parameter would change when the Parameter is trained
            return (made_array.copy() if made.view and np.may_share_memory(made_array, arrays[0]) else made_array,)
        if bfloat16 in types:
            return tuple(np.asarray(r, dtype=t.numpy) for r, t in zip(cast("Any", result), types, strict=True))
    return cast("tuple[Array, ...]", result if isinstance(result, tuple) else (result,))


_COLLECTIVES: list[Callable[[str, list[Array], Attrs], Any]] = []


def register_collectives(run: Callable[[str, list[Array], Attrs], Any]) -> None:
    """Let ``execute`` say how a collective runs at once, outside of a graph."""
    _COLLECTIVES[:] = [run]


def refuse_value(what: str) -> ValueDependentError:
    """Return the error for a traced function that asks for a number.

    Args:
        what: what was asked, e.g. ``"bool(tensor)"``.
    """
    return ValueDependentError(
        f"{what} at {user_line()} needs a value, but the function is being traced and has none yet. "
        f"Choose between values with ops.select, or take the decision outside of the compiled function."
    )
