"""The steps a redistribution is made of, as values.

Each step knows the layout before and after it, the group in which a rank takes part, what a rank sends, and the boxes
that move, so that the same value can be drawn, priced and executed. Bytes and rounds are those of recursive doubling
and halving and of the pairwise exchange (Thakur, Rabenseifner and Gropp, 2005, "Optimization of collective
communication operations in MPICH"); a ring sends the same bytes in more rounds. ``n`` is the group's size.

| step | moves | sent per rank |
|---|---|---|
| `Slice` | nothing: each rank cuts its part out of what it holds | 0 |
| `AllGather` | a tensor axis loses its last device axes | (n-1) slices |
| `ReduceScatter` | terms are joined, each rank keeps its part of an axis | (n-1)/n of what it holds |
| `AllReduce` | terms are joined on every rank | 2(n-1)/n of what it holds |
| `AllToAll` | device axes go from one tensor axis to another | (n-1)/n of what it holds |
| `Permute` | slices change ranks, each whole | its slice |
| `Exchange` | any layout to any other: each rank gets what it lacks | what the others lack |

Two more, for what windows need of a neighbour's slice, are in `halo`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import ClassVar

from simpar.layout.device_matrix import axis_size
from simpar.layout.intersection import Box, Transfer, intersections, most_received, participants
from simpar.layout.layout import Layout

__all__ = ["AllGather", "AllReduce", "AllToAll", "Exchange", "Permute", "ReduceScatter", "Slice", "Step"]


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """Is one step from a layout to the next.

    Args:
        before: the layout the step starts from.
        after: the layout it ends in.
        device_axes: the device axes of ``before`` along which it works; the first is the slowest in the group.
    """

    kind: ClassVar[str] = ""

    before: Layout
    after: Layout
    device_axes: tuple[int, ...]

    def group(self, rank: int) -> tuple[int, ...]:
        """Return the ranks that take part together with ``rank``, in the order of the blocks they hold or get."""
        return self.before.group(rank, self.device_axes)

    @property
    def group_size(self) -> int:
        """How many ranks take part together."""
        return prod(axis_size(self.before.dev_mat, a) for a in self.device_axes)

    @property
    @abstractmethod
    def rounds(self) -> int:
        """How many messages a rank sends one after the other."""

    @abstractmethod
    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return how many bytes ``rank`` sends to others; without a rank, the most that one of them moves."""

    @abstractmethod
    def words(self) -> str:
        """Return what the step does to the tensor, e.g. ``axis 0``."""

    def transfers(self, shape: Sequence[int], rank: int) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
        """Return what ``rank`` sends, as boxes of its slice before, and receives, as boxes of its slice after.

        What the rank keeps is listed as sent to and received from itself. A step that joins terms has no transfers:
        it is a reduction.
        """
        send, receive = intersections(self.before, self.after, shape, rank)
        return _local(send, self.before, shape, rank), _local(receive, self.after, shape, rank)

    def peak_bytes(self, shape: Sequence[int], itemsize: int) -> int:
        """Return the bytes of a rank's slices before and after together."""
        return (_held(self.before, shape) + _held(self.after, shape)) * itemsize

    def describe(self, shape: Sequence[int], itemsize: int) -> str:
        """Return the step as one line of a plan."""
        words = f"{self.kind} {self.words()} {_over(self.device_axes)}".replace("  ", " ")
        return f"{words} groups of {self.group_size}, {self.volume_bytes(shape, itemsize)} bytes"


