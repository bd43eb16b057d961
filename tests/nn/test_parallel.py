"""Training steps on several ranks (threads of one process) against one device."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import nn
from simpar.collectives import run_threads
from simpar.context import current, set_auto_parallel_context, set_seed
from simpar.dtype import int32
from simpar.tensor import Tensor

X = np.random.default_rng(6).standard_normal((16, 8)).astype(np.float32)
Y = np.argmax(X[:, :4], axis=1)
STEPS = 5
RANKS = 4

Make = Callable[[list[Any]], nn.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "sgd": lambda ps: nn.SGD(ps, [0.2, 0.1], momentum=0.9, dampening=0.1),
    "groups": lambda ps: nn.SGD([{"params": ps[:2], "lr": 0.1}, {"params": ps[2:]}], 0.2, weight_decay=0.01),
    "momentum": lambda ps: nn.Momentum(ps, 0.1, 0.9, use_nesterov=True),
    "adam": lambda ps: nn.Adam(ps, nn.ExponentialDecayLR(0.02, 0.9, 2), weight_decay=0.01),
    "adam_weight_decay": lambda ps: nn.AdamWeightDecay(ps, 0.02, weight_decay=0.1),
}


class Net(nn.Cell):
    """Dense, normalization, dropout, Dense."""

    def __init__(self, keep_prob: float = 1.0) -> None:
        super().__init__()
        self.one = nn.Dense(8, 16, activation="relu")
        self.norm = nn.LayerNorm((16,))
        self.drop = nn.Dropout(keep_prob)
        self.two = nn.Dense(16, 4)

    def construct(self, x: Tensor) -> Tensor:
        return self.two(self.drop(self.norm(self.one(x))))


def losses(make: Make, net: Net, x: NDArray[Any], y: NDArray[Any]) -> list[float]:
    net.set_train()
    loss = nn.WithLossCell(net, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
    step = nn.TrainOneStepCell(loss, make(net.trainable_params()))
    return [step(Tensor(x), Tensor(y, int32)).item() for _ in range(STEPS)]


def of_one_device(make: Make, keep_prob: float = 1.0) -> list[float]:
    def work() -> list[float]:
        set_seed(3)
        return losses(make, Net(keep_prob), X, Y)

    return run_threads(1, work)[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_cut_step_with_the_parallel_optimizer_equals_that_of_one_device(name: str) -> None:
    def work() -> tuple[list[float], dict[str, Any]]:
        set_auto_parallel_context(
            parallel_mode="semi_auto_parallel",
            full_batch=True,
            enable_parallel_optimizer=True,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )
        set_seed(3)
        net = Net(0.8)
        net.one.matmul.shard(((2, 1), (2, 1)))
        net.two.matmul.shard(((2, 2), (1, 2)))
        made = losses(OPTIMIZERS[name], net, X, Y)
        return made, {p.name: p.shape for p in net.get_parameters()}

    wanted = of_one_device(OPTIMIZERS[name], 0.8)
    for made, shapes in run_threads(RANKS, work):
        np.testing.assert_allclose(made, wanted, rtol=1e-5)
        assert shapes["one.weight"] == (4, 8)  # cut by its strategy, and once more by the parallel optimizer
        assert shapes["two.weight"] == (2, 8)


def test_a_data_parallel_step_equals_one_over_all_batches() -> None:
    def work() -> list[float]:
        set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True)
        set_seed(3)
        part = slice(current().rank * 4, current().rank * 4 + 4)
        return losses(OPTIMIZERS["momentum"], Net(), X[part], Y[part])

    mean_of_ranks = np.mean(run_threads(RANKS, work), axis=0)
    np.testing.assert_allclose(mean_of_ranks, of_one_device(OPTIMIZERS["momentum"]), rtol=1e-4)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_dealt_parameters_train_as_if_every_rank_updated_all(name: str) -> None:
    def work(is_dealt: bool) -> tuple[list[float], list[NDArray[Any]], int]:
        set_auto_parallel_context(
            parallel_mode="data_parallel", gradients_mean=True, enable_parallel_optimizer=is_dealt
        )
        set_seed(3)
        net, part = Net(), slice(current().rank * 4, current().rank * 4 + 4)
        optimizers: list[nn.Optimizer] = []

        def make(ps: list[Any]) -> nn.Optimizer:
            optimizers.append(OPTIMIZERS[name](ps))
            return optimizers[0]

        found = losses(make, net, X[part], Y[part])
        states = [p for p in optimizers[0].get_parameters() if "." in p.name.removeprefix("one.")]
        changed = sum(bool(np.any(p.asnumpy())) for p in states if p.name.startswith("mom"))
        return found, [p.asnumpy().copy() for p in net.get_parameters()], changed

    dealt, whole = run_threads(2, lambda: work(True)), run_threads(2, lambda: work(False))
    for one, other in zip(dealt, whole, strict=True):
        assert one[0] == pytest.approx(other[0], rel=1e-6)
        for a, b in zip(one[1], other[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert 0 < dealt[0][2] < whole[0][2]  # each rank keeps the states of its own


def test_more_ranks_than_parameters_cannot_be_dealt() -> None:
    def work() -> list[float]:
        set_auto_parallel_context(parallel_mode="data_parallel", enable_parallel_optimizer=True)
        net = Net()
        return losses(lambda ps: nn.SGD(ps[:2], 0.1), net, X, Y)

    with pytest.raises(RuntimeError, match="Use at most 2 ranks"):
        run_threads(3, work)


def test_layerwise_parallel_weights_stay_each_ranks_own() -> None:
    def work() -> tuple[NDArray[Any], NDArray[Any]]:
        set_auto_parallel_context(parallel_mode="hybrid_parallel")
        set_seed(3)
        net, part = Net(), slice(current().rank * 4, current().rank * 4 + 4)
        net.one.weight.layerwise_parallel = True
        losses(OPTIMIZERS["momentum"], net, X[part], Y[part])
        return net.one.weight.asnumpy(), net.two.weight.asnumpy()

    (own, shared), *others = run_threads(RANKS, work)
    for other_own, other_shared in others:
        np.testing.assert_array_equal(shared, other_shared)
        assert not np.array_equal(own, other_own)


def test_compiling_a_cell_tells_its_layouts() -> None:
    def work() -> list[int]:
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = Net()
        net.one.matmul.shard(((2, 1), (2, 1)))
        net.compile(Tensor(X))
        return net.parameter_layout_dict["one.weight"].slice_shape

    assert run_threads(RANKS, work) == [[8, 8]] * RANKS


def test_a_sharded_cell_computes_what_it_does_on_one_device() -> None:
    def work() -> NDArray[Any]:
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        set_seed(3)
        return Net().shard(((4, 1),), ((1, 4),))(Tensor(X)).asnumpy()

    def whole() -> NDArray[Any]:
        set_seed(3)
        return Net()(Tensor(X)).asnumpy()

    wanted = run_threads(1, whole)[0]
    for made in run_threads(RANKS, work):
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-6)


def test_parameters_without_values_are_filled_whole_or_left_to_the_program() -> None:
    set_auto_parallel_context(parallel_mode="semi_auto_parallel")
    net = Net()
    net.init_parameters_data(auto_parallel_mode=True)
    assert all(p.has_init for p in net.get_parameters())
    net.init_parameters_data()
    assert not any(p.has_init for p in net.get_parameters())


def test_a_copy_of_a_compiled_cell_trains_weights_of_its_own() -> None:
    net = Net()
    before = net(Tensor(X)).asnumpy().copy()
    other = copy.deepcopy(net)
    losses(OPTIMIZERS["momentum"], other, X, Y)
    np.testing.assert_array_equal(net(Tensor(X)).asnumpy(), before)
    assert not np.array_equal(other(Tensor(X)).asnumpy(), before)
