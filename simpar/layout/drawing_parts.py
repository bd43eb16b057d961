"""What a drawing of a layout shows, before it is drawn: panels of cells, and sentences.

The last two axes of a tensor lie on the page, rows down and columns across; each slice of the axes before them is a
panel of its own. Where there are more slices than a reader can take in, the first ones, the last one and those of a
chosen rank stand for all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING

from simpar.layout.device_matrix import axis_size, coordinates, rank_at

if TYPE_CHECKING:  # layouts show themselves by pictures, so pictures know them by their types only
    from simpar.layout.intersection import Box
    from simpar.layout.layout import Layout

__all__ = ["Cell", "Panel", "Parts", "parts_of", "ranks_text", "sentences"]

MOST_SLICES = 8
"""How many slices of one axis are shown; where there are more, half as many and the last."""

MOST_PANELS = 6
"""How many panels are shown; where there are more, the first ones and the last."""

MOST_RANKS = 8
"""How many ranks of those that hold a slice are shown; where there are more, half as many less one, and the last."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One slice.

    Args:
        number: of the slice, row-major.
        box: ``(start, stop)`` along each tensor axis.
        terms: the ranks that hold it, the first few; one entry, or one for each term if the layout is partial.
        copies: how many ranks hold each term.
        term_count: how many terms there are.
        is_chosen: whether the chosen rank holds it.
    """

    number: int
    box: "Box"
    terms: tuple[tuple[int, ...], ...]
    copies: int
    term_count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A page of slices: one for each slice of the axes before the last two.

    Args:
        title: which part of the leading axes this is; empty if there are none.
        axes: the tensor axes that run down and across; -1 for none.
        rows: the interval of each row, None where some are left out.
        columns: the interval of each column, None where some are left out.
        cells: row by row, None where some are left out.
    """

    title: str
    axes: tuple[int, int]
    rows: tuple[str | None, ...]
    columns: tuple[str | None, ...]
    cells: tuple[tuple[Cell | None, ...], ...]

    @property
    def axis_names(self) -> tuple[str, str]:
        """The axes in words: down, and across; empty for none."""
        down, across = self.axes
        return (f"axis {down} ↓" if down >= 0 else "", f"axis {across} →" if across >= 0 else "")


@dataclass(frozen=True, slots=True)
class Parts:
    """All that a drawing shows.

    Args:
        title: shape, device matrix and tensor map.
        sentences: what follows from them.
        panels: the slices.
        panels_left_out: how many panels are not shown.
        slice_count: how many slices there are.
    """

    title: str
    sentences: tuple[str, ...]
    panels: tuple[Panel, ...]
    panels_left_out: int
    slice_count: int


def parts_of(layout: "Layout", shape: Sequence[int] | None, rank: int | None = None) -> Parts:
    """Return what to draw of a layout; the slices that ``rank`` holds are marked.

    Without a shape the slices bear their numbers along each axis instead of intervals.
    """
    told, shape = shape, layout.cuts if shape is None else tuple(shape)
    chosen = None if rank is None else layout.blocks(rank)
    if told is not None:
        layout.slice_shape(shape)  # says which axis does not divide
    lead = layout.cuts[:-2]
    pages = list(product(*(range(n) for n in lead))) if prod(lead) <= MOST_PANELS else _some_pages(lead, chosen)
    return Parts(
        title=("" if told is None else f"shape {shape} · ")
        + f"device matrix {layout.dev_mat} · tensor map {_map_text(layout)}",
        sentences=sentences(layout, told),
        panels=tuple(_panel(layout, shape, told is not None, page, chosen) for page in pages),
        panels_left_out=prod(lead) - len(pages),
        slice_count=prod(layout.cuts),
    )


def sentences(layout: "Layout", shape: Sequence[int] | None) -> tuple[str, ...]:
    """Return in words what a layout does to a tensor, of any shape if None.

    >>> from simpar.layout import Layout
    >>> sentences(Layout((2, 4), (-1, 0)), (512, 1024))[1]
    '4 slices of shape (512, 256) on 8 ranks: each on 2, repeated over device axis 1'
    """
    cut = [
        f"axis {i} in {n} over {_axes_text(axes)}"
        for i, (axes, n) in enumerate(zip(layout.cutting_axes, layout.cuts, strict=True))
        if n > 1
    ]
    terms = prod(axis_size(layout.dev_mat, a) for a in layout.partial)
    count, ranks = prod(layout.cuts), layout.size
    copies = ranks // (count * terms)
    most = "up to " if layout.lengths else ""
    each = "" if shape is None else f" of shape {most}{layout.slice_shape(shape)}"
    held = f"{_count(count, 'slice')}{each} on {_count(ranks, 'rank')}"
    if copies > 1:
        held += f": each on {copies}, repeated over {_axes_text(layout.repeated_axes)}"
    found = (f"cut: {', '.join(cut)}" if cut else "not cut", held)
    if layout.is_partial:
        found += (f"partial: each rank holds one of {terms} terms, joined by {layout.combine} over "
                  f"{_axes_text(layout.partial)}",)  # fmt: skip
    return found


