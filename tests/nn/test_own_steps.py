"""Steps of training that users derive from MindSpore's and write themselves, as many published networks do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.communication import get_rank, init
from simpar.ops import composite as C

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((8, 4)).astype("f4"), RNG.standard_normal((8, 2)).astype("f4")
W = RNG.standard_normal((4, 2)).astype("f4")


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(W), name="w")

    def construct(self, x: Tensor) -> Tensor:
        return x @ self.w


class OwnStep(nn.TrainOneStepCell):
    """Differentiates, reduces and updates by hand."""

    def __init__(self, network: nn.Cell, optimizer: nn.Optimizer, sens: float = 1.0) -> None:
        super().__init__(network, optimizer, sens)
        self.network = network
        self.network.add_flags(defer_inline=True)
        self.weights = optimizer.parameters
        self.optimizer = optimizer
        self.grad = C.GradOperation(get_by_list=True, sens_param=True)

    def construct(self, *inputs: Any) -> Any:
        loss = self.network(*inputs)
        sens = ops.fill(loss.dtype, loss.shape, self.sens)
        gradients = self.grad_reducer(self.grad(self.network, self.weights)(*inputs, sens))
        return ops.depend(loss, self.optimizer(gradients))


class OwnScaledStep(nn.TrainOneStepWithLossScaleCell):
    """Scales the loss, looks for an overflow, and updates if there is none."""

    def construct(self, *inputs: Any) -> Any:
        loss, scale = self.network(*inputs), self.scale_sense * 1.0
        status, scale = self.start_overflow_check(loss, scale)
        sens = ops.ones_like(loss) * ops.cast(scale, loss.dtype)
        gradients = self.grad(self.network, self.weights)(*inputs, sens)
        gradients = self.hyper_map(lambda g: g / scale, gradients)
        gradients = self.grad_reducer(gradients)
        overflow = self.process_loss_scale(self.get_overflow_status(status, gradients))
        if not overflow:
            loss = ops.depend(loss, self.optimizer(gradients))
        return loss, overflow, scale


def trained(step: type[nn.TrainOneStepCell], *more: Any, rows: slice = slice(None), mode: int = 0) -> list[list[float]]:
    """Return the weights after each of three steps."""
    ms.set_context(mode=mode)
    net = Net()
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    made, weights = step(nn.WithLossCell(net, nn.MSELoss()), optimizer, *more), list[list[float]]()
    for _ in range(3):
        made(Tensor(X[rows]), Tensor(Y[rows]))
        weights.append(net.w.asnumpy().reshape(-1).tolist())
    return weights


def close(ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", [0, 1])
def test_a_step_of_ones_own_updates_as_the_given_one(mode: int) -> None:
    close(trained(OwnStep, mode=mode), trained(nn.TrainOneStepCell))


@pytest.mark.parametrize("mode", [0, 1])
def test_a_scaled_step_of_ones_own_updates_as_the_given_one(mode: int) -> None:
    scale = nn.FixedLossScaleUpdateCell(1024.0)
    close(trained(OwnScaledStep, scale, mode=mode), trained(nn.TrainOneStepCell))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_scaled_step_that_overflows_changes_nothing() -> None:
    scale = nn.DynamicLossScaleUpdateCell(2.0**127, 2, 1000)
    for step in (OwnScaledStep, nn.TrainOneStepWithLossScaleCell):
        assert trained(step, scale)[0] == W.reshape(-1).tolist()


@pytest.mark.parametrize("step", [OwnStep, OwnScaledStep])
def test_ranks_that_average_their_gradients_take_the_steps_of_one_device(step: type[nn.TrainOneStepCell]) -> None:
    more = (nn.FixedLossScaleUpdateCell(64.0),) if step is OwnScaledStep else ()

    def on_ranks() -> list[list[float]]:
        init()
        ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True)
        return trained(step, *more, rows=slice(4 * get_rank(), 4 * get_rank() + 4))

    whole = trained(nn.TrainOneStepCell)
    for ours in run_threads(2, on_ranks):
        close(ours, whole)
