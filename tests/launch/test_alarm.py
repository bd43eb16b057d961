"""Who speaks when ranks fail, and with which exit code all end."""

import sys
from pathlib import Path

import pytest

from simpar.errors import DTypeError
from simpar.launch.alarm import Alarm, exit_code, on_failure
from simpar.launch.failure import Failure
from simpar.tensor import Tensor


def make_alarm(folder: Path, rank: int, codes: list[int], waits: list[float]) -> Alarm:
    return Alarm(rank, 4, folder, codes.append, waits.append)


def test_only_the_first_rank_to_fail_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    waits: list[float] = []
    for rank in (2, 0, 3):
        error = ValueError(f"told by rank {rank}")
        make_alarm(tmp_path, rank, codes, waits).on_error(ValueError, error, None)
    said = capsys.readouterr().err
    assert said == "rank 2 of 4 failed:\nValueError: told by rank 2\n"
    assert codes == [1, 1, 1]
    assert len(waits) == 2  # the others wait to be stopped


def test_a_mistake_shows_the_lines_of_the_user_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DTypeError) as caught:
        Tensor("no numbers")
    make_alarm(tmp_path, 0, [], []).on_error(DTypeError, caught.value, caught.tb)
    said = capsys.readouterr().err
    assert 'Tensor("no numbers")' in said
    assert "simpar/tensor" not in said
    assert said.splitlines()[-1].startswith("simpar.errors.DTypeError: a Tensor is made of")


def test_ctrl_c_is_one_short_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    make_alarm(tmp_path, 1, codes, []).on_error(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == "rank 1 of 4 interrupted.\n"
    assert codes == [130]


def test_a_rank_that_ends_well_stops_nobody(tmp_path: Path) -> None:
    codes: list[int] = []
    alarm = make_alarm(tmp_path, 1, codes, [])
    alarm.on_exit()
    assert codes == []
    alarm.code = 3
    alarm.on_exit()
    assert codes == [3]


def test_witnesses_of_the_first_rank_are_told_before_all_are_stopped(tmp_path: Path) -> None:
    told: list[object] = []
    for rank in (1, 0):
        alarm = make_alarm(tmp_path, rank, [], [])
        alarm.abort = lambda code: told.append(code)
        alarm.witnesses.append(told.append)
        alarm.on_error(ValueError, ValueError("no data"), None)
    assert told == [Failure("ValueError", "no data", "ValueError: no data"), 1, 1]


def test_a_witness_that_fails_does_not_keep_the_ranks_from_being_stopped(tmp_path: Path) -> None:
    def fail(failure: Failure | None) -> None:
        raise OSError("no space left")

    codes: list[int] = []
    alarm = make_alarm(tmp_path, 0, codes, [])
    alarm.witnesses.append(fail)
    alarm.on_error(ValueError, ValueError("no data"), None)
    assert codes == [1]


def test_witness_of_a_process_without_alarm_is_told_after_python_has_shown_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, where: told.append("shown"))
    assert on_failure(0, told.append) is None
    sys.excepthook(ValueError, ValueError("no data"), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert told == ["shown", Failure("ValueError", "no data", "ValueError: no data"), "shown", None]


def test_ranks_that_are_threads_do_not_speak_for_their_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = make_alarm(tmp_path, 0, [], [])
    monkeypatch.setattr(sys, "excepthook", alarm.on_error)
    assert [on_failure(rank, lambda failure: None) for rank in range(4)] == [alarm] * 4
    assert len(alarm.witnesses) == 1


@pytest.mark.parametrize(("given", "code"), [(None, 0), (0, 0), (3, 3), (True, 1), ("no data", 1), (256, 0), (-1, 255)])
def test_exit_codes_are_those_of_the_shell(given: object, code: int) -> None:
    assert exit_code(given) == code
