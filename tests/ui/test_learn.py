"""The lessons in a real browser: without a run, with keys only, light and dark."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import settle

WEB = Path(__file__).parents[2] / "web"
LESSONS = re.findall(r'^  id: "(\w+)",$', (WEB / "src" / "lessons" / "texts.ts").read_text("utf-8"), re.MULTILINE)
RECORDED = json.loads((WEB / "src" / "lessons" / "recorded.json").read_text("utf-8"))
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"

Open = Callable[..., Any]


def text_of(page: Any) -> str:
    return page.locator("article").inner_text()


def test_there_are_ten_lessons() -> None:
    assert len(LESSONS) == 10


def test_lessons_need_no_run(open_page: Open, serve: Callable[[Path], str], tmp_path: Path) -> None:
    page = open_page("learn", server=serve(tmp_path))
    assert "1. Slices" in text_of(page)
    assert page.locator("nav[aria-label=Lessons] a").count() == 10


def test_every_lesson_asks_shows_explains_and_names_a_program(open_page: Open) -> None:
    page = open_page("learn")
    for lesson in LESSONS:
        page.goto(page.url.split("?")[0] + f"?lesson={lesson}")
        settle(page)
        words = text_of(page)
        assert all(part in words for part in ("Predict", "Play", "Explain", "scenarios/"))
        assert page.locator("article canvas").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), lesson


def test_an_answer_is_told_whether_it_is_right(open_page: Open) -> None:
    page = open_page("learn?lesson=copies")
    page.get_by_label("Rank 1").check()
    assert "Try again." in text_of(page)
    page.get_by_label("Rank 2").check()
    assert "Right." in text_of(page)


def test_lessons_are_walked_and_played_with_keys_alone(open_page: Open) -> None:
    page = open_page("learn?lesson=partial")
    page.keyboard.press("]")
    page.keyboard.press("]")
    assert "all_reduce adds the four terms" in text_of(page)
    assert "at=2" in page.url
    page.keyboard.press("[")
    assert "each is a term" in text_of(page)
    page.keyboard.press("n")
    page.get_by_role("heading", name="4. The six collectives").wait_for()
    assert "lesson=collectives" in page.url
    assert "at=" not in page.url


def test_playing_goes_on_by_itself_and_stops_at_the_end(open_page: Open) -> None:
    page = open_page("learn?lesson=partial&at=1")
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    assert "3 of 3" in text_of(page)


def test_an_address_opens_the_same_picture(open_page: Open) -> None:
    assert "3 of 3" in text_of(open_page("learn?lesson=partial&at=2"))
    assert "Predicted, not recorded: 6 stages" in text_of(open_page("learn?lesson=pipeline&stages=6"))


def test_the_table_has_a_row_for_every_part_that_a_rank_holds(open_page: Open) -> None:
    page = open_page("learn?lesson=matmul&at=4")
    page.get_by_role("button", name="Play as a table").click()
    parts = sum(len(held) for held in RECORDED["frames"]["matmul"][4]["ranks"])
    assert page.locator("article [role=row]").count() == parts + 1  # and the head


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: npm ci in web")
@pytest.mark.parametrize(("scheme", "lessons"), [("light", LESSONS[::2]), ("dark", LESSONS[1::2])])
def test_every_lesson_is_in_reach_of_readers(open_page: Open, scheme: str, lessons: list[str]) -> None:
    page = open_page("learn", color_scheme=scheme)
    for lesson in lessons:
        page.goto(page.url.split("?")[0] + f"?lesson={lesson}")
        settle(page)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document)")["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], lesson