@dataclass(frozen=True, slots=True)
class Slice(Step):
    """Cuts a part out of what each rank holds already.

    Args:
        tensor_axes: the axes that are cut (further).
    """

    kind: ClassVar[str] = "slice"

    tensor_axes: tuple[int, ...]

    @property
    def rounds(self) -> int:
        """None: nothing is sent."""
        return 0

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return 0: nothing is sent."""
        return 0

    def words(self) -> str:
        """Return the axes that are cut."""
        return _axes(self.tensor_axes)

    def box(self, shape: Sequence[int], rank: int) -> Box:
        """Return the part to keep, as a box of the slice before.

        >>> step = Slice(Layout((4,), (-1,)), Layout((4,), (0,)), device_axes=(0,), tensor_axes=(0,))
        >>> step.box((8,), rank=2)
        ((4, 6),)
        """
        old, new = self.before.box(shape, rank), self.after.box(shape, rank)
        return tuple((start - o, stop - o) for (start, stop), (o, _) in zip(new, old, strict=True))

    def describe(self, shape: Sequence[int], itemsize: int) -> str:
        """Return the step as one line of a plan."""
        return f"{self.kind} {self.words()} {_over(self.device_axes)}, nothing sent"


@dataclass(frozen=True, slots=True)
class AllGather(Step):
    """Joins the slices of a group along one tensor axis, in group order.

    Args:
        tensor_axis: the axis along which slices are joined.
    """

    kind: ClassVar[str] = "all_gather"

    tensor_axis: int

    @property
    def rounds(self) -> int:
        """The logarithm of the group's size: in each round a rank gets as much as it has."""
        return _doublings(self.group_size)

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return n-1 slices.

        >>> step = AllGather(Layout((4,), (0,)), Layout((4,), (-1,)), device_axes=(0,), tensor_axis=0)
        >>> step.volume_bytes((8,), itemsize=4)
        24
        """
        return (self.group_size - 1) * _held(self.before, shape, rank) * itemsize

    def words(self) -> str:
        """Return the axis that is joined."""
        return _axes((self.tensor_axis,))


@dataclass(frozen=True, slots=True)
class ReduceScatter(Step):
    """Joins terms and leaves each rank of the group with its part of one tensor axis, in group order.

    Args:
        tensor_axis: the axis that is cut into ``group_size`` blocks, of which the k-th goes to the k-th rank.
    """

    kind: ClassVar[str] = "reduce_scatter"

    tensor_axis: int

    @property
    def rounds(self) -> int:
        """As many as an all_gather takes."""
        return _doublings(self.group_size)

    @property
    def blocks(self) -> int:
        """Into how many blocks the axis is cut."""
        return self.group_size

    @property
    def combine(self) -> str:
        """What joins the terms."""
        return self.before.combine

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return all of what a rank holds but the block that it keeps."""
        return (self.group_size - 1) * _held(self.after, shape, rank) * itemsize

    def words(self) -> str:
        """Return how terms are joined and which axis is cut."""
        return f"{self.combine} {_axes((self.tensor_axis,))}"


@dataclass(frozen=True, slots=True)
class AllReduce(Step):
    """Joins terms on every rank of the group."""

    kind: ClassVar[str] = "all_reduce"

    @property
    def rounds(self) -> int:
        """Twice what a reduce_scatter takes: an all_gather follows it."""
        return 2 * _doublings(self.group_size)

    @property
    def combine(self) -> str:
        """What joins the terms."""
        return self.before.combine

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return 2(n-1)/n of what a rank holds, rounded up."""
        n = self.group_size
        held = _held(self.before, shape, rank)
        return -(-2 * (n - 1) * held * itemsize // n)

    def words(self) -> str:
        """Return how terms are joined."""
        return self.combine


@dataclass(frozen=True, slots=True)
class AllToAll(Step):
    """Moves device axes from one tensor axis to another: each rank cuts the one and joins the other.

    A rank cuts ``to_axis`` of its slice into ``group_size`` blocks, sends the k-th to the k-th rank of the group, and
    joins what it receives along ``from_axis`` in group order.

    Args:
        from_axis: the tensor axis that was cut and is joined.
        to_axis: the tensor axis that is cut instead.
    """

    kind: ClassVar[str] = "all_to_all"

    from_axis: int
    to_axis: int

    @property
    def rounds(self) -> int:
        """One less than the group's size."""
        return self.group_size - 1

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return all of what a rank holds but the block that it keeps."""
        return (self.group_size - 1) * _held(self.before, shape, rank) * itemsize // self.group_size

    def words(self) -> str:
        """Return the axis that is joined and the one that is cut."""
        return f"axis {self.from_axis} to {self.to_axis}"


@dataclass(frozen=True, slots=True)
class Permute(Step):
    """Sends slices, each whole, to other ranks; the slice shape stays."""

    kind: ClassVar[str] = "permute"

    @property
    def rounds(self) -> int:
        """One message."""
        return 1

    @property
    def group_size(self) -> int:
        """How many ranks take part together."""
        return len(participants(self.before, self.after, self.before.ranks[0]))

    def group(self, rank: int) -> tuple[int, ...]:
        """Return the ranks among which slices change hands."""
        return participants(self.before, self.after, rank)

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return what ``rank`` sends to others; without a rank, one slice."""
        if rank is None:
            return _held(self.before, shape) * itemsize
        return _sent(self, shape, rank) * itemsize

    def words(self) -> str:
        """Return the device matrices where they differ."""
        return _matrices(self)


