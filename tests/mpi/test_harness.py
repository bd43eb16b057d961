"""The harness itself: a case that fails or hangs is reported, and the others still run."""

from pathlib import Path

import pytest

from tests.mpi.harness import is_mpi_here, launch

CASES = """
import time
def case_a_good(world):
    world.communicator.barrier()
def case_b_failing_on_one_rank(world):
    if world.rank == 1:
        raise ValueError("no data")
    world.communicator.barrier()
def case_c_hanging(world):
    if world.rank == 1:
        world.communicator.barrier()
    time.sleep(50 * (1 - world.rank))
def case_d_good(world):
    world.communicator.barrier()
"""


@pytest.mark.skipif(not is_mpi_here(), reason="no MPI is installed")
def test_a_case_that_fails_or_hangs_is_told_apart_from_those_that_end_well(tmp_path: Path) -> None:
    (tmp_path / "cases_bad.py").write_text(CASES, encoding="utf-8")
    names = ["bad-a_good", "bad-b_failing_on_one_rank", "bad-c_hanging", "bad-d_good"]
    ended = launch(names, 2, tmp_path, limit_s=4.0)
    good, failing, hanging, after = (ended[name] for name in names)
    assert (good, after) == (None, None)
    assert failing is not None
    assert "rank 1 of 2 failed" in failing.text
    assert "ValueError: no data" in failing.text
    assert hanging is not None
    assert "rank 0 of 2 did not end" in hanging.text
    assert "time.sleep(50" in hanging.text
