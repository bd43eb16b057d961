"""Recorders bring the events of all ranks into the store, and never stand in the way of the training."""

import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from simpar.collectives import open_world
from simpar.recorder import (
    MemoryRecorder,
    NullRecorder,
    ProgramCompiled,
    RankFailed,
    Recorder,
    Scalar,
    StepFinished,
    StoreRecorder,
    open_run,
    start_recording,
)
from tests.recorder import sample

FAILED = RankFailed(1, "ValueError", "no data\nat all", "Traceback: line 3")


class FakeMailbox:
    """Letters of one rank into a list that rank 0 empties."""

    def __init__(self, rank: int, letters: list[tuple[int, bytes]]) -> None:
        self.rank, self.letters = rank, letters

    def send(self, message: bytes, /) -> None:
        self.letters.append((self.rank, message))

    def poll(self) -> list[tuple[int, bytes]]:
        taken = [self.letters.pop(0) for _ in range(len(self.letters))]
        return taken if self.rank == 0 else []


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def recorders(folder: Path, size: int = sample.RANKS) -> list[StoreRecorder]:
    letters: list[tuple[int, bytes]] = []
    path = folder / "run.sqlite"
    return [StoreRecorder(path if r == 0 else None, r, size, FakeMailbox(r, letters)) for r in range(size)]


def test_events_of_all_ranks_reach_the_store(tmp_path: Path) -> None:
    opened = recorders(tmp_path)
    for rank, recorder in enumerate(opened):
        for event in sample.events(rank):
            recorder.emit(event)
    for recorder in reversed(opened):
        recorder.close()
    with open_run(tmp_path) as run:
        assert run.info().state == "finished"
        for rank in range(sample.RANKS):
            assert [s.step for s in run.steps(rank)] == [1, 2, 3, 4, 5]
            assert run.program("train", rank) == sample.compiled(rank)


def test_rank_0_waits_for_last_batches_that_are_on_their_way(tmp_path: Path) -> None:
    writer, other = recorders(tmp_path, size=2)
    other.emit(Scalar("late", 1, 2.0))
    later = threading.Timer(0.1, other.close)
    later.start()
    writer.close()
    later.join()
    with open_run(tmp_path) as run:
        assert [s.name for s in run.scalars()] == ["late"]


def test_rank_0_does_not_wait_for_ever_for_a_rank_that_died(tmp_path: Path) -> None:
    letters: list[tuple[int, bytes]] = []
    writer = StoreRecorder(tmp_path / "run.sqlite", 0, 2, FakeMailbox(0, letters), drain_timeout_s=0.05)
    writer.emit(Scalar("mine", 1, 2.0))
    writer.close()
    with open_run(tmp_path) as run:
        assert [s.name for s in run.scalars()] == ["mine"]


def test_a_rank_that_fails_is_heard_though_rank_0_waits_in_a_collective(tmp_path: Path) -> None:
    letters: list[tuple[int, bytes]] = []
    path = tmp_path / "run.sqlite"
    writer = StoreRecorder(path, 0, 2, FakeMailbox(0, letters), interval_s=0.01, last_words=tmp_path)
    other = StoreRecorder(None, 1, 2, FakeMailbox(1, letters), interval_s=60.0, last_words=tmp_path)
    other.emit(Scalar("not yet sent", 1, 2.0))
    other.fail(FAILED)  # while the main thread of rank 0 does nothing
    assert not letters
    with open_run(tmp_path) as run:
        assert run.failures() == (FAILED,)
        assert [s.name for s in run.scalars()] == ["not yet sent"]
        assert (run.info().state, run.info().cause) == ("failed", "rank 1: ValueError: no data")
    writer.fail(None)


def test_rank_0_that_fails_does_not_wait_for_the_others(tmp_path: Path) -> None:
    letters: list[tuple[int, bytes]] = []
    writer = StoreRecorder(tmp_path / "run.sqlite", 0, 2, FakeMailbox(0, letters), interval_s=60.0)
    other = StoreRecorder(None, 1, 2, FakeMailbox(1, letters))
    other.emit(Scalar("on its way", 1, 2.0))
    other.flush()
    writer.emit(Scalar("mine", 1, 2.0))
    writer.fail(RankFailed(0, "ValueError", "no data"))
    with open_run(tmp_path) as run:
        assert [s.name for s in run.scalars()] == ["mine", "on its way"]
        assert run.info().state == "failed"


def test_a_rank_that_fails_is_not_kept_when_nobody_hears_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simpar.recorder.last_words._HEARING_S", 0.05)
    recorder = StoreRecorder(None, 1, 2, FakeMailbox(1, []), last_words=tmp_path)
    recorder.fail(FAILED)
    assert [file.name for file in tmp_path.iterdir()] == ["last-words-1"]


