"""Every page on a run that eight real ranks recorded: answers, addresses, files, and a table beside each picture."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.launch.needing import has_mpi
from tests.ui.conftest import cookie, settle
from tests.ui.test_pages import PAGES

ROOT = Path(__file__).parents[2]
STEPS, RANKS = 5, 8

ANSWERS = {
    "overview": rf"from \S+ to \S+ in {STEPS} steps.*{RANKS} ranks finished",
    "devices": rf"{RANKS} ranks in device matrix \(2, 4\)",
    "tensors": r"4 slices of shape \(64, 32\) on 8 ranks",  # w1 (64, 128), its columns cut in 4
    "tensor": r"4 slices of shape \(64, 32\) on 8 ranks",
    "memory": r"Every rank needs \S+ \S+ at once",  # all are cut alike
    "communication": r"Rank 0 runs \d+ collectives",
}
"""What must be read there. On other pages about a run: any sentence made from the data."""
WITHOUT_A_RUN = ("plan", "learn")


@pytest.fixture(scope="module")
def recorded(browser: Any, serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Train on eight ranks; give the address of a server of the run, and its name."""
    if not has_mpi():
        pytest.skip("no MPI is installed, to record a run with")
    runs = tmp_path_factory.mktemp("recorded")
    environ = os.environ | {"SIMPAR_RECORD": "1", "SIMPAR_RUNS": str(runs), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "simpar", "run", str(ROOT / "tests/ui/program.py"), "-n", str(RANKS)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, env=environ)
    assert ended.returncode == 0, ended.stderr
    (run,) = runs.iterdir()
    return serve(runs), run.name


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, browser: Any, recorded: tuple[str, str]) -> Iterator[Any]:
    """Open one page for all tests of this file; nothing may go wrong in it, and no other machine be asked."""
    server, run = recorded
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    name, value = cookie(server)
    context.add_cookies([{"name": name, "value": value, "url": server}])
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("request", lambda r: None if r.url.startswith((server, "blob:", "data:")) else wrong.append(r.url))
    tab.goto(f"{server}/{request.param}?run={run}&parameter=w1")
    settle(tab)
    yield tab
    context.close()
    assert wrong == []


def test_bar_of_the_timeline_tells_why_it_is_there_and_what_would_remove_it(
    open_page: Callable[..., Any], recorded: tuple[str, str]
) -> None:
    server, run = recorded
    tab = open_page(f"timeline?run={run}", server)
    tab.get_by_role("button", name=re.compile("^Timeline")).focus()
    for key in ("ArrowRight", "Enter"):  # the first collective of a step joins the terms of the second product
        tab.keyboard.press(key)
    panel = tab.get_by_role("complementary", name="The selected collective")
    panel.get_by_label("From layout to layout").wait_for()
    remedy = panel.get_by_role("region", name="The cheapest change that removes it")
    remedy.get_by_text(re.compile("changes? (was|were) tried|No change")).wait_for()
    told = " ".join(panel.inner_text().split())
    assert re.search(r"partial over device axis 0", told)
    assert re.search(r"made by matmul.*strategy \(\(?2, 4\), \(4, 1\)", told)
    assert re.search(r"line program\.py:\d+", told)


def name_of(page: Any) -> str:
    return page.url.split("/")[3].split("?")[0]


def words(page: Any) -> str:
    return " ".join(page.inner_text("main").split())


def still_words(page: Any) -> str:
    """Return the words of a page once they stay as they are."""
    before, now = "", words(page)
    while now != before:
        page.wait_for_timeout(150)
        before, now = now, words(page)
    return now


def test_page_answers_its_question(page: Any) -> None:
    sentences = "".join(page.locator("main .explain").all_inner_texts())
    assert sentences or name_of(page) in WITHOUT_A_RUN, words(page)
    assert re.search(ANSWERS.get(name_of(page), ""), words(page))
    assert not re.search(r"\b(undefined|NaN|Infinity)\b|\[object", words(page))


def test_address_opens_the_same_again(page: Any) -> None:
    page.get_by_label("Rank", exact=True).fill("3")
    page.keyboard.press("Tab")
    page.wait_for_url("**rank=3**")
    before = still_words(page)
    page.reload()
    settle(page)
    assert page.get_by_label("Rank", exact=True).input_value() == "3"
    assert still_words(page) == before


def test_every_file_that_is_offered_can_be_read(page: Any, tmp_path: Path) -> None:
    still_words(page)  # a menu goes when an answer of the server brings its figure anew
    menus = page.locator("main button[aria-haspopup=menu][aria-label^=Export]")
    for which in range(menus.count()):
        menus.nth(which).click()
        kinds = [text.split()[0] for text in page.locator("[role=menuitem]").all_inner_texts()]
        for kind in kinds:
            if not page.locator("[role=menuitem]").count():
                menus.nth(which).click()
            with page.expect_download() as waiting:
                page.locator("[role=menuitem]", has_text=re.compile(rf"^\s*{kind}\b")).click()
            path = tmp_path / waiting.value.suggested_filename
            waiting.value.save_as(path)
            check_file(path)
            page.wait_for_timeout(120)  # Chromium drops, without a word, what is more than ten downloads in a second


def check_file(path: Path) -> None:
    content = path.read_bytes()
    match path.suffix:
        case ".svg":
            assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
            assert b"NaN" not in content
        case ".png":
            assert content.startswith(b"\x89PNG\r\n\x1a\n")
        case ".csv":
            head, *rows = csv.reader(content.decode("utf-8").splitlines())
            assert all(len(row) == len(head) for row in rows)
        case ".json":
            json.loads(content)
        case other:
            pytest.fail(f"{path.name}: what reads {other}?")


def test_every_picture_has_a_table_that_says_the_same(page: Any) -> None:
    assert page.locator("canvas:not([aria-hidden=true] *):not([aria-hidden=true]):not([role=img] *)").count() == 0
    figures = page.locator("section.figure", has=page.locator("canvas"))
    titles = [figures.nth(i).get_attribute("aria-label") for i in range(figures.count())]
    marks: dict[str, Any] = {}
    for title in titles:
        figure = page.locator(f'section.figure[aria-label="{title}"]')
        marks[title] = [n for n in figure.locator(".over").evaluate_all("all => all.map(a => a.dataset.marks)") if n]
        figure.get_by_role("button", name=f"{title} as a table").click()
        table = figure.locator("[role=table], [role=grid]")
        marks[title] = int(table.get_attribute("aria-rowcount")) - 1, marks[title]
    for title, (rows, drawn) in marks.items():
        assert rows > 0, title
        # of a tensor's cuts there is a row for each rank that holds one, of a graph's closed cell for each node in it;
        # else a row for each mark
        is_folded = title.endswith("its cuts") or name_of(page) == "graph"
        assert all(int(n) <= rows if is_folded else int(n) == rows for n in drawn), title
    if name_of(page) == "devices":
        assert marks == {"Device matrix": (RANKS, [str(RANKS)])}
