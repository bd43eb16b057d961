"""Old steps forget the times of their collectives, so that long runs stay small; losses are kept for ever."""

from pathlib import Path

import numpy as np
import pytest

from simpar.recorder import RunWriter, StepFinished, measure_values, movements, open_run, value_steps
from tests.recorder import sample

KEPT = 20  # instead of a thousand


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simpar.recorder.store.KEPT_STEPS", KEPT)


def write_steps(writer: RunWriter, count: int, ranks: int = 2, first: int = 1) -> None:
    for start in range(first, first + count, 5):
        steps = range(start, min(start + 5, first + count))
        writer.write((rank, sample.step(rank, number)) for number in steps for rank in range(ranks))


def test_of_older_steps_ever_fewer_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    newest = 30 * KEPT
    with sample.writing(path) as writer:
        write_steps(writer, newest)
    with open_run(path) as run:
        for rank in range(2):
            steps = list(run.steps(rank))
            assert [s.step for s in steps] == list(range(1, newest + 1))
            assert all(s.loss == 2.0 / s.step for s in steps)
            timed = [s.step for s in steps if len(s.times)]
            latest = range(newest - KEPT + 1, newest + 1)
            tenths = range(newest - 10 * KEPT + 10, newest - KEPT + 1, 10)
            hundredths = range(100, newest - 10 * KEPT + 1, 100)
            assert timed == [*hundredths, *tenths, *latest]


def test_steps_keep_their_ids_when_they_forget(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer, open_run(path) as run:
        write_steps(writer, 2 * KEPT - 1)
        before = [(s.id, s.rank, s.step, s.start_s, s.end_s) for s in run.steps()]
        assert all(len(s.times) for s in run.steps())
        write_steps(writer, 1, first=2 * KEPT)
        after = [(s.id, s.rank, s.step, s.start_s, s.end_s) for s in run.steps()]
        assert after[:-2] == before
        assert sum(len(s.times) > 0 for s in run.steps(0)) == KEPT + 2


def test_a_second_program_forgets_by_its_own_steps(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer:
        write_steps(writer, 5 * KEPT)
        writer.write((0, StepFinished("test", n, 0.0, 1.0, None, np.ones((1, 2)))) for n in range(1, KEPT + 1))
    with open_run(path) as run:
        assert all(len(s.times) for s in run.steps() if s.program == "test")


def test_a_store_does_not_grow_by_the_times_of_old_steps(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    times = np.ones((30, 2))  # 480 bytes
    with sample.writing(path) as writer:
        for block in range(40):
            steps = range(block * 100 + 1, block * 100 + 101)
            writer.write((0, StepFinished("p", n, 0.0, 1.0, 0.5, times)) for n in steps)
    assert path.stat().st_size < 4000 * 200


def test_what_moved_is_measured_by_the_steps_that_remember(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer:
        writer.write((rank, event) for rank in range(sample.RANKS) for event in sample.events(rank))
        write_steps(writer, 3 * KEPT - sample.STEPS, ranks=sample.RANKS, first=sample.STEPS + 1)
    with open_run(path) as run:
        moved = movements(run)
        assert all(m.steps == 3 * KEPT for m in moved)
        assert moved[0].mean_s == pytest.approx(1e-3)


def test_of_values_recorded_long_ago_ever_fewer_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer:
        for step in range(1001):
            writer.write((rank, measure_values(rank, "train", "w", step, np.ones(2))) for rank in range(2))
        writer.write([(0, measure_values(0, "evaluate", "w", 0, np.ones(2)))])
    with open_run(path) as run:
        kept = value_steps(run, "w")
    assert kept["evaluate"] == {0: (0,)}
    assert set(kept["train"].values()) == {(0, 1)}
    ages = [1000 - step for step in kept["train"]]
    assert sorted(ages)[:8] == list(range(8))
    assert len(ages) < 60
    assert all(step % 2 ** ((age // 8).bit_length()) == 0 for step, age in zip(kept["train"], ages, strict=True))