def ranks_text(cell: Cell) -> str:
    """Return the ranks that hold a slice: copies stand side by side, the terms of a sum are joined by ``+``."""
    some = [", ".join(map(str, term)) for term in (_with_gap(t, cell.copies) for t in cell.terms)]
    if cell.term_count == 1:
        return some[0]
    terms = [f"({t})" if cell.copies > 1 else t for t in some]
    if cell.term_count > len(terms):
        terms.insert(len(terms) - 1, "…")
    return " + ".join(terms)


def _with_gap(ranks: Sequence[int], count: int) -> list[int | str]:
    shown: list[int | str] = list(ranks)
    if count > len(ranks):
        shown.insert(len(shown) - 1, "…")
    return shown


def _panel(
    layout: "Layout",
    shape: tuple[int, ...],
    has_shape: bool,
    page: tuple[int, ...],
    chosen: tuple[int, ...] | None,
) -> Panel:
    at = len(page)
    keep = None if chosen is None or chosen[:at] != page else chosen[at:]
    own = len(layout.cuts) - at
    most = MOST_SLICES if prod(layout.cuts[:at]) == 1 else MOST_SLICES // 2
    shown = [_shown(n, most, None if keep is None else keep[i]) for i, n in enumerate(layout.cuts[at:])]

    def interval(axis: int, block: int) -> str:
        return _interval(layout, axis, block, shape[axis] if has_shape else None)

    texts = [
        tuple(None if b is None else interval(axis, b) for b in blocks) for axis, blocks in enumerate(shown, start=at)
    ]
    while len(shown) < 2:
        shown.insert(0, [0])
        texts.insert(0, ("",))
    cells = tuple(
        tuple(
            None if row is None or column is None else _cell(layout, shape, (*page, *(row, column)[2 - own :]), chosen)
            for column in shown[1]
        )
        for row in shown[0]
    )
    title = ", ".join(f"axis {i} [{interval(i, b)}]" for i, b in enumerate(page))
    return Panel(title, (at if own == 2 else -1, at + own - 1), texts[0], texts[1], cells)


def _cell(layout: "Layout", shape: tuple[int, ...], block: tuple[int, ...], chosen: tuple[int, ...] | None) -> Cell:
    number = 0
    for b, n in zip(block, layout.cuts, strict=True):
        number = number * n + b
    terms = prod(axis_size(layout.dev_mat, a) for a in layout.partial)
    return Cell(
        number=number,
        box=tuple(layout.interval(i, b, n) for i, (b, n) in enumerate(zip(block, shape, strict=True))),
        terms=tuple(_holders(layout, block)),
        copies=layout.size // (prod(layout.cuts) * terms),
        term_count=terms,
        is_chosen=block == chosen,
    )


def _holders(layout: "Layout", block: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield, for the first few terms and the last, the first few ranks that hold them and the last."""
    last = len(layout.dev_mat) - 1
    at = [0] * len(layout.dev_mat)
    for axes, number in zip(layout.cutting_axes, block, strict=True):
        for a in reversed(axes):
            number, at[last - a] = divmod(number, axis_size(layout.dev_mat, a))
    for term in _few(layout, layout.partial):
        yield tuple(
            layout.ranks[rank_at(layout.dev_mat, [x + y + z for x, y, z in zip(at, term, copy, strict=True)])]
            for copy in _few(layout, layout.repeated_axes)
        )


def _few(layout: "Layout", axes: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the first few coordinates along some device axes, and the last, zero along the others."""
    free = [n if len(layout.dev_mat) - 1 - i in axes else 1 for i, n in enumerate(layout.dev_mat)]
    if prod(free) <= MOST_RANKS:
        return list(product(*map(range, free)))
    first = list(islice(product(*map(range, free)), MOST_RANKS // 2 - 1))
    return [*first, coordinates(tuple(free), prod(free) - 1)]


def _shown(n: int, most: int, keep: int | None) -> list[int | None]:
    """Return which of ``n`` are shown, with None where some are left out."""
    if n <= most:
        return list(range(n))
    few = sorted({*range(most // 2), n - 1} | ({keep} if keep is not None else set()))
    found: list[int | None] = []
    for i in few:
        if found and found[-1] != i - 1:
            found.append(None)
        found.append(i)
    return found


def _some_pages(lead: tuple[int, ...], chosen: tuple[int, ...] | None) -> list[tuple[int, ...]]:
    first = list(islice(product(*(range(n) for n in lead)), MOST_PANELS - 1))
    last = [tuple(n - 1 for n in lead)]
    kept = [chosen[: len(lead)]] if chosen is not None else []
    return list(dict.fromkeys([*first, *kept, *last]))


def _interval(layout: "Layout", axis: int, block: int, length: int | None) -> str:
    """Return which part of an axis a block is: its number, where the length of the axis is not known."""
    return str(block) if length is None else "{}:{}".format(*layout.interval(axis, block, length))


def _axes_text(axes: Sequence[int]) -> str:
    return ("device axis " if len(axes) == 1 else "device axes ") + ", ".join(map(str, axes))


def _map_text(layout: "Layout") -> str:
    return str(layout.tensor_map)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
