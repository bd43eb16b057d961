"""A run store keeps what was written, whatever happens to the writer, and says what is wrong with a file."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from simpar.errors import RunStoreError
from simpar.layout import Layout
from simpar.recorder import (
    Checksum,
    ParameterPlaced,
    RankFailed,
    RunWriter,
    Scalar,
    SliceValues,
    StepFinished,
    open_run,
    slice_values,
    value_steps,
)
from simpar.recorder.schema import APPLICATION_ID, SCHEMA_VERSION
from simpar.recorder.store import has_writer
from tests.recorder import sample
from tests.recorder.test_codec import assert_same

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return sample.write_sample(tmp_path / "run" / "run.sqlite")


# --- what was written reads back ---


def test_run_tells_what_was_run_and_how_it_ended(store: Path) -> None:
    with open_run(store) as run:
        info = run.info()
    assert info.started == sample.started()
    assert (info.state, info.steps, info.last_loss, info.ended_s) == ("finished", 5, 2.0 / 5, 1_700_000_060.0)


def test_folder_of_a_run_opens_as_its_store(store: Path) -> None:
    with open_run(store.parent) as run:
        assert run.info().run == "2026-01-02-030405-mlp"


def test_parameters_read_back_once_each_in_order(store: Path) -> None:
    with open_run(store) as run:
        assert run.parameters() == (sample.W1, sample.W2, sample.MOMENT)


@pytest.mark.parametrize("rank", range(sample.RANKS))
def test_program_reads_back_as_each_rank_compiled_it(store: Path, rank: int) -> None:
    with open_run(store) as run:
        assert run.programs() == ("train",)
        assert run.program("train", rank) == sample.compiled(rank)
        assert run.program("other") is None


def test_steps_of_one_rank_read_back_with_their_times(store: Path) -> None:
    with open_run(store) as run:
        rows = list(run.steps(rank=3))
    assert [r.step for r in rows] == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(rows[1].times, sample.step(3, 2).times)
    assert (rows[1].start_s, rows[1].loss) == (sample.clock_of(3, 2), 1.0)


def test_steps_since_an_id_are_only_the_new_ones(store: Path) -> None:
    with open_run(store) as run:
        everything = list(run.steps())
        assert [s.id for s in run.steps(since=everything[-3].id)] == [s.id for s in everything[-2:]]
    assert len(everything) == sample.RANKS * sample.STEPS


def test_losses_are_those_of_one_rank(store: Path) -> None:
    with open_run(store) as run:
        assert run.losses() == tuple((n, 2.0 / n) for n in range(1, 6))


def test_ranks_of_one_machine_share_the_offset_of_their_clock(store: Path) -> None:
    with open_run(store) as run:
        assert run.clock_offsets() == {0: 0.0, 1: 0.0, 2: -3600.0, 3: -3600.0}


def test_loss_that_is_not_a_number_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer:
        writer.write([(0, StepFinished("p", 1, 0.0, 1.0, float("nan"), np.zeros((0, 2))))])
        writer.write([(0, StepFinished("p", 2, 1.0, 2.0, None, np.zeros((0, 2))))])
        writer.write([(0, Scalar("norm", 1, float("inf")))])
    with open_run(path) as run:
        ((step, loss),) = run.losses()
        assert step == 1
        assert np.isnan(loss)
        assert run.scalars()[0].value == float("inf")


def test_values_and_checksums_are_found_by_parameter(tmp_path: Path) -> None:
    tile = np.array([[1.0], [np.nan]], np.float32)
    told = SliceValues(1, "train", "w", 2, -1.0, 1.0, 0.0, float("nan"), 2.0, 1, 0, (3, 0, 1), tile)
    checksum = Checksum(1, "w", 2, "ab12")
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(1, told), (1, checksum), (1, Checksum(1, "v", 2, "cd34"))])
    with open_run(tmp_path) as run:
        assert run.checksums("w") == (checksum,)
        assert value_steps(run, "w") == {"train": {2: (1,)}}
        assert value_steps(run, "v") == {}
        (found,) = slice_values(run, "w", "train", 2, 1)
        assert_same(found, told)
        assert slice_values(run, "w", "train", with_tiles=False)[0].tile.size == 0
        assert slice_values(run, "w", "evaluate") == ()


def test_a_pipeline_stage_may_place_parameters_that_rank_0_does_not_have(tmp_path: Path) -> None:
    here, there = Layout((2,), (0,)), Layout((2,), (0,), rank_list=(2, 3))
    own = ParameterPlaced("stage1.w", (4,), "float16", there, there)
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, ParameterPlaced("w", (4,), "float16", here, here)), (2, own)])
    with open_run(tmp_path) as run:
        assert run.parameters()[1] == own


# --- states ---


def test_run_is_running_while_its_writer_lives_and_killed_after(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer:
        writer.write([(0, sample.started())])
        with open_run(path) as run:
            assert run.info().state == "running"
        assert has_writer(path)
    with open_run(path) as run:
        assert run.info().state == "killed"


def test_run_killed_before_its_first_batch_goes_by_its_folder(tmp_path: Path) -> None:
    with sample.writing(tmp_path / "run.sqlite"):
        pass
    with open_run(tmp_path) as run:
        assert (run.info().run, run.info().state, run.info().steps) == (tmp_path.name, "killed", 0)


def test_run_with_a_failed_rank_has_failed(tmp_path: Path) -> None:
    failure = RankFailed(2, "ValueError", "no", "Traceback ...")
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, sample.started()), (2, failure)])
    with open_run(tmp_path) as run:
        assert run.info().state == "failed"
        assert run.failures() == (failure,)


def test_batch_with_something_that_is_no_event_leaves_nothing_behind(tmp_path: Path) -> None:
    with sample.writing(tmp_path / "run.sqlite") as writer:
        with pytest.raises(TypeError, match="str is not an event"):
            writer.write([(0, Scalar("a", 1, 1.0)), (0, "text")])  # type: ignore[list-item]
        writer.write([(0, Scalar("b", 1, 1.0))])
    with open_run(tmp_path) as run:
        assert [s.name for s in run.scalars()] == ["b"]


# --- readers and the writer do not wait for each other ---


def test_reader_sees_its_snapshot_while_the_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path) as writer, open_run(path) as run:
        writer.write([(0, sample.step(0, n)) for n in range(1, 301)])
        reading = run.steps()
        next(reading)  # a read transaction is now open
        writer.write([(0, sample.step(0, 301))])  # and does not stop this
        assert sum(1 for _ in reading) == 299
        assert sum(1 for _ in run.steps()) == 301


def test_reader_is_not_stopped_by_an_open_write_transaction(store: Path) -> None:
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM steps")
    with open_run(store) as run:
        assert run.info().steps == sample.STEPS
    other.execute("ROLLBACK")
    other.close()


KILLED_WRITER = """
import sys
from pathlib import Path
from simpar.recorder import RunWriter
from tests.recorder import sample
from tests.recorder.test_codec import assert_same
writer = RunWriter(Path(sys.argv[1]))
writer.write([(0, sample.started())])
for number in range(1, 1_000_000):
    writer.write([(0, sample.step(0, number))])
    print(number, flush=True)
