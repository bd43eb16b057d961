"""``simpar layout``: what it prints, and what it says to mistakes."""

import json
from pathlib import Path

import pytest

from simpar.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, and return what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(["layout", *arguments])
    assert not ended.value.code
    return capsys.readouterr().out


def mistake(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, and return what it says is wrong."""
    with pytest.raises(SystemExit) as ended:
        main(["layout", *arguments])
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_it_draws_the_slices(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "(512, 1024)", "(2, 4)", "(1, 0)")
    assert "8 slices of shape (256, 256) on 8 ranks" in text
    assert "│  256:512 │   4   │    5    │    6    │    7     │" in text


def test_two_device_axes_may_cut_one_axis(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cut: axis 0 in 8 over device axes 1, 0" in run(capsys, "(512, 1024)", "(2, 4)", "((1,0), -1)")


def test_a_single_number_and_bare_commas_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert "2 slices of shape (4,) on 2 ranks" in run(capsys, "8", "2", "0")
    assert "4 slices of shape (4, 4) on 4 ranks" in run(capsys, "8,8", "2,2", "1,0")
    assert "shape ()" in run(capsys, "()", "(2,)", "()")


def test_a_rank_is_told_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "(8, 16)", "(2, 4)", "(-1, 0)", "--rank", "5")
    assert "rank 5 stands at (1, 1) and holds slice 1: [0:8, 4:8], as does rank 1" in text
    assert ", alone" in run(capsys, "(8, 16)", "(2, 4)", "(1, 0)", "--rank", "5")
    assert "as do ranks 0, 1, 2, 3, 4, 6, 7, 8 and 7 more" in run(capsys, "(8,)", "(16,)", "(-1,)", "--rank", "5")


def test_json_lists_every_slice_and_its_ranks(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "(8, 16)", "(2, 2)", "(-1, 0)", "--rank", "3", "--json"))
    assert found == {
        "shape": [8, 16],
        "dev_mat": [2, 2],
        "tensor_map": [-1, 0],
        "cuts": [1, 2],
        "slice_shape": [8, 8],
        "repeated_over": [1],
        "slices": [
            {"slice": 0, "box": [[0, 8], [0, 8]], "ranks": [0, 2]},
            {"slice": 1, "box": [[0, 8], [8, 16]], "ranks": [1, 3]},
        ],
        "rank": {"rank": 3, "coordinates": [1, 1], "slice": 1},
    }


def test_the_drawing_is_written_as_svg(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "layout.svg"
    text = run(capsys, "(8, 16)", "(2, 4)", "(1, 0)", "--svg", str(file))
    assert "written to" in text
    assert file.read_text(encoding="utf-8").startswith("<svg")


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert "simpar layout '(512, 1024)' '(2, 4)' '(-1, 0)' --rank 5" in run(capsys, "--help")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("(512, 1024", "(2, 4)", "(1, 0)"), "SHAPE is '(512, 1024', which is not a tuple. Write it like '(512"),
        (("(8, 8)", "(2, 'x')", "(1, 0)"), "DEV-MAT is \"(2, 'x')\", but must hold whole numbers."),
        (("(8, -8)", "(2, 2)", "(1, 0)"), "SHAPE is '(8, -8)', but must hold whole numbers."),
        (("(8, 8)", "(2, 0)", "(1, 0)"), "dev_mat (2, 0) must hold whole numbers of at least 1"),
        (("(8, 8)", "(2, 4)", "(1.5, 0)"), "each entry must be a device axis, -1 for none, or a tuple of device axes."),
        (("(8, 8)", "(2, 4)", "(2, 0)"), "names device axis 2, but dev_mat (2, 4) has device axes 0 (last) to 1"),
        (("(8,)", "(2, 4)", "(1, 0)"), "shape (8,) has 1 axes, but tensor_map (1, 0) has 2 entries"),
        (("(8, 6)", "(2, 4)", "(1, 0)"), "cannot cut into 4 equal slices. Pad it to 8 or map it to NOT_CUT."),
        (("(8, 8)", "(2, 4)", "(1, 0)", "--rank", "8"), "rank 8 is not one of the 8 ranks of dev_mat (2, 4)."),
        (("(8, 8)", "(2, 4)", "(1, 0)", "--svg", "/no/such/folder/a.svg"), "No such file or directory. Name another"),
    ],
)
def test_a_mistake_is_answered_with_what_to_write(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in mistake(capsys, *arguments)
