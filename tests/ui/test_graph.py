"""The graph page: where the layout changes, and what was inserted because of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Open = Callable[..., Any]
PICTURE = re.compile("^Graph of train-0")


def test_page_says_where_layouts_change_and_why(open_page: Open) -> None:
    words = open_page("graph?run=eight").locator("main").inner_text()
    assert "In the forward phase 5 values change their layout" in words
    assert "2 because two layouts disagree, 2 because a result is partial" in words
    assert "4 of 5 operators with a strategy" in re.sub(r"\s+", " ", words)


def test_cells_are_opened_and_closed_by_keys(open_page: Open) -> None:
    page = open_page("graph?run=eight")
    page.get_by_role("button", name=PICTURE).focus()
    page.keyboard.press("ArrowDown")
    assert "blocks.0" in page.locator(".picture [aria-live]").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("aside h2:has-text('blocks.0')")
    page.get_by_role("button", name="Open this cell").press("Enter")
    page.wait_for_selector("aside :text('Open cells')")
    assert "open=forward%2Fblocks.0" in page.url
    page.get_by_title("Close this cell").press("Enter")
    page.wait_for_selector("aside h2:has-text('blocks.0')")


def test_movement_tells_the_two_layouts_that_it_joins(open_page: Open) -> None:
    page = open_page("graph?run=eight&open=*")
    page.wait_for_selector(".picture")
    for _ in range(3):
        page.keyboard.press("]")
    words = page.get_by_role("complementary", name="Inspector").inner_text()
    for part in ("made by", "(1, -1)", "read by", "(-1, 1)", "net.py:12", "sent by a rank"):
        assert part in words
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("aside h2:has-text('all_to_all')")
    again.get_by_role("link", name="Play it").click()
    again.wait_for_selector("h1:has-text('Redistribution')")
    assert "chain=" in again.url


def test_table_has_a_row_for_each_node_of_the_phase(open_page: Open) -> None:
    page = open_page("graph?run=eight")
    page.get_by_role("button", name="train-0 as a table").click()
    table = page.get_by_role("table", name="train-0")
    ops = table.get_by_role("row").all_inner_texts()
    assert len(ops) == 1 + 10
    assert sum("all_to_all" in row for row in ops) == 2


def test_phases_are_shown_one_by_one(open_page: Open) -> None:
    page = open_page("graph?run=eight")
    page.get_by_role("button", name="backward").click()
    page.wait_for_selector("text=to synchronise a gradient")
    page.get_by_role("button", name="update").click()
    page.wait_for_selector("text=This program has no update phase")


def test_drawing_can_be_taken_away_as_svg(open_page: Open) -> None:
    page = open_page("graph?run=eight&open=*")
    page.wait_for_selector(".picture")
    page.get_by_role("button", name="Export train-0").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="SVG").click()
    text = Path(download.value.path()).read_text("utf-8")
    assert text.startswith("<svg ")
    assert text.count("matmul") == 4
