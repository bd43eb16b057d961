"""Runs have folders that never clash, and are found by what a user types."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from simpar.errors import RunStoreError
from simpar.recorder import find_run, list_runs, new_run, runs_folder
from tests.recorder import sample

NOW = datetime(2026, 1, 2, 3, 4, 5)


def runs_of(folder: Path, *names: str) -> list[Path]:
    """Write one run for each name, each an hour after the one before."""
    return [
        sample.write_sample(folder / name / "run.sqlite", name, 1_700_000_000.0 + 3600 * i)
        for i, name in enumerate(names)
    ]


# --- ids ---


def test_id_is_the_time_and_the_script(tmp_path: Path) -> None:
    assert new_run("scenarios/mlp.py", tmp_path, NOW) == tmp_path / "2026-01-02-030405-mlp" / "run.sqlite"


def test_second_run_of_a_second_gets_a_number(tmp_path: Path) -> None:
    names = [new_run("mlp.py", tmp_path, NOW).parent.name for _ in range(3)]
    assert names == ["2026-01-02-030405-mlp", "2026-01-02-030405-mlp-2", "2026-01-02-030405-mlp-3"]


def test_runs_that_start_at_once_never_share_a_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: new_run("mlp.py", tmp_path, NOW), range(40)))
    assert len(set(paths)) == 40


@pytest.mark.parametrize(
    ("script", "name"),
    [("my net (v2).py", "my-net-v2"), ("", "interactive"), ("../../etc/passwd", "passwd"), ("..", "interactive"),
     ("x" * 99 + ".py", "x" * 40)],
)  # fmt: skip
def test_script_names_become_plain_folder_names(tmp_path: Path, script: str, name: str) -> None:
    path = new_run(script, tmp_path, NOW)
    assert path.parent == tmp_path / f"2026-01-02-030405-{name}"


def test_folder_that_cannot_be_made_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunStoreError, match=r"runs cannot be kept in .*SIMPAR_RUNS"):
        new_run("mlp.py", tmp_path / "file" / "runs")


def test_folder_of_runs_is_the_argument_then_the_variable_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMPAR_RUNS", str(tmp_path))
    assert runs_folder("given") == Path("given")
    assert runs_folder() == tmp_path
    monkeypatch.delenv("SIMPAR_RUNS")
    assert runs_folder() == Path("simpar-runs")


# --- finding ---


def test_run_is_found_by_id_by_beginning_by_path_and_as_last(tmp_path: Path) -> None:
    first, second = runs_of(tmp_path, "2026-01-02-a", "2026-02-03-b")
    assert find_run("2026-01-02-a", tmp_path) == first
    assert find_run("2026-02", tmp_path) == second
    assert find_run(str(first), tmp_path) == first
    assert find_run(str(first.parent), tmp_path / "elsewhere") == first
    assert find_run("last", tmp_path) == second


def test_last_is_what_started_last_whatever_was_written_last(tmp_path: Path) -> None:
    early, late = runs_of(tmp_path, "early", "late")
    os.utime(early.parent, (2e9, 2e9))
    assert find_run("last", tmp_path) == late


def test_whole_id_wins_over_a_longer_one_that_begins_with_it(tmp_path: Path) -> None:
    first, _ = runs_of(tmp_path, "mlp", "mlp-2")
    assert find_run("mlp", tmp_path) == first


def test_beginning_of_several_runs_lists_them(tmp_path: Path) -> None:
    runs_of(tmp_path, "mlp-a", "mlp-b")
    with pytest.raises(RunStoreError, match=r"ml is the beginning of 2 runs: mlp-a, mlp-b\. Give more"):
        find_run("ml", tmp_path)


def test_run_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    runs_of(tmp_path, "mlp-a")
    with pytest.raises(RunStoreError, match=r"no run 'gpt' in .*The runs there: mlp-a"):
        find_run("gpt", tmp_path)


@pytest.mark.parametrize("name", ["last", "gpt"])
def test_no_runs_at_all_names_the_command_that_makes_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunStoreError, match="There is none yet: `simpar demo`"):
        find_run(name, tmp_path / "nothing")


# --- listing ---


def test_list_is_in_the_order_of_starting_and_keeps_broken_runs_apart(tmp_path: Path) -> None:
    runs_of(tmp_path, "b", "a")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.sqlite").write_text("no database at all, only text")
    found, errors = list_runs(tmp_path)
    assert [info.run for info in found] == ["b", "a"]
    assert len(errors) == 1
    assert "is not a run store" in str(errors[0])
