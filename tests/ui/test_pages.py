"""Every page in a real browser: it answers its question, keeps its address, is in reach of keys and readers."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.ui.conftest import HOSTILE, settle

WEB = Path(__file__).parents[2] / "web"
_SOURCE = (WEB / "src" / "pages.ts").read_text("utf-8")
PAGES = [block.split('"', 1)[0] for block in _SOURCE.split('id: "')[1:] if "load:" in block]
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"

GRAVE = ("serious", "critical")
COLORS = "runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}"
LOOKS = (({"color_scheme": "light"}, ""), ({"color_scheme": "dark"}, COLORS), ({"forced_colors": "active"}, COLORS))
"""Looks, and which of axe's rules they are held to: only colours change from one to the next."""

Open = Callable[..., Any]


def text_of(page: Any) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_on_every_run(open_page: Open, name: str) -> None:
    parameter = "&parameter=blocks.0.w1" if name == "tensor" else ""
    page = open_page(f"{name}?run=eight{parameter}")
    for run in ("eight", "one", "imagined", "odd"):
        if run != "eight":
            page.goto(page.url.split("?")[0] + f"?run={run}{parameter}")
            settle(page)
        assert page.locator("h1").count() == 1
        assert "undefined" not in text_of(page)
        assert "NaN" not in text_of(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), run


def test_overview_says_how_the_run_is(open_page: Open) -> None:
    words = text_of(open_page("overview?run=eight"))
    assert "8 ranks finished." in words
    assert re.search(r"It fell from 2\.5 to 0\.\d+ in 20 steps\.", words)
    assert "predicted" in words
    assert "measured" in words


def test_devices_say_with_whom_a_rank_shares_an_axis(open_page: Open) -> None:
    words = text_of(open_page("devices?run=eight&rank=5"))
    assert "8 ranks in device matrix (2, 4)" in words
    assert re.search(r"device axis 0, 4 ranks\s+4, 5, 6, 7", words)
    assert re.search(r"device axis 1, 2 ranks\s+1, 5", words)


def test_touched_rank_shows_its_world(open_page: Open) -> None:
    page = open_page("devices?run=eight")
    page.get_by_role("button", name=re.compile("Arrow keys move")).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    world = page.locator("aside")
    world.get_by_text("also on 1").first.wait_for()  # of blocks.1.w1, cut in 4 over device axis 0, there are two copies
    words = " ".join(world.inner_text().split())
    assert "Rank 5" in words
    assert "blocks.1.w1 [0:1024, 1024:2048] also on 1" in words
    assert "blocks.0.w1 [512:1024, 1024:2048] no copy" in words  # the parallel optimizer cuts it once more
    assert "Needs 36 MiB at once" in words
    assert "to 1 26 MiB" in words  # gathers 2, moves 2 x 4 between layouts, sums 2 x 8 of gradients


def test_tensor_says_who_holds_which_slice(open_page: Open) -> None:
    page = open_page("tensor?run=eight&parameter=blocks.1.w1&rank=2")
    words = text_of(page)
    assert "Cut along axis 1 in 4 over device axis 0: 4 slices of shape (1024, 1024) on 8 ranks" in words
    assert "rank 2 keeps [0:1024, 2048:3072]" in words
    page.get_by_role("button", name="Who holds which slice as a table").click()
    assert page.get_by_role("table", name="Who holds which slice").get_by_role("row").count() == 9


def test_address_brings_the_same_state_back(open_page: Open) -> None:
    page = open_page("tensors?run=eight")
    page.get_by_role("row", name="blocks.1.w2").click()
    page.get_by_label("Rank", exact=True).fill("6")
    page.keyboard.press("Tab")
    again = open_page(page.url.split("/", 3)[3])
    assert again.get_by_role("row", name="blocks.1.w2").get_attribute("aria-selected") == "true"
    assert again.get_by_label("Rank", exact=True).input_value() == "6"


def test_back_button_goes_to_the_page_before(open_page: Open) -> None:
    page = open_page("overview?run=eight")
    page.get_by_role("link", name="Devices", exact=True).click()
    page.wait_for_selector("h1:has-text('Devices')")
    page.go_back()
    page.wait_for_selector("h1:has-text('Overview')")


def test_pages_are_reached_by_keys(open_page: Open) -> None:
    page = open_page("overview?run=eight")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_selector("h1:has-text('Tensors')")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_timeout(200)  # a key that comes before the next frame goes to the dialog that is no more
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search").wait_for()
    page.keyboard.type("blocks.1.w2")
    page.wait_for_selector("[role=option] :text-is('blocks.1.w2')")  # not the line that says that nothing is called so
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('blocks.1.w2')")
    page.wait_for_selector("text=4 of 4")
    page.keyboard.press("[")
    page.wait_for_selector("h1:has-text('blocks.1.w1')")


def test_table_is_worked_by_keys(open_page: Open) -> None:
    page = open_page("tensors?run=eight")
    page.get_by_role("grid", name="Parameters").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('blocks.1.w1')")


def test_picture_tells_in_words_what_is_under_the_cursor(open_page: Open) -> None:
    page = open_page("devices?run=eight")
    page.get_by_role("button", name=re.compile("Arrow keys move")).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".picture [aria-live]").inner_text().startswith("rank 5 at (1, 1)")
    page.keyboard.press("Enter")
    page.wait_for_selector("aside h2:has-text('Rank 5')")


@pytest.mark.parametrize("form", ["CSV", "JSON", "SVG"])
def test_exported_files_can_be_read(open_page: Open, form: str) -> None:
    page = open_page("tensor?run=eight&parameter=blocks.1.w1")
    page.get_by_role("button", name="Export Who holds which slice").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=form).click()
    text = Path(download.value.path()).read_text("utf-8")
    if form == "CSV":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["slice"] for row in rows] == ["0", "1", "2", "3"] * 2
    elif form == "JSON":
        assert len(json.loads(text)) == 8
    else:
        assert text.startswith("<svg ")
        assert text.count("<text") >= 8


def test_names_are_text_and_never_run(open_page: Open) -> None:
    page = open_page(f"tensor?run=odd&parameter={quote(HOSTILE)}")
    assert page.locator("h1").inner_text() == HOSTILE
    assert HOSTILE in page.title()
    page = open_page("tensors?run=odd")
    assert HOSTILE in text_of(page)
    assert page.title() != "taken"


def test_folder_without_runs_names_the_next_command(
    open_page: Open, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    words = text_of(open_page("", serve(tmp_path)))
    assert "No runs yet" in words
    assert "simpar run SCRIPT -n 4" in words


def test_theme_follows_the_system_and_the_reader(open_page: Open) -> None:
    page = open_page("overview?run=eight", color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Theme: As the system has it").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


@pytest.mark.skipif(not AXE.is_file(), reason="web/node_modules is missing: python hatch_build.py fetches it")
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(open_page: Open, name: str) -> None:
    page = open_page(f"{name}?run=eight&rank=2&parameter=blocks.1.w1", reduced_motion="reduce")
    page.evaluate(AXE.read_text("utf-8"))  # a script tag would be refused by the content security policy
    for look, what in LOOKS:
        page.emulate_media(**look)
        found = page.evaluate(f"axe.run({{resultTypes: ['violations'], {what}}}).then(found => found.violations)")
        bad = {v["id"]: [n["html"][:200] for n in v["nodes"]][:3] for v in found if v["impact"] in GRAVE}
        assert bad == {}, look
