"""The view of memory: what fills each rank, foreseen by its plan, and what was measured."""

from functools import partial

from simpar.dashboard import OpenedRun, memory_of
from simpar.picture import COLORS, MEMORY, Canvas, fitted, fixed, soft, text_width
from simpar.recorder import bytes_text
from simpar.runs.view import Row, View

__all__ = ["memory"]

_WIDTH, _MARGIN, _LEFT, _END = 860, 20, 110, 100
_MOST_ROWS = 32


def memory(opened: OpenedRun) -> View:
    """Return what fills each rank."""
    rows = tuple(_row(r) for r in _ranks(opened))
    classes = [k for k in MEMORY if any(k in row for row in rows)]
    title = f"{opened.name}: memory of {len(rows)} {'rank' if len(rows) == 1 else 'ranks'}"
    said: tuple[str, ...] = ("No plan was recorded.",)
    if rows:
        most = max(rows, key=_planned)
        said = (
            f"By the plan rank {most['rank']} needs most, {bytes_text(_planned(most))}: "
            + ", ".join(f"{name} {bytes_text(_number(most, name))}" for name in classes)
            + ".",
            "The arena is what a step makes: activations, gradients and buffers.",
        )
    return View(title, said, rows, partial(_draw, title, said, rows, classes))


def _ranks(opened: OpenedRun) -> list[tuple[int, dict[str, int], int | None, int | None]]:
    """Return rank, classes, what was planned and the most that was measured, of each rank."""
    found: list[tuple[int, dict[str, int], int | None, int | None]] = []
    for r in memory_of(opened).ranks:
        measured = [m.rss_bytes if m.pss_bytes is None else m.pss_bytes for m in r.measured]
        found.append((r.rank, {c.name: c.bytes for c in r.classes}, r.planned_bytes, max(measured, default=None)))
    return found


def _row(told: tuple[int, dict[str, int], int | None, int | None]) -> Row:
    rank, classes, planned, measured = told
    return {"rank": rank, **classes, "planned": planned, "measured": measured}


def _number(row: Row, name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0


def _planned(row: Row) -> int:
    """Return what the plan says that a rank needs; where none was recorded, what it keeps."""
    return _number(row, "planned") or sum(_number(row, name) for name in MEMORY)


# --- drawn ---


def _draw(title: str, said: tuple[str, ...], rows: tuple[Row, ...], classes: list[str]) -> str:
    canvas = Canvas(title, said, _WIDTH)
    each = -(-len(rows) // _MOST_ROWS) or 1  # ranks that share a bar
    bars = [rows[i : i + each] for i in range(0, len(rows), each)]
    tall = 30 if len(bars) <= 8 else 20
    top = canvas.top + 26
    most = max(map(_planned, rows), default=1) or 1
    for i, ranks in enumerate(bars):
        _bar(canvas, ranks, classes, top + i * tall, tall - (6 if tall > 20 else 4), most)
    _legend(canvas, classes, canvas.top + 4)
    return canvas.svg(top + len(bars) * tall + _MARGIN)


def _bar(
    canvas: Canvas, ranks: tuple[Row, ...], classes: list[str], y: float, tall: float, most: int
) -> None:  # fmt: skip
    """Draw one bar for neighbours, as long as what the one that needs most needs."""
    row = max(ranks, key=_planned)
    first, last = ranks[0]["rank"], ranks[-1]["rank"]
    label = f"rank {first}" if first == last else f"{first} to {last}"
    canvas.text(_LEFT - 10, y + tall / 2 + 4, fitted(label, _LEFT - 20, 12), COLORS["quiet"], anchor="end")
    room, x = _WIDTH - _LEFT - _END, float(_LEFT)
    for name in classes:
        wide = room * _number(row, name) / most
        if wide <= 0:
            continue
        hint = f"{label}: {name} {bytes_text(_number(row, name))}"
        canvas.rect(x, y, max(0.5, wide - 1), tall, soft(MEMORY[name], 0.5, 0.45), role=name, hint=hint)
        if tall > 20 and text_width(name, 11) + 14 < wide:
            canvas.text(x + 7, y + tall / 2 + 4, name, size=11)
        x += wide
    canvas.text(x + 8, y + tall / 2 + 4, bytes_text(_planned(row)), size=11)


def _legend(canvas: Canvas, classes: list[str], y: float) -> None:
    x = float(_LEFT)
    for name in classes:
        canvas.rect(x, y, 14, 12, fixed(MEMORY[name]), radius=3)
        canvas.text(x + 20, y + 10, name, COLORS["quiet"])
        x += 44 + text_width(name, 12)
