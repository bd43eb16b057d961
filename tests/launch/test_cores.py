"""Ranks that share cores share BLAS threads."""

from unittest.mock import patch

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from simpar.launch import core_count, share_cores


def _blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_ranks_that_fill_the_cores_get_one_blas_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with threadpool_limits(limits=None):
        share_cores(core_count())
        assert _blas_threads() == {1}


def test_a_number_of_threads_that_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with patch("simpar.launch.mpi.threadpool_limits") as limit:
        share_cores(8)
    limit.assert_not_called()
