"""The timeline: who computed, moved data and waited when, and for whom."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.dashboard.runs import write_run

Open = Callable[..., Any]


def text_of(page: Any) -> str:
    return page.locator("main").inner_text()


def test_timeline_says_how_the_time_was_spent_and_for_whom_others_waited(open_page: Open) -> None:
    words = text_of(open_page("timeline?run=eight"))
    assert re.search(r"of 8 ranks, steps 9 to 20: [\d.]+ % computing, [\d.]+ % moving data, [\d.]+ % waiting", words)
    assert re.search(r"The longest wait: at \w+ #\d of step \d+, \d ranks? waited .* together for rank \d\.", words)


def test_timeline_has_a_table_with_a_row_for_each_bar(open_page: Open) -> None:
    page = open_page("timeline?run=eight")
    page.get_by_role("button", name="Ranks over time as a table").click()
    table = page.get_by_role("table", name="Ranks over time")
    assert table.get_attribute("aria-rowcount") == str(1 + 8 * 12 * 7)  # ranks, steps, collectives


def test_timeline_is_walked_by_keys_and_tells_why_a_collective_is_there(open_page: Open) -> None:
    page = open_page("timeline?run=eight")
    page.get_by_role("button", name=re.compile("^Timeline")).focus()
    said = page.locator(".room > .picture [aria-live]")
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("rank 0, step 9: all_gather #0,")
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("rank 0, step 9: all_reduce #1,")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="The selected collective")
    assert re.search(r"Step 9: rank [0-3] came last, .* after the first", panel.inner_text())
    assert "result of matmul in blocks.0 (net.py:12) is partial" in panel.inner_text()
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("aside:has-text('came last')")
    page.keyboard.press("Escape")
    page.wait_for_selector("aside:has-text('Choose a bar')")


def test_steps_are_shown_one_by_one_by_keys(open_page: Open) -> None:
    page = open_page("timeline?run=eight")
    page.keyboard.press("]")
    page.wait_for_selector(".explain:has-text('8 ranks, step 9')")
    page.keyboard.press("0")
    page.wait_for_selector(".explain:has-text('steps 1 to 20')")
    assert re.search(r"span=[\d.]+~[\d.]+", page.url.replace("%7E", "~"))


def test_link_from_a_collective_leads_to_it(open_page: Open) -> None:
    page = open_page("communication?run=eight&collective=2")
    page.get_by_role("link", name="On the timeline").click()
    page.wait_for_selector("h1:has-text('Timeline')")
    page.wait_for_selector("aside:has-text('operand of norm in blocks.0 (net.py:14)')")


def test_late_rank_is_shown_where_it_came_last(open_page: Open) -> None:
    page = open_page("timeline?run=eight")
    page.get_by_role("grid", name=re.compile("Ranks that others waited for")).get_by_role("row").nth(1).click()
    page.wait_for_selector("aside:has-text('came last')")


def test_ranks_too_many_for_rows_are_averaged_and_opened(
    open_page: Open, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    write_run(tmp_path, "many", (2, 64), steps=2)
    page = open_page("timeline?run=many", serve(tmp_path))
    assert "neighbours together" in page.get_by_label("rows").inner_text()
    page.get_by_role("button", name=re.compile("^Timeline")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("button:has-text('ranks 4')")
    assert "ranks=4-7" in page.url
    page.wait_for_selector(".explain:has-text('of 4 ranks')")


def test_run_without_steps_says_so(open_page: Open) -> None:
    assert "No step has finished yet" in text_of(open_page("timeline?run=imagined"))


def test_trace_for_other_tools_is_a_link(open_page: Open) -> None:
    page = open_page("timeline?run=eight")
    with page.expect_download() as download:
        page.get_by_role("link", name="Chrome trace").click()
    trace = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert {e["pid"] for e in trace["traceEvents"] if e["ph"] == "X"} == set(range(8))
