"""Views of time: one step of all ranks side by side, and the losses."""

from functools import partial
from math import isfinite

from simpar.dashboard import OpenedRun, Stretch, Timeline, collective_list, timeline_of
from simpar.errors import RunStoreError
from simpar.picture import COLORS, Canvas, Tone, fixed, kind_of, text_width
from simpar.runs.moving import paint_mark, paint_sign
from simpar.runs.view import Row, View
from simpar.runs.words import ranks_text, seconds_text

__all__ = ["loss", "timeline"]

_WIDTH, _MARGIN, _LEFT = 860, 20, 96
_MOST_RANKS, _BINS = 32, 400
_COMPUTES, _WAITS = Tone("#c3ccd5", "#4b5866"), Tone("#f3d9a4", "#6a5326")
"""Colours of what is no single collective, as in the inspector's timeline."""


# --- one step ---


def timeline(opened: OpenedRun, step: int | None, program: str) -> View:
    """Return one step of the ranks, the first ones if there are many.

    Raises:
        RunStoreError: the run has no such step, or none at all.
    """
    start, end, number = _limits(opened, step, program)
    told_ranks = tuple(sorted(r.rank for r in opened.run.ranks()))
    ranks = told_ranks[:_MOST_RANKS]
    margin = 0.02 * (end - start)
    told = timeline_of(opened, Stretch(start - margin, end + margin, _BINS, ranks))
    kinds = {c.index: c.kind for c in collective_list(opened, program).collectives}
    title = f"{opened.name}: step {number} of {program}, {seconds_text(end - start)}"
    rows = tuple(
        {
            "rank": s.rank, "collective": s.collective, "kind": kinds.get(s.collective, ""),
            "start_s": s.start_s - start, "end_s": s.end_s - start, "wait_s": s.wait_s,
        }
        for s in told.spans
        if s.step == number and told.programs[s.program] == program
    )  # fmt: skip
    said = (_shares(told, len(told_ranks)), *_late(told, number, program, kinds))
    return View(title, said, rows or _lane_rows(told), partial(_draw_step, title, said, told, rows, start, end))


def _limits(opened: OpenedRun, step: int | None, program: str) -> tuple[float, float, int]:
    """Return from when to when a step ran on any rank, and its number."""
    offsets = opened.run.clock_offsets()
    known = [s for s in opened.run.steps(min(offsets, default=0), with_times=False) if s.program == program]
    if not known:
        raise RunStoreError(
            f"{program} of run {opened.name} ran no step, so there are no times. A plan that nobody ran has none."
        )
    number = known[-1].step if step is None else step
    if number not in {s.step for s in known}:
        first, last = known[0].step, known[-1].step
        raise RunStoreError(f"{program} of run {opened.name} has no step {number}: its steps are {first} to {last}.")
    begun = next(s for s in known if s.step == number)
    same = [begun]
    for rank in offsets:
        if rank != begun.rank:
            here = opened.run.steps(rank, between_s=_on(offsets, rank, begun.start_s, begun.end_s, begun.rank))
            same += [s for s in here if s.program == program and s.step == number]
    starts, ends = [s.start_s + offsets[s.rank] for s in same], [s.end_s + offsets[s.rank] for s in same]
    return min(starts), max(ends), number


def _on(offsets: dict[int, float], rank: int, start: float, end: float, of: int) -> tuple[float, float]:
    """Return a stretch of one rank's clock, widened by its length, on the clock of another."""
    shift, more = offsets[of] - offsets[rank], end - start
    return start + shift - more, end + shift + more


def _shares(told: Timeline, count: int) -> str:
    def mean(name: str) -> float:
        shares = [sum(getattr(lane, name)) / max(1, told.bins) for lane in told.lanes]
        return sum(shares) / max(1, len(shares))

    busy = mean("compute") + mean("communication") + mean("wait")
    parts = ", ".join(
        f"{name} {mean(key) / busy:.0%}" if busy else name
        for name, key in (("computing", "compute"), ("moving data", "communication"), ("waiting for others", "wait"))
    )
    shown = f"The first {len(told.lanes)} of {count} ranks" if len(told.lanes) < count else "The ranks"
    return f"{shown} spend their step {parts}."


