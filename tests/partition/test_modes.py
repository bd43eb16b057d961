"""Data and hybrid parallel: every rank its own program, gradients summed or averaged, local parameters left alone."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.context import current
from tests.compile.planning import plan_of

N = 4


def batch(rank: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(rank).standard_normal((3, 5)).astype(np.float32)


class Net(nn.Cell):
    """Multiplies by a shared weight and by one of the rank's own, and sums."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = Parameter(Tensor(np.ones((5, 4), np.float32)), name="shared")
        self.own = Parameter(Tensor(np.ones((4, 2), np.float32)), name="own", layerwise_parallel=True)

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(ops.matmul(x, self.shared), self.own).sum()


def step(options: dict[str, Any]) -> tuple[Any, Any, list[str]]:
    """Take one step of SGD with rate 1 on this rank's batch; return both weights and the groups of the collectives."""
    ms.set_auto_parallel_context(**options)
    net = Net()
    cell = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 1.0)).set_train()
    cell(Tensor(batch(current().rank)))
    return net.shared.asnumpy().copy(), net.own.asnumpy().copy(), []


def gradient_of_shared(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.repeat(x.sum(0)[:, None] * 2, 4, axis=1)


@pytest.mark.parametrize("mode", ["data_parallel", "hybrid_parallel"])
@pytest.mark.parametrize("mean", [True, False])
def test_gradients_are_summed_or_averaged_and_layerwise_parameters_left_alone(mode: str, mean: bool) -> None:
    ran = run_threads(N, step, {"parallel_mode": mode, "gradients_mean": mean})
    total = sum(gradient_of_shared(batch(r)) for r in range(N)) / (N if mean else 1)
    for rank, (shared, own, _) in enumerate(ran):
        np.testing.assert_allclose(shared, 1 - total, rtol=1e-4, atol=1e-4)
        hidden = batch(rank) @ np.ones((5, 4), np.float32)
        np.testing.assert_allclose(own, 1 - np.repeat(hidden.sum(0)[:, None], 2, axis=1), rtol=1e-4, atol=1e-4)


def plan_in(mode: str, **options: Any) -> Any:
    def build() -> Any:
        net = Net()
        return nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 1.0)), [Tensor(batch(0))]

    return plan_of(build, parallel_mode=mode, device_num=N, **options)


@pytest.mark.parametrize("mode", ["data_parallel", "hybrid_parallel"])
def test_only_the_shared_gradient_is_in_a_message_of_all_ranks(mode: str) -> None:
    (message,) = plan_in(mode).collectives
    assert (message.kind, message.group, message.parameters) == ("all_reduce", (0, 1, 2, 3), ("shared",))


def test_stand_alone_sends_nothing() -> None:
    assert plan_in("stand_alone").collectives == ()


def test_semi_auto_parallel_reduces_no_gradient_of_a_whole_batch_on_every_rank() -> None:
    def build() -> Any:
        w = Parameter(Tensor(np.ones((5, 4), np.float32)), name="w")
        product = ops.MatMul().shard(((1, 1), (1, 1)))
        total = ops.ReduceSum().shard(((1, 1),))
        return ms.grad(lambda x: total(product(x, w)), None, [w]), [Tensor(batch(0))]

    assert plan_of(build, parallel_mode="semi_auto_parallel", device_num=N, full_batch=True).collectives == ()


def started(broadcast: bool) -> Any:
    ms.set_auto_parallel_context(parallel_mode="data_parallel", parameter_broadcast=broadcast)
    net = Net()
    rank = current().rank
    for p in (net.shared, net.own):
        p.set_data(Tensor(np.full(p.shape, rank, np.float32)))
    forward = ms.jit(lambda x: net(x))
    forward(Tensor(batch(0)))
    return net.shared.asnumpy()[0, 0], net.own.asnumpy()[0, 0]


def test_parameter_broadcast_gives_all_ranks_the_values_of_rank_0_but_not_to_layerwise_parameters() -> None:
    assert run_threads(N, started, True) == [(0, r) for r in range(N)]
    assert run_threads(N, started, False) == [(r, r) for r in range(N)]


def hybrid() -> Any:
    """Multiply by columns of a weight that this rank holds as its own, and gather the result."""
    ms.set_auto_parallel_context(parallel_mode="hybrid_parallel")
    rank = current().rank
    columns = np.arange(20, dtype=np.float32).reshape(5, 4)[:, rank : rank + 1]
    w = Parameter(Tensor(np.ascontiguousarray(columns)), name="w", layerwise_parallel=True)
    forward = ms.jit(lambda x: ops.AllGather()(ops.matmul(x, w).transpose(1, 0)).transpose(1, 0))
    return forward(Tensor(batch(0))).asnumpy()


def test_a_hand_written_collective_joins_slices_in_hybrid_parallel() -> None:
    expected = batch(0) @ np.arange(20, dtype=np.float32).reshape(5, 4)
    for made in run_threads(N, hybrid):
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-5)
