"""Views of redistributions: how a value gets from one layout to another, and all of them that a step does."""

from functools import partial

from simpar.dashboard import Chain, OpenedRun, redistribution_list
from simpar.errors import RunStoreError
from simpar.layout import Layout
from simpar.picture import COLORS, Canvas, fitted
from simpar.recorder import bytes_text
from simpar.runs.glyph import paint_glyph
from simpar.runs.moving import paint_sign
from simpar.runs.view import View
from simpar.runs.words import seconds_text

__all__ = ["redistribution", "redistributions"]

_WIDTH, _MARGIN = 860, 20
_MOST_RANKS, _COLUMNS = 16, 8
_TILE, _GAP = 46, 5
_MOST_LINES = 80


def redistributions(opened: OpenedRun, program: str) -> View:
    """Return all redistributions of a program, in the order of its plan."""
    told = redistribution_list(opened, program)
    n = len(told.chains)
    title = f"{opened.name}: {n} {'redistribution' if n == 1 else 'redistributions'} in a step of {program}"
    said = (f"A rank sends {bytes_text(told.sent_bytes)} in a step for all of them.",)
    rows = tuple(
        {
            "number": c.id, "value": c.value, "shape": c.shape, "from": c.source.tensor_map, "to": c.target.tensor_map,
            "steps": tuple(s.kind for s in c.steps), "sent_bytes": c.sent_bytes, "phase": c.phase, "why": c.why,
        }
        for c in told.chains
    )  # fmt: skip
    return View(title, said, rows, partial(_draw_list, title, said, told.chains))


def _draw_list(title: str, said: tuple[str, ...], chains: tuple[Chain, ...]) -> str:
    canvas = Canvas(title, said, _WIDTH)
    y, shown = canvas.top + 10, chains[:_MOST_LINES]
    for i, c in enumerate(shown):
        top = y + 28 * i
        canvas.text(_MARGIN + 22, top + 13, str(c.id), COLORS["quiet"], anchor="end")
        canvas.text(_MARGIN + 34, top + 13, fitted(c.value, 120, 12), weight=600)
        for k, step in enumerate(c.steps[:5]):
            paint_sign(canvas, _MARGIN + 166 + 30 * k, top, step.kind)
        words = f"{c.source.tensor_map} → {c.target.tensor_map}"
        canvas.text(_MARGIN + 326, top + 13, fitted(words, 150, 12))
        canvas.text(_MARGIN + 546, top + 13, bytes_text(c.sent_bytes), anchor="end")
        canvas.text(_MARGIN + 560, top + 13, fitted(c.why, _WIDTH - 2 * _MARGIN - 560, 11), COLORS["quiet"], size=11)
    if len(shown) < len(chains):
        canvas.text(_MARGIN, y + 28 * len(shown) + 12, f"… and {len(chains) - len(shown)} more", COLORS["quiet"])
    return canvas.svg(y + 28 * len(shown) + 24)


def redistribution(opened: OpenedRun, program: str, number: int) -> View:
    """Return one redistribution, step by step.

    Raises:
        RunStoreError: the program has none of that number.
    """
    chains = redistribution_list(opened, program).chains
    if not 0 <= number < len(chains):
        there = f"It has {len(chains)}, 0 to {len(chains) - 1}." if chains else "It has none."
        raise RunStoreError(f"{program} of run {opened.name} has no redistribution {number}. {there}")
    c = chains[number]
    title = f"{opened.name}: redistribution {number}, {c.value} {c.shape}"
    said = (
        f"From tensor map {c.source.tensor_map} to {c.target.tensor_map} in {len(c.steps)} "
        f"{'step' if len(c.steps) == 1 else 'steps'}; a rank sends {bytes_text(c.sent_bytes)}.",
        f"Why: {c.why}" + (f" ({c.source_line})." if c.source_line and c.source_line not in c.why else "."),
    )
    rows = tuple(
        {
            "step": i, "kind": s.kind, "from": s.before.tensor_map, "to": s.after.tensor_map,
            "slice_before": s.slice_shape_before, "slice_after": s.slice_shape_after, "group_size": s.group_size,
            "sent_bytes": s.sent_bytes, "mean_s": s.mean_s, "words": s.words,
        }
        for i, s in enumerate(c.steps)
    )  # fmt: skip
    return View(title, said, rows, partial(_draw_steps, title, said, c))


def _draw_steps(title: str, said: tuple[str, ...], c: Chain) -> str:
    """Draw what the first ranks hold before, and after each step."""
    canvas, y = Canvas(title, said, _WIDTH), 0.0
    y = _holders(canvas, canvas.top + 8, c.source.to_layout(), c.shape, "before")
    for s in c.steps:
        paint_sign(canvas, _MARGIN, y + 8, s.kind)
        time = "" if s.mean_s is None else f", {seconds_text(s.mean_s)}"
        words = f"{s.words}; {bytes_text(s.sent_bytes)} sent{time}"
        canvas.text(_MARGIN + 36, y + 21, fitted(words, _WIDTH - 2 * _MARGIN - 36, 12))
        y = _holders(canvas, y + 38, s.after.to_layout(), c.shape, f"slices of {s.slice_shape_after}")
    return canvas.svg(y + 8)


def _holders(canvas: Canvas, y: float, layout: Layout, shape: tuple[int, ...], words: str) -> float:
    """Draw the glyphs of the first ranks in lines, and return where they end."""
    ranks = sorted(layout.ranks)[:_MOST_RANKS]
    more = f"; the first {len(ranks)} of {layout.size} ranks" if len(ranks) < layout.size else ""
    partly = f", partial over device axis {', '.join(map(str, layout.partial))}" if layout.is_partial else ""
    canvas.text(_MARGIN, y + 10, f"tensor map {layout.tensor_map}{partly}, {words}{more}", COLORS["quiet"], size=11)
    for i, rank in enumerate(ranks):
        x, top = _MARGIN + (i % _COLUMNS) * (_TILE + _GAP), y + 18 + (i // _COLUMNS) * (_TILE + _GAP)
        canvas.rect(x, top, _TILE, _TILE, COLORS["surface"], stroke=COLORS["line"], radius=6, role="rank")
        canvas.text(x + 5, top + 12, str(rank), COLORS["quiet"], size=10)
        paint_glyph(canvas, (x + 4, top + 15, _TILE - 8, _TILE - 19), layout, shape, rank)
    return y + 18 + -(-len(ranks) // _COLUMNS) * (_TILE + _GAP)
