"""A scaled loss changes nothing but what overflows, and the scale follows its rule."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn, ops
from simpar.collectives import run_threads
from simpar.errors import DTypeError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

X = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)), name="w")
        self.product = ops.MatMul().shard(((2, 1), (1, 2)))

    def construct(self, x: Tensor) -> Tensor:
        y = self.product(x, self.w)
        return (y * y).mean()


def whole(p: Parameter) -> Any:
    return ms.parallel.full_tensor(p).asnumpy()


def train(ranks: int, scale: Any, inputs: list[Any], optimizer: str = "Adam") -> dict[str, Any]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel" if ranks > 1 else "stand_alone", full_batch=True)
    net = Net()
    optim = getattr(nn, optimizer)(net.trainable_params(), 0.1)
    step = nn.TrainOneStepWithLossScaleCell(net, optim, scale) if scale is not None else nn.TrainOneStepCell(net, optim)
    with np.errstate(invalid="ignore", over="ignore"):  # a setting of the thread
        told = [step(Tensor(x)) for x in inputs]
    states = [whole(p) for p in optim.get_parameters()]
    return {"w": whole(net.w), "states": states, "told": told}


@pytest.mark.parametrize("ranks", [1, 4])
def test_the_scale_does_not_change_what_is_trained(ranks: int) -> None:
    def both(ranks: int) -> tuple[Any, Any]:
        plain = train(ranks, None, [X, 2 * X, X])
        return plain, train(ranks, Tensor(1024.0), [X, 2 * X, X])

    plain, scaled = both(1) if ranks == 1 else run_threads(ranks, both, ranks)[0]
    np.testing.assert_allclose(scaled["w"], plain["w"], rtol=1e-6)
    assert [(bool(o), float(s)) for _, o, s in scaled["told"]] == [(False, 1024.0)] * 3
    np.testing.assert_allclose([float(t[0]) for t in scaled["told"]], [float(t) for t in plain["told"]], rtol=1e-6)


@pytest.mark.parametrize("ranks", [1, 4])
def test_a_step_that_overflows_changes_neither_parameters_nor_states(ranks: int) -> None:
    bad = np.where(np.arange(32).reshape(8, 4) == 9, np.inf, X).astype(np.float32)

    def both(ranks: int) -> tuple[Any, Any]:
        return train(ranks, Tensor(8.0), [X, bad, X]), train(ranks, Tensor(8.0), [X, X])

    skipping, without = both(1) if ranks == 1 else run_threads(ranks, both, ranks)[0]
    assert [bool(o) for _, o, _ in skipping["told"]] == [False, True, False]
    np.testing.assert_array_equal(skipping["w"], without["w"])
    for one, two in zip(skipping["states"], without["states"], strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_dynamic_scale_halves_on_overflow_and_doubles_after_its_window() -> None:
    ms.set_auto_parallel_context(parallel_mode="stand_alone")
    net = Net()
    manager = nn.DynamicLossScaleUpdateCell(64.0, 2, 3)
    step = nn.TrainOneStepWithLossScaleCell(net, nn.SGD(net.trainable_params(), 0.01), manager)
    bad = np.full((8, 4), np.inf, np.float32)
    scales = []
    with np.errstate(invalid="ignore", over="ignore"):
        for x in (X, bad, X, X, X, X, bad):
            scales.append(float(step(Tensor(x))[2]))
    assert scales == [64.0, 64.0, 32.0, 32.0, 32.0, 64.0, 64.0]
    assert float(step.scale_sense.asnumpy()) == 32.0


def test_in_pynative_mode_as_well() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    net = Net()
    step = nn.TrainOneStepWithLossScaleCell(net, nn.SGD(net.trainable_params(), 0.01), Tensor(4.0))
    before = net.w.asnumpy().copy()
    with np.errstate(invalid="ignore", over="ignore"):
        assert bool(step(Tensor(np.full((8, 4), np.inf, np.float32)))[1])
    np.testing.assert_array_equal(net.w.asnumpy(), before)
    assert not bool(step(Tensor(X))[1])
    assert (net.w.asnumpy() != before).any()


def test_a_scale_that_is_none_is_refused() -> None:
    net = Net()
    with pytest.raises(DTypeError, match="a Tensor with one element or a Cell"):
        nn.TrainOneStepWithLossScaleCell(net, nn.SGD(net.trainable_params(), 0.01), 3.0)
