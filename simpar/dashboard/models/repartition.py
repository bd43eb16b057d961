"""Questions and answers about a recorded program under other layouts: what would be moved, and where."""

from typing import Annotated, Literal

from pydantic import Field

from simpar.dashboard.models.base import Answer, Item, LayoutItem
from simpar.dashboard.models.planning import DeviceAxes, TensorMap

__all__ = [
    "ImportAnswer",
    "MovementItem",
    "OperatorItem",
    "ProblemItem",
    "RemedyAnswer",
    "RepartitionAnswer",
    "RepartitionQuestion",
    "SideAsked",
    "SideItem",
    "StrategyBase",
    "StrategyParameter",
    "StripEdge",
    "StripItem",
    "StripNode",
]

Name = Annotated[str, Field(max_length=1000)]
OperatorId = Annotated[str, Field(pattern=r"^\d{1,9}$")]
TensorMapValue = tuple[int | tuple[int, ...], ...]
Operands = Annotated[tuple[TensorMap, ...], Field(max_length=32, examples=[[[1, -1], [-1, 0]]])]
OperandsValue = tuple[TensorMapValue, ...] | None


class StrategyParameter(Item):
    """Is one parameter as the operators take it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    layout: LayoutItem
    """As the first operator takes it, over the common device matrix where it has one with the others."""


class OperatorItem(Item):
    """Is one operator of the forward phase and how it is cut."""

    id: int
    """The number of its first result; by it a question names the operator."""
    op: str
    primitive: str
    """The name of its class, e.g. MatMul; empty if it has none."""
    scope: str
    line: str
    """The user's line."""
    operands: tuple[LayoutItem, ...]
    is_chosen: bool
    """Whether a strategy was given; by default it follows MindSpore's rules."""
    strategy: tuple[tuple[int, ...], ...] | None
    """The cut of each operand in numbers; null where numbers do not say it, or none was given."""
    parameters: tuple[str, ...]


class StrategyBase(Answer):
    """Is a program as it can be planned: its parameters over one device matrix, its operators."""

    program: str
    can_partition: bool
    """Whether the program can be cut again."""
    reason: str
    """Why it cannot; empty if it can."""
    dev_mat: tuple[int, ...]
    has_optimizer_shards: bool
    """Whether the parallel optimizer stores parameters cut."""
    parameters: tuple[StrategyParameter, ...]
    operators: tuple[OperatorItem, ...]


class SideAsked(Item):
    """Is one way to cut a program; what it leaves out is as recorded."""

    dev_mat: DeviceAxes | None = None
    maps: dict[Name, TensorMap] = Field(default_factory=dict[str, TensorMapValue], max_length=10_000)
    """Tensor maps over the device matrix, by the parameter's name."""
    strategies: dict[OperatorId, Operands | None] = Field(default_factory=dict[str, OperandsValue], max_length=10_000)
    """Tensor maps of an operator's operands over the device matrix, by the operator's id; null for the default."""
    has_optimizer_shards: bool | None = None


class RepartitionQuestion(Item):
    """Asks how a program is cut one way or another, and what changes."""

    program: Annotated[str, Field(max_length=500)] | None = None
    a: SideAsked = SideAsked()
    b: SideAsked | None = None
    """Null to ask of A only."""
    focus: Name | None = None
    """The parameter whose neighbourhood in the graph is asked for."""


class ProblemItem(Item):
    """Is a change that cannot be; it was left out."""

    where: str
    """The parameter, or the operator."""
    message: str


class SideItem(Item):
    """Is what a rank sends in a step and keeps, one way."""

    ranks: int
    error: str | None
    """Why the program cannot be cut so; the figures are 0 then."""
    problems: tuple[ProblemItem, ...]
    sent_bytes: int
    messages: int
    """How many collectives run in a step; a bucket is one."""
    kinds: dict[str, int]
    """How many values are moved by each kind."""
    largest_group: int
    parameter_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    """Of everything a step makes, as the executor would place it."""
    memory_bytes: int | None
    """All together; null if it was not found."""


class MovementItem(Item):
    """Is a movement, or all that are alike in layers that repeat."""

    change: Literal["new", "gone", "changed", "same"]
    kind: str
    phase: str
    why: str
    scope: str
    line: str
    maker: str
    """The operator that makes the value; empty for an input."""
    reader: str
    """The operator that needs it in another layout."""
    parameter: str
    shape: tuple[int, ...]
    before: LayoutItem
    after: LayoutItem
    count: int
    group_size_a: int | None
    group_size_b: int | None
    sent_a: int
    """What a rank sends for all of them under A."""
    sent_b: int


class StripNode(Item):
    """Is an operator, a parameter or an input of a stretch of the graph."""

    id: str
    words: str
    detail: str
    role: Literal["op", "parameter", "input"]
    column: int
    """Those that make its operands stand left of it."""


class StripEdge(Item):
    """Is a value on its way, and the kinds of the steps inserted there."""

    source: str
    target: str
    words: str
    """Its shape and layouts."""
    kinds: tuple[str, ...]
    sent_bytes: int
    is_new: bool
    """Whether A moves nothing there."""


class StripItem(Item):
    """Is the neighbourhood of a parameter in the graph, under B if there is one, else A."""

    nodes: tuple[StripNode, ...]
    edges: tuple[StripEdge, ...]


class RepartitionAnswer(Answer):
    """Is what the ways to cut a program lead to."""

    program: str
    state: Literal["done", "working"]
    """Whether the answer is there; if not, ask again soon."""
    a: SideItem | None
    b: SideItem | None
    movements: tuple[MovementItem, ...]
    """Those of A and B compared, those that send most first; at most 500."""
    left_out: int
    """Movements beyond those."""
    strip: StripItem | None
    operators: tuple[OperatorItem, ...]
    """Operators that B, or A if there is no B, cuts otherwise than recorded."""


class RemedyAnswer(Answer):
    """Is the cheapest change of one operator's strategy that removes a collective."""

    program: str
    collective: int
    state: Literal["done", "working"]
    found: bool
    """Whether a change removes it and makes the step cheaper."""
    words: str
    operator: OperatorItem | None
    """The operator, cut as proposed; of operators that repeat, the first."""
    dev_mat: tuple[int, ...]
    """Of the proposal."""
    strategies: dict[str, tuple[tuple[int | tuple[int, ...], ...], ...] | None]
    """The proposal, as a question about the program takes it: operators of the same line change together."""
    sent_before: int
    sent_after: int
    """What a rank sends in a step."""
    tried: int
    candidates: int
    """How many changes there were to try; fewer were tried if time ran out."""


class ImportAnswer(Answer):
    """Is what a strategy file says about a program."""

    dev_mat: tuple[int, ...]
    maps: dict[str, tuple[int | tuple[int, ...], ...]]
    """Tensor maps over the device matrix, of parameters that are in both."""
    strategies: dict[str, tuple[tuple[int | tuple[int, ...], ...], ...] | None]
    """Tensor maps of operators' operands, by the operators' ids."""
    unknown: tuple[str, ...]
    """Names in the file that the program does not have."""
    missing: tuple[str, ...]
    """Parameters of the program that the file does not name."""
    problems: tuple[ProblemItem, ...]
