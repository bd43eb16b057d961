"""Questions and answers of the plan page: pure layout mathematics, no run, and never code of the user's."""

from typing import Annotated, Literal

from pydantic import Field

from simpar.dashboard.models.base import Answer, Item, LayoutItem

__all__ = [
    "MOST_AXES",
    "LayoutAsked",
    "ParameterAsked",
    "PlanAnswer",
    "PlanQuestion",
    "PlannedRow",
    "PlannedSide",
    "RankBox",
    "RedistributionAnswer",
    "RedistributionQuestion",
    "SideTotals",
    "StepAnswer",
    "TransferItem",
]

MOST_AXES = 8
"""Axes that a tensor or a device matrix may have in a question."""

DeviceAxes = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1 << 20, strict=True)], ...],
    Field(min_length=1, max_length=MOST_AXES, examples=[[2, 4]]),
]
Shape = Annotated[
    tuple[Annotated[int, Field(ge=0, le=1 << 32, strict=True)], ...],
    Field(max_length=MOST_AXES, examples=[[512, 1024]]),
]
Entry = Annotated[int, Field(ge=-1, le=MOST_AXES, strict=True)]
TensorMap = Annotated[
    tuple[Entry | Annotated[tuple[Entry, ...], Field(max_length=MOST_AXES)], ...],
    Field(max_length=MOST_AXES, examples=[[1, 0]]),
]
DtypeName = Annotated[str, Field(max_length=16, examples=["float32"])]


class LayoutAsked(Item):
    """Is a layout to reckon with."""

    dev_mat: DeviceAxes
    """Ranks along each device axis, major first; at most 2**20 in all."""
    tensor_map: TensorMap
    """For each tensor axis the device axis that cuts it, counted from the right; -1 for none; several, major first."""
    partial: Annotated[tuple[Entry, ...], Field(max_length=MOST_AXES)] = ()
    """Device axes along which each rank holds only a term."""
    combine: Literal["sum", "max", "min"] = "sum"


class ParameterAsked(Item):
    """Is one parameter and how strategies A and B cut it."""

    name: Annotated[str, Field(max_length=500)]
    shape: Shape
    dtype: DtypeName = "float32"
    a: TensorMap
    """The tensor map under A."""
    b: TensorMap | None = None
    """The tensor map under B; null if B cuts it as A does."""


class PlanQuestion(Item):
    """Asks what strategies cost: one, or two to compare."""

    dev_mat: DeviceAxes
    """The device matrix of A; at most 2**20 ranks."""
    dev_mat_b: DeviceAxes | None = None
    """The device matrix of B; null if it is that of A."""
    parameters: Annotated[tuple[ParameterAsked, ...], Field(max_length=10_000)]
    states: Annotated[int, Field(ge=0, le=8, strict=True)] = 1
    """States that the optimizer keeps for each parameter: 1 for momentum, 2 for Adam."""


class PlannedSide(Item):
    """Is one parameter under one strategy."""

    error: str | None
    """Why it cannot be cut so, and what to do; the other fields are null then."""
    slice_shape: tuple[int, ...] | None
    slice_bytes: int | None
    """What a rank keeps."""
    copies: int | None
    """How many ranks keep the same slice."""
    gradient_bytes: int | None
    """What a rank sends to sum its gradient over all copies, if each of them sees another part of the batch."""


class PlannedRow(Item):
    """Is one parameter under both strategies."""

    name: str
    a: PlannedSide
    b: PlannedSide | None
    """Null if there is no B."""
    changed: bool
    """Whether a rank holds another slice under B."""
    steps: tuple[str, ...] | None
    """What takes it from A to B, step by step; null if it was not planned."""
    move_bytes: int | None
    """What a rank sends for that."""


class SideTotals(Item):
    """Is all parameters under one strategy."""

    ranks: int
    parameter_bytes: int
    """What a rank keeps of all parameters together; those with errors are left out."""
    gradient_memory_bytes: int
    """What a rank needs for their gradients."""
    state_bytes: int
    """What a rank needs for the states of the optimizer."""
    total_bytes: int
    gradient_bytes: int
    """What a rank sends in a step to sum gradients, at most."""
    largest_group: int
    """The most copies that a slice has: the largest group that sums a gradient."""
    errors: int
    """Parameters that cannot be cut so."""


class PlanAnswer(Answer):
    """Is what the strategies cost."""

    rows: tuple[PlannedRow, ...]
    a: SideTotals
    b: SideTotals | None
    changed: int
    """Parameters of which a rank holds another slice under B."""
    move_bytes: int
    """What a rank sends to take all of them from A to B."""
    unplanned: int
    """Parameters whose way from A to B was not planned, because that would have taken too long."""
    assumptions: tuple[str, ...]


class RedistributionQuestion(Item):
    """Asks how a tensor gets from one layout to another."""

    shape: Shape
    dtype: DtypeName = "float32"
    source: LayoutAsked
    target: LayoutAsked


class RankBox(Item):
    """Is what one rank holds."""

    rank: int
    box: tuple[tuple[int, int], ...]
    """Start and stop along each tensor axis."""


class TransferItem(Item):
    """Is one box on its way between two ranks."""

    sender: int
    receiver: int
    box: tuple[tuple[int, int], ...]
    """Start and stop along each axis of the whole tensor."""


class StepAnswer(Item):
    """Is one step of a redistribution."""

    kind: str
    """E.g. ``all_gather``; a ``slice`` moves nothing."""
    words: str
    before: LayoutItem
    after: LayoutItem
    slice_shape: tuple[int, ...]
    """What a rank holds after it."""
    device_axes: tuple[int, ...]
    """Device axes of ``before`` along which it works."""
    group_size: int
    rounds: int
    """How many messages a rank sends one after the other."""
    sent_bytes: int
    """What the rank that sends most sends."""
    peak_bytes: int
    """Of a rank's slices before and after together."""
    groups: tuple[tuple[int, ...], ...]
    """Every group, up to 64 ranks; above that the first."""
    boxes: tuple[RankBox, ...]
    """What each rank holds after it, up to 64 ranks; none above."""
    transfers: tuple[TransferItem, ...]
    """What moves between two different ranks, up to 64 ranks; none above, none for a reduction."""


class RedistributionAnswer(Answer):
    """Is the cheapest way from one layout to another."""

    ranks: int
    itemsize: int
    """Bytes of an element."""
    source: LayoutItem
    target: LayoutItem
    boxes: tuple[RankBox, ...]
    """What each rank holds before the first step, up to 64 ranks; none above."""
    steps: tuple[StepAnswer, ...]
    sent_bytes: int
    """In all steps together."""
    peak_bytes: int
    text: str
    """The plan as text, a step a line."""
