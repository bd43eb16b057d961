"""Answers about what moves between ranks: collectives, groups, fusion buckets, who sends to whom."""

from typing import Literal

from simpar.dashboard.models.base import Answer, Item
from simpar.dashboard.models.programs import Cause

__all__ = [
    "Bucket",
    "BucketList",
    "BucketMember",
    "CollectiveItem",
    "CollectiveList",
    "GroupItem",
    "GroupList",
    "Matrix",
]


class CollectiveItem(Item):
    """Is one collective of a program as one rank runs it in each step."""

    index: int
    """Its place in the program."""
    kind: str
    """E.g. ``all_reduce``."""
    group: tuple[int, ...]
    """The ranks that take part with this one, in order."""
    groups: int
    """How many groups do it at the same time."""
    device_axes: tuple[int, ...] | None
    """Device axes of the run's device matrix along which the group stands; null if it does not stand along any."""
    message_bytes: int
    """What this rank hands to it."""
    sent_bytes: int
    """What this rank sends, by the count of ring and pairwise algorithms."""
    cause: Cause
    why: str
    """The cause in words."""
    fusion: int
    """The fusion index of its bucket; 0 if it was not fused."""
    parameters: tuple[str, ...]
    phase: str
    node: str | None
    """The id of its node in the graph."""
    count: int
    """How often this rank ran it."""
    mean_s: float | None
    """Seconds, start to end, on this rank."""
    least_s: float | None
    most_s: float | None
    mean_offset_s: float | None
    """Seconds after the start of the step at which it starts, on average."""
    wait_s: float | None
    """Seconds that this rank waits for the last of its group to arrive, on average over the latest steps."""


class CollectiveList(Answer):
    """Is what one rank moves in a step of a program, in order."""

    program: str
    rank: int
    collectives: tuple[CollectiveItem, ...]
    message_bytes: int
    """What this rank hands over in a step."""
    sent_bytes: int
    """What this rank sends in a step."""
    steps: int
    """How many steps of this rank the times were taken over."""


class GroupItem(Item):
    """Is ranks that take part in collectives together."""

    ranks: tuple[int, ...]
    device_axes: tuple[int, ...] | None
    """Device axes of the run's device matrix along which it stands; null if it does not stand along any."""
    kinds: dict[str, int]
    """How many collectives of each kind it does in a step."""
    message_bytes: int
    """What one of its ranks hands over in a step."""
    sent_bytes: int
    """What one of its ranks sends in a step."""


class GroupList(Answer):
    """Is every group of a program; of groups that do the same, at most 64 are listed."""

    program: str
    groups: tuple[GroupItem, ...]
    total: int
    """How many there are."""


class BucketMember(Item):
    """Is one parameter's part of a bucket."""

    parameter: str
    bytes: int
    """What a rank hands over for it; 0 if it is not known."""
    ready: int | None
    """The place in the program, by instruction, at which it is ready."""


class Bucket(Item):
    """Is collectives that became one message."""

    collective: int
    """The index of the collective."""
    kind: str
    fusion: int
    """The fusion index of its parameters."""
    phase: str
    group: tuple[int, ...]
    """Of rank 0."""
    message_bytes: int
    members: tuple[BucketMember, ...]
    """In the order in which they fill it."""
    launched: int | None
    """The place in the program at which it is launched."""
    mean_offset_s: float | None
    """Seconds after the start of the step at which it is launched, on average on rank 0."""
    mean_s: float | None
    """Seconds it takes, on average on rank 0."""


class BucketList(Answer):
    """Is every bucket of a program, and each collective of a gradient that was not fused, in order."""

    program: str
    buckets: tuple[Bucket, ...]


class Matrix(Answer):
    """Is who sends how much to whom in a step: rings for reductions and gathers, pairs for the rest.

    The entries are sparse. ``GET …/matrix?form=float32`` gives the whole matrix instead: size × size little-endian
    float32, row by row, a row for each sender.
    """

    program: str
    metric: Literal["bytes", "messages", "seconds"]
    size: int
    """How many ranks."""
    senders: tuple[int, ...]
    receivers: tuple[int, ...]
    values: tuple[float, ...]
    """What each sender sends to each receiver in a step."""
    sent: tuple[float, ...]
    """What each rank sends: the sums of the rows."""
    received: tuple[float, ...]
    """What each rank receives: the sums of the columns."""
    assumptions: tuple[str, ...]
