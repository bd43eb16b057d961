"""Views of what moves in a step: collectives in order, the buckets of gradients, and who sends to whom."""

from functools import partial

from simpar.dashboard import (
    MATRIX_ASSUMPTIONS,
    Bucket,
    CollectiveItem,
    MatrixAnswer,
    Metric,
    OpenedRun,
    bucket_list,
    collective_list,
    matrix_of,
)
from simpar.picture import COLORS, Canvas, Tone, fitted, fixed, ink_on, kind_of, ramp, soft, text_width
from simpar.recorder import bytes_text
from simpar.runs.view import View
from simpar.runs.words import ranks_text, seconds_text

__all__ = ["buckets", "collectives", "matrix", "paint_mark", "paint_sign"]

_WIDTH, _MARGIN = 860, 20
_MOST_LINES = 80


def paint_sign(canvas: Canvas, x: float, y: float, kind: str) -> None:
    """Draw the sign of a kind of movement, 26 by 18 pixels, on its colour."""
    known = kind_of(kind)
    canvas.rect(x, y, 26, 18, fixed(known.color), radius=4, role=kind)
    paint_mark(canvas, x + 13, y + 9, kind)


def paint_mark(canvas: Canvas, x: float, y: float, kind: str) -> None:
    """Draw the mark of a kind of movement around a point, to be read on its colour."""
    known = kind_of(kind)
    ink = fixed(ink_on(known.color))
    if kind == "all_gather":  # few fonts have its sign: two squares
        canvas.rect(x - 5.5, y - 5.5, 7.5, 7.5, stroke=ink, thick=1.3)
        canvas.rect(x - 2.5, y - 2.5, 7.5, 7.5, fixed(known.color), stroke=ink, thick=1.3)
        return
    canvas.text(x, y + 4.5, known.sign, ink, anchor="middle", weight=600)


# --- collectives ---


def collectives(opened: OpenedRun, program: str) -> View:
    """Return what rank 0 moves in a step, in order."""
    told = collective_list(opened, program)
    title = f"{opened.name}: {len(told.collectives)} collectives in a step of {program}"
    times = f", timed over {told.steps} steps" if told.steps else ""
    said = (f"Rank 0 hands over {bytes_text(told.message_bytes)} and sends {bytes_text(told.sent_bytes)}{times}.",)
    rows = tuple(
        {
            "index": c.index, "phase": c.phase, "kind": c.kind, "group": c.group, "groups": c.groups,
            "bytes": c.message_bytes, "sent_bytes": c.sent_bytes, "why": c.why, "parameters": c.parameters,
            "fusion": c.fusion, "mean_s": c.mean_s, "wait_s": c.wait_s,
        }
        for c in told.collectives
    )  # fmt: skip
    return View(title, said, rows, partial(_draw_collectives, title, said, told.collectives))


def _draw_collectives(title: str, said: tuple[str, ...], items: tuple[CollectiveItem, ...]) -> str:
    canvas = Canvas(title, said, _WIDTH)
    shown, line, y = items[:_MOST_LINES], 26, canvas.top + 10
    most = max((c.message_bytes for c in shown), default=1) or 1
    for i, c in enumerate(shown):
        top = y + i * line
        paint_sign(canvas, _MARGIN, top, c.kind)
        canvas.text(_MARGIN + 36, top + 13, c.kind, weight=600)
        canvas.text(_MARGIN + 144, top + 13, fitted("{" + ranks_text(c.group) + "}", 120, 12))
        long = max(2.0, 120 * c.message_bytes / most)
        canvas.rect(_MARGIN + 272, top + 3, long, 12, soft(kind_of(c.kind).color), radius=2, hint=c.why)
        canvas.text(_MARGIN + 398, top + 13, bytes_text(c.message_bytes))
        canvas.text(_MARGIN + 470, top + 13, "" if c.mean_s is None else seconds_text(c.mean_s), COLORS["quiet"])
        canvas.text(_MARGIN + 540, top + 13, fitted(c.why, _WIDTH - _MARGIN * 2 - 540, 11), COLORS["quiet"], size=11)
    if len(shown) < len(items):
        canvas.text(_MARGIN, y + len(shown) * line + 14, f"… and {len(items) - len(shown)} more", COLORS["quiet"])
    return canvas.svg(y + len(shown) * line + (34 if len(shown) < len(items) else 12))


