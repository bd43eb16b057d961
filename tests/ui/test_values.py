"""The tabs of one tensor, on values that four real ranks recorded, and on tensors of more axes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from simpar.recorder import RunWriter
from tests.dashboard.runs import told_values, write_run
from tests.dashboard.test_values import DEEP, SPLIT, W, tensor
from tests.launch.needing import has_mpi
from tests.ui.conftest import settle
from tests.ui.test_pages import AXE, GRAVE, text_of

ROOT = Path(__file__).parents[2]
STEPS, RANKS = 5, 4
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def recorded(serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Train on four ranks, recording the values after every step; give the server's address and the run's name."""
    if not has_mpi():
        pytest.skip("no MPI is installed, to record a run with")
    runs = tmp_path_factory.mktemp("recorded-values")
    environ = os.environ | {"SIMPAR_RECORD": "1", "SIMPAR_RUNS": str(runs), "PYTHONPATH": str(ROOT)}
    what = ["run", str(ROOT / "tests/ui/program.py"), "-n", str(RANKS), "--values", "always"]
    command = [sys.executable, "-m", "simpar", *what]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, env=environ)
    assert ended.returncode == 0, ended.stderr
    (run,) = runs.iterdir()
    return serve(runs), run.name


@pytest.fixture(scope="module")
def drawn(serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the address of a server of a run with a tensor of four axes, and one whose copies part."""
    folder = tmp_path_factory.mktemp("drawn-values")
    broken = tensor(SPLIT, 1)
    broken[1] = np.nan
    told: list[Any] = [(0, p) for p in (DEEP, SPLIT)]
    told += told_values(DEEP, tensor(DEEP, 8), 8)
    told += told_values(SPLIT, tensor(SPLIT, 1), 8)[:5] + told_values(SPLIT, broken, 8)[5:]
    write_run(folder, "drawn", (2, 4), more=told)
    return serve(folder)


@pytest.fixture
def open_tab(open_page: Open, recorded: tuple[str, str]) -> Open:
    """Give a function that opens a tab of a parameter of the recorded run."""
    server, run = recorded
    return lambda tab, parameter="w1", **options: open_page(
        f"tensor?run={run}&parameter={parameter}&tab={tab}", server, **options
    )


def figure(page: Any, title: str) -> Any:
    found = page.locator(f'section.figure[aria-label="{title}"]')
    found.wait_for()
    return found


def test_values_of_the_whole_tensor_stand_on_one_picture(open_tab: Open) -> None:
    page = open_tab("values")
    words = figure(page, f"Values at step {STEPS}").inner_text()
    # w1 (64, 128) in two slices of (64, 64), cells 32 by 32 each
    assert "Every cell is the mean of up to 4 elements of one slice" in words
    assert "the ranks that hold it" in words
    assert text_of(page).count("after step 5, 6 of 6 kept") == 1


def test_step_is_chosen_by_keys_and_kept_in_the_address(open_tab: Open) -> None:
    page = open_tab("values")
    page.get_by_role("slider", name="Recorded step").focus()
    page.keyboard.press("Home")
    figure(page, "Values at step 0")
    assert "before the first step, 1 of 6 kept" in text_of(page)
    assert "step=0" in page.url
    page.reload()
    settle(page)
    figure(page, "Values at step 0")
    page.get_by_role("slider", name="Recorded step").focus()
    page.keyboard.press("End")
    figure(page, f"Values at step {STEPS}")
    assert "step=" not in page.url


def test_cells_are_walked_by_keys_and_lead_to_their_rank(open_tab: Open) -> None:
    page = open_tab("values")
    figure(page, f"Values at step {STEPS}").locator("button.over").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    told = figure(page, f"Values at step {STEPS}").locator("[aria-live]").inner_text()
    assert re.match(r"\[2:4, 2:4\]: mean -?[\d.e-]+\s+on ranks 0, 2", told)
    page.keyboard.press("Enter")
    page.wait_for_url("**rank=0**")


def test_table_has_a_row_for_every_cell_and_every_rank(open_tab: Open) -> None:
    page = open_tab("values")
    for title, rows in ((f"Values at step {STEPS}", 2 * 32 * 32), ("Histograms of the slices", RANKS)):
        figure(page, title).get_by_role("button", name=f"{title} as a table").click()
        table = page.get_by_role("table", name=title)
        assert table.get_attribute("aria-rowcount") == str(rows + 1)


def test_heatmap_is_exported_as_svg(open_tab: Open) -> None:
    page = open_tab("values")
    title = f"Values at step {STEPS}"
    figure(page, title).get_by_role("button", name=f"Export {title}").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="SVG").click()
    content = Path(download.value.path()).read_text("utf-8")
    assert ElementTree.fromstring(content).tag.endswith("svg")
    assert content.count("<rect") > 200
    assert ">0, 2<" in content  # the ranks that hold the first slice


def test_slice_of_one_rank_is_drawn_alone(open_tab: Open) -> None:
    page = open_tab("values")
    page.get_by_label("Part that is drawn").select_option("3")
    page.wait_for_url("**slice=3**")
    title = f"Values at step {STEPS}"
    figure(page, title).get_by_role("button", name=f"{title} as a table").click()
    page.locator(f'[role=table][aria-label="{title}"][aria-rowcount="{32 * 32 + 1}"]').wait_for()


def test_optimizer_states_tell_layout_bytes_and_values(open_tab: Open) -> None:
    page = open_tab("states")
    words = text_of(page)
    assert "1 state of w1, 16 KiB on each rank" in words
    row = page.get_by_role("row", name="moments.w1").inner_text()
    assert row.split("\t") == ["moments.w1", "(64, 128)", "(64, 64)", "(-1, 0)", "16 KiB", "32 KiB",
                               "as the parameter is kept"]  # fmt: skip
    figure(page, f"Values at step {STEPS}")


def test_history_has_a_curve_for_each_slice(open_tab: Open) -> None:
    page = open_tab("history")
    shown = figure(page, "History of the slices")
    assert "The norm of each of 2 different slices at 6 recorded steps, from 0 to 5." in shown.inner_text()
    assert "slice 0, ranks 0, 2" in shown.inner_text()
    shown.get_by_role("button", name="deviation").click()
    page.wait_for_url("**sum=std**")
    shown.get_by_role("button", name="History of the slices as a table").click()
    assert page.get_by_role("table", name="History of the slices").get_attribute("aria-rowcount") == str(2 * 6 + 1)


@pytest.mark.skipif(not AXE.is_file(), reason="web/node_modules is missing: python hatch_build.py fetches it")
def test_tabs_are_accessible(open_tab: Open) -> None:
    page = open_tab("values", reduced_motion="reduce")
    page.evaluate(AXE.read_text("utf-8"))
    for title in (f"Values at step {STEPS}", f"Values at step {STEPS}", "History of the slices"):
        figure(page, title)
        for look in (
            {"color_scheme": "light", "forced_colors": "none"},
            {"color_scheme": "dark"},
            {"forced_colors": "active"},
        ):
            page.emulate_media(**look)
            found = page.evaluate("axe.run()")["violations"]
            bad = {v["id"]: [n["html"][:200] for n in v["nodes"]][:3] for v in found if v["impact"] in GRAVE}
            assert bad == {}, look
        page.keyboard.press("v")


def test_where_nothing_was_recorded_the_tab_says_how_to(open_page: Open) -> None:
    for tab in ("values", "history"):
        words = text_of(open_page(f"tensor?run=eight&parameter=blocks.0.w1&tab={tab}"))
        assert "No values were recorded" in words
        assert "simpar run SCRIPT --values always" in words
    assert "No values were recorded" in text_of(open_page("tensor?run=eight&parameter=blocks.0.w1&tab=states"))


def test_short_axis_of_a_tensor_of_four_stands_side_by_side(open_page: Open, drawn: str) -> None:
    page = open_page("tensor?run=drawn&parameter=deep&tab=values", drawn)
    shown = figure(page, "Values at step 8")
    shown.locator("button.over").focus()
    for _ in range(7):  # six columns of the first picture, then the second
        page.keyboard.press("ArrowRight")
    assert shown.locator("[aria-live]").inner_text().startswith("[0, 1, 0, 0]")
    shown.get_by_role("slider", name=re.compile("axis 2")).focus()
    page.keyboard.press("End")
    shown.locator("button.over").focus()
    page.keyboard.press("ArrowRight")
    assert shown.locator("[aria-live]").inner_text().startswith("[0, 0, 2, 0]")
    shown.get_by_label("down").select_option("2")
    page.wait_for_url("**axes=2%2C3**")


def test_copies_that_differ_and_values_that_are_none_are_told(open_page: Open, drawn: str) -> None:
    page = open_page("tensor?run=drawn&parameter=split&tab=values&slice=6", drawn)
    figure(page, "Values at step 8")
    words = text_of(page)
    assert "Copies of slice 0 differ at this step" in words
    assert "NaN or an infinity in 1 cell." in words
    assert "3 ranks found values that are not finite." in words


def test_newest_step_is_followed_while_the_run_grows(
    open_page: Open, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    path = write_run(tmp_path, "growing", (2, 4), ends=False, more=[(0, W), *told_values(W, tensor(W, 1), 1)])
    writer = RunWriter(path)
    try:
        page = open_page("tensor?run=growing&parameter=w&tab=values", serve(tmp_path))
        figure(page, "Values at step 1")
        writer.write(told_values(W, tensor(W, 2), 2))
        figure(page, "Values at step 2")
    finally:
        writer.close()
