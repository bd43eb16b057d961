"""What can happen in a run, as values.

Every event is a frozen dataclass of plain data (numbers, text, tuples, layouts), so that it can cross to rank 0 as
bytes and be kept for years. ``StepFinished`` is the one on the hot path: it carries the times of all collectives of a
step in one array, whose rows ``ProgramCompiled.collectives`` explains once.

Times are seconds. Those named ``..._s`` of a step come from the rank's ``time.perf_counter``; ``RankStarted`` pairs one
reading of it with the wall clock, which puts the ranks of several machines on one time line.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import as_dtype
from simpar.layout import Layout

__all__ = [
    "EVENTS",
    "OPTIMIZER_STATE",
    "PARAMETER",
    "Checksum",
    "CollectiveSpec",
    "Event",
    "GraphNode",
    "GraphValue",
    "MemoryMeasured",
    "ParameterPlaced",
    "ProgramCompiled",
    "RankFailed",
    "RankStarted",
    "RunFinished",
    "RunStarted",
    "Scalar",
    "SliceValues",
    "StepFinished",
    "Times",
]

PARAMETER = "parameter"
OPTIMIZER_STATE = "optimizer state"

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Opens a run.

    Args:
        run: the id of the run, the name of its folder.
        script: the program's file, or what stands for it.
        argv: its arguments.
        started_s: wall clock, seconds since 1970.
        mode: the parallel mode, e.g. ``"semi_auto_parallel"``.
        device_num: devices that the program is compiled for.
        world_size: ranks that run it.
        versions: of simpar, Python, numpy, the MPI library and the like.
        options: what the user set, plain values.
    """

    run: str
    script: str
    argv: tuple[str, ...]
    started_s: float
    mode: str
    device_num: int
    world_size: int
    versions: dict[str, str] = field(default_factory=dict[str, str])
    options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RankStarted:
    """Says where a rank runs, and what its two clocks read at one moment."""

    rank: int
    host: str
    pid: int
    wall_s: float
    clock_s: float


