"""Answers about compiled programs: their graphs, and the redistributions inserted into them."""

from typing import Literal

from simpar.dashboard.models.base import Answer, Item, LayoutItem

__all__ = [
    "Cause",
    "Chain",
    "ChainStep",
    "Graph",
    "GraphEdge",
    "GraphNodeItem",
    "GraphValueItem",
    "PlanText",
    "ProgramList",
    "ProgramSummary",
    "RedistributionList",
    "Role",
]

Role = Literal["op", "redistribution", "gradient", "collective"]
"""What a node is for: an op of the user's, a step inserted where layouts disagree or terms are joined, one that
synchronises gradients, or a collective that the user wrote."""

Cause = Literal["written", "mismatch", "partial", "gradient", "optimizer", "other"]
"""Why data moves: the user wrote it, two layouts disagree, an op's result is partial, a gradient is synchronised, or
the parallel optimizer gathers what it stores cut."""


class ProgramSummary(Item):
    """Is one compiled program."""

    program: str
    """Its name, unique within the run."""
    digest: str
    """Of its plan, equal on all ranks."""
    steps: int
    """How often rank 0 ran it."""
    mean_step_s: float | None
    """Seconds of a step on rank 0, on average."""
    nodes: int
    values: int
    with_strategy: int
    """Ops that the user gave a strategy."""
    redistributions: int
    """Nodes inserted because layouts disagree or a result is partial."""
    gradients: int
    """Nodes that synchronise gradients."""
    collectives: int
    """Collectives that rank 0 runs in a step."""
    peak_bytes: int
    """The most memory that the plan needs on a rank at once."""


class ProgramList(Answer):
    """Is every compiled program, in order."""

    programs: tuple[ProgramSummary, ...]


class PlanText(Answer):
    """Is the plan of a program as text."""

    program: str
    digest: str
    text: str


class GraphValueItem(Item):
    """Is one value of a graph."""

    name: str
    """Its number, and the name of the parameter that it is, e.g. ``%3 mlp.w1``."""
    shape: tuple[int, ...]
    """Of the whole tensor."""
    dtype: str
    layout: LayoutItem | None
    slice_bytes: int | None
    """What each rank holds of it."""
    parameter: str | None
    """The name of the parameter that it is."""


class GraphNodeItem(Item):
    """Is one op of a graph, in the order in which they run."""

    id: str
    op: str
    inputs: tuple[str, ...]
    """Names of values."""
    outputs: tuple[str, ...]
    scope: str
    """The cell, e.g. ``blocks.0.attention``."""
    phase: str
    """``forward``, ``backward`` or ``update``."""
    strategy: str
    """What the user gave, in words; empty for none."""
    source: str
    """The user's line, e.g. ``gpt.py:71``."""
    role: Role
    collective: int | None
    """The index of its collective in the list of collectives."""
    chain: int | None
    """The redistribution it is a step of."""


class GraphEdge(Item):
    """Is a value on its way from the node that makes it to one that reads it."""

    value: int
    """Its place in ``values``."""
    source: int | None
    """The place of the maker in ``nodes``; null for an argument, a parameter or a constant."""
    target: int
    """The place of the reader in ``nodes``."""


class Graph(Answer):
    """Is the graph of a program, the same on all ranks."""

    program: str
    nodes: tuple[GraphNodeItem, ...]
    values: tuple[GraphValueItem, ...]
    edges: tuple[GraphEdge, ...]


class ChainStep(Item):
    """Is one step of a redistribution: a collective, or a slice, which moves nothing."""

    node: str
    """The id of its node in the graph."""
    kind: str
    """E.g. ``all_gather``; ``slice`` for a local cut."""
    before: LayoutItem
    after: LayoutItem
    slice_shape_before: tuple[int, ...]
    slice_shape_after: tuple[int, ...]
    device_axes: tuple[int, ...]
    """Device axes of ``before`` along which it works; none if they are not known."""
    group_size: int
    """1 for a slice."""
    sent_bytes: int
    """What a rank sends for this value, foreseen by the count of ring and pairwise algorithms."""
    words: str
    """The step in words."""
    collective: int | None
    """The index of the collective that carries it, perhaps with others of its bucket."""
    mean_s: float | None
    """Seconds that this collective took on rank 0, on average, with all that it carries."""


class Chain(Item):
    """Is how one value gets from one layout to another: one redistribution."""

    id: int
    value: str
    """The value that is redistributed."""
    shape: tuple[int, ...]
    dtype: str
    source: LayoutItem
    target: LayoutItem
    producer: str | None
    """The id of the node that makes the value; null for an argument, a parameter or a constant."""
    consumers: tuple[str, ...]
    """Ids of the nodes that read the result."""
    cause: Cause
    why: str
    """The cause in words."""
    scope: str
    source_line: str
    """The user's line."""
    phase: str
    parameters: tuple[str, ...]
    steps: tuple[ChainStep, ...]
    sent_bytes: int
    """What a rank sends in all steps."""


class RedistributionList(Answer):
    """Is every redistribution of a program, in the order of the plan."""

    program: str
    chains: tuple[Chain, ...]
    sent_bytes: int
    """What a rank sends in a step for all of them."""
