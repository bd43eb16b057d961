"""All ranks run one plan; a rank that runs a program of its own may name its own group and hold its own constants."""

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.communication import create_group, get_rank
from simpar.errors import PlanMismatchError, SimparError
from simpar.layout import Layout


def pairs(n: int) -> float:
    """Sum over the pairs (0, 1) and (2, 3), each rank in a group of its own name, and add a constant of the rank."""
    ms.set_auto_parallel_context(parallel_mode="hybrid_parallel")
    for first in range(0, n, 2):
        create_group(f"pair{first}", [first, first + 1])
    rank = get_rank()
    join = ops.AllReduce(group=f"pair{rank // 2 * 2}")
    own = Tensor(np.float32(10 * rank))
    run = ms.jit(lambda x: join(x) + own)
    return float(run(Tensor(np.float32(rank))))


def test_ranks_of_hybrid_parallel_mode_call_their_own_groups() -> None:
    assert run_threads(4, pairs, 4) == [0 + 1 + 0, 0 + 1 + 10, 2 + 3 + 20, 2 + 3 + 30]


def odd_one(mode: str) -> None:
    ms.set_auto_parallel_context(parallel_mode=mode, full_batch=mode == "semi_auto_parallel")
    rank = get_rank()
    ms.jit(lambda x: ops.exp(x) if rank == 2 else ops.log(x))(Tensor(np.ones(4, np.float32)))


@pytest.mark.parametrize("mode", ["semi_auto_parallel", "data_parallel"])
def test_ranks_that_traced_different_ops_are_told_the_line_and_the_ranks(mode: str) -> None:
    with pytest.raises(SimparError, match=r"`.*log.*` on rank 0 and `.*exp.*` on rank 2\. Every rank must") as raised:
        run_threads(3, odd_one, mode)
    assert isinstance(raised.value, PlanMismatchError) or "PlanMismatchError" in str(raised.value)


def test_a_layout_may_name_device_axes_of_size_one() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    identity = ops.Identity().shard((Layout((1, 1), ((1, 0), -1)),))
    x = np.arange(4, dtype=np.float32).reshape(2, 2)
    assert ms.jit(identity)(Tensor(x)).asnumpy().tolist() == x.tolist()


def own_rows(n: int) -> list[float]:
    """Multiply this rank's row of a table, on odd ranks twice, and sum over the ranks."""
    rank, join = get_rank(), ops.AllReduce()

    @ms.jit
    def run(table: Tensor) -> Tensor:
        row = table[rank : rank + 1]
        return join(row * 2 * 2 if rank % 2 else row * 4)

    return run(Tensor(np.arange(n, dtype=np.float32).reshape(n, 1)))[0].tolist()


def test_ranks_that_call_collectives_themselves_run_programs_of_their_own() -> None:
    assert run_threads(4, own_rows, 4) == [[4 * (0 + 1 + 2 + 3)]] * 4


def odd_call(shape: int) -> None:
    join, rank = ops.AllReduce(), get_rank()
    ms.jit(lambda x: join(x[:shape]) if rank == 2 else join(x) if shape else x)(Tensor(np.ones(4, np.float32)))


@pytest.mark.parametrize(("shape", "other"), [(3, r"all_reduce of float32 \(4,\)"), (0, "nothing")])
def test_ranks_that_would_wait_for_each_other_are_told_the_calls(shape: int, other: str) -> None:
    wanted = rf"\(0, 1, 2\).* number 1 .* {other}.* on rank 0 and all_reduce of float32 \({shape},\).* on rank 2"
    with pytest.raises(SimparError, match=wanted):
        run_threads(3, odd_call, shape)
