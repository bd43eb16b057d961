"""The plan page: what a strategy would cost at any number of ranks, and which of two is better."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

Open = Callable[..., Any]
# Of the run for 32 x 32 imagined ranks: w2 of 4096 x 1024 float32 is cut in 32 along axis 0, 512 KiB, 32 copies.
W2 = "blocks.0.w2"


def row_of(page: Any, name: str) -> str:
    return re.sub(r"\s+", " ", page.get_by_role("listitem").filter(has_text=name).first.inner_text())


def test_cutting_one_more_axis_changes_slices_at_1024_ranks_without_a_run(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    page.wait_for_selector("text=512 KiB")
    assert "A 512 KiB 32 copies" in row_of(page, W2)
    page.get_by_role("button", name=f"dp 32 on axis 1 of {W2}").press("Enter")
    page.wait_for_selector("text=16 KiB one copy >> nth=1")
    assert "A 16 KiB one copy" in row_of(page, W2)
    page.wait_for_selector("text=1024 slices of shape (128, 32) on 1024 ranks")
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("text=16 KiB one copy >> nth=1")


def test_device_axis_is_dragged_from_one_axis_to_another(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    chip = page.get_by_role("button", name=f"mp 32 on axis 0 of {W2}")
    chip.drag_to(page.get_by_role("button", name=f"mp 32 on axis 1 of {W2}"))
    page.wait_for_selector("text=32 slices of shape (4096, 32) on 1024 ranks")
    assert chip.get_attribute("aria-pressed") == "false"


def test_length_that_does_not_divide_is_said_with_the_way_out(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    size = page.get_by_label("Ranks along device axis 0 of A")
    size.fill("3")
    size.press("Tab")
    page.wait_for_selector("text=axis 0 of length 4096 cannot be cut into 3 equal slices: pad it to 4098")
    assert "left out of the figures" in page.locator("main").inner_text()


def test_two_strategies_are_compared_and_live_in_the_address(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    page.get_by_role("button", name="Compare with a second strategy, B").click()
    page.get_by_label("Cut all parameters of B").select_option("whole")
    page.wait_for_selector("text=A needs less memory")
    words = page.locator("main").inner_text()
    assert "2 parameters change" in words
    assert "all_gather" in words
    again = open_page(page.url.split("/", 3)[3])
    again.wait_for_selector("text=A needs less memory")
    again.get_by_role("button", name="Remove B").click()
    again.wait_for_selector("text=Compare with a second strategy, B")


def test_memory_is_what_the_slices_add_up_to(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    page.wait_for_selector("table")
    # w1 is stored cut both ways, 16 KiB; w2 is 512 KiB; with gradients and two states that is four times 528 KiB.
    row = page.get_by_role("row", name=re.compile("^memory of a rank")).get_by_role("cell").first
    assert row.get_attribute("title") == "2\u202f162\u202f688 B"


def test_strategy_as_python_runs_and_cuts_as_shown(open_page: Open) -> None:
    page = open_page("plan?run=imagined")
    code = page.get_by_role("region", name="Strategy A as Python").locator("pre").first.inner_text()
    made: dict[str, Any] = {}
    exec(code, made)
    assert made["strategy"][W2].to_layout().slice_shape((4096, 1024)) == (128, 1024)
    assert "simpar plan net.py -n 1024" in page.locator("main").inner_text()


def test_page_needs_no_run(open_page: Open, serve: Callable[[Path], str], tmp_path: Path) -> None:
    page = open_page("plan", serve(tmp_path))
    page.wait_for_selector("text=Example: a language model of 24 layers")
    page.get_by_label("Ranks along device axis 1 of A").fill("128")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=Under A each of 1024 ranks needs")


def test_sides_are_chosen_by_keys(open_page: Open) -> None:
    page = open_page("plan?run=eight")
    page.keyboard.press("b")
    page.wait_for_selector("text=How B cuts each parameter")
    page.keyboard.press("a")
    page.wait_for_selector("text=How A cuts each parameter")


@pytest.mark.skipif(not AXE.is_file(), reason="web/node_modules is missing: python hatch_build.py fetches it")
def test_comparison_is_in_reach_of_readers(open_page: Open) -> None:
    page = open_page("plan?run=eight&b=2x4&edit=b")
    page.wait_for_selector("table")
    page.evaluate(AXE.read_text("utf-8"))
    for look in ({"color_scheme": "light"}, {"color_scheme": "dark"}):
        page.emulate_media(**look)
        found = page.evaluate("axe.run()")["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == []
