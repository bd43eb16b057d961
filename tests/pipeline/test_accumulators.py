"""A step that hands ``accu_grads`` to the optimizer, as MindSpore's functional training does, trains on their sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import ModeError
from simpar.parallel import full_tensor
from tests.pipeline.nets import Chain, X, Y

MICRO = 4
Wrap = Any


def clear(total: Any, gradient: Tensor) -> Any:
    total = ops.depend(total, gradient)
    return ops.assign(total, ops.mul(total, 0.0))


def step_of(wrap: Wrap, stages: Sequence[int], cut: tuple[int, int], by_totals: bool) -> tuple[nn.Cell, Any]:
    net = Chain(tuple(stages), cut)
    parts = wrap(nn.WithLossCell(net, nn.MSELoss()), MICRO).set_train()
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    totals = optimizer.parameters.clone(prefix="accu_grads", init="zeros")
    both = ms.value_and_grad(lambda x, y: parts(x, y), None, optimizer.parameters)
    each = ops.HyperMap()

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Tensor:
        loss, gradients = both(x, y)
        optimizer(totals if by_totals else gradients)
        status = each(clear, totals, gradients)
        return ops.depend(loss, status)

    return net, step


def trained(
    wrap: Wrap, stages: Sequence[int], cut: tuple[int, int], by_totals: bool = True, **options: Any
) -> tuple[list[float], Any]:
    ms.set_seed(3)
    if options:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net, step = step_of(wrap, stages, cut, by_totals)
    losses = [step(Tensor(X), Tensor(Y)).item() for _ in range(4)]
    return losses, {p.name: full_tensor(p).asnumpy() for p in net.trainable_params()}


def sharded(**options: Any) -> dict[str, Any]:
    return {
        "enable_parallel_optimizer": True,
        "parallel_optimizer_config": {"parallel_optimizer_threshold": 0, **options},
    }


CASES = {
    "one device": (1, nn.GradAccumulationCell, (0, 0), (1, 1), {}),
    "data parallel": (4, nn.GradAccumulationCell, (0, 0), (2, 2), {"device_num": 4}),
    "stages": (2, nn.PipelineCell, (0, 1), (1, 1), {"pipeline_stages": 2}),
    "stages, cut": (8, nn.PipelineCell, (0, 1), (2, 2), {"pipeline_stages": 2}),
    "parallel optimizer": (4, nn.GradAccumulationCell, (0, 0), (2, 1), {"device_num": 4, **sharded()}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_optimizer_is_given_the_sum_of_the_micro_batches(case: str) -> None:
    n, wrap, stages, cut, options = CASES[case]
    (expected,) = run_threads(1, trained, nn.GradAccumulationCell, (0, 0), (1, 1), False)
    assert expected[0][-1] < expected[0][0]
    for losses, weights in run_threads(n, lambda: trained(wrap, stages, cut, **options)):
        np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
        for name, whole in expected[1].items():
            np.testing.assert_allclose(weights[name], whole, rtol=1e-4, atol=1e-6, err_msg=name)


def test_totals_grow_until_they_are_cleared() -> None:
    net = nn.Dense(2, 1, has_bias=False, weight_init="ones")
    parts = nn.GradAccumulationCell(nn.WithLossCell(net, nn.MSELoss()), 1)
    totals = ms.ParameterTuple(net.trainable_params()).clone("accu_grads", init="zeros")
    both = ms.value_and_grad(lambda x, y: parts(x, y), None, net.trainable_params())

    @ms.jit
    def add(x: Tensor, y: Tensor) -> Tensor:
        both(x, y)
        return totals[0] * 1

    x, y = Tensor([[1.0, 2.0]]), Tensor([[1.0]])  # loss (3 - 1)^2, gradient 2 * 2 * x
    assert add(x, y).tolist() == [[4.0, 8.0]]
    assert add(x, y).tolist() == [[8.0, 16.0]]


def by_totals_in_two_programs(wrap: Wrap) -> None:
    net = Chain((0, 0))
    parts = wrap(nn.WithLossCell(net, nn.MSELoss()))
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    totals = optimizer.parameters.clone(prefix="accu_grads", init="zeros")
    ms.value_and_grad(lambda x, y: parts(x, y), None, optimizer.parameters)(Tensor(X), Tensor(Y))
    optimizer(totals)


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_empty_accumulators_are_refused_where_nothing_fills_them(mode: int) -> None:
    ms.set_context(mode=mode)
    with pytest.raises(ModeError, match=r"'accu_grads.*w' that hold nothing but zeros"):
        by_totals_in_two_programs(lambda net: nn.GradAccumulationCell(net, 2))


def test_empty_accumulators_are_refused_without_micro_batches() -> None:
    with pytest.raises(ModeError, match="give the gradients of value_and_grad"):
        run_threads(1, lambda: trained(lambda net, _: net, (0, 0), (1, 1)))
