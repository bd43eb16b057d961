"""The page of memory: what fills each rank, and which would run out first."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Open = Callable[..., Any]


def text_of(page: Any) -> str:
    return page.locator("main").inner_text()


def test_memory_says_what_every_rank_needs(open_page: Open) -> None:
    words = text_of(open_page("memory?run=eight"))
    # four weights of 4 MiB a slice, of which one is stored cut in two; as much of states; an arena of 8 MiB
    assert "Every rank needs 36 MiB at once; 39 % of it are parameters." in words
    assert "the arena is what the plan of the program that needs most keeps beside them" in words


def test_capacity_is_typed_kept_and_judged(open_page: Open) -> None:
    page = open_page("memory?run=eight")
    page.get_by_label("A rank may hold").fill("32 MiB")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=8 ranks of 8 would not fit into 32 MiB.")
    again = open_page(page.url.split("/", 3)[3])
    assert again.get_by_label("A rank may hold").input_value() == "32 MiB"
    again.get_by_label("A rank may hold").fill("64 MiB")
    again.keyboard.press("Enter")
    again.wait_for_selector("text=All fit into 64 MiB, with 28 MiB to spare.")
    again.get_by_label("A rank may hold").fill("plenty")
    again.keyboard.press("Enter")
    again.wait_for_selector("text=Write a size such as 512 MiB or 32 GiB.")


def test_memory_has_a_table_with_a_row_for_each_rank(open_page: Open) -> None:
    page = open_page("memory?run=eight")
    page.get_by_role("button", name="Needed at once as a table").click()
    table = page.get_by_role("table", name="Needed at once")
    assert table.get_by_role("row").count() == 1 + 8
    assert re.search(r"rank 3\s+14 MiB\s+14 MiB\s+8 MiB\s+36 MiB\s+60 MiB", table.inner_text())


def test_rank_is_chosen_by_keys_and_taken_apart_by_parameter(open_page: Open) -> None:
    page = open_page("memory?run=eight")
    page.get_by_role("button", name=re.compile("Memory of every rank")).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("h2:has-text('Rank 2, by parameter')")
    assert "rank=2" in page.url
    page.get_by_role("button", name="Export Rank 2, by parameter").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    sizes = {row["name"]: int(row["on the rank"]) for row in rows}
    assert sizes["blocks.1.w1"] == 4 << 20
    assert sizes["blocks.0.w1"] == 2 << 20
    assert sum(sizes.values()) == (36 << 20) + 2  # the plan of rank n needs n bytes more


def test_memory_of_a_thousand_ranks_planned_alike_is_one_bar(open_page: Open) -> None:
    page = open_page("memory?run=imagined")
    page.get_by_role("button", name="Needed at once as a table").click()
    assert page.get_by_role("table", name="Needed at once").get_by_role("row").count() == 1 + 1
    assert "all 1024 ranks" in text_of(page)