@dataclass(frozen=True, slots=True)
class ParameterPlaced:
    """Says who holds what of one parameter, or of one state of an optimizer.

    Args:
        name: full name, e.g. ``"dense1.weight"``.
        shape: of the whole tensor.
        dtype: e.g. ``"float32"``.
        storage: the layout in which ranks keep it between steps.
        compute: the layout in which the ops use it; differs under the parallel optimizer.
        kind: ``PARAMETER`` or ``OPTIMIZER_STATE``.
        comm_fusion: the fusion index of its gradient's collective.
        flags: e.g. ``("requires_grad", "parallel_optimizer")``.

    >>> w = ParameterPlaced("w1", (4, 6), "float32", Layout((2, 2), (1, 0)), Layout((2, 2), (-1, 0)))
    >>> w.slice_shape, w.slice_bytes
    ((2, 3), 24)
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    storage: Layout
    compute: Layout
    kind: str = PARAMETER
    comm_fusion: int = 0
    flags: tuple[str, ...] = ()

    @property
    def slice_shape(self) -> tuple[int, ...]:
        """The shape of the slice that each rank keeps; of the largest, where they are not equal."""
        return self.storage.slice_shape(self.shape)

    @property
    def slice_bytes(self) -> int:
        """The bytes that each rank keeps; of the largest slice, where they are not equal."""
        return prod(self.slice_shape) * as_dtype(self.dtype).itemsize

    @property
    def at_most(self) -> str:
        """What to write before the shape and the bytes of a slice: ``up to`` where slices are not equal."""
        return "up to " if self.storage.lengths else ""

    def bytes_of(self, rank: int) -> int:
        """Return the bytes that a rank keeps."""
        if rank not in self.storage.ranks:
            return 0
        return prod(self.storage.slice_shape(self.shape, rank)) * as_dtype(self.dtype).itemsize

    @property
    def copies(self) -> int:
        """How many ranks keep the same slice."""
        return self.storage.size // prod(self.storage.cuts)


@dataclass(frozen=True, slots=True)
class CollectiveSpec:
    """Describes one timed collective of a program, as one rank runs it each step.

    Args:
        index: its row in ``StepFinished.times``.
        kind: e.g. ``"all_reduce"``.
        ranks: the ranks of its group, in order.
        message_bytes: bytes of the buffer that this rank puts in.
        cause: why it is there, e.g. ``"gradient"``, ``"redistribution"``, ``"partial"``, ``"written"``.
        fusion: the fusion index of its bucket; 0 if it was not fused.
        parameters: names of the parameters or values it carries.
        phase: ``"forward"``, ``"backward"`` or ``"update"``.
    """

    index: int
    kind: str
    ranks: tuple[int, ...]
    message_bytes: int
    cause: str = ""
    fusion: int = 0
    parameters: tuple[str, ...] = ()
    phase: str = "forward"


@dataclass(frozen=True, slots=True)
class GraphValue:
    """Is one value of a program's graph: its whole shape and its layout."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class GraphNode:
    """Is one op of a program's graph, enough to draw it: names of values in and out, and where it came from."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    scope: str = ""
    phase: str = "forward"
    strategy: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ProgramCompiled:
    """Says what one rank's compiled program consists of.

    Args:
        program: its name, unique within the run; steps refer to it.
        plan: the plan as text.
        digest: of the plan, equal on all ranks.
        collectives: what the rows of ``StepFinished.times`` mean, on this rank.
        peak_bytes: the most memory that the plan needs at once on this rank.
        values: the values of the graph with their layouts.
        nodes: the ops of the graph, in order.
        source: the program before it was cut, as text (base64); empty if it was not kept.
    """

    program: str
    plan: str
    digest: str
    collectives: tuple[CollectiveSpec, ...] = ()
    peak_bytes: int = 0
    values: tuple[GraphValue, ...] = ()
    nodes: tuple[GraphNode, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StepFinished:
    """Says that a rank finished one step of a program; the only event on the hot path.

    Args:
        program: the name given in ``ProgramCompiled``.
        step: counted from 1 over the run.
        start_s: ``time.perf_counter`` at its start.
        end_s: and at its end.
        loss: None if the program has none.
        times: start and end of each collective, float64 (collectives, 2). Recorders copy it when they get it, so the
            executor may fill the same array each step.
    """

    program: str
    step: int
    start_s: float
    end_s: float
    loss: float | None
    times: Times


@dataclass(frozen=True, slots=True)
class Scalar:
    """Is one number worth a curve, e.g. the learning rate."""

    name: str
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class MemoryMeasured:
    """Says how much memory a rank has: resident, its share of it, and what the plan foresaw for its buffers."""

    rank: int
    step: int
    rss_bytes: int
    pss_bytes: int | None
    planned_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class SliceValues:
    """Sums up what one rank's slice of a parameter holds after a step; numbers are those of its finite values.

    Args:
        rank: that holds the slice.
        program: that wrote it.
        parameter: whose slice it is.
        step: of that program; 0 is before its first.
        minimum, maximum, mean, std: NaN if no value is finite.
        norm: the square root of the sum of squares.
        nans, infinities: how many values are none.
        histogram: counts of finite values in equal bins from minimum to maximum.
        tile: means of cells of the slice, float32, as many axes as the slice has (``simpar.recorder.tiles``).
    """

    rank: int
    program: str
    parameter: str
    step: int
    minimum: float
    maximum: float
    mean: float
    std: float
    norm: float
    nans: int
    infinities: int
    histogram: tuple[int, ...]
    tile: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Checksum:
    """Is the digest of one rank's slice; ranks that hold the same slice must agree."""

    rank: int
    parameter: str
    step: int
    digest: str


@dataclass(frozen=True, slots=True)
class RankFailed:
    """Says that a rank raised: the error's class, its message and its traceback."""

    rank: int
    error: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Closes a run that came to its end.

    Args:
        ended_s: wall clock, seconds since 1970.
        state: ``"finished"`` or ``"failed"``.
    """

    ended_s: float
    state: str = "finished"


Event = (
    RunStarted
    | RankStarted
    | ParameterPlaced
    | ProgramCompiled
    | StepFinished
    | Scalar
    | MemoryMeasured
    | SliceValues
    | Checksum
    | RankFailed
    | RunFinished
)

EVENTS: tuple[type[Event], ...] = (
    RunStarted, RankStarted, ParameterPlaced, ProgramCompiled, StepFinished, Scalar, MemoryMeasured, SliceValues,
    Checksum, RankFailed, RunFinished,
)  # fmt: skip
"""The kinds of events; the place in this tuple is the code of the kind in a batch, so add only at the end."""
