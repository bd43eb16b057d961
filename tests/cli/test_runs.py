"""``simpar runs``, ``show`` and ``export`` on a recorded run."""

import json
from pathlib import Path

import numpy as np
import pytest

from simpar.cli import main
from simpar.recorder import RankFailed, SliceValues
from tests.recorder import sample


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record two runs where the command looks for them."""
    monkeypatch.setenv("SIMPAR_RUNS", str(tmp_path))
    sample.write_sample(tmp_path / "2026-01-01-old" / "run.sqlite", "2026-01-01-old", 1_600_000_000.0)
    sample.write_sample(tmp_path / "2026-01-02-new" / "run.sqlite", "2026-01-02-new")
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command and give its exit code, output and errors; runs of blanks made one."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    out, err = capsys.readouterr()
    code = exit_.value.code
    return (code if isinstance(code, int) else 0), "\n".join(" ".join(x.split()) for x in out.splitlines()), err


def test_runs_lists_each_run_with_its_state(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "runs")
    assert code == 0
    assert "2026-01-02-new mlp.py 4 semi_auto_parallel 5 0.4 finished" in out
    assert out.index("2026-01-01-old") < out.index("2026-01-02-new")


def test_a_failed_run_is_listed_and_shown_with_its_cause(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    with sample.writing(folder / "2026-01-01-old" / "run.sqlite") as writer:
        writer.write([(1, RankFailed(1, "ValueError", "no data", "File 'mlp.py', line 3"))])
    _, out, _ = call(capsys, "runs")
    assert "5 0.4 failed" in out
    assert "2026-01-01-old failed on rank 1: ValueError: no data" in out
    _, out, _ = call(capsys, "show", "2026-01-01-old")
    assert out.startswith("2026-01-01-old: failed")
    assert "rank 1 failed: ValueError: no data\nFile 'mlp.py', line 3" in out


def test_runs_without_any_says_how_to_make_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = call(capsys, "runs", "--folder", str(tmp_path / "empty"))
    assert code == 0
    assert "`simpar demo` makes one" in out


def test_runs_as_json_is_read_by_programs(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "bad").mkdir()
    (folder / "bad" / "run.sqlite").touch()
    _, out, _ = call(capsys, "runs", "--json")
    read = json.loads(out)
    assert [r["run"] for r in read["runs"]] == ["2026-01-01-old", "2026-01-02-new"]
    assert read["runs"][0]["started"]["world_size"] == 4
    assert "is empty" in read["unreadable"][0]


def test_show_prints_who_holds_what_what_moves_and_the_losses(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "show", "last", "--plan")
    assert code == 0
    for expected in (
        "2026-01-02-new: finished",
        "mlp.py --steps 5 on 4 ranks",
        "w1 (4, 6) float32 (2, 2) (1, 0) (2, 3) 24 B 1 (4, 3)",
        "w2 [0:3, :] [3:6, :] [0:3, :] [3:6, :]",
        "backward reduce_scatter gradient {0, 2} {1, 3} 1 1 48 B 1 ms w1",
        "Loss over 5 steps",
        "matmul1 = [x] @ [w1]",
    ):
        assert expected in out


def test_show_of_a_parameter_prints_the_slice_of_each_rank(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "show", "2026-01-01", "w2")
    assert code == 0
    assert "3 1 [3:6, :] 1" in out


def test_show_of_an_unknown_parameter_suggests_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "show", "last", "w3")
    assert code == 1
    assert "no parameter 'w3' among its 3. Did you mean w" in err


def test_show_as_json_holds_what_the_tables_show(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "show", "--json")
    read = json.loads(out)
    assert read["run"] == "2026-01-02-new"
    assert read["parameters"][0]["slice_shape"] == [2, 3]
    assert read["movements"][0]["groups"] == [[0, 2], [1, 3]]
    assert read["losses"][-1] == [5, 0.4]
    assert "plan" not in read["programs"][0]


def test_show_of_a_parameter_as_json_names_boxes_and_copies(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "show", "last", "w2", "--json")
    slices = json.loads(out)["slices"]
    assert slices[3] == {"rank": 3, "box": [[3, 6], [0, 2]], "slice": 1, "same_on": [1, 3]}


def test_export_writes_a_trace_and_csv_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace, tables = tmp_path / "trace.json", tmp_path / "csv"
    code, out, _ = call(capsys, "export", "last", "--chrome-trace", str(trace), "--csv", str(tables))
    assert code == 0
    count = len(json.loads(trace.read_text())["traceEvents"])
    assert f"{count} events; open it at ui.perfetto.dev" in out
    assert (tables / "steps.csv").read_text().startswith("rank,program,step,start_s,end_s,loss\n")


def test_export_to_nothing_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "export", "last")
    assert code == 1
    assert "give --chrome-trace FILE, --csv FOLDER, or both" in err


def test_export_to_a_place_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = call(capsys, "export", "last", "--chrome-trace", str(tmp_path / "no" / "trace.json"))
    assert code == 1
    assert err.startswith("simpar: the export could not be written")


def test_run_that_is_not_there_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "show", "nothing")
    assert (code, out) == (1, "")
    assert err.startswith("simpar: no run 'nothing'")
    assert "2026-01-02-new" in err


def test_show_of_a_parameter_draws_its_cuts_and_what_each_rank_holds(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "show", "last", "w2", "--rank", "3")
    assert "│ 3:6 │ 1, 3 │" in out  # rows 3 to 6 are on ranks 1 and 3
    assert "0 █ 1 ·\n· █\n\n2 ▓ 3 ·\n· ▓\n" in out  # ranks 2 and 3 hold copies of what 0 and 1 hold


def test_show_without_a_run_takes_the_latest(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "show")
    assert out.startswith("2026-01-02-new: finished")
    assert "all_reduce" in out[out.index("Collectives by kind") :]


def test_show_into_a_pipe_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in call(capsys, "show", "last", "w2")[1] + call(capsys, "show")[1]


def test_show_of_a_run_that_is_misspelt_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "show", "2026-01-02-nwe")
    assert code == 1
    assert "Did you mean 2026-01-02-new" in err


def test_show_tells_the_statistics_last_recorded_of_each_slice(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    tile = np.zeros((1, 1), np.float32)
    with sample.writing(folder / "2026-01-02-new" / "run.sqlite") as writer:
        writer.write(
            (r, SliceValues(r, "train", "w2", step, -1.5, 2.5, 0.25 * step, 0.5, 1.0, 0, 0, (), tile))
            for r in (0, 1)
            for step in (1, 2)
        )
    _, out, _ = call(capsys, "show", "last", "w2")
    assert "Values of the slices" in out
    assert "0 2 -1.5 2.5 0.5 0.5" in out
    assert "0 1 -1.5" not in out
