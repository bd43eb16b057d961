"""Layouts drawn with characters, for the terminal."""

from collections.abc import Iterator

from rich.box import ROUNDED
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simpar.layout.drawing_parts import Cell, Panel, Parts, ranks_text

__all__ = ["terminal_drawing"]


def terminal_drawing(parts: Parts) -> RenderableType:
    """Return a drawing that ``rich`` can print."""
    return Group(*_lines(parts))


def _lines(parts: Parts) -> Iterator[RenderableType]:
    yield Text(parts.title, style="bold")
    for sentence in parts.sentences:
        yield Text(sentence)
    yield Columns([_table(panel) for panel in parts.panels], padding=(0, 3))
    if parts.panels_left_out:
        yield Text(f"… and {parts.panels_left_out} more parts like these", style="dim")


def _table(panel: Panel) -> Table:
    table = Table(box=ROUNDED, show_lines=True, border_style="dim", header_style="cyan", padding=(0, 1))
    table.title, table.title_style = panel.title or None, "italic"
    down, across = panel.axis_names
    if down:
        table.add_column(f"{across}\n{down}", style="cyan", justify="right", no_wrap=True)
    for interval in panel.columns:
        table.add_column("…" if interval is None else interval, justify="center")
    for interval, cells in zip(panel.rows, panel.cells, strict=True):
        label = [Text("⋮" if interval is None else interval)] if down else []
        table.add_row(*label, *map(_cell_text, cells))
    return table


def _cell_text(cell: Cell | None) -> Text:
    if cell is None:
        return Text("…", style="dim")
    return Text(ranks_text(cell), style="bold reverse" if cell.is_chosen else "bold")
