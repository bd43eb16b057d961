"""Loops whose end depends on values: a step goes round as often as its values say, and is planned with one round."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.errors import ValueDependentError, WorldError
from simpar.parallel import full_tensor


def halved(x: Tensor) -> Tensor:
    """Halve a tensor until its sum is at most 1."""
    while x.sum() > 1:
        x = x * 0.5
    return x


@settings(max_examples=20, deadline=None)
@given(total=st.floats(0.1, 500))
def test_a_loop_goes_round_as_often_as_the_values_say(total: float) -> None:
    rounds = max(0, int(np.ceil(np.log2(np.float32(total)))))
    x = Tensor(np.array([total / 2, total / 2], np.float32))
    assert ms.jit(halved)(x).tolist() == (x.asnumpy() / 2**rounds).tolist()
    assert ms.grad(lambda x: halved(x).sum())(x).tolist() == [0.5**rounds] * 2


class Powers(nn.Cell):
    """Multiplies by a matrix as often as a Parameter says, and counts all rounds."""

    def __init__(self) -> None:
        super().__init__()
        self.left = Parameter(Tensor(3, ms.int32), name="left", requires_grad=False)
        self.rounds = Parameter(Tensor(0, ms.int32), name="rounds", requires_grad=False)
        self.w = Parameter(Tensor(np.linspace(-0.5, 0.5, 64).reshape(8, 8).astype(np.float32)), name="w")
        self.matmul = ops.MatMul().shard(((2, 2), (2, 1)))

    def construct(self, x: Tensor) -> Tensor:
        while self.left > 0:
            x = self.matmul(x, self.w)
            self.left -= 1
            self.rounds += 1
        return x


def trained(n: int) -> tuple[Any, ...]:
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net: Any = Powers()
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1))
    x = Tensor(np.linspace(-1, 1, 32).reshape(4, 8).astype(np.float32))
    losses: list[float] = []
    for left in (3, 1, 0, 3):
        net.left.set_data(Tensor(left, ms.int32))
        losses.append(float(step(x, x)))
    return losses, int(net.rounds), int(net.left), full_tensor(net.w).asnumpy()


def test_a_network_that_loops_trains_on_ranks_as_on_one_device() -> None:
    (alone,) = run_threads(1, trained, 1)
    assert alone[1:3] == (3 + 1 + 0 + 3, 0)
    for made in run_threads(4, trained, 4):
        assert made[1:3] == alone[1:3]
        np.testing.assert_allclose(made[0], alone[0], rtol=1e-5)
        np.testing.assert_allclose(made[3], alone[3], rtol=1e-5)


def test_conditions_and_the_step_draw_the_same_numbers() -> None:
    drop = nn.Dropout(p=0.5)
    drop.set_train()
    step = ms.jit(lambda x: halved(drop(x)))
    for _ in range(8):
        total = float(step(Tensor(np.ones(1000, np.float32))).sum())
        assert 0.5 < total <= 1


def test_programs_are_kept_for_the_ways_that_were_gone() -> None:
    traced: list[int] = []

    def step(x: Tensor) -> Tensor:
        traced.append(1)
        return halved(x)

    run = ms.jit(step)
    run(Tensor([5.0]))
    count = len(traced)
    run(Tensor([7.0]))
    run(Tensor([4.5]))
    assert len(traced) == count


def of_rank(x: float) -> float:
    ms.set_auto_parallel_context(parallel_mode="data_parallel")
    return float(ms.jit(halved)(Tensor([x + ms.communication.get_rank()])))


def test_ranks_that_would_go_different_ways_are_told() -> None:
    assert run_threads(2, of_rank, 2.5) == [0.625, 0.875]
    with pytest.raises(WorldError, match="not on all ranks"):
        run_threads(2, of_rank, 0.5)


def test_a_loop_without_end_is_refused() -> None:
    def step(x: Tensor) -> Tensor:
        while x.sum() < 10:
            x = x * 0
        return x

    with pytest.raises(ValueDependentError, match="looked at 64 conditions"):
        ms.jit(step)(Tensor([1.0]))


def test_a_loop_is_planned_with_one_round() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, device_num=4)
    net = Powers()
    plan = compile_function(net.construct, (Tensor(np.ones((4, 8), np.float32)),), net).plan
    assert [i.op for i in plan.instructions].count("matmul") == 1
    assert net.parameter_layout_dict["w"][2] == [4, 8]


# --- sizes ---


def of_sizes(x: Tensor) -> tuple[Tensor, ...]:
    values, numbers = ops.unique(x)
    kept = ops.masked_select(x, x > 2)
    return values, numbers, ops.nonzero(x - 1), kept * kept


@settings(max_examples=20, deadline=None)
@given(given_values=st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_results_have_the_size_that_the_values_tell(given_values: list[int]) -> None:
    x = np.array(given_values, np.float32)
    values, numbers, places, squares = ms.jit(of_sizes)(Tensor(x))
    assert values.tolist() == list(dict.fromkeys(given_values))
    assert values.asnumpy()[numbers.asnumpy()].tolist() == given_values
    assert places.tolist() == [[i] for i, n in enumerate(given_values) if n != 1]
    assert squares.tolist() == [n * n for n in given_values if n > 2]


def test_a_gradient_flows_to_the_elements_that_a_mask_takes() -> None:
    slope = ms.grad(lambda x: (ops.masked_select(x, x > 2) ** 2).sum())
    assert slope(Tensor([1.0, 3.0, 2.0, 5.0])).tolist() == [0, 6, 0, 10]


class Looked(nn.Cell):
    """Looks each different row of a table up once; rows of the table are cut."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Parameter(Tensor(np.arange(64, dtype=np.float32).reshape(16, 4)), name="table")
        self.unique, self.gather = ops.Unique().shard(((1,),)), ops.Gather().shard(((4, 1), (1,)))

    def construct(self, ids: Tensor) -> Tensor:
        values, numbers = self.unique(ids)
        return ops.gather(self.gather(self.table, values, 0), numbers, 0)


def looked_up(n: int) -> tuple[Any, Any]:
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = Looked()
    ids = Tensor(np.array([3, 9, 3, 15, 0, 9], np.int32))
    grown = ms.value_and_grad(lambda x: (net(x) ** 2).sum(), None, net.trainable_params())
    loss, (slope,) = grown(ids)
    return float(loss), full_tensor(slope).asnumpy()


def test_rows_are_looked_up_once_on_ranks_as_on_one_device() -> None:
    ((loss, slope),) = run_threads(1, looked_up, 1)
    assert np.flatnonzero(slope.any(axis=1)).tolist() == [0, 3, 9, 15]
    for made, grown in run_threads(4, looked_up, 4):
        np.testing.assert_allclose(made, loss, rtol=1e-6)
        np.testing.assert_allclose(grown, slope, rtol=1e-6)


def test_a_size_is_planned_as_great_as_it_can_be() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, device_num=4)
    plan = compile_function(Looked().construct, (Tensor(np.zeros(6, np.int32)),)).plan
    assert (6, 4) in {v.shape for v in plan.values.values()}
