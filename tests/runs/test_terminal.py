"""What ranks hold, drawn with characters: every rank once, at any width, folded where there are many."""

import re

import pytest
from rich.console import Console

from simpar.layout import Layout
from simpar.runs import rank_blocks
from tests.layout.simulated import all_layouts

LARGE = [
    (Layout((32, 32), (1, 0)), (4096, 4096)),
    (Layout((1024,), (0,)), (4096,)),
    (Layout((4, 4, 8, 8), (3, 2, 1, 0)), (32, 32, 32, 32)),
    (Layout((1024,), (-1, -1)), (64, 64)),
]


def printed(layout: Layout, shape: tuple[int, ...], rank: int | None = None, width: int = 100) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(rank_blocks(layout, shape, rank))
    return captured.get().splitlines()


@pytest.mark.parametrize("layout", all_layouts((2, 3), 2), ids=str)
def test_each_rank_has_one_block_at_the_place_of_its_slice(layout: Layout) -> None:
    lines = printed(layout, (6, 6))[1:]
    rows, columns = layout.cuts
    tall = rows + (1 if rows > 1 else 0)  # and an empty line between
    for rank in range(6):
        down, across = divmod(rank, 3)
        left = across * (2 + columns + 2) + 2
        grid = [lines[down * tall + i].ljust(80)[left : left + columns] for i in range(rows)]
        held = [(i, j) for i in range(rows) for j in range(columns) if grid[i][j] != "·"]
        assert held == [layout.blocks(rank)]
        is_first = layout.replicas(rank)[0] == rank
        assert grid[held[0][0]][held[0][1]] == ("█" if is_first else "▓")


def test_terms_of_a_sum_have_a_sign_of_their_own() -> None:
    assert printed(Layout((2,), (-1,), partial=(0,)), (4,)) == ["device axis 0 →    ▒ holds a term", "0 ▒  1 ▒"]


@pytest.mark.parametrize(("layout", "shape"), LARGE, ids=lambda x: str(x))
@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_a_thousand_ranks_fold_into_any_terminal(layout: Layout, shape: tuple[int, ...], width: int) -> None:
    lines = printed(layout, shape, width=width)
    assert len(lines) < 80
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("layout", "shape"), LARGE, ids=lambda x: str(x))
@pytest.mark.parametrize("rank", [0, 517, 1023])
def test_the_chosen_rank_is_never_folded_away(layout: Layout, shape: tuple[int, ...], rank: int) -> None:
    assert re.search(rf"(?<!\d){rank} [█▓·]", "\n".join(printed(layout, shape, rank)))
