"""What each rank holds of a tensor, drawn with characters: a small grid of slices for each rank, in device order.

A full block is the slice that the rank holds, a lighter one a copy of what another rank holds first, a light one a term
that is still to be joined.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from simpar.layout import Layout
from simpar.runs.glyph import glyph_of

__all__ = ["RankBlocks", "rank_blocks"]

_SIGNS = {None: "█", "hatch": "▓", "dots": "▒"}
_REST = "·"
_MOST_COLUMNS = 8  # characters of one line of a rank's grid
_FEW_RANKS = 64  # up to which grids are drawn tall
_MOST_DOWN, _MOST_FRAMES = 20, 4  # lines of characters of one block, and blocks


def rank_blocks(layout: Layout, shape: Sequence[int], rank: int | None = None) -> "RankBlocks":
    """Return the drawing, which ``rich`` fits to the width that it is printed at.

    >>> Console(width=60, color_system=None).print(rank_blocks(Layout((2, 2), (1, -1)), (8, 4)))
    device axis 0 → · axis 1 ↓    █ holds it  ▓ copy
    0 █  1 ▓
      ·    ·
    <BLANKLINE>
    2 ·  3 ·
      █    ▓
    """
    layout.slice_shape(tuple(shape))
    return RankBlocks(layout, rank)


@dataclass(frozen=True, slots=True)
class RankBlocks:
    """Is the grids of all ranks; of many ranks the first ones and the last, and those around the chosen one."""

    layout: Layout
    rank: int | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self._caption(), style="dim", overflow="fold")
        yield from self._lines(options.max_width)

    def _caption(self) -> str:
        axes = [i for i, n in enumerate(reversed(self.layout.dev_mat)) if n > 1]
        ways = (" →", " ↓", "")
        said = " · ".join(f"axis {a}{ways[min(i, 2)]}" for i, a in enumerate(axes))
        held = "▒ holds a term" if self.layout.is_partial else "█ holds it"
        copies = "  ▓ copy" if self.layout.repeated_axes and not self.layout.is_partial else ""
        return (f"device {said}" if said else "one rank") + f"    {held}{copies}"

    def _lines(self, width: int) -> Iterator[Text]:
        sizes = [n for n in self.layout.dev_mat if n > 1] or [1]
        axes = [i for i, n in reversed(list(enumerate(reversed(self.layout.dev_mat)))) if n > 1]
        down = sizes[-2] if len(sizes) > 1 else 1
        chosen = self._coordinates(sizes)
        digits = len(str(max(self.layout.ranks)))
        each = digits + 1 + min(_MOST_COLUMNS, self._columns) + 2
        across = _shown(sizes[-1], max(1, (width + 2) // each), chosen[-1])
        lines = _shown(down, max(4, _MOST_DOWN // (self._tall + 1)), chosen[-2] if len(sizes) > 1 else 0)
        frames = list(product(*map(range, sizes[:-2])))
        for place in _shown(len(frames), _MOST_FRAMES, _number(chosen[:-2], sizes[:-2])):
            if place is None:
                yield Text("⋮ more blocks like these", style="dim")
                continue
            if frames[place]:
                at = ", ".join(f"axis {a} at {i}" for a, i in zip(axes, frames[place], strict=False))
                yield Text(f"device {at}", style="italic")
            yield from self._block(place * down * sizes[-1], sizes[-1], lines, across, digits)

    def _block(
        self, first: int, wide: int, lines: Sequence[int | None], across: Sequence[int | None], digits: int
    ) -> Iterator[Text]:
        for at, i in enumerate(lines):
            if i is None:
                yield Text("⋮", style="dim")
                continue
            tiles = [None if j is None else self._tile(first + i * wide + j, digits) for j in across]
            for k in range(max(len(t) for t in tiles if t is not None)):
                yield Text("  ").join(Text("…" if k == 0 else " ", style="dim") if t is None else t[k] for t in tiles)
            if self._rows > 1 and at < len(lines) - 1:
                yield Text("")

    @property
    def _columns(self) -> int:
        return self.layout.cuts[-1] if self.layout.cuts else 1

    @property
    def _rows(self) -> int:
        return prod(self.layout.cuts[:-1])

    @property
    def _tall(self) -> int:
        return min(self._rows, 8 if self.layout.size <= _FEW_RANKS else 4)

    def _coordinates(self, sizes: Sequence[int]) -> list[int]:
        place = 0 if self.rank is None else self.layout.place(self.rank)
        found: list[int] = []
        for n in reversed(sizes):
            place, at = divmod(place, n)
            found.insert(0, at)
        return found

    def _tile(self, place: int, digits: int) -> list[Text]:
        """Return the lines of one rank's tile; a grid too large for it is drawn by its parts."""
        rank = self.layout.ranks[place]
        glyph, is_chosen = glyph_of(self.layout, rank), rank == self.rank
        rows, columns = self._tall, min(_MOST_COLUMNS, glyph.columns)
        row, column = glyph.row * rows // glyph.rows, glyph.column * columns // glyph.columns
        tile: list[Text] = []
        for i in range(rows):
            label = str(rank).rjust(digits) if i == 0 else " " * digits
            line = Text(label, style="bold reverse" if is_chosen and i == 0 else "bold")
            line.append(" ", style="not bold not reverse")
            for j in range(columns):
                is_held = (i, j) == (row, column)
                line.append(_SIGNS[glyph.pattern] if is_held else _REST,
                            style="not bold not reverse " + ("cyan" if is_held else "dim"))  # fmt: skip
            tile.append(line)
        return tile


def _number(at: Sequence[int], sizes: Sequence[int]) -> int:
    number = 0
    for i, n in zip(at, sizes, strict=True):
        number = number * n + i
    return number


def _shown(n: int, most: int, keep: int) -> list[int | None]:
    """Return which of ``n`` are shown, with None where some are left out: the first ones, the last, and one to keep."""
    if n <= most:
        return list(range(n))
    few = sorted({*range(most - 3), keep, n - 1} if most >= 4 else {keep, 0} if most > 1 else {keep})
    found: list[int | None] = []
    for i in few:
        if i != (-1 if not found else found[-1] if found[-1] is not None else -2) + 1:
            found.append(None)
        found.append(i)
    return found if few[-1] == n - 1 else [*found, None]