@dataclass(frozen=True, slots=True)
class Exchange(Step):
    """Gives every rank what it lacks, whatever the two layouts: each rank sends a box to each that needs one.

    The device matrices and even the ranks before and after may differ.
    """

    kind: ClassVar[str] = "exchange"

    @property
    def rounds(self) -> int:
        """One message to each other rank of the group at most."""
        return max(0, self.group_size - 1)

    @property
    def group_size(self) -> int:
        """How many ranks take part together."""
        return len(participants(self.before, self.after, self.before.ranks[0]))

    def group(self, rank: int) -> tuple[int, ...]:
        """Return the ranks among which data moves."""
        return participants(self.before, self.after, rank)

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return what ``rank`` sends to others; without a rank, the most that one of them receives."""
        if rank is None:
            return most_received(self.before, self.after, shape) * itemsize
        return _sent(self, shape, rank) * itemsize

    def words(self) -> str:
        """Return the device matrices where they differ."""
        return _matrices(self)


def _axes(axes: Sequence[int]) -> str:
    return ("axis " if len(axes) == 1 else "axes ") + ",".join(map(str, axes))


def _matrices(step: Step) -> str:
    one, two = step.before.dev_mat, step.after.dev_mat
    return "" if one == two else f"from {list(one)} to {list(two)}"


def _doublings(n: int) -> int:
    return (n - 1).bit_length()


def _over(device_axes: Sequence[int]) -> str:
    """Return the device axes in words; none where a step joins all ranks of two device matrices."""
    if not device_axes:
        return "over all ranks,"
    return f"over device axes ({','.join(map(str, device_axes))})"


def _held(layout: Layout, shape: Sequence[int], rank: int | None = None) -> int:
    """Return the elements of a rank's slice; without a rank, of the largest."""
    return _elements(layout, tuple(shape), rank if layout.lengths else None)


@lru_cache(maxsize=1 << 14)
def _elements(layout: Layout, shape: tuple[int, ...], rank: int | None) -> int:
    """Count the elements of a slice; the search asks for the same layouts again and again."""
    return prod(layout.slice_shape(shape, rank))


def _sent(step: Step, shape: Sequence[int], rank: int) -> int:
    send, _ = step.transfers(shape, rank)
    return sum(prod(stop - start for start, stop in box) for peer, box in send if peer != rank)


def _local(moves: tuple[Transfer, ...], layout: Layout, shape: Sequence[int], rank: int) -> tuple[Transfer, ...]:
    """Return boxes of the whole tensor as boxes of the slice that ``rank`` holds."""
    if not moves:
        return ()
    corner = [start for start, _ in layout.box(shape, rank)]
    return tuple(
        (peer, tuple((start - c, stop - c) for (start, stop), c in zip(box, corner, strict=True)))
        for peer, box in moves
    )
