"""Run stores that cannot be read, runs that hold strange or many things: a clear answer, no crash, no leak."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from simpar.layout import Layout
from simpar.recorder import Checksum, ParameterPlaced, RankFailed, StepFinished
from tests.dashboard.conftest import asking
from tests.dashboard.runs import PROGRAM, write_run
from tests.dashboard.test_api import OF_RUN

HTML = "<img src=x onerror=alert(1)>\"'&\u202e\n</script>"


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(5000))


def other_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE notes (text)")


def later_version(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def strange_rows(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("""UPDATE parameters SET storage = '{"dev_mat": "x"}'""")
        database.execute("UPDATE meta SET value = '[1' WHERE key = 'run'")


def without_tables(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE meta")


@pytest.mark.parametrize(
    "harm", [cut_short, empty, foreign, other_database, later_version, damaged, strange_rows, without_tables]
)
def test_store_that_cannot_be_read_is_told_with_what_to_do(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    write_run(tmp_path, "good", (1, 1), steps=1)
    harm(write_run(tmp_path, "bad", (2, 2), steps=2))
    with asking(tmp_path) as client:
        listed = client.get("/api/runs").json()
        assert [r["run"] for r in listed["runs"]] == ["good"]
        assert [r["run"] for r in listed["unreadable"]] == ["bad"]
        for path in OF_RUN:
            answer = client.get(f"/api/runs/bad{path}")
            assert (answer.status_code, answer.json()["error"]) == (409, "unreadable_run")
            assert str(tmp_path) not in answer.text
            assert "Traceback" not in answer.text
    assert str(tmp_path) not in str(listed)


def test_locked_store_asks_to_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simpar.recorder.reader._BUSY_TIMEOUT_S", 0.01)
    path = write_run(tmp_path, "run", (1, 1), steps=1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with asking(tmp_path) as client:
        answer = client.get("/api/runs/run")
    holder.close()
    assert (answer.status_code, answer.json()["error"]) == (503, "locked_run")
    assert answer.headers["retry-after"]


def test_run_that_is_deleted_while_it_is_shown_is_not_found(tmp_path: Path) -> None:
    path = write_run(tmp_path, "run", (1, 1), steps=1)
    with asking(tmp_path) as client:
        assert client.get("/api/runs/run").status_code == 200
        shutil.rmtree(path.parent)
        answer = client.get("/api/runs/run")
        assert (answer.status_code, answer.json()["error"]) == (404, "no_run")
        assert client.get("/api/runs").json()["runs"] == []


def test_folder_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    with asking(tmp_path / "none") as client:
        assert client.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize("part", ["run", "run/run.sqlite"])
def test_one_run_can_be_served_alone(tmp_path: Path, part: str) -> None:
    write_run(tmp_path, "run", (1, 1), steps=1)
    write_run(tmp_path, "other", (1, 1), steps=1)
    with asking(tmp_path / part) as client:
        assert [r["run"] for r in client.get("/api/runs").json()["runs"]] == ["run"]
        assert client.get("/api/runs/run/graph").status_code == 200
        assert client.get("/api/runs/other").status_code == 404


def test_names_with_html_stay_text(tmp_path: Path) -> None:
    layout = Layout((2, 2), (1, -1))
    more = [
        (0, ParameterPlaced(HTML, (4, 4), "float32", layout, layout)),
        (1, RankFailed(1, HTML, HTML, HTML)),
        (0, StepFinished(PROGRAM, 3, 2.0, 2.1, float("nan"), _no_times())),
    ]
    write_run(tmp_path, "<b>run", (2, 2), steps=2, ends=False, script=HTML, more=more)
    with asking(tmp_path) as client:
        for path in OF_RUN:
            answer = client.get(f"/api/runs/<b>run{path}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
        found = client.get("/api/runs/<b>run/parameter", params={"name": HTML}).json()
        assert found["row"]["name"] == HTML
        run = client.get("/api/runs/<b>run").json()
    assert run["summary"]["last_loss"] == "nan"
    assert [f["level"] for f in run["findings"][:3]] == ["error", "error", "warning"]
    assert [r["state"] for r in run["ranks"]] == ["killed", "failed", "killed", "killed"]


def _no_times():
    import numpy as np

    return np.zeros((7, 2))


def test_copies_that_part_are_the_first_finding(tmp_path: Path) -> None:
    more = [(r, Checksum(r, "blocks.1.w2", 7, "same" if r != 6 else "other")) for r in range(8)]
    write_run(tmp_path, "run", (2, 4), steps=8, more=more)
    with asking(tmp_path) as client:
        run, checks = (client.get(f"/api/runs/run{p}").json() for p in ("", "/checks"))
        detail = client.get("/api/runs/run/parameter", params={"name": "blocks.1.w2"}).json()
    assert checks["disagreements"][0]["ranks"] == [[2], [6]]
    assert run["findings"][0]["link"] == {"page": "tensors", "select": {"parameter": "blocks.1.w2"}}
    assert (detail["checksums"], len(detail["disagreements"])) == (8, 1)


def test_ten_thousand_parameters_come_at_once_or_in_pages(tmp_path: Path) -> None:
    layout = Layout((2, 4), (1, 0))
    more = [(0, ParameterPlaced(f"layer.{i}.weight", (64, 64), "float32", layout, layout)) for i in range(10_000)]
    write_run(tmp_path, "run", (2, 4), steps=1, more=more)
    with asking(tmp_path) as client:
        whole = client.get("/api/runs/run/parameters").json()
        rest = client.get("/api/runs/run/parameters", params={"offset": 10_000}).json()
        found = client.get("/api/runs/run/parameters", params={"search": "layer.9999."}).json()
    assert (whole["total"], len(whole["rows"]), len(rest["rows"])) == (10_008, 10_000, 8)
    assert [p["name"] for p in found["rows"]] == ["layer.9999.weight"]


def test_program_without_collectives_or_steps_is_shown(tmp_path: Path) -> None:
    write_run(tmp_path, "run", (1, 1), blocks=0, steps=0)
    with asking(tmp_path) as client:
        for path in OF_RUN:
            assert client.get(f"/api/runs/run{path}").status_code == 200


def test_run_that_told_nothing_yet_is_shown(tmp_path: Path) -> None:
    from simpar.recorder import RunWriter

    (tmp_path / "run").mkdir()
    writer = RunWriter(tmp_path / "run" / "run.sqlite")
    with asking(tmp_path) as client:
        run = client.get("/api/runs/run").json()
        assert (run["summary"]["state"], run["main_program"], run["ranks"], run["dev_mat"]) == (
            "running",
            None,
            [],
            [1],
        )
        for path in OF_RUN:
            assert client.get(f"/api/runs/run{path}").status_code in (200, 404)
    writer.close()
