"""The page of communication: what is moved in a step, by whom, in which groups, in which messages, and why."""

import re
from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]


def text_of(page: Any) -> str:
    return page.locator("main").inner_text()


def test_collectives_are_counted_by_cause(open_page: Open) -> None:
    words = text_of(open_page("communication?run=eight"))
    assert (
        "Rank 0 runs 7 collectives in a step (2 layouts disagree, 2 partial result, 2 gradient, 1 stored cut)" in words
    )


def test_collective_tells_the_layouts_that_disagree_and_the_line(open_page: Open) -> None:
    page = open_page("communication?run=eight&collective=2")
    panel = page.get_by_role("complementary", name="Why it is there")
    panel.get_by_label("From layout to layout").wait_for()
    words = panel.inner_text()
    assert re.search(r"all_to_all\s+#2", words)
    assert "operand of norm in blocks.0 (net.py:14)" in words
    assert re.search(r"\(1, -1\)\s+slice \(2048, 1024\)", words)
    assert re.search(r"\(-1, 1\)\s+slice \(4096, 512\)", words)
    assert "4 such groups at once" in words
    panel.get_by_role("link", name="Step by step").click()
    page.wait_for_selector("h1:has-text('Redistribution')")
    assert re.search(r"chain=\d", page.url)


def test_collectives_of_one_cause_are_shown_alone(open_page: Open) -> None:
    page = open_page("communication?run=eight")
    page.get_by_role("button", name="layouts disagree").click()
    assert page.get_by_role("grid", name="Collectives in order").get_by_role("row").count() == 1 + 2
    again = open_page(page.url.split("/", 3)[3])
    assert again.get_by_role("button", name="layouts disagree").get_attribute("aria-pressed") == "true"


def test_rank_of_which_only_the_plan_is_known_shows_that_of_rank_0(open_page: Open) -> None:
    assert "A step of rank 0" in text_of(open_page("communication?run=imagined&rank=500"))


def test_views_are_changed_by_keys_and_kept_in_the_address(open_page: Open) -> None:
    page = open_page("communication?run=eight")
    page.keyboard.press("]")
    page.wait_for_selector("section[aria-label=Groups]")
    assert "view=groups" in page.url
    page.get_by_role("tab", name="Groups").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("section[aria-label=Buckets]")
    page.go_back()
    page.wait_for_selector("section[aria-label=Groups]")


def test_groups_stand_along_device_axes(open_page: Open) -> None:
    page = open_page("communication?run=eight&view=groups")
    assert "6 groups do the collectives of a step." in text_of(page)
    table = page.get_by_role("grid", name="Groups")
    assert table.get_by_role("row").count() == 1 + 6
    assert table.get_by_role("row", name=re.compile("axis 0")).count() == 2
    assert table.get_by_role("row", name=re.compile("axis 1")).count() == 4
    table.get_by_role("row", name="1, 5 2 axis 1").click()
    assert "group=1-5" in page.url


def test_buckets_say_what_travels_together(open_page: Open) -> None:
    page = open_page("communication?run=eight&view=buckets")
    assert re.search(r"5 parameters travel in 3 messages of .*, 2 of them fused\.", text_of(page))
    page.get_by_role("button", name="Buckets as a table").click()
    table = page.get_by_role("table", name="Buckets")
    assert table.get_by_role("row").count() == 1 + 5
    assert table.get_by_role("row", name=re.compile(r"blocks\.0\.w1")).count() == 2  # gathered alone, and its gradient


def test_matrix_tells_with_whom_a_rank_exchanges(open_page: Open) -> None:
    page = open_page("communication?run=eight&view=matrix&rank=5")
    words = text_of(page)
    assert "16 of 56 pairs exchange something" in words  # a ring of 4 over one axis, a pair over the other
    assert re.search(r"to rank 6", words)
    assert re.search(r"to rank 1", words)
    assert re.search(r"from rank 4", words)
    assert page.locator(".over").get_attribute("data-marks") == "16"
    page.get_by_role("button", name="Sender and receiver as a table").click()
    assert page.get_by_role("table", name="Sender and receiver").get_by_role("row").count() == 1 + 16


def test_matrix_is_walked_by_keys(open_page: Open) -> None:
    page = open_page("communication?run=eight&view=matrix")
    page.get_by_role("button", name=re.compile("Matrix of senders and receivers")).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".picture [aria-live]").inner_text().startswith("rank 0 → rank 1:")
    page.keyboard.press("Enter")
    assert "rank=0" in page.url
