"""Drawings show every rank of small layouts, stay readable for large ones, and are well-formed."""

import xml.etree.ElementTree as ElementTree
from itertools import combinations
from math import prod

import pytest
from rich.console import Console

from simpar.errors import LayoutError
from simpar.layout import Layout, LayoutPicture, draw, to_svg
from simpar.layout.drawing_parts import Cell, parts_of, ranks_text, sentences
from tests.layout.simulated import all_layouts

SVG = "{http://www.w3.org/2000/svg}"
LARGE = [
    (Layout((16, 64), (1, 0)), (1024, 4096)),
    (Layout((1024,), (-1, -1)), (64, 64)),
    (Layout((1024,), (-1, -1), partial=(0,)), (64, 64)),
    (Layout((4, 4, 8, 8), (3, 2, 1, 0)), (32, 32, 32, 32)),
    (Layout((64, 128, 128), (2, -1)), (64, 4)),
]


def printed(layout: Layout, shape: tuple[int, ...], rank: int | None = None) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as capture:
        console.print(draw(layout, shape, rank))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def cells_of(layout: Layout, shape: tuple[int, ...], rank: int | None = None) -> list[Cell]:
    parts = parts_of(layout, shape, rank)
    return [cell for panel in parts.panels for row in panel.cells for cell in row if cell is not None]


@pytest.mark.parametrize("layout", all_layouts((2, 3), 2, combine="sum"), ids=str)
def test_a_cell_names_the_ranks_that_hold_its_box(layout: Layout) -> None:
    shape = (6, 6)
    cells = cells_of(layout, shape)
    assert [cell.number for cell in cells] == list(range(prod(layout.cuts)))
    for cell in cells:
        for rank in range(6):
            is_named = any(rank in term for term in cell.terms)
            assert is_named == (layout.box(shape, rank) == cell.box)


def test_three_axes_are_panels_side_by_side() -> None:
    assert printed(Layout((2, 2, 2), (2, 1, 0)), (4, 8, 16)) == (
        "shape (4, 8, 16) · device matrix (2, 2, 2) · tensor map (2, 1, 0)\n"
        "cut: axis 0 in 2 over device axis 2, axis 1 in 2 over device axis 1, axis 2 in 2 over device axis 0\n"
        "8 slices of shape (2, 4, 8) on 8 ranks\n"
        "      axis 0 [0:2]                axis 0 [2:4]\n"
        "╭──────────┬─────┬──────╮   ╭──────────┬─────┬──────╮\n"
        "│ axis 2 → │     │      │   │ axis 2 → │     │      │\n"
        "│ axis 1 ↓ │ 0:8 │ 8:16 │   │ axis 1 ↓ │ 0:8 │ 8:16 │\n"
        "├──────────┼─────┼──────┤   ├──────────┼─────┼──────┤\n"
        "│      0:4 │  0  │  1   │   │      0:4 │  4  │  5   │\n"
        "├──────────┼─────┼──────┤   ├──────────┼─────┼──────┤\n"
        "│      4:8 │  2  │  3   │   │      4:8 │  6  │  7   │\n"
        "╰──────────┴─────┴──────╯   ╰──────────┴─────┴──────╯"
    )


def test_one_axis_runs_across() -> None:
    assert "│ 0:2 │ 2:4 │\n├─────┼─────┤\n│  0  │  1  │" in printed(Layout((2,), (0,)), (4,))


def test_copies_stand_side_by_side_and_terms_are_added() -> None:
    (cell,) = cells_of(Layout((2, 2), (-1,), partial=(0,)), (4,))
    assert ranks_text(cell) == "(0, 2) + (1, 3)"
    assert ranks_text(cells_of(Layout((2, 2), ()), ())[0]) == "0, 1, 2, 3"


def test_sentences_say_what_is_cut_repeated_and_partial() -> None:
    assert sentences(Layout((2, 2, 2), ((2,), -1), partial=(0,), combine="max"), (8, 16)) == (
        "cut: axis 0 in 2 over device axis 2",
        "2 slices of shape (4, 16) on 8 ranks: each on 2, repeated over device axis 1",
        "partial: each rank holds one of 2 terms, joined by max over device axis 0",
    )
    assert sentences(Layout((1,), (-1,)), (8,)) == ("not cut", "1 slice of shape (8,) on 1 rank")


# --- large layouts ---


