"""Every page without a mouse: keys lead to it, what has the focus is seen, pictures tell what the cursor is on."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.ui.test_pages import PAGES, WEB

Open = Callable[..., Any]

_SOURCE = (WEB / "src" / "pages.ts").read_text("utf-8")
KEYS = dict(re.findall(r'title: "([^"]+)",(?:(?!title:).)*?key: "(\w)"', _SOURCE, re.DOTALL))
"""By the title of a page, the letter that goes there after `g`."""

IS_SEEN = """() => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
    const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return at === document.body || (ringed && box.width > 0 && box.height > 0) ? "" : at.outerHTML.slice(0, 200);
}"""


def test_every_page_is_reached_by_two_keys(open_page: Open) -> None:
    page = open_page("overview?run=eight")
    assert len(KEYS) == page.locator("nav li").count()
    for title, letter in KEYS.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_selector(f"main h1:text-is('{title}')")


def test_first_tab_offers_to_skip_the_navigation(open_page: Open) -> None:
    page = open_page("devices?run=eight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_worked_without_a_mouse(open_page: Open, name: str) -> None:
    page = open_page(f"{name}?run=eight&parameter=blocks.0.w1")
    page.locator("main").focus()
    unseen: list[str] = []
    for _ in range(12):
        page.keyboard.press("Tab")
        unseen.append(page.evaluate(IS_SEEN))
    assert [words for words in unseen if words] == []
    over = page.locator("main .picture button.over")
    assert over.count() or name not in ("devices", "tensors", "tensor")
    for which in range(over.count()):
        over.nth(which).focus()
        page.keyboard.press("ArrowRight")
        told = page.locator("main .picture", has=page.locator("button.over")).nth(which).locator("[aria-live]")
        told.filter(has_text=re.compile(r"\w")).wait_for(state="attached")
