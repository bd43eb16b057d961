"""Answers about what slices hold: at one step, as cells to draw, and over the steps."""

from simpar.dashboard.models.base import Answer, Item, Real
from simpar.dashboard.models.measured import DisagreementItem

__all__ = [
    "ParameterHistory",
    "ParameterStatistics",
    "ParameterValues",
    "RecordedStep",
    "SliceHistory",
    "SliceMeasured",
]


class RecordedStep(Item):
    """Is a step whose values were recorded."""

    step: int
    """Of the program; 0 is before its first."""
    ranks: int
    """How many ranks told."""
    is_complete: bool
    """Whether every slice was told by at least one rank."""


class SliceMeasured(Item):
    """Sums up the values of one rank's slice at one step; numbers are those of its finite values."""

    rank: int
    slice: int
    """The row-major number of its slice among all slices."""
    minimum: Real
    maximum: Real
    mean: Real
    std: Real
    norm: Real
    """The square root of the sum of squares."""
    nans: int
    infinities: int
    histogram: tuple[int, ...]
    """Counts of finite values in equal bins from minimum to maximum."""


class ParameterStatistics(Answer):
    """Is what was measured of a parameter's slices at one step; without rows if nothing was recorded."""

    name: str
    program: str | None
    """That wrote the values."""
    programs: tuple[str, ...]
    """Those with values of this parameter, the one with most steps first."""
    step: int | None
    """The step that is told; the newest complete one unless asked otherwise."""
    steps: tuple[RecordedStep, ...]
    """All that are kept, oldest first."""
    slice_elements: int
    """How many elements a slice has."""
    rows: tuple[SliceMeasured, ...]
    """By rank."""
    total: int
    """How many ranks told at this step."""
    parted: tuple[int, ...]
    """Numbers of slices whose copies were measured to differ at this step, though they should be equal."""


class ParameterValues(Answer):
    """Is a tensor, or one rank's slice of it, as means of cells that never cross the border of a slice."""

    name: str
    program: str
    step: int
    rank: int | None
    """Whose slice it is; null for the whole tensor."""
    shape: tuple[int, ...]
    """Of the tensor, or of the slice."""
    cuts: tuple[int, ...]
    """Into how many slices each axis is cut."""
    cells: tuple[int, ...]
    """How many cells stand along each axis."""
    edges: tuple[tuple[int, ...], ...]
    """Where the cells of a slice begin along each axis, counted within the slice, and the slice's end."""
    missing: tuple[int, ...]
    """Numbers of slices that no rank told at this step."""
    minimum: Real | None
    """Of the finite cells; null if there are none."""
    maximum: Real | None
    unfinite: int
    """How many cells hold a NaN or an infinity."""
    values: str
    """The cells, row by row, float32, little-endian, in base64; NaN where a slice is missing."""


class SliceHistory(Item):
    """Is how one slice changed, as columns: entry i of each belongs to ``step[i]``."""

    slice: int
    """Its row-major number."""
    ranks: tuple[int, ...]
    """Those that hold it, by the layout; the first that told speaks for all."""
    step: tuple[int, ...]
    minimum: tuple[Real, ...]
    maximum: tuple[Real, ...]
    mean: tuple[Real, ...]
    std: tuple[Real, ...]
    norm: tuple[Real, ...]


class ParameterHistory(Answer):
    """Is how the slices of a parameter changed over the recorded steps."""

    name: str
    program: str | None
    total: int
    """How many different slices there are."""
    slices: tuple[SliceHistory, ...]
    """As many of them as were asked for."""
    disagreements: tuple[DisagreementItem, ...]
    """Copies that should be equal and are not, from which step on."""