@pytest.mark.parametrize(("layout", "shape"), LARGE, ids=lambda x: str(x))
def test_a_large_layout_stays_readable(layout: Layout, shape: tuple[int, ...]) -> None:
    assert len(printed(layout, shape).splitlines()) < 80
    assert max(map(len, printed(layout, shape).splitlines())) <= 120
    assert len(to_svg(layout, shape)) < 80_000


@pytest.mark.parametrize(("layout", "shape"), LARGE, ids=lambda x: str(x))
@pytest.mark.parametrize("rank", [0, 517, 1023])
def test_the_slice_of_the_chosen_rank_is_never_left_out(layout: Layout, shape: tuple[int, ...], rank: int) -> None:
    (chosen,) = [cell for cell in cells_of(layout, shape, rank) if cell.is_chosen]
    assert chosen.box == layout.box(shape, rank)


def test_what_is_left_out_is_marked() -> None:
    text = printed(Layout((16, 64), (1, 0)), (1024, 4096))
    assert "│ … │" in text
    assert " ⋮ │" in text
    assert "and 10 more parts like these" in printed(Layout((4, 4), (1, 0, -1, -1)), (4, 4, 2, 2))


# --- SVG ---


@pytest.mark.parametrize(
    ("layout", "shape"),
    [*LARGE, (Layout((2, 4), (1, 0)), (512, 1024)), (Layout((2,), (), partial=(0,)), ()), (Layout((8,), (0,)), (64,))],
    ids=lambda x: str(x),
)
def test_an_svg_is_well_formed_and_its_cells_lie_apart_and_inside(layout: Layout, shape: tuple[int, ...]) -> None:
    root = ElementTree.fromstring(to_svg(layout, shape, rank=1))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = [box for group in root.iter(f"{SVG}g") for box in moved_cells(group)]
    assert boxes
    for x, y, w, h in boxes:
        assert 0 < x < x + w < width
        assert 0 < y < y + h < height
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x1 + w1 < x2 or x2 + w2 < x1 or y1 + h1 < y2 or y2 + h2 < y1


def moved_cells(group: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Return the cells directly under a panel, or the legend, at their place on the page."""
    if "transform" not in group.attrib:
        return []
    dx, dy = map(float, group.attrib["transform"].removeprefix("translate(").removesuffix(")").split(","))
    rects = [r for r in group.iter(f"{SVG}rect") if r.attrib["class"].startswith("cell")]
    return [
        (dx + float(r.attrib["x"]), dy + float(r.attrib["y"]), float(r.attrib["width"]), float(r.attrib["height"]))
        for r in rects
    ]


def test_an_svg_stands_alone_and_has_two_themes() -> None:
    text = to_svg(Layout((2, 4), (1, 0)), (512, 1024))
    assert "@media (prefers-color-scheme:dark)" in text
    assert "href" not in text
    assert "url(" not in text
    assert 'role="img"' in text


def test_an_svg_names_every_slice_for_those_who_cannot_see_it() -> None:
    root = ElementTree.fromstring(to_svg(Layout((2,), (0, -1)), (4, 2)))
    titles = [title.text for group in root.iter(f"{SVG}g") for title in group.findall(f"{SVG}title")]
    assert titles == ["slice 0: 0:2, 0:2, on rank 0", "slice 1: 2:4, 0:2, on rank 1"]


def test_copies_terms_and_the_chosen_slice_have_their_signs_explained() -> None:
    text = to_svg(Layout((2, 2), (-1,), partial=(0,)), (4,), rank=3)
    for words in ("rank that repeats it", "terms still to be joined", "slice of the chosen rank"):
        assert words in text


# --- the value ---


def test_a_picture_shows_itself_to_a_notebook_and_to_a_terminal() -> None:
    picture = LayoutPicture(Layout((2, 4), (1, 0)), (8, 16), rank=3)
    assert picture._repr_svg_() == to_svg(picture.layout, picture.shape, rank=3)  # pyright: ignore[reportPrivateUsage]
    console = Console(width=120, color_system=None)
    with console.capture() as capture:
        console.print(picture)
    assert capture.get().startswith("shape (8, 16) · device matrix (2, 4) · tensor map (1, 0)")


def test_a_picture_of_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(LayoutError, match="cannot cut into 4 equal slices"):
        LayoutPicture(Layout((2, 4), (1, 0)), (8, 15))
    with pytest.raises(LayoutError, match="rank 8 is not one of the 8 ranks"):
        LayoutPicture(Layout((2, 4), (1, 0)), (8, 16), rank=8)