"""


def test_killed_writer_loses_at_most_its_last_batch(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    command = [sys.executable, "-c", KILLED_WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        told = 0
        while told < 50:
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        told = max([told, *map(int, process.stdout.read().split())])
    with open_run(path) as run:
        numbers = [s.step for s in run.steps()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert told <= len(numbers) <= told + 1
        assert run.info().state == "killed"


# --- files that cannot be read ---


def test_missing_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunStoreError, match=r"there is no run store .*run\.sqlite.*simpar runs"):
        open_run(tmp_path)


def test_empty_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.sqlite").touch()
    with pytest.raises(RunStoreError, match="is empty: the run ended before"):
        open_run(tmp_path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_truncated_store_is_named_with_its_sizes(store: Path, kept: float) -> None:
    whole = store.stat().st_size
    os.truncate(store, int(whole * kept))
    with pytest.raises(RunStoreError, match=f"cut short: it has {int(whole * kept)} bytes of {whole}"):
        open_run(store)


def test_store_cut_within_its_header_is_named(store: Path) -> None:
    os.truncate(store, 20)
    with pytest.raises(RunStoreError, match="cut short"):
        open_run(store)


def test_damaged_store_is_named_when_the_damage_is_read(store: Path) -> None:
    content = bytearray(store.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    store.write_bytes(content)
    with pytest.raises(RunStoreError, match="is damaged"), open_run(store) as run:
        run.info()


def test_file_that_is_no_database_is_named_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, today I trained a network.")
    with pytest.raises(RunStoreError, match="is not a run store: it starts with b'Dear diary"):
        open_run(path)


def test_database_of_another_program_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE bookmarks (address TEXT)")
    database.close()
    with pytest.raises(RunStoreError, match="a SQLite database of another program"):
        open_run(path)
    with pytest.raises(RunStoreError, match="a SQLite database of another program"):
        RunWriter(path)


def test_store_of_a_later_version_asks_for_an_upgrade(store: Path) -> None:
    with sqlite3.connect(store) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(RunStoreError, match=f"schema version {SCHEMA_VERSION + 1}.*up to {SCHEMA_VERSION}.*upgrade"):
        open_run(store)


def test_locked_store_asks_to_close_the_other_program(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simpar.recorder.reader._BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RunStoreError, match="is locked by another program"), open_run(store) as run:
            run.info()
    finally:
        other.close()


def test_store_with_a_living_writer_takes_no_second_one(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sample.writing(path), pytest.raises(RunStoreError, match="being written by another process"):
        RunWriter(path)


def test_store_in_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunStoreError, match="cannot be written"):
        RunWriter(tmp_path / "missing" / "run.sqlite")


def test_copied_store_without_its_side_files_opens(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(store.read_bytes())
    with open_run(copy) as run:
        assert run.info().state == "finished"


READER_OF_A_READ_ONLY_FOLDER = """
import os, sys
from simpar.recorder import open_run
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
with open_run(sys.argv[1]) as run:
    print(run.info().steps, not os.access(sys.argv[1], os.W_OK))
"""


def test_store_in_a_folder_that_takes_no_files_can_be_read() -> None:
    with tempfile.TemporaryDirectory() as given:  # not tmp_path, which other users cannot enter
        folder = Path(given)
        sample.write_sample(folder / "run.sqlite").chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", READER_OF_A_READ_ONLY_FOLDER, given]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
        folder.chmod(0o755)
    assert (run.stdout, run.stderr) == ("5 True\n", "")


# --- the contract with later readers ---


def test_file_says_what_it_is(store: Path) -> None:
    database = sqlite3.connect(store)
    assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == (str(SCHEMA_VERSION),)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