# --- buckets ---


def buckets(opened: OpenedRun, program: str) -> View:
    """Return the messages that gradients, and parameters stored cut, travel in."""
    told = bucket_list(opened, program).buckets
    title = f"{opened.name}: {len(told)} messages of gradients and parameters in a step of {program}"
    fused = [b for b in told if len(b.members) > 1]
    carried = sum(len(b.members) for b in fused)
    said = ("No gradient and no parameter travels in this program.",)
    if told:
        said = (
            f"{len(fused)} of them carry several parameters, {carried} in all; the bars are as long as their bytes.",
        )
    rows = tuple(
        {
            "bucket": i, "kind": b.kind, "fusion": b.fusion, "phase": b.phase, "group": b.group,
            "bytes": b.message_bytes, "parameter": m.parameter, "parameter_bytes": m.bytes, "ready": m.ready,
            "launched": b.launched, "mean_s": b.mean_s,
        }
        for i, b in enumerate(told)
        for m in b.members
    )  # fmt: skip
    return View(title, said, rows, partial(_draw_buckets, title, said, told))


def _draw_buckets(title: str, said: tuple[str, ...], told: tuple[Bucket, ...]) -> str:
    canvas = Canvas(title, said, _WIDTH)
    y, shown = canvas.top + 10, told[:_MOST_LINES]
    most = max((b.message_bytes for b in shown), default=1) or 1
    for b in shown:
        paint_sign(canvas, _MARGIN, y, b.kind)
        name = f"bucket {b.fusion}" if b.fusion else "alone"
        n = len(b.members)
        when = "" if b.mean_offset_s is None else f", {seconds_text(b.mean_offset_s)} into the step"
        rest = f"{b.kind} of {bytes_text(b.message_bytes)} for {n} parameter{'s' if n != 1 else ''}{when}"
        canvas.text(_MARGIN + 36, y + 13, name, size=13, weight=600)
        canvas.text(_MARGIN + 50 + text_width(name, 13), y + 13, rest, COLORS["quiet"])
        _fill(canvas, b, y + 24, (_WIDTH - 2 * _MARGIN) * max(0.02, b.message_bytes / most))
        y += 66
    if len(shown) < len(told):
        canvas.text(_MARGIN, y + 8, f"… and {len(told) - len(shown)} more", COLORS["quiet"])
        y += 20
    return canvas.svg(y + 6)


def _fill(canvas: Canvas, b: Bucket, y: float, long: float) -> None:
    """Draw a bucket's bar, one part for each parameter, by its bytes."""
    total = sum(m.bytes for m in b.members)
    x, color = float(_MARGIN), kind_of(b.kind).color
    for i, m in enumerate(b.members):
        wide = long * (m.bytes / total if total else 1 / len(b.members))
        shade = 0.74 if i % 2 else 0.64
        hint = f"{m.parameter}: {bytes_text(m.bytes)}"
        canvas.rect(x, y, max(0.5, wide - 1), 28, soft(color, shade, shade), role="member", hint=hint)
        if wide > 30:
            canvas.text(x + 6, y + 18, fitted(m.parameter, wide - 12, 11), size=11)
        x += wide


# --- matrix ---

_STEPS, _CELLS = 16, 64  # colours; cells along a side, above which ranks share one
_SIDE, _LEFT, _TOP = 560, 70, 34


