"""One view of a run: the same as a picture, as a table and as text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from simpar.errors import RunStoreError

__all__ = ["Row", "View"]

Row = Mapping[str, object]
"""One line of a view's table."""

_MOST_LINES = 40


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Is one view of a run, which shows itself: as the value of a notebook's cell, printed, or as a file.

    Args:
        title: what it shows.
        sentences: what follows from it.
        rows: the same as a table, one mapping for each line.
        draw: makes the picture when it is asked for.
        drawing: what ``rich`` prints instead of the table, if there is anything better for the terminal.

    >>> view = View("Two ranks", ("They hold the same.",), ({"rank": 0}, {"rank": 1}), lambda: "<svg/>")
    >>> print(view)
    Two ranks
    They hold the same.
    rank
    ────
       0
       1
    """

    title: str
    sentences: tuple[str, ...]
    rows: tuple[Row, ...]
    draw: Callable[[], str] = field(repr=False)
    drawing: RenderableType | None = field(default=None, repr=False)

    def svg(self) -> str:
        """Return the picture as one SVG element that follows the reader's light or dark theme."""
        return self.draw()

    def table(self) -> list[dict[str, object]]:
        """Return what the picture shows, one dict for each line: ``pandas.DataFrame(view.table())`` reads it."""
        return [dict(row) for row in self.rows]

    def text(self, width: int = 100) -> str:
        """Return the view in characters, no line longer than ``width``."""
        console = Console(width=width, color_system=None)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")

    def save(self, path: Path | str) -> Path:
        """Write the picture to a file, whose name ends in ``.svg``, and return its path.

        Raises:
            RunStoreError: the name ends otherwise, or the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".svg":
            raise RunStoreError(f"{str(path)!r} does not end in .svg, and a view is saved as SVG. Rename it.")
        try:
            target.write_text(self.svg(), encoding="utf-8")
        except OSError as error:
            raise RunStoreError(
                f"the view cannot be saved as {target}: {error.strerror}. Name another file."
            ) from error
        return target

    def __str__(self) -> str:
        return self.text()

    def __rich__(self) -> RenderableType:
        from rich.console import Group

        head = [Text(self.title, style="bold"), *map(Text, self.sentences)]
        return Group(*head, self.drawing if self.drawing is not None else _table(self.rows))

    def _repr_svg_(self) -> str:
        return self.svg()


def _table(rows: tuple[Row, ...]) -> Table:
    """Return rows as ``rich`` prints them; of many the first and the last."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        is_number = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    shown = rows if len(rows) <= _MOST_LINES else rows[: _MOST_LINES - 1]
    for row in shown:
        table.add_row(*(Text(_cell(row.get(name))) for name in names))
    if len(shown) < len(rows):
        table.add_row(*(Text("…") for _ in names))
        table.add_row(*(Text(_cell(rows[-1].get(name))) for name in names))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
