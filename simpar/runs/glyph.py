"""What a rank holds of a tensor, as a small sign: the outline of the tensor, and the part of it that is the rank's."""

from dataclasses import dataclass
from math import prod, sqrt

from simpar.layout import Box, Layout
from simpar.picture import COLORS, Canvas, Pattern, ramp

__all__ = ["Glyph", "glyph_of", "paint_glyph"]


@dataclass(frozen=True, slots=True)
class Glyph:
    """The place of a slice in the grid of all slices, the axes before the last counted as rows.

    Args:
        rows, columns: of the grid.
        row, column: of the slice.
        number: of the slice, row-major.
        pattern: dots for a term of a sum, hatch for a copy; None for the first rank that holds it.
    """

    rows: int
    columns: int
    row: int
    column: int
    number: int
    pattern: Pattern | None


def glyph_of(layout: Layout, rank: int) -> Glyph:
    """Return the sign of what a rank holds.

    >>> glyph_of(Layout((2, 4), (-1, 0)), 6)
    Glyph(rows=1, columns=4, row=0, column=2, number=2, pattern='hatch')
    """
    columns = layout.cuts[-1] if layout.cuts else 1
    number, count = layout.slice_index(rank), prod(layout.cuts)
    row, column = divmod(number, columns)
    is_first = layout.replicas(rank)[0] == rank
    pattern: Pattern | None = "dots" if layout.is_partial else None if is_first else "hatch"
    return Glyph(count // columns, columns, row, column, number, pattern)


def paint_glyph(
    canvas: Canvas, room: tuple[float, float, float, float], layout: Layout, shape: tuple[int, ...], rank: int
) -> None:
    """Draw the sign of a rank into a room ``(x, y, width, height)``."""
    glyph, (x, y, width, height) = glyph_of(layout, rank), _outline(shape, *room)
    canvas.rect(x, y, width, height, COLORS["sunken"])
    w, h = width / glyph.columns, height / glyph.rows
    color = ramp(glyph.number, glyph.rows * glyph.columns)
    box = ", ".join(f"{a}:{b}" for a, b in layout.box(shape, rank))
    place = (x + glyph.column * w, y + glyph.row * h, max(1.5, w), max(1.5, h))
    if layout.lengths and len(shape) <= 2:
        place = _part(layout.box(shape, rank), shape, x, y, width, height)
    pattern = glyph.pattern if min(width, height) >= 10 else None
    canvas.rect(*place, color, pattern=pattern, role="held", hint=f"rank {rank} holds slice {glyph.number}: [{box}]")
    canvas.rect(x, y, width, height, stroke=COLORS["edge"])


def _part(
    box: Box, shape: tuple[int, ...], x: float, y: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Return the place of a box in the outline of a tensor of one or two axes."""
    (top, bottom), (left, right) = ((0, 1), *box)[-2:]
    rows, columns = (1, *shape)[-2:]
    w, h = max(1.5, (right - left) * width / columns), max(1.5, (bottom - top) * height / rows)
    return x + left * width / columns, y + top * height / rows, w, h


def _outline(
    shape: tuple[int, ...], x: float, y: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Return the outline of a tensor in a room: the last axis across, those before it down."""
    aspect = 3.2
    if len(shape) >= 2:
        aspect = min(2.0, max(0.5, sqrt(shape[-1] / max(1, shape[-2]))))
    w, h = min(width, height * aspect), min(height, width / aspect)
    return x + (width - w) / 2, y + (height - h) / 2, w, h
