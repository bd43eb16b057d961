"""The plan: what one rank does in a step, as plain data.

A plan is made once and replayed. It holds slice shapes and local attributes only; the executor turns it into calls, the
cost model prices it, the run store keeps its text. ``Plan.text`` is the same on every rank: it is what ranks compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType
from simpar.graph import ParameterSpec
from simpar.layout import Layout, Step

__all__ = ["Collective", "Instruction", "Plan", "PlannedParameter", "PlannedValue"]


@dataclass(frozen=True, slots=True)
class PlannedValue:
    """One value as this rank holds it.

    Args:
        id: its number in the graph.
        shape: global shape.
        slice_shape: shape of this rank's slice.
        dtype: element type.
        layout: who holds what.
    """

    id: int
    shape: tuple[int, ...]
    slice_shape: tuple[int, ...]
    dtype: DType
    layout: Layout

    @property
    def nbytes(self) -> int:
        """Bytes of this rank's slice."""
        return int(np.prod(self.slice_shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class PlannedParameter:
    """A parameter as this rank stores it; ``compute`` is the layout in which the first op takes it."""

    value: PlannedValue
    spec: ParameterSpec
    compute: Layout


@dataclass(frozen=True, slots=True)
class Collective:
    """What an instruction moves between ranks.

    Args:
        kind: ``all_reduce``, ``all_gather``, ``reduce_scatter``, ``all_to_all``, ``exchange``, ``permute``,
            ``halo_exchange``, ``halo_reduce``, ``broadcast``, or between two stages of a pipeline ``send`` and
            ``receive``.
        group: the ranks that take part with this one, in group order.
        volume_bytes: what this rank sends, by the count of ring and pairwise algorithms.
        message_bytes: what this rank hands to the collective.
        cause: why it is there, in words.
        fusion: the fusion index, 0 for none.
        parameters: the parameters it serves.
        steps: the redistribution's step of each member; empty for one that the user wrote.
        combine: what joins terms, for reductions.
        until: of a ``send``, the instruction of this rank before which it is awaited; the receiver has it by then.
        micro: the micro-batch that it belongs to; -1 for none.
    """

    kind: str
    group: tuple[int, ...]
    volume_bytes: int
    message_bytes: int
    cause: str = ""
    fusion: int = 0
    parameters: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    combine: str = "sum"
    until: int = -1
    micro: int = -1


@dataclass(frozen=True, slots=True)
class Instruction:
    """One op on slices, or one collective.

    Args:
        op: the name of the op's record, or the collective's kind.
        inputs, outputs: numbers of values.
        attrs: this rank's attributes.
        collective: what it moves, if it does.
        phase: ``"forward"``, ``"backward"`` or ``"update"``.
        where: cell, op and line in one sentence, for errors.
        scope, line: the cell and the user's line alone.
        strategy: the user's cut in words, empty if there was none.
        micro: the micro-batch that it works on; -1 for none.
        is_again: whether the backward pass computes it again that the forward pass did not keep.
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    collective: Collective | None = None
    phase: str = "forward"
    where: str = ""
    scope: str = ""
    line: str = ""
    strategy: str = ""
    micro: int = -1
    is_again: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All that one rank needs to run a step.

    Args:
        rank, device_num: whose plan it is.
        values: every value that this rank holds, by its number.
        arguments: the inputs of each call, in order.
        parameters: what the step reads and writes, as far as this rank holds it.
        constants: values that never change, whole; a rank takes its slice.
        instructions: in order.
        outputs: what the caller gets, also of values that only ranks of another stage hold.
        writes: for a parameter's number, the number of what it holds after the step.
        text: the plan of all ranks as text.
        digest: a hash of the text and of what it cannot show.
        elsewhere: arguments, parameters and outputs that only the ranks of another stage hold, by their numbers.
        stages: how many stages there are.
    """

    rank: int
    device_num: int
    values: Mapping[int, PlannedValue]
    arguments: tuple[int, ...]
    parameters: tuple[PlannedParameter, ...]
    constants: tuple[tuple[int, NDArray[Any]], ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    writes: Mapping[int, int]
    text: str
    digest: str
    elsewhere: Mapping[int, PlannedValue] = field(default_factory=dict[int, PlannedValue])
    stages: int = 1

    @property
    def stage(self) -> int:
        """The stage that this rank belongs to."""
        return self.rank * self.stages // self.device_num

    @property
    def collectives(self) -> tuple[Collective, ...]:
        """What moves between ranks, in order."""
        return tuple(i.collective for i in self.instructions if i.collective is not None)
