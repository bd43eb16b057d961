"""Views of ranks: where they stand, with whom they work, and what they hold of a tensor."""

from functools import partial
from math import prod

from simpar.dashboard import OpenedRun, device_axes_of, groups_of, main_program, program_view, run_dev_mat
from simpar.layout import Layout, coordinates, repeated
from simpar.picture import COLORS, Canvas, ramp, soft_ramp
from simpar.recorder import ParameterPlaced, bytes_text, held_text
from simpar.runs.blocks import rank_blocks
from simpar.runs.glyph import glyph_of, paint_glyph
from simpar.runs.view import Row, View
from simpar.runs.wall import Wall, lay_wall

__all__ = ["devices", "tensor"]

_WIDTH, _MARGIN = 860, 20
_SMALL = 22  # on tiles below it the tile itself is the tensor


def devices(opened: OpenedRun, rank: int | None, parameter: ParameterPlaced | None) -> View:
    """Return where each rank stands; with a parameter, also what it holds of that."""
    layout = parameter.storage if parameter else repeated(run_dev_mat(opened), 0)
    shape = parameter.shape if parameter else None
    groups = () if rank is None else _groups(opened, rank)
    title = f"{opened.name}: {_count(layout.size, 'rank')} in device matrix {layout.dev_mat}"
    said = [] if parameter is None else [_headline(parameter)]
    if rank is not None:
        at = coordinates(layout.dev_mat, layout.place(rank))
        said.append(f"Rank {rank} stands at {at}. {_with_whom(groups, run_dev_mat(opened))}")
    hosts = {r.rank: r.host for r in opened.run.ranks()}
    rows = tuple(_row(layout, shape, r, hosts.get(r)) for r in sorted(layout.ranks))
    lit = frozenset(r for group in groups for r in group)
    draw = partial(_draw_wall, title, tuple(said), layout, shape, rank, lit)
    return View(title, tuple(said), rows, draw, rank_blocks(layout, shape, rank) if shape is not None else None)


def tensor(opened: OpenedRun, parameter: ParameterPlaced, rank: int | None) -> View:
    """Return which rank holds which slice of a parameter."""
    p = parameter
    title = f"{opened.name}: {p.name}"
    said = (_headline(p),) if p.storage.same_slices(p.compute) else (
        _headline(p), f"It is used as slices of shape {p.compute.slice_shape(p.shape)}: gathered before, for each step."
    )  # fmt: skip
    rows = tuple(_row(p.storage, p.shape, r, None) for r in sorted(p.storage.ranks))
    draw = partial(_draw_tensor, title, said, p.storage, p.shape, rank)
    return View(title, said, rows, draw, rank_blocks(p.storage, p.shape, rank))


def _headline(p: ParameterPlaced) -> str:
    total = prod(p.storage.cuts)
    copies = f", each on {p.copies} ranks" if p.copies > 1 else ", each on one rank"
    return (
        f"{p.name} {p.shape} {p.dtype}, tensor map {p.storage.tensor_map}: {_count(total, 'slice')} of shape "
        f"{p.at_most}{p.slice_shape}{copies}; {p.at_most}{bytes_text(p.slice_bytes)} a rank."
    )


def _row(layout: Layout, shape: tuple[int, ...] | None, rank: int, host: str | None) -> Row:
    row: dict[str, object] = {"rank": rank, "coordinates": coordinates(layout.dev_mat, layout.place(rank))}
    if shape is None:
        return row | {"host": host}
    others = tuple(r for r in layout.replicas(rank) if r != rank)
    return row | {"slice": layout.slice_index(rank), "holds": held_text(layout, shape, rank), "same_on": others}


def _groups(opened: OpenedRun, rank: int) -> tuple[tuple[int, ...], ...]:
    """Return the groups that a rank does collectives in."""
    program = main_program(opened)
    found = groups_of(opened, program_view(opened, program)) if program else {}
    return tuple(dict.fromkeys(g for groups in found.values() for g in groups if rank in g and len(g) > 1))


def _with_whom(groups: tuple[tuple[int, ...], ...], dev_mat: tuple[int, ...]) -> str:
    if not groups:
        return "It does no collective with others."
    said: list[str] = []
    for group in groups[:4]:
        axes = device_axes_of(group, dev_mat)
        few = ", ".join(map(str, group[:8])) + (f" and {len(group) - 8} more" if len(group) > 8 else "")
        along = f" along device axis {', '.join(map(str, axes))}" if axes else ""
        said.append(f"{{{few}}}{along}")
    return f"It does collectives in {_count(len(groups), 'group')}: {'; '.join(said)}."


