"""The plan page of a recorded program: cut again by the server, drawn where data would move, or as a file says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simpar.layout import OperatorStrategy, ParameterStrategy, StrategyFile, write_strategy_file
from simpar.planning import keep_plans, plan_script
from tests.dashboard.test_repartition import SCRIPT

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def program(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the name of a run, planned for 8 devices, beside the others."""
    script = tmp_path_factory.mktemp("program") / "net.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return keep_plans(plan_script(script, (), 8, 0), folder=folder).name


def test_a_chip_shows_by_keys_what_the_server_would_insert(open_page: Open, program: str) -> None:
    page = open_page(f"plan?run={program}&kind=w2")
    chip = page.get_by_role("button", name="mp 4 on axis 1 of w2")
    chip.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="1 new all_gather").wait_for()
    moves = page.get_by_role("region", name="The whole step")
    assert "recorded" in moves.inner_text()
    assert "operand of matmul" in moves.inner_text()
    strip = page.get_by_role("region", name="Graph around w2")
    assert "new: all_gather" in strip.inner_text()
    code = page.get_by_label("Strategy A as Python").inner_text()
    assert '.shard((layout("dp", "None"), layout("None", "mp"),))'.replace(",))", "))") in code
    again = open_page(page.url.split("/", 3)[3])
    again.get_by_role("button", name="1 new all_gather").wait_for()


def test_two_strategies_are_compared_over_the_whole_step(open_page: Open, program: str) -> None:
    page = open_page(f"plan?run={program}&b=8x1;w1=-,-;w2=-,-&edit=b")
    moves = page.get_by_role("region", name="The whole step")
    moves.get_by_role("button", name="gone all_reduce").wait_for()
    header = moves.get_by_role("columnheader").all_inner_texts()
    assert header[1:3] == ["A", "B"]


def test_a_device_axis_gets_a_name_that_the_code_uses(open_page: Open, program: str) -> None:
    page = open_page(f"plan?run={program}")
    field = page.get_by_label("Name of device axis 0 of A")
    field.fill("tensor")
    field.press("Tab")
    page.get_by_role("button", name="tensor 4 on axis 1 of w1").wait_for()
    assert 'Layout((2, 4), ("dp", "tensor"))' in page.get_by_label("Strategy A as Python").inner_text()


def test_what_an_operator_cannot_do_stands_at_its_parameter(open_page: Open, program: str) -> None:
    page = open_page(f"plan?run={program}&a=2x4;gamma=0")
    page.wait_for_selector("text=needs axis 0 of this parameter whole")


def test_a_strategy_file_of_mindspore_is_taken(open_page: Open, program: str) -> None:
    file = StrategyFile(
        {"MatMul_w1": OperatorStrategy(((4, 1), (1, 2)))},
        {"w1": ParameterStrategy((4, 2), (-1, 0)), "elsewhere": ParameterStrategy((4, 2), (0,))},
    )
    page = open_page(f"plan?run={program}")
    page.locator("input[type=file]").set_input_files(
        {
            "name": "strategy.ckpt",
            "mimeType": "application/octet-stream",
            "buffer": write_strategy_file(file, is_json=False),
        }
    )
    page.wait_for_selector("text=1 parameter and 1 operator matched")
    told = page.get_by_role("region", name="Strategy file").inner_text()
    assert "Not in this program: 1" in told
    assert "Not in the file, left as recorded: 3" in told
    page.get_by_role("button", name="mp 2 on axis 1 of w1").wait_for()


def test_why_says_what_would_remove_a_collective(open_page: Open, program: str) -> None:
    page = open_page(f"communication?run={program}&collective=0")
    told = page.get_by_role("region", name="The cheapest change that removes it")
    told.get_by_text("changes were tried").wait_for()