def _late(told: Timeline, step: int, program: str, kinds: dict[int, str]) -> tuple[str, ...]:
    here = [f for f in told.late if f.step == step and told.programs[f.program] == program]
    if not here:
        return ()
    worst = here[0]
    return (
        f"Rank {worst.rank} came last to {kinds.get(worst.collective, 'a collective')} {worst.collective}, "
        f"{seconds_text(worst.late_s)} after the first; the others of {{{ranks_text(worst.group)}}} waited "
        f"{seconds_text(worst.cost_s)} together.",
    )


def _lane_rows(told: Timeline) -> tuple[Row, ...]:
    """Return shares for each rank, where there are too many collectives to list them."""
    return tuple(
        {"rank": lane.rank}
        | {k: round(sum(getattr(lane, k)) / told.bins, 4) for k in ("compute", "communication", "wait")}
        for lane in told.lanes
    )


def _draw_step(
    title: str, said: tuple[str, ...], told: Timeline, rows: tuple[Row, ...], start: float, end: float
) -> str:
    canvas = Canvas(title, said, _WIDTH)
    tall = 34 if len(told.lanes) <= 8 else 24 if len(told.lanes) <= 16 else 18
    top, width = canvas.top + 50, _WIDTH - _LEFT - _MARGIN
    _key(canvas, sorted({str(row["kind"]) for row in rows}), canvas.top + 4)
    length = told.end_s - told.start_s
    for i in range(5):
        at = (end - start) * i / 4
        x = _LEFT + width * (start + at - told.start_s) / length
        canvas.line([(x, top - 6), (x, top + tall * len(told.lanes))], COLORS["line"])
        canvas.text(x, top - 11, seconds_text(at), COLORS["quiet"], size=11, anchor="middle")
    place = {lane.rank: i for i, lane in enumerate(told.lanes)}
    for i, lane in enumerate(told.lanes):
        canvas.text(_LEFT - 10, top + i * tall + tall / 2 + 4, f"rank {lane.rank}", COLORS["quiet"], anchor="end")
        _lane(canvas, lane.compute, lane.communication, lane.wait, top + i * tall, tall, is_exact=bool(rows))
    for row in rows:
        y = top + place[int(str(row["rank"]))] * tall
        begin, finish = float(str(row["start_s"])) + start, float(str(row["end_s"])) + start
        x, wide = _LEFT + width * (begin - told.start_s) / length, width * (finish - begin) / length
        waits = width * float(str(row["wait_s"])) / length
        _span(canvas, row, x, y + 3, wide, tall - 10, waits)
    return canvas.svg(top + tall * len(told.lanes) + _MARGIN)


def _span(canvas: Canvas, row: Row, x: float, y: float, wide: float, tall: float, waits: float) -> None:
    """Draw one collective: what it waits for others in front, in the colour of waiting."""
    kind = kind_of(str(row["kind"]))
    waited, took = float(str(row["wait_s"])), float(str(row["end_s"])) - float(str(row["start_s"]))
    hint = f"rank {row['rank']}: {row['kind']} {row['collective']}, {seconds_text(took)}, waited {seconds_text(waited)}"
    canvas.rect(x, y, max(0.75, wide), tall, fixed(kind.color), role="span", hint=hint)
    if waits >= 1:
        canvas.rect(x, y, min(waits, wide), tall, _WAITS, role="wait", hint=hint)
    if wide - waits > 18 and tall >= 12:
        paint_mark(canvas, x + (wide + waits) / 2, y + tall / 2, str(row["kind"]))


def _lane(
    canvas: Canvas,
    compute: tuple[float, ...],
    communication: tuple[float, ...],
    wait: tuple[float, ...],
    y: float,
    tall: float,
    *,
    is_exact: bool,
) -> None:
    """Draw a rank's row of shares: computing as a strip below; and above, without single collectives, the rest."""
    bins = len(compute)
    wide = (_WIDTH - _LEFT - _MARGIN) / bins
    for first, last in _stretches([share >= 0.5 for share in compute]):
        canvas.rect(_LEFT + first * wide, y + tall - 6, (last - first) * wide, 4, _COMPUTES, role="compute")
    if is_exact:
        return
    for shares, tone in ((communication, Tone("#47627f", "#8fa9c4")), (wait, _WAITS)):
        for first, last in _stretches([share >= 0.5 for share in shares]):
            canvas.rect(_LEFT + first * wide, y + 2, (last - first) * wide, tall - 10, tone)


