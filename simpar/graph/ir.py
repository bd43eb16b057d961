"""The graph: values, and nodes that make values from values.

A graph is in single-assignment form: each ``Value`` is made once, by a node or as an input, and nodes stand in an order
in which every value is made before it is used. Shapes are global: the graph says what one device would compute.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType
from simpar.graph.lines import UserLine
from simpar.layout import EVERY_STAGE, Layout

__all__ = [
    "EVERY_STAGE",
    "NO_MICRO",
    "Argument",
    "Constant",
    "Graph",
    "Node",
    "ParameterInput",
    "ParameterSpec",
    "Recompute",
    "Strategy",
    "Value",
]

NO_MICRO = -1
"""The micro-batch of what belongs to none."""

Strategy = tuple[tuple[int, ...] | Layout, ...]
"""How the user cuts an op: for each operand the cut of each axis, or its layout."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a graph: a number to tell it apart, its global shape and element type."""

    id: int
    shape: tuple[int, ...]
    dtype: DType

    def __hash__(self) -> int:
        return self.id  # equal values have equal numbers; passes look values up by the million

    def __str__(self) -> str:
        return f"%{self.id}"


@dataclass(frozen=True, slots=True)
class Recompute:
    """The wish that a result is not kept for the backward pass, but computed again there.

    Args:
        cell: the number of the call of a Cell in which the node was recorded; 0 if the op itself was marked.
        moves: whether movements of data between ranks are repeated, too.
        keeps: whether the op is excepted: what it makes is kept.
    """

    cell: int = 0
    moves: bool = True
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One op applied to values.

    Args:
        op: the name of its record.
        inputs: its operands.
        outputs: its results.
        attrs: what else the op needs, as plain data.
        strategy: the user's cut of the operands, if any.
        out_strategy: the layout in which the user wants the result, if any.
        phase: ``"forward"``, ``"backward"`` or ``"update"``.
        adjoint_of: for a node that autodiff made, the first result of the node whose gradient it helps to compute.
        stage: the stage of the pipeline that runs it.
        micro: the micro-batch that it works on.
        recompute: whether the backward pass computes its results again.
        scope: the cell it was called in, e.g. ``"mlp.dense1"``.
        line: the user's line that called it, e.g. ``"train.py:12"``.
    """

    op: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    strategy: Strategy | None = None
    out_strategy: Strategy | None = None
    phase: str = "forward"
    scope: str = ""
    line: str = ""
    adjoint_of: Value | None = None
    stage: int = EVERY_STAGE
    micro: int = NO_MICRO
    recompute: Recompute | None = None

    @property
    def label(self) -> str:
        """The node in a sentence, e.g. ``matmul in mlp.dense1 (train.py:12)``."""
        cell = f" in {self.scope}" if self.scope else ""
        line = f" ({self.line})" if self.line else ""
        return f"{self.op}{cell}{line}"

    @property
    def where(self) -> str:
        """Where the user finds this node: the cell, the op and the line."""
        cell = f"in {self.scope}, " if self.scope else ""
        line = f" ({self.line})" if self.line else ""
        return f"{cell}op {self.op}{line}"

    @property
    def cited(self) -> str:
        """The same with what stands in that line, for errors."""
        text = self.line.text if isinstance(self.line, UserLine) else ""
        return f"{self.where} in `{text}`" if text else self.where


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What a plan must know of a Parameter; see ``simpar.Parameter`` for the meaning of each field."""

    name: str
    requires_grad: bool = True
    layerwise_parallel: bool = False
    parallel_optimizer: bool = True
    comm_fusion: int = 1
    comm_recompute: bool = False
    state_of: str | None = None
    """The parameter that an optimizer's state was cloned from, whose layout it takes."""
    lost_axis: int | None = None
    """The axis of that parameter which the state does not have, if it keeps one number along it."""
    layout: Layout | None = None
    """The layout it is already stored in, if an earlier program placed it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An input that the caller gives at every call; with a layout if the given tensor has one, and its stage then.

    Of the axes in ``unknown`` the length is not known yet, only a number that divides it.
    """

    value: Value
    name: str
    layout: Layout | None = None
    stage: int = EVERY_STAGE
    unknown: Mapping[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True, slots=True)
class ParameterInput:
    """A Parameter that the graph reads, and perhaps writes, and the stage that holds it."""

    value: Value
    spec: ParameterSpec
    stage: int = EVERY_STAGE


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A tensor that the traced function closed over; every rank holds it whole."""

    value: Value
    array: NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A whole program on one device.

    Args:
        arguments, parameters, constants: the inputs.
        nodes: in an order in which they can run.
        outputs: what the caller gets.
        writes: for a parameter's input value, the value that it holds after the step.
        cotangents: for a value that autodiff made, the value whose derivative it is.
        gradients: for a parameter's input value, the value of its gradient.
    """

    arguments: tuple[Argument, ...]
    parameters: tuple[ParameterInput, ...]
    constants: tuple[Constant, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]
    writes: Mapping[Value, Value] = field(default_factory=dict[Value, Value])
    cotangents: Mapping[Value, Value] = field(default_factory=dict[Value, Value])
    gradients: Mapping[Value, Value] = field(default_factory=dict[Value, Value])

    @property
    def inputs(self) -> Iterator[Value]:
        """All values that no node makes."""
        for group in (self.arguments, self.parameters, self.constants):
            for given in group:
                yield given.value

    @property
    def values(self) -> Iterator[Value]:
        """All values, inputs first, then in the order of the nodes."""
        yield from self.inputs
        for node in self.nodes:
            yield from node.outputs

    @property
    def parameter_of(self) -> dict[Value, Value]:
        """For the gradient of a parameter, that parameter's input value; the first one if several share it."""
        found: dict[Value, Value] = {}
        for parameter, gradient in self.gradients.items():
            found.setdefault(gradient, parameter)
        return found

    @property
    def stages(self) -> dict[Value, int]:
        """The stage that holds each value."""
        found = {given.value: given.stage for group in (self.arguments, self.parameters) for given in group}
        found.update((v, node.stage) for node in self.nodes for v in node.outputs)
        return found | {c.value: EVERY_STAGE for c in self.constants}

    @property
    def next_id(self) -> int:
        """A number that no value has yet."""
        return 1 + max((v.id for v in self.values), default=-1)
