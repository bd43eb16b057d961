"""What no single page is about: one selection on all of them, an axis dragged at 1024 ranks, why, copies that part."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simpar.planning import keep_plans, plan_script
from simpar.recorder import Checksum
from tests.dashboard.runs import write_run
from tests.dashboard.test_repartition import SCRIPT
from tests.ui.conftest import settle

Open = Callable[..., Any]

LARGE = {
    "(64, 128)": "(1024, 4096)",
    "(128, 16)": "(4096, 1024)",
    "(16,)": "(1024,)",
    "((2, 1), (1, 4))": "((32, 1), (1, 32))",
    "((2, 4), (4, 1))": "((32, 32), (32, 1))",
    "(32, 64)": "(1024, 1024)",
}
"""What makes the script one for a device matrix of (32, 32)."""


def told(page: Any) -> str:
    return re.sub(r"\s+", " ", page.locator("main").inner_text())


def test_rank_that_is_touched_is_lit_on_every_page(open_page: Open) -> None:
    page = open_page("devices?run=eight")
    page.get_by_role("button", name=re.compile("Arrow keys move")).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("aside h2:has-text('Rank 5')")
    page.get_by_role("link", name="Communication", exact=True).click()
    settle(page)
    page.get_by_role("tab", name="Matrix").click()
    page.wait_for_selector("aside h3:has-text('Rank 5')")  # its row and its column are outlined
    page.locator(".figure span", has_text=re.compile("^rank 5$")).wait_for()  # the legend of the outline
    assert "to rank 6" in told(page)
    page.get_by_role("link", name="Memory", exact=True).click()
    settle(page)
    assert "rank=5" in page.url
    assert "Rank 5" in told(page)


@pytest.fixture(scope="module")
def thousand(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the name of a run, planned for 1024 devices and never run."""
    script, text = tmp_path_factory.mktemp("thousand") / "net.py", SCRIPT
    for small, large in LARGE.items():
        assert small in text
        text = text.replace(small, large)
    script.write_text(text, encoding="utf-8")
    return keep_plans(plan_script(script, (), 1024, 0), folder=folder).name


def test_axis_dragged_at_1024_ranks_moves_cuts_bytes_and_collectives(open_page: Open, thousand: str) -> None:
    page = open_page(f"plan?run={thousand}&kind=w2")
    page.wait_for_selector("text=32 slices of shape (128, 1024) on 1024 ranks")
    chip = page.get_by_role("button", name="mp 32 on axis 0 of w2")
    chip.drag_to(page.get_by_role("button", name="mp 32 on axis 1 of w2"))
    page.wait_for_selector("text=32 slices of shape (4096, 32) on 1024 ranks")
    moves = page.get_by_role("region", name="The whole step")
    moves.get_by_role("button", name=re.compile(r"\d new all_gather")).wait_for()
    assert "new: all_gather" in page.get_by_role("region", name="Graph around w2").inner_text()
    figures = moves.get_by_role("table", name="Figures of the whole step").get_by_role("row").all_inner_texts()
    sent = next(row for row in figures if row.startswith("sent"))
    assert len(set(re.findall(r"[\d.]+ [KMG]iB", sent))) == 2, sent  # as recorded, and now


def test_copy_that_differs_is_solid_red_with_the_step_at_which_it_parted(
    open_page: Open, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    # of blocks.1.w2, cut over device axis 0 alone, there are four copies over (4, 2)
    digests = [
        (rank, Checksum(rank, "blocks.1.w2", step, "b" if (rank, step) == (6, 7) else "a"))
        for step in (6, 7)
        for rank in range(8)
    ]
    write_run(tmp_path, "run", (4, 2), steps=8, more=digests)
    page = open_page("tensor?run=run&parameter=blocks.1.w2", serve(tmp_path))
    assert "from step 7 on, ranks {0, 2, 4} and {6} hold different copies" in page.get_by_role("alert").inner_text()
    wall = page.get_by_role("region", name="Who holds which slice")
    wall.locator("span", has_text=re.compile("^copy that differs$")).wait_for()
    red = """canvases => {
        let found = 0;
        for (const canvas of canvases) {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 4) found += data[i] > 150 && data[i + 1] < 90 && data[i + 2] < 90;
        }
        return found;
    }"""
    tile = 60 * 60 // 2  # its number and its step are written on it
    assert tile < wall.locator("canvas").evaluate_all(red) < 80 * 80
    wall.get_by_role("button", name="Who holds which slice as a table").click()
    rows = wall.get_by_role("table").get_by_role("row").all_inner_texts()
    assert [row for row in rows if "differs since step 7" in row] == [rows[1 + 6]]
