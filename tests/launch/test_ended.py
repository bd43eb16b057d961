"""When the launcher says that some ranks have ended while others run on."""

from pathlib import Path

import pytest

from simpar.launch.alarm import ALARM_FOLDER, Alarm
from simpar.launch.ended import EndedWatch, mark_ended


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_said_once_when_for_some_seconds_no_rank_has_ended(tmp_path: Path) -> None:
    clock = Clock()
    watch = EndedWatch(tmp_path, 4, clock)
    clock.now += 60  # while all run, however long
    assert watch.look() == ""
    mark_ended(tmp_path, 1)
    assert watch.look() == ""
    clock.now += 3
    mark_ended(tmp_path, 2)
    assert watch.look() == ""
    clock.now += 3
    assert watch.look() == ""
    clock.now += 2
    assert watch.look().startswith(
        "ranks 1 and 2 of 4 have ended, ranks 0 and 3 still run. If there is only more to do"
    )
    clock.now += 60
    assert watch.look() == ""


def test_nothing_is_said_when_all_ranks_have_ended_or_one_has_failed(tmp_path: Path) -> None:
    clock = Clock()
    for folder in (tmp_path, tmp_path / "cleared by the rank that failed"):
        watch = EndedWatch(folder, 2, clock)
        for rank in range(2) if folder.exists() else ():
            mark_ended(folder, rank)
        watch.look()
        clock.now += 60
        assert watch.look() == ""


def test_of_many_ranks_the_first_are_named(tmp_path: Path) -> None:
    clock = Clock()
    watch = EndedWatch(tmp_path, 64, clock)
    mark_ended(tmp_path, 0)
    watch.look()
    clock.now += 60
    assert "rank 0 of 64 has ended, ranks 1, 2, 3, 4, 5, 6, 7 and 56 more still run." in watch.look()


def test_a_rank_leaves_its_mark_where_a_launcher_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = Alarm(3, 4, tmp_path, lambda code: None)
    monkeypatch.delenv(ALARM_FOLDER, raising=False)
    alarm.on_exit()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv(ALARM_FOLDER, str(tmp_path))
    alarm.on_exit()
    assert [mark.name for mark in tmp_path.iterdir()] == ["ended-3"]