def _stretches(flags: list[bool]) -> list[tuple[int, int]]:
    """Return where flags are set, as (first, one past the last)."""
    found: list[tuple[int, int]] = []
    for i, flag in enumerate(flags):
        if flag and found and found[-1][1] == i:
            found[-1] = (found[-1][0], i + 1)
        elif flag:
            found.append((i, i + 1))
    return found


def _key(canvas: Canvas, kinds: list[str], y: float) -> None:
    x = float(_LEFT)
    for kind in kinds:
        paint_sign(canvas, x, y - 2, kind)
        canvas.text(x + 32, y + 11, kind, COLORS["quiet"])
        x += 52 + text_width(kind, 12)
    for words, tone in (("computes", _COMPUTES), ("waits", _WAITS)):
        canvas.rect(x, y + 1, 16, 12, tone, radius=2)
        canvas.text(x + 22, y + 11, words, COLORS["quiet"])
        x += 42 + text_width(words, 12)


# --- losses ---


def loss(opened: OpenedRun) -> View:
    """Return the losses of rank 0, step by step."""
    losses = opened.run.losses()
    title = f"{opened.name}: loss over {len(losses)} {'step' if len(losses) == 1 else 'steps'}"
    said = ("No loss was recorded.",)
    if losses:
        (_, first), (last_step, last) = losses[0], losses[-1]
        said = (f"It begins at {first:.6g} and is {last:.6g} at step {last_step}.",)
    rows = tuple({"step": step, "loss": value} for step, value in losses)
    return View(title, said, rows, partial(_draw_losses, title, said, losses))


def _draw_losses(title: str, said: tuple[str, ...], losses: tuple[tuple[int, float], ...]) -> str:
    canvas, height = Canvas(title, said, _WIDTH), 240
    top, width = canvas.top + 12, _WIDTH - _LEFT - 2 * _MARGIN
    shown = [(step, value) for step, value in losses if isfinite(value)]
    if not shown:
        return canvas.svg(canvas.top + 12)
    least, most = min(v for _, v in shown), max(v for _, v in shown)
    spread = (most - least) or abs(most) or 1.0
    first, last = shown[0][0], max(s for s, _ in shown)
    places = [
        (_LEFT + width * (s - first) / max(1, last - first), top + height - height * (v - least) / spread)
        for s, v in shown
    ]
    for i in range(5):
        y = top + height * i / 4
        canvas.line([(_LEFT, y), (_LEFT + width, y)], COLORS["line"])
        words = f"{least + spread * (4 - i) / 4:.4g}"
        canvas.text(_LEFT - 10, y + 4, words, COLORS["quiet"], size=11, anchor="end")
    for i in range(5):
        step = round(first + (last - first) * i / 4)
        x = _LEFT + width * (step - first) / max(1, last - first)
        canvas.text(x, top + height + 18, str(step), COLORS["quiet"], size=11, anchor="middle")
        if last == first:
            break
    canvas.line(_thinned(places), COLORS["accent"], 2, role="loss")
    canvas.circle(*places[-1], 3.5, COLORS["accent"], hint=f"step {shown[-1][0]}: {shown[-1][1]:.6g}")
    canvas.text(_LEFT + width, top + height + 36, "step", COLORS["quiet"], size=11, anchor="end")
    return canvas.svg(top + height + 50)


def _thinned(places: list[tuple[float, float]], most: int = 1600) -> list[tuple[float, float]]:
    """Return the points that can be told apart: of many, the lowest and the highest of each stretch, in order."""
    if len(places) <= most:
        return places
    size = -(-2 * len(places) // most)
    found: list[tuple[float, float]] = []
    for i in range(0, len(places), size):
        part = places[i : i + size]
        low, high = min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])
        found += sorted({low, high}, key=part.index)
    return found