def matrix(opened: OpenedRun, program: str, metric: Metric) -> View:
    """Return who sends how much to whom in a step."""
    told = matrix_of(opened, program, metric)
    title = f"{opened.name}: {metric} that each rank sends to each in a step of {program}"
    if not told.values:
        said: tuple[str, ...] = (f"{'The only rank sends' if told.size == 1 else 'No rank sends'} nothing.",)
    else:
        at = max(range(len(told.values)), key=told.values.__getitem__)
        pair = f"rank {told.senders[at]} to rank {told.receivers[at]}"
        said = (f"Most goes from {pair}: {_words(metric, told.values[at])}. Counted as {MATRIX_ASSUMPTIONS[0]}.",)
    rows = tuple(
        {"sender": s, "receiver": r, metric: v}
        for s, r, v in zip(told.senders, told.receivers, told.values, strict=True)
    )
    return View(title, said, rows, partial(_draw_matrix, title, said, told))


def _draw_matrix(title: str, said: tuple[str, ...], told: MatrixAnswer) -> str:
    canvas = Canvas(title, said, _WIDTH)
    each = 1  # ranks that share a cell
    while told.size / each > _CELLS:
        each *= 2
    count = -(-told.size // each)
    cell = min(48.0, _SIDE / count)
    cells: dict[tuple[int, int], tuple[float, str]] = {}
    for s, r, v in zip(told.senders, told.receivers, told.values, strict=True):
        place = (s // each, r // each)
        if v > cells.get(place, (0.0, ""))[0]:
            cells[place] = (v, f"rank {s} to rank {r}: {_words(told.metric, v)}")
    most = max((v for v, _ in cells.values()), default=1.0)
    with canvas.moved(_LEFT, canvas.top + _TOP):
        canvas.rect(0, 0, cell * count, cell * count, COLORS["sunken"])
        gap = 1 if cell >= 10 else 0
        for (row, column), (value, hint) in sorted(cells.items()):
            color = _heat(min(_STEPS - 1, int(value / most * _STEPS)))
            canvas.rect(column * cell, row * cell, cell - gap, cell - gap, color, role="pair", hint=hint)
        canvas.rect(0, 0, cell * count, cell * count, stroke=COLORS["edge"])
        _axes(canvas, cell, count, each)
    _sums(canvas, told, each, cell, count)
    note = f"A cell stands for {each} x {each} ranks, by the pair that moves most." if each > 1 else ""
    canvas.text(_LEFT, canvas.top + _TOP + cell * count + 22, note, COLORS["quiet"], size=11)
    return canvas.svg(canvas.top + _TOP + cell * count + (36 if note else _MARGIN))


def _words(metric: Metric, value: float) -> str:
    if metric == "seconds":
        return seconds_text(value)
    return bytes_text(round(value)) if metric == "bytes" else f"{value:g} messages"


def _heat(level: int) -> Tone:
    """Return the colour of a value, from little to much: what is more differs more from the paper."""
    return Tone(ramp(_STEPS - 1 - level, _STEPS).light, ramp(level, _STEPS).dark)


def _axes(canvas: Canvas, cell: float, count: int, each: int) -> None:
    canvas.text(0, -24, "receives →", size=11, weight=600)
    canvas.text(-8, -8, "sends ↓", size=11, weight=600, anchor="end")
    every = max(1, -(-28 // max(1, int(cell))))
    for i in range(0, count, every):
        canvas.text((i + 0.5) * cell, -8, str(i * each), COLORS["quiet"], size=11, anchor="middle")
        canvas.text(-8, (i + 0.5) * cell + 4, str(i * each), COLORS["quiet"], size=11, anchor="end")


def _sums(canvas: Canvas, told: MatrixAnswer, each: int, cell: float, count: int) -> None:
    """Draw what each rank sends, right of its row."""
    most = max(told.sent, default=0.0)
    x = _LEFT + cell * count + 14
    room = _WIDTH - _MARGIN - x - 76
    canvas.text(x, canvas.top + _TOP - 8, "sends in all", COLORS["quiet"], size=11)
    for i in range(count if most else 0):
        largest = max(told.sent[i * each : (i + 1) * each])
        y = canvas.top + _TOP + i * cell
        canvas.rect(x, y + cell * 0.15, max(1.0, room * largest / most), cell * 0.7, COLORS["edge"])
        if cell >= 14:
            canvas.text(
                x + room * largest / most + 6, y + cell / 2 + 4, _words(told.metric, largest), COLORS["quiet"], size=11
            )
