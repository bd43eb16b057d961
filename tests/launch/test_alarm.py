"""Who speaks when ranks fail, and with which exit code all end."""

from pathlib import Path

import pytest

from simpar.errors import DTypeError
from simpar.launch.alarm import Alarm, exit_code
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


@pytest.mark.parametrize(("given", "code"), [(None, 0), (0, 0), (3, 3), (True, 1), ("no data", 1), (256, 0), (-1, 255)])
def test_exit_codes_are_those_of_the_shell(given: object, code: int) -> None:
    assert exit_code(given) == code