def test_other_ranks_send_at_most_one_batch_in_an_interval() -> None:
    clock, letters = Clock(), list[tuple[int, bytes]]()
    recorder = StoreRecorder(None, 1, 2, FakeMailbox(1, letters), interval_s=0.5, clock=clock)
    for number in range(1, 101):  # two seconds of steps
        clock.now += 0.02
        recorder.emit(sample.step(1, number))
    assert 3 <= len(letters) <= 4


def test_other_ranks_leave_out_what_rank_0_tells(tmp_path: Path) -> None:
    letters: list[tuple[int, bytes]] = []
    recorder = StoreRecorder(None, 1, 2, FakeMailbox(1, letters))
    recorder.emit(ProgramCompiled("train", "a long plan " * 1000, "d1ge57"))
    recorder.flush()
    assert len(letters[0][1]) < 300


def test_times_may_be_filled_again_after_emit(tmp_path: Path) -> None:
    times = np.ones((2, 2))
    kept: list[Recorder] = [MemoryRecorder(), StoreRecorder(tmp_path / "run.sqlite")]
    for recorder in kept:
        times[:] = 1.0
        recorder.emit(StepFinished("p", 1, 0.0, 1.0, None, times))
        times[:] = 9.0
        recorder.close()
    with open_run(tmp_path) as run:
        assert next(run.steps()).times.max() == 1.0
    memory = kept[0]
    assert isinstance(memory, MemoryRecorder)
    assert isinstance(memory.events[0], StepFinished)
    assert memory.events[0].times.max() == 1.0


def test_flush_puts_all_into_the_store_before_it_returns(tmp_path: Path) -> None:
    with StoreRecorder(tmp_path / "run.sqlite", interval_s=60.0) as recorder, open_run(tmp_path) as run:
        recorder.emit(Scalar("a", 1, 1.0))
        recorder.flush()
        assert len(run.scalars()) == 1


def test_rank_0_writes_while_its_own_thread_computes(tmp_path: Path) -> None:
    with StoreRecorder(tmp_path / "run.sqlite", interval_s=0.01) as recorder, open_run(tmp_path) as run:
        recorder.emit(Scalar("a", 1, 1.0))
        until = time.monotonic() + 5.0
        while not run.scalars() and time.monotonic() < until:
            time.sleep(0.01)
        assert len(run.scalars()) == 1


def test_closing_twice_and_telling_after_closing_do_nothing(tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "run.sqlite")
    recorder.close()
    recorder.emit(Scalar("late", 1, 1.0))
    recorder.close()
    with open_run(tmp_path) as run:
        assert run.scalars() == ()


def test_store_that_takes_no_more_is_one_warning_and_no_error(tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "run.sqlite")
    assert recorder._writer is not None  # pyright: ignore[reportPrivateUsage]
    recorder._writer.add(0, b"not a batch")  # pyright: ignore[reportPrivateUsage]
    with pytest.warns(RuntimeWarning, match="recording stopped, the training goes on: a batch of 11 bytes"):
        recorder.flush()
    with warnings.catch_warnings(record=True) as seen:
        recorder.emit(Scalar("a", 1, 1.0))
        recorder.flush()
        recorder.close()
    assert not seen


def test_null_recorder_forgets_everything() -> None:
    recorder: Recorder = NullRecorder()
    recorder.emit(Scalar("a", 1, 1.0))
    recorder.flush()
    recorder.close()


def test_start_recording_makes_the_run_and_tells_where_it_runs(tmp_path: Path) -> None:
    recorder = start_recording(
        "scenarios/mlp.py", ["-v"], mode="semi_auto_parallel", device_num=4, folder=tmp_path, versions={"mpi": "5"}
    )
    assert recorder.path is not None
    with open_run(recorder.path) as run:
        info = run.info()
        assert info.state == "running"
        assert info.run == recorder.path.parent.name
        assert info.run.endswith("-mlp")
        assert info.started.argv == ("-v",)
        assert {"python", "numpy", "simpar", "mpi"} == set(info.started.versions)
        assert [r.rank for r in run.ranks()] == [0]
    recorder.close()


def test_mailbox_of_a_world_carries_recordings(tmp_path: Path) -> None:
    world = open_world()
    recorder = StoreRecorder(tmp_path / "run.sqlite", world.rank, world.size, world.mailbox())
    recorder.emit(Scalar("a", 1, 1.0))
    recorder.close()
    with open_run(tmp_path) as run:
        assert len(run.scalars()) == 1
