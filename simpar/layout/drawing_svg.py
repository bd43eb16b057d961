"""Layouts drawn as SVG: one element that needs no other file, in light or dark as the reader has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from simpar.layout.drawing_parts import Cell, Panel, Parts, ranks_text
from simpar.picture import COLORS, fill_class, rules, soft_ramp

__all__ = ["svg_drawing"]

MARGIN, GAP, ROW_LABEL, COLUMN_LABEL, PANEL_GAP, LEFT_OUT = 24, 10, 84, 24, 28, 28
CHIP_HEIGHT, CHIP_GAP, DIGIT = 20, 6, 7.2
WIDEST = 880

_LOOKS = (
    ("text", "fill", "ink", ""),
    (".paper", "fill", "surface", ""),
    (".paper", "stroke", "line", ""),
    (".title", "fill", "ink", "font-size:14px;font-weight:600"),
    (".quiet", "fill", "quiet", ""),
    (".axis", "fill", "ink", "font-weight:600"),
    (".cell", "stroke", "quiet", "stroke-opacity:.45"),
    (".sheet", "fill", "sunken", ""),
    (".sheet", "stroke", "edge", ""),
    (".term", "stroke", "quiet", "stroke-dasharray:4 3;stroke-opacity:1"),
    (".chosen", "stroke", "selected", "stroke-width:2.5;stroke-opacity:1"),
    (".chip", "fill", "ink", ""),
    (".chip-text", "fill", "surface", "font-weight:600"),
    (".copy", "fill", "surface", "fill-opacity:.7"),
    (".copy", "stroke", "ink", "stroke-opacity:.55"),
    (".copy-text", "fill", "ink", ""),
)
"""What the classes of a drawing look like: an element, a property, a colour of the palette, and the rest."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A rank's chip, or a sign between chips."""

    text: str
    kind: str

    @property
    def width(self) -> float:
        return len(self.text) * DIGIT + (14 if self.kind else 0)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the cells of a panel lie."""

    panel: Panel
    cell_width: float
    cell_height: float
    slice_count: int

    @property
    def left(self) -> float:
        return ROW_LABEL if self.panel.axis_names[0] else 0

    @property
    def top(self) -> float:
        return COLUMN_LABEL * (3 if self.panel.title else 2)

    @property
    def width(self) -> float:
        return self.corner(0, len(self.panel.columns))[0] - GAP

    @property
    def height(self) -> float:
        return self.corner(len(self.panel.rows), 0)[1]

    def corner(self, row: int, column: int) -> tuple[float, float]:
        x = sum(self.size(0, j)[0] + GAP for j in range(column))
        y = sum(self.size(i, 0)[1] + GAP for i in range(row))
        return self.left + x, self.top + y

    def size(self, row: int, column: int) -> tuple[float, float]:
        """Return the width and height of a cell, small where slices are left out."""
        width = LEFT_OUT if self.panel.columns[column] is None else self.cell_width
        return width, LEFT_OUT if self.panel.rows[row] is None else self.cell_height


def svg_drawing(parts: Parts) -> str:
    """Return the drawing as one SVG element."""
    grids = [_grid(panel, parts.slice_count) for panel in parts.panels]
    head = MARGIN + 24 + 18 * len(parts.sentences) + 14
    places, bottom = _flow(grids, head)
    texts = [parts.title, *parts.sentences]
    right = max(x + g.width for (x, _), g in zip(places, grids, strict=True))
    width = max(right, *(len(t) * 6.9 + MARGIN for t in texts)) + MARGIN
    legend = _legend_words(parts)
    foot = "".join(_legend(legend))
    width = max(width, sum(_word_width(w) for _, w in legend) + 2 * MARGIN)
    height = bottom + 38
    body = [*_head(parts), *(_placed(g, x, y) for (x, y), g in zip(places, grids, strict=True))]
    body.append(f'<g transform="translate({MARGIN},{bottom + 4:g})">{foot}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="simpar-layout" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"><title>{escape(parts.title)}</title>'
        f"<desc>{escape('. '.join(parts.sentences))}</desc><style>{_style(parts)}</style>"
        f'<rect class="paper" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="12"/>'
        f"{''.join(body)}</svg>"
    )


def _style(parts: Parts) -> str:
    family = 'ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif'
    light, dark = f".simpar-layout{{font-family:{family};font-size:12px}}", ""
    for element, name, color, rest in _LOOKS:
        tone = COLORS[color]
        light += f".simpar-layout {element}{{{name}:{tone.light};{rest}}}"
        dark += f".simpar-layout {element}{{{name}:{tone.dark}}}"
    numbers = sorted({c.number for panel in parts.panels for row in panel.cells for c in row if c is not None})
    tints = rules([soft_ramp(0, 1), *(soft_ramp(n, parts.slice_count) for n in numbers)])
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}{tints}"


def _flow(grids: Sequence[_Grid], head: float) -> tuple[list[tuple[float, float]], float]:
    """Place panels side by side as long as there is room, and return the bottom of the last line."""
    places: list[tuple[float, float]] = []
    x, y, line = float(MARGIN), head, 0.0
    for grid in grids:
        if places and x + grid.width > WIDEST and x > MARGIN:
            x, y, line = float(MARGIN), y + line + PANEL_GAP - GAP, 0.0
        places.append((x, y))
        x, line = x + grid.width + PANEL_GAP, max(line, grid.height)
    return places, y + line


def _head(parts: Parts) -> Iterator[str]:
    yield _text(MARGIN, MARGIN + 12, parts.title, "title")
    for i, sentence in enumerate(parts.sentences):
        yield _text(MARGIN, MARGIN + 34 + 18 * i, sentence, "quiet")


def _grid(panel: Panel, slice_count: int) -> _Grid:
    columns = len(panel.columns)
    width = 168 if columns <= 2 else 128 if columns <= 4 else 104 if columns <= 6 else 88
    lines = max(len(_lines_of(c, width)) for row in panel.cells for c in row if c is not None)
    return _Grid(panel, width, max(52, 24 + lines * (CHIP_HEIGHT + CHIP_GAP)), slice_count)


def _placed(grid: _Grid, x: float, y: float) -> str:
    return f'<g transform="translate({x:g},{y:g})">{"".join(_panel(grid))}</g>'


def _panel(grid: _Grid) -> Iterator[str]:
    panel = grid.panel
    if panel.title:
        yield _text(grid.left, 12, panel.title, "title")
    yield from _labels(grid)
    for i, row in enumerate(panel.cells):
        for j, cell in enumerate(row):
            yield from _cell(grid, cell, *grid.corner(i, j), *grid.size(i, j))


def _labels(grid: _Grid) -> Iterator[str]:
    panel = grid.panel
    down, across = panel.axis_names
    yield _text(grid.left, grid.top - 9 - COLUMN_LABEL, across, "axis")
    yield _text(grid.left - 12, grid.top - 9, down, "axis", "end")
    for j, interval in enumerate(panel.columns):
        middle = grid.corner(0, j)[0] + grid.size(0, j)[0] / 2
        yield _text(middle, grid.top - 9, "…" if interval is None else interval, "quiet", "middle")
    for i, interval in enumerate(panel.rows if down else ()):
        middle = grid.corner(i, 0)[1] + grid.size(i, 0)[1] / 2
        yield _text(grid.left - 12, middle + 4, interval or "⋮", "quiet", "end")


def _cell(grid: _Grid, cell: Cell | None, x: float, y: float, width: float, height: float) -> Iterator[str]:
    if cell is None:
        yield _text(x + width / 2, y + height / 2 + 4, "…", "quiet", "middle")
        return
    tint = fill_class(soft_ramp(cell.number, grid.slice_count))
    box = ", ".join(f"{a}:{b}" for a, b in cell.box)
    yield f"<g><title>{escape(f'slice {cell.number}: {box}, on rank {ranks_text(cell)}')}</title>"
    for sheet in range(min(2, cell.copies - 1), 0, -1):
        yield _rect(x + 3 * sheet, y + 3 * sheet, width, height, 8, "sheet")
    styles = f"cell {tint}" + (" term" if cell.term_count > 1 else "") + (" chosen" if cell.is_chosen else "")
    yield _rect(x, y, width, height, 8, styles)
    lines = _lines_of(cell, width)
    top = y + (height - len(lines) * (CHIP_HEIGHT + CHIP_GAP) + CHIP_GAP) / 2
    for i, tokens in enumerate(lines):
        yield from _chips(tokens, x + width / 2, top + i * (CHIP_HEIGHT + CHIP_GAP))
    yield "</g>"


def _lines_of(cell: Cell, width: float) -> list[list[_Token]]:
    """Return the chips of a cell in lines that fit its width: one if that does, else one for each term."""
    terms = [list(_chips_of(cell, ranks)) for ranks in cell.terms]
    for i, term in enumerate(terms[1:], start=1):
        is_gap = i == len(terms) - 1 and cell.term_count > len(terms)
        term.insert(0, _Token("+ … +" if is_gap else "+", ""))
    together = [token for term in terms for token in term]
    if _length(together) <= width - 16:
        return [together]
    return [line for term in terms for line in _broken(term, width - 16)]


def _broken(tokens: Sequence[_Token], width: float) -> list[list[_Token]]:
    lines: list[list[_Token]] = [[]]
    for token in tokens:
        if lines[-1] and _length([*lines[-1], token]) > width:
            lines.append([])
        lines[-1].append(token)
    return lines


def _chips_of(cell: Cell, ranks: Sequence[int]) -> Iterator[_Token]:
    for j, rank in enumerate(ranks):
        if j and j == len(ranks) - 1 and cell.copies > len(ranks):
            yield _Token("…", "")
        yield _Token(str(rank), "copy" if j else "chip")


def _length(tokens: Sequence[_Token]) -> float:
    return sum(t.width for t in tokens) + CHIP_GAP * (len(tokens) - 1)


def _chips(tokens: Sequence[_Token], middle: float, y: float) -> Iterator[str]:
    x = middle - _length(tokens) / 2
    for token in tokens:
        if token.kind:
            yield _rect(x, y, token.width, CHIP_HEIGHT, 6, token.kind)
        yield _text(x + token.width / 2, y + 14, token.text, f"{token.kind or 'quiet'}-text", "middle")
        x += token.width + CHIP_GAP


def _legend_words(parts: Parts) -> list[tuple[str, str]]:
    """Return what the signs mean that this drawing uses."""
    cells = [c for panel in parts.panels for row in panel.cells for c in row if c is not None]
    words, tint = [("chip", "rank that holds the slice")], fill_class(soft_ramp(0, 1))
    if any(c.copies > 1 for c in cells):
        words = [("chip", "first rank that holds the slice"), ("copy", "rank that repeats it")]
    if any(c.term_count > 1 for c in cells):
        words.append((f"cell term {tint}", "terms still to be joined"))
    if any(c.is_chosen for c in cells):
        words.append((f"cell chosen {tint}", "slice of the chosen rank"))
    if parts.panels_left_out:
        words.append(("", f"{parts.panels_left_out} more parts are not shown"))
    return words


def _legend(words: Sequence[tuple[str, str]]) -> Iterator[str]:
    x = 0.0
    for style, word in words:
        yield (_rect(x, 0, 18, 14, 5, style) if style else "") + _text(x + 25, 11, word, "quiet")
        x += _word_width(word)


def _word_width(word: str) -> float:
    return 25 + len(word) * 6.2 + 16


def _rect(x: float, y: float, width: float, height: float, radius: float, style: str) -> str:
    return f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'