# --- drawn ---


def _draw_wall(
    title: str,
    said: tuple[str, ...],
    layout: Layout,
    shape: tuple[int, ...] | None,
    rank: int | None,
    lit: frozenset[int],
) -> str:
    canvas = Canvas(title, said, _WIDTH)
    height = _paint_wall(canvas, canvas.top + 18, layout, shape, rank, lit)
    return canvas.svg(canvas.top + 18 + height + _MARGIN)


def _draw_tensor(title: str, said: tuple[str, ...], layout: Layout, shape: tuple[int, ...], rank: int | None) -> str:
    canvas = Canvas(title, said, _WIDTH)
    height = _paint_wall(canvas, canvas.top + 18, layout, shape, rank, frozenset())
    below = canvas.top + 18 + height + _MARGIN
    svg = layout.show(shape, rank).svg()
    wide, tall = (float(svg.split(f' {name}="', 1)[1].split('"', 1)[0]) for name in ("width", "height"))
    canvas.width = max(canvas.width, wide + 2 * _MARGIN)
    canvas.put(svg, _MARGIN, below)
    return canvas.svg(below + tall + _MARGIN)


def _paint_wall(
    canvas: Canvas,
    y: float,
    layout: Layout,
    shape: tuple[int, ...] | None,
    rank: int | None,
    lit: frozenset[int],
) -> float:
    """Draw all ranks and return the height that they took."""
    wall = lay_wall(layout.dev_mat, _WIDTH - 2 * _MARGIN, 620)
    with canvas.moved(_MARGIN, y):
        wall.paint_frames(canvas)
        for place, number in enumerate(layout.ranks):
            _tile(canvas, wall, place, number, layout, shape, is_lit=number in lit)
        if rank is not None:
            x, top = wall.corners[layout.place(rank)]
            side = wall.tile + 4
            canvas.rect(x - 2, top - 2, side, side, stroke=COLORS["selected"], thick=2.5, radius=5, role="chosen")
    return wall.height


def _tile(
    canvas: Canvas,
    wall: Wall,
    place: int,
    rank: int,
    layout: Layout,
    shape: tuple[int, ...] | None,
    *,
    is_lit: bool,
) -> None:
    (x, y), size = wall.corners[place], wall.tile
    edge = COLORS["accent"] if is_lit else COLORS["line"]
    fill = COLORS["accentSoft"] if is_lit else COLORS["surface"]
    radius = 7 if size >= 40 else 3 if size >= 16 else 0
    if shape is not None and size < _SMALL:
        _small(canvas, x, y, size, layout, rank)
        return
    stroke = edge if size >= 8 else None
    canvas.rect(x, y, size, size, fill, stroke=stroke, radius=radius, role="rank", hint=f"rank {rank}")
    if shape is not None:
        top = 16 if size >= 40 else 2
        if size >= 40:
            canvas.text(x + 6, y + 13, str(rank), COLORS["quiet"], size=11)
        paint_glyph(canvas, (x + 5, y + top, size - 10, size - top - 5), layout, shape, rank)
    elif size >= 14:
        letters = min(14.0, size * 0.5, (size - 3) / (len(str(layout.size - 1)) * 0.6))
        if letters >= 6.5:
            tone = COLORS["accent" if is_lit else "ink"]
            canvas.text(x + size / 2, y + size / 2 + letters * 0.36, str(rank), tone, size=letters, anchor="middle")


def _small(canvas: Canvas, x: float, y: float, size: float, layout: Layout, rank: int) -> None:
    """Draw a tile too small for a glyph: the tile is the tensor, and a dark part of it what the rank holds."""
    glyph = glyph_of(layout, rank)
    count = glyph.rows * glyph.columns
    hint = f"rank {rank} holds slice {glyph.number}"
    canvas.rect(x, y, size, size, soft_ramp(glyph.number, count), role="rank", hint=hint)
    w, h = max(2.0, size / glyph.columns), max(2.0, size / glyph.rows)
    left, top = min(glyph.column * size / glyph.columns, size - w), min(glyph.row * size / glyph.rows, size - h)
    canvas.rect(x + left, y + top, w, h, ramp(glyph.number, count), role="held")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
