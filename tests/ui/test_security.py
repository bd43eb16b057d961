"""What a browser itself enforces: the content security policy, no frames, no foreign names, no token in the address."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import NAMES, TOKEN

FOREIGN = "foreign.example"

ACTS = {
    "script-src-elem": "document.body.append(Object.assign(document.createElement('script'), { text: '1' }))",
    "script-src-attr": "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"1\">b</b>')",
    "style-src-attr": "document.body.insertAdjacentHTML('beforeend', '<b style=\"color: red\">b</b>')",
    "connect-src": "fetch('https://foreign.example/').catch(() => {})",
    "img-src": "new Image().src = 'https://foreign.example/a.png'",
    "frame-src": "document.body.append(Object.assign(document.createElement('iframe'), { src: '//foreign.example' }))",
}
"""By the directive that must refuse it: what a page into which somebody got words of theirs might do."""


@pytest.fixture
def bare(browser: Any, address: str) -> Iterator[Any]:
    """Give a tab of a browser that has not been here before."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("directive", ACTS)
def test_policy_refuses(bare: Any, address: str, directive: str) -> None:
    bare.goto(f"{address}/overview?token={TOKEN}")
    bare.wait_for_selector("nav")
    refused = bare.evaluate(
        """() => new Promise(done => {
            addEventListener("securitypolicyviolation", event => done(event.effectiveDirective), { once: true });
            setTimeout(() => done("allowed"), 3000);
            act();
        })""".replace("act()", ACTS[directive])
    )
    assert refused == directive


def test_token_leaves_the_address_and_scripts_cannot_read_it(bare: Any, address: str) -> None:
    bare.goto(f"{address}/devices?token={TOKEN}&run=eight")
    bare.wait_for_selector("main h1")
    assert bare.url == f"{address}/devices?run=eight"
    assert bare.evaluate("document.cookie") == ""
    kept = bare.context.cookies()
    assert [(c["httpOnly"], c["sameSite"], c["value"]) for c in kept] == [(True, "Strict", TOKEN)]


def test_without_a_token_the_page_says_where_to_get_one(bare: Any, address: str) -> None:
    answer = bare.goto(f"{address}/overview?run=eight")
    assert answer.status == 401
    assert "simpar dashboard" in bare.inner_text("body")
    assert "eight" not in bare.inner_text("body")


def test_foreign_name_for_this_machine_is_refused(browser: Any, address: str) -> None:
    """After DNS rebinding a page of another site has the server's address, but not its name."""
    port = address.rpartition(":")[2]
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1"]
    path = next(filter(None, map(shutil.which, NAMES)))
    deceived = browser.browser_type.launch(executable_path=path, args=arguments)
    try:
        tab = deceived.new_page()
        answer = tab.goto(f"http://{FOREIGN}:{port}/?token={TOKEN}")
        assert answer.status == 400
        assert f"--allow-host {FOREIGN}" in tab.inner_text("body")
        assert tab.context.cookies() == []
    finally:
        deceived.close()


def test_no_other_page_can_frame_the_inspector(bare: Any, address: str, tmp_path: Path) -> None:
    page = tmp_path / "other.html"
    page.write_text(f"<!doctype html><iframe src='{address}/overview?token={TOKEN}'></iframe>", "utf-8")
    said: list[str] = []
    bare.on("console", lambda message: said.append(message.text))
    bare.goto(page.as_uri())
    bare.wait_for_load_state("networkidle")
    assert any("frame" in words.lower() for words in said), said
    assert bare.frames[-1].locator("nav").count() == 0
