"""Answers about what was measured: steps and losses, scalars, the timeline, memory, copies that should agree."""

from typing import Annotated, Literal

from pydantic import Field

from simpar.dashboard.models.base import Answer, Item, Real

__all__ = [
    "Checks",
    "Delta",
    "DisagreementItem",
    "LateRank",
    "Memory",
    "MemoryClass",
    "MemoryMeasurement",
    "RankLanes",
    "RankMemory",
    "ScalarList",
    "ScalarSeries",
    "Span",
    "StepColumns",
    "StepMark",
    "Steps",
    "StreamEvent",
    "Timeline",
]


class StepColumns(Item):
    """Is steps as columns: entry i of each column belongs to step i."""

    rank: tuple[int, ...]
    program: tuple[int, ...]
    """The place of the program in ``programs``."""
    step: tuple[int, ...]
    start_s: tuple[float, ...]
    """Seconds since the first rank started."""
    end_s: tuple[float, ...]
    loss: tuple[Real | None, ...]


class Steps(Answer):
    """Is steps in the order in which they arrived."""

    programs: tuple[str, ...]
    columns: StepColumns
    cursor: int
    """Give it as ``since`` to get what arrived later."""
    more: bool
    """Whether there are more already."""


class ScalarSeries(Item):
    """Is one curve of one rank."""

    name: str
    rank: int
    step: tuple[int, ...]
    value: tuple[Real, ...]


class ScalarList(Answer):
    """Is the numbers worth a curve that arrived since the cursor."""

    series: tuple[ScalarSeries, ...]
    cursor: int
    """Give it as ``since`` to get what arrived later."""


class StepMark(Item):
    """Is where a step begins and ends on the rank that the timeline is measured by."""

    step: int
    program: int
    """The place of its program in ``programs``: each program counts its own steps."""
    start_s: float
    end_s: float


class Span(Item):
    """Is one collective of one rank, exactly."""

    rank: int
    step: int
    collective: int
    """Its index in the program."""
    program: int
    """The place of the program in ``programs``."""
    start_s: float
    end_s: float
    wait_s: float
    """How much of its beginning was spent until the last rank of the group arrived."""


class LateRank(Item):
    """Is the rank that a collective's group waited for."""

    step: int
    collective: int
    program: int
    rank: int
    """The last to arrive."""
    group: tuple[int, ...]
    late_s: float
    """Seconds between the first to arrive and the last."""
    cost_s: float
    """Seconds that the others waited, together."""


class RankLanes(Item):
    """Is one row: the share of each bin that its ranks computed, moved data and waited; the rest they were idle."""

    rank: int
    """The first of the row's ranks."""
    compute: tuple[float, ...]
    """Share of each bin, 0 to 1, in a step and in no collective."""
    communication: tuple[float, ...]
    """Share of each bin in a collective whose group has arrived."""
    wait: tuple[float, ...]
    """Share of each bin in a collective, for ranks that have not arrived."""


class Timeline(Answer):
    """Is a stretch of time, cut into bins of equal length; where few collectives fall into it, each of them too."""

    programs: tuple[str, ...]
    start_s: float
    """Where the stretch begins, in seconds since the first rank started."""
    end_s: float
    first_step: int
    """The first step of rank 0, of those that were recorded; 0 for none."""
    last_step: int
    bins: int
    rows: tuple[tuple[int, ...], ...]
    """The ranks of each row of the tile."""
    lanes: tuple[RankLanes, ...]
    """The same shares as numbers, a lane for each row; none if they were not asked for."""
    steps: tuple[StepMark, ...]
    """Of the first rank, within the stretch."""
    timed_steps: int
    """How many of them had the times of their collectives read: old steps forget theirs."""
    read_every: int
    """Of every so-manieth step the times were read: of each if 1. What is shown of others follows from these."""
    spans: tuple[Span, ...]
    """Every collective in the stretch if there are at most 2000, else none."""
    late: tuple[LateRank, ...]
    """At most 20, the most costly first."""
    clock_offsets_s: dict[int, float]
    """What was added to each rank's clock to bring all on one time line."""


class MemoryClass(Item):
    """Is the bytes of one class on a rank, as the plan has them."""

    name: str
    """``parameter``, ``optimizer state`` or ``arena``: what a step makes, activations, gradients and buffers."""
    bytes: int


class MemoryMeasurement(Item):
    """Is what was measured of one rank at one step."""

    step: int
    rss_bytes: int
    """Resident, pages shared with others counted fully."""
    pss_bytes: int | None
    """The rank's share; null where the system does not tell."""


class RankMemory(Item):
    """Is the memory of one rank."""

    rank: int
    planned_bytes: int | None
    """Of the plan that needs most; null if no plan was recorded for the rank."""
    classes: tuple[MemoryClass, ...]
    measured: tuple[MemoryMeasurement, ...]
    """Oldest first, at most 500."""


class Memory(Answer):
    """Is the memory of all ranks, foreseen and measured."""

    ranks: tuple[RankMemory, ...]
    assumptions: tuple[str, ...]


class DisagreementItem(Item):
    """Is the first step at which copies of one slice differ."""

    parameter: str
    step: int
    ranks: tuple[tuple[int, ...], ...]
    """Ranks that hold the slice, grouped by what they hold, the largest group first."""
    text: str


class Checks(Answer):
    """Is whether copies that should be equal are, by their recorded checksums."""

    disagreements: tuple[DisagreementItem, ...]


class Delta(Answer):
    """Is what one event of the stream carries: what arrived since the last."""

    cursor: str
    """The id of the event: a reader that reconnects sends it as ``Last-Event-ID`` and loses nothing."""
    state: str
    """Of the run."""
    last_step: int
    """Of rank 0."""
    news: str
    """A mark that changes when a rank, a parameter, a program or a failure arrives, which is seldom."""
    measured: str
    """A mark that changes when memory, digests or values arrive, which while a run trains is about once a second."""
    programs: tuple[str, ...]
    columns: StepColumns
    series: tuple[ScalarSeries, ...]


class StreamEvent(Item):
    """Is one server-sent event."""

    event: Literal["delta", "end", "problem"]
    """``delta`` brings what arrived; ``end`` says that the run has ended, ``problem`` that it cannot be read."""
    id: str
    """The cursor after it."""
    data: Annotated[str, Field(json_schema_extra={"contentMediaType": "application/json"})]
    """A ``Delta`` as JSON; of ``end`` only its ``state``, of ``problem`` a ``Problem``."""
