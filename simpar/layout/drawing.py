"""Layouts as pictures: in the terminal, in a notebook, as an SVG file.

A picture shows a tensor with the cuts through it; in each slice stand the ranks that hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simpar.layout.drawing_parts import parts_of
from simpar.layout.drawing_svg import svg_drawing

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simpar.layout.layout import Layout  # layouts show themselves by pictures, so this knows their type only

__all__ = ["LayoutPicture", "draw", "to_svg"]


@dataclass(frozen=True, slots=True)
class LayoutPicture:
    """A tensor under a layout, which shows itself: printed by ``rich``, or as the value of a notebook's cell.

    Args:
        layout: how the tensor is cut.
        shape: of the whole tensor; None for any.
        rank: one whose slice is to stand out.

    Raises:
        LayoutError: the layout cannot cut this shape.
    """

    layout: "Layout"
    shape: tuple[int, ...] | None = None
    rank: int | None = None

    def __post_init__(self) -> None:
        if self.shape is not None:
            self.layout.slice_shape(self.shape)
        if self.rank is not None:
            self.layout.place(self.rank)

    def __rich__(self) -> "RenderableType":
        return draw(self.layout, self.shape, self.rank)

    def svg(self) -> str:
        """Return the picture as one SVG element."""
        return to_svg(self.layout, self.shape, self.rank)

    def _repr_svg_(self) -> str:
        return self.svg()


def draw(layout: "Layout", shape: Sequence[int] | None, rank: int | None = None) -> "RenderableType":
    """Return a drawing for the terminal.

    >>> from rich.console import Console
    >>> from simpar.layout import Layout
    >>> Console(width=80, color_system=None).print(draw(Layout((2, 2), (1, -1)), (8, 4)))
    shape (8, 4) · device matrix (2, 2) · tensor map (1, -1)
    cut: axis 0 in 2 over device axis 1
    2 slices of shape (4, 4) on 4 ranks: each on 2, repeated over device axis 0
    ╭──────────┬──────╮
    │ axis 1 → │      │
    │ axis 0 ↓ │ 0:4  │
    ├──────────┼──────┤
    │      0:4 │ 0, 1 │
    ├──────────┼──────┤
    │      4:8 │ 2, 3 │
    ╰──────────┴──────╯
    """
    from simpar.layout.drawing_terminal import terminal_drawing  # rich is slow to import, and not often asked for

    return terminal_drawing(parts_of(layout, shape, rank))


def to_svg(layout: "Layout", shape: Sequence[int] | None, rank: int | None = None) -> str:
    """Return a drawing as one SVG element that needs nothing else; it follows the reader's light or dark theme."""
    return svg_drawing(parts_of(layout, shape, rank))
