"""The redistribution page: how a tensor gets from one layout to another, foreseen and recorded."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Open = Callable[..., Any]
# A value of 4096 x 1024 float32 is cut in 2: a slice is 8 MiB, of which an all_to_all in pairs sends half.


def test_page_puts_foreseen_and_recorded_bytes_side_by_side(open_page: Open) -> None:
    page = open_page("redistribution?run=eight")
    words = page.locator("main").inner_text()
    assert "Operand of norm in blocks.0" in words
    assert "a rank sends 4 MiB" in words
    card = re.sub(r"\s+", " ", page.locator("ol.steps li").nth(1).inner_text())
    assert "sent, foreseen 4 MiB" in card
    assert "message, foreseen 8 MiB message, recorded 8 MiB ✓" in card
    assert "groups of 2 along device axis 1" in card


def test_check_replays_every_step(open_page: Open) -> None:
    page = open_page("redistribution?run=eight")
    page.keyboard.press("c")
    words = page.get_by_role("region", name="Check").inner_text()
    assert "each of 8 ranks has every element of its slice exactly once" in words
    assert "values of this result are not recorded" in words


def test_check_counts_the_terms_of_a_sum(open_page: Open) -> None:
    page = open_page("redistribution?run=eight&chain=1")
    page.get_by_role("button", name="Check").click()
    words = page.get_by_role("region", name="Check").inner_text()
    assert "each of 8 ranks has every term of its slice exactly once" in words


def test_steps_are_walked_by_keys_and_kept_in_the_address(open_page: Open) -> None:
    page = open_page("redistribution?run=eight")
    page.keyboard.press("]")
    page.wait_for_selector("text=of 4 MiB sent by a rank · after 1 of 1 step")
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("text=of 4 MiB sent by a rank · after 1 of 1 step")
    again.keyboard.press("[")
    again.wait_for_selector("text=after 0 of 1 step")


def test_playing_comes_to_the_end_also_without_motion(open_page: Open) -> None:
    for motion in ("no-preference", "reduce"):
        page = open_page("redistribution?run=eight", reduced_motion=motion)
        page.keyboard.press(" ")
        page.wait_for_selector("text=after 1 of 1 step")
        assert page.get_by_role("button", name="Play", exact=True).is_visible()


def test_cursor_tells_what_a_rank_receives(open_page: Open) -> None:
    page = open_page("redistribution?run=eight")
    page.get_by_role("button", name=re.compile("What each rank holds")).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    words = page.locator(".picture [aria-live]").inner_text().split()
    assert " ".join(words) == "rank 1 holds (2048, 1024) receives from 5"


def test_of_a_thousand_ranks_one_and_its_group_are_drawn(open_page: Open) -> None:
    page = open_page("redistribution?run=imagined&rank=40&chain=1")
    page.get_by_role("button", name=re.compile("What each rank holds")).focus()
    page.keyboard.press("ArrowRight")
    assert "rank 32 holds" in page.locator(".picture [aria-live]").inner_text()
    page.get_by_role("button", name="Check").click()
    assert "each of 1024 ranks" in page.get_by_role("region", name="Check").inner_text()


def test_table_has_a_row_for_each_rank(open_page: Open) -> None:
    page = open_page("redistribution?run=eight&chain=2")
    page.get_by_role("button", name=re.compile("as a table")).click()
    rows = [" ".join(text.split()) for text in page.locator(".figure [role=row]").all_inner_texts()]
    assert len(rows) == 1 + 8
    assert rows[2] == "1 [0:2048, 0:1024] 5 [0:4096, 0:512]"  # of rank 5 it gets its rows of the same columns


def test_program_that_moves_nothing_names_one_that_does(open_page: Open) -> None:
    words = open_page("redistribution?run=one").locator("main").inner_text()
    assert "undefined" not in words


def test_any_layouts_can_be_tried(open_page: Open) -> None:
    page = open_page("redistribution?run=eight")
    page.get_by_role("button", name="Any layouts").click()
    page.get_by_role("button", name="gather", exact=True).click()
    # (4096, 1024) float32 over (2, 4): a slice of 2 MiB comes from each of 7 others
    page.wait_for_selector("text=a rank sends 14 MiB")
    page.get_by_role("button", name="To: device axis 1 cuts axis 0").click()
    page.wait_for_selector("text=a rank sends 6 MiB")  # 3 others along device axis 0
    page.get_by_role("button", name="Check").click()
    words = page.get_by_role("region", name="Check").inner_text()
    assert "of 32 held at the end, every one is what the whole tensor has there" in words  # 4 of 2 x 4 on 8 ranks
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("text=a rank sends 6 MiB")


def test_layout_that_cannot_be_says_why(open_page: Open) -> None:
    page = open_page("redistribution?run=eight&try=4096,1024~2,4~0,w~w,0~")
    page.get_by_label("shape").fill("4096, 10")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=Axis 1 of length 10 cannot be cut into 4 equal slices: pad it to 12")
    page.get_by_label("shape").fill("many")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=Write one to four whole lengths")


def test_layouts_are_tried_without_any_run(open_page: Open, serve: Callable[[Path], str], tmp_path: Path) -> None:
    page = open_page("redistribution", serve(tmp_path))
    page.wait_for_selector("text=The cheapest way for 8 ranks takes 1 step: a rank sends 3 MiB")
