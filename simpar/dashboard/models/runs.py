"""Answers about runs as wholes: which there are, whether one is well, what its parameters look like."""

from typing import Any, Literal

from simpar.dashboard.models.base import Answer, Item, LayoutItem, Real
from simpar.dashboard.models.measured import DisagreementItem

__all__ = [
    "Failure",
    "Figure",
    "Finding",
    "Link",
    "ParameterDetail",
    "ParameterList",
    "ParameterRow",
    "RankInfo",
    "RunDetail",
    "RunList",
    "RunSummary",
    "SliceHeld",
    "UnreadableRun",
]

State = Literal["running", "finished", "failed", "killed"]


class RunSummary(Item):
    """Is one run in the list of runs."""

    run: str
    """The id, the name of its folder; it stands in the address of all that belongs to the run."""
    script: str
    """The program's file."""
    argv: tuple[str, ...]
    """Its arguments."""
    mode: str
    """The parallel mode."""
    device_num: int
    """Devices that the program was compiled for."""
    world_size: int
    """Ranks that ran it."""
    state: State
    """``killed`` is a run that stopped without a word."""
    steps: int
    """Steps that rank 0 finished."""
    last_loss: Real | None
    """Of rank 0, in the program that ran most steps."""
    started_s: float
    """Wall clock, seconds since 1970; 0 if it was not recorded."""
    ended_s: float | None
    """Wall clock; null unless the run came to its end."""


class UnreadableRun(Item):
    """Is a folder whose run store cannot be read."""

    run: str
    """The name of the folder."""
    message: str
    """Why, and what to do."""


class RunList(Answer):
    """Is every run below the served folder, the newest first."""

    runs: tuple[RunSummary, ...]
    unreadable: tuple[UnreadableRun, ...]
    version: str
    """Of simpar."""


class RankInfo(Item):
    """Is one rank that has spoken."""

    rank: int
    host: str
    pid: int
    state: Literal["running", "finished", "failed", "killed", "silent"]
    """``silent`` is a rank of the world that has told nothing yet."""
    last_step: int
    """How many steps it has finished."""


class Failure(Item):
    """Is a rank's error."""

    rank: int
    error: str
    """The error's class."""
    message: str
    traceback: str


class Figure(Item):
    """Is one of the four figures of the overview: what was foreseen and what was measured."""

    name: Literal["bytes_per_step", "peak_memory", "collectives_per_step", "communication_share"]
    title: str
    unit: Literal["bytes", "count", "share"]
    """A share lies between 0 and 1."""
    predicted: float | None
    """From the plan; null if the plan does not say."""
    measured: float | None
    """From what was recorded; null if it was not."""
    rank: int | None
    """The rank it belongs to, that with the largest figure; null if it belongs to all."""
    assumptions: tuple[str, ...]
    """How both were found, in sentences."""


class Link(Item):
    """Says where in the inspector the evidence is."""

    page: Literal[
        "overview", "devices", "tensors", "graph", "communication", "redistribution", "timeline", "memory", "plan"
    ]
    select: dict[str, str]
    """What to select there, e.g. ``{"parameter": "w1"}``, ``{"program": …, "chain": "3"}``, ``{"rank": "2"}``."""


class Finding(Item):
    """Is one sentence on the health of the run or on its layout."""

    level: Literal["error", "warning", "note"]
    text: str
    link: Link


class RunDetail(Answer):
    """Is the overview of one run."""

    summary: RunSummary
    versions: dict[str, str]
    """Of simpar, Python, numpy, the MPI library and the like."""
    options: dict[str, Any]
    """What the user set."""
    dev_mat: tuple[int, ...]
    """The device matrix in which the layouts of the parameters can all be drawn: their coarsest common one."""
    dev_mats: tuple[tuple[int, ...], ...]
    """The device matrices that layouts of parameters use, the most frequent first."""
    ranks: tuple[RankInfo, ...]
    """Of the world, in order."""
    hosts: tuple[str, ...]
    """In the order of their first ranks."""
    failures: tuple[Failure, ...]
    """The first one first."""
    programs: tuple[str, ...]
    """Names of the compiled programs, in order."""
    main_program: str | None
    """The one that ran most steps on rank 0: the training step."""
    parameters: int
    """How many parameters there are, optimizer states not counted."""
    optimizer_states: int
    parameter_bytes: int
    """Of all whole parameters together, optimizer states not counted."""
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    """At most five, worst first."""


class ParameterRow(Item):
    """Is one parameter, or one state of an optimizer, and its layouts."""

    name: str
    kind: str
    """``parameter`` or ``optimizer state``."""
    shape: tuple[int, ...]
    """Of the whole tensor."""
    dtype: str
    storage: LayoutItem
    """The layout in which ranks keep it between steps."""
    compute: LayoutItem | None
    """The layout in which ops use it; null if it is the storage layout."""
    slice_shape: tuple[int, ...]
    """Of what each rank keeps."""
    slice_bytes: int
    """What each rank keeps."""
    whole_bytes: int
    """Of the whole tensor."""
    copies: int
    """How many ranks keep the same slice."""
    comm_fusion: int
    """The fusion index of its gradient's collective; 0 for none."""
    flags: tuple[str, ...]
    """E.g. ``requires_grad``, ``layerwise_parallel``, ``parallel_optimizer``."""


class ParameterList(Answer):
    """Is parameters in the order in which they were placed, all or a page of them."""

    total: int
    """How many fit the question."""
    offset: int
    rows: tuple[ParameterRow, ...]


class SliceHeld(Item):
    """Is what one rank keeps of a parameter."""

    rank: int
    slice: int
    """The row-major number of its slice among all slices."""
    box: tuple[tuple[int, int], ...]
    """Start and stop along each tensor axis."""
    copy_number: int
    """Which copy of the slice it is, counted from 0."""


class ParameterDetail(Answer):
    """Is one parameter with all that is known of it."""

    row: ParameterRow
    sentence: str
    """The layout in words."""
    slices: tuple[SliceHeld, ...]
    """For each rank, up to 64 ranks; above that they follow from the layout."""
    states: tuple[str, ...]
    """Names of the optimizer states that belong to it."""
    checksums: int
    """How many checksums were recorded."""
    disagreements: tuple[DisagreementItem, ...]
    """Copies that should be equal and are not."""
