"""Conditions on values in traced functions: both ways are computed, and the condition selects."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.errors import RuleError, ValueDependentError
from simpar.parallel import full_tensor
from tests.pipeline.nets import Chain, X, Y


def by_sign(x: Tensor) -> Tensor:
    if x.sum() > 0:
        return x * x * 100 if x.max() > 10 else x * x
    if x.sum() < -5:
        return -x
    return x * 0


@pytest.mark.parametrize(
    ("given", "made", "slope"),
    [
        ([1, 2], [1, 4], [2, 4]),
        ([20, 1], [40000, 100], [4000, 200]),
        ([-4, -5], [4, 5], [-1, -1]),
        ([-1, 0], [0, 0], [0, 0]),
    ],
)
def test_a_function_goes_the_way_that_its_values_say_and_so_does_its_gradient(
    given: Any, made: Any, slope: Any
) -> None:
    x = Tensor(np.array(given, np.float32))
    assert ms.jit(by_sign)(x).tolist() == made
    assert ms.grad(lambda x: by_sign(x).sum())(x).tolist() == slope


class Counter(nn.Cell):
    """Counts inputs above 0, adds up those above 5, and forgets when one is below -3."""

    def __init__(self) -> None:
        super().__init__()
        self.count = Parameter(Tensor(0.0), name="count")
        self.total = Parameter(Tensor(0.0), name="total")

    def construct(self, x: Tensor) -> Tensor:
        if x > 0:
            self.count += 1
            if x > 5:
                self.total += x
        elif x < -3:
            self.count.assign_value(self.count * 0)
        return self.count + self.total


def test_parameters_hold_what_the_way_taken_assigned() -> None:
    cell, held = Counter(), []
    for x in (1.0, 7.0, -1.0, -4.0, 2.0):
        result = cell(Tensor(x)).item()
        held.append((cell.count.item(), cell.total.item(), result))
    assert held == [(1, 0, 1), (2, 7, 9), (2, 7, 9), (0, 7, 7), (1, 7, 8)]


def test_what_comes_before_a_condition_is_computed_once() -> None:
    def step(x: Tensor) -> Tensor:
        y = ops.matmul(x, x)
        return ops.exp(y) if y.sum() > 0 else ops.sin(y)

    plan = compile_function(step, (Tensor(np.eye(2, dtype=np.float32)),), step).plan
    done = [i.op for i in plan.instructions]
    assert [done.count(op) for op in ("matmul", "exp", "sin", "select")] == [1, 1, 1, 1]


class Either(nn.Cell):
    def construct(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x - 1


def test_each_cell_joins_its_own_ways() -> None:
    net = nn.SequentialCell(*(Either() for _ in range(12)))
    plan = compile_function(net.construct, (Tensor([1.0]),), net).plan
    assert sum(i.op == "select" for i in plan.instructions) == 12
    assert net(Tensor([1.0])).item() == 2**12
    assert net(Tensor([-1.0])).item() == -13


class UnlessOverflow(nn.Cell):
    """A step of training that is left out when a gradient is too large, as scripts of large models write it."""

    def __init__(self, net: nn.Cell, largest: float) -> None:
        super().__init__(auto_prefix=False)
        self.net, self.largest = net, largest
        self.weights = ms.ParameterTuple(net.trainable_params())
        self.optimizer = nn.Adam(self.weights, 0.02)
        self.all_reduce = ops.AllReduce()

    def construct(self, x: Tensor, y: Tensor) -> tuple[Tensor, Any]:
        loss, grads = ms.value_and_grad(self.net, None, self.weights)(x, y)
        sizes = [ops.abs(g).max() for g in grads]
        overflow = self.all_reduce((ops.stack(sizes).max() > self.largest).astype(ms.float32)) >= 1
        if overflow:
            succ: Any = False
        else:
            succ = self.optimizer(grads)
        return ops.depend(loss, succ), overflow


def steps(largest: float, stages: tuple[int, ...], cut: tuple[int, int], options: dict[str, Any]) -> Any:
    ms.set_seed(3)
    if options:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net = nn.PipelineCell(nn.WithLossCell(Chain(stages, cut), nn.MSELoss()), 4)
    step = UnlessOverflow(net, largest).set_train()
    made = [step(Tensor(X * scale), Tensor(Y)) for scale in (1, 9, 1, 1, 9, 1)]
    return [(a.item(), bool(b.item())) for a, b in made], {p.name: full_tensor(p).asnumpy() for p in step.weights}


@pytest.mark.parametrize(
    ("n", "stages", "cut", "options"),
    [
        (
            4,
            (0, 0),
            (2, 2),
            {"enable_parallel_optimizer": True, "parallel_optimizer_config": {"parallel_optimizer_threshold": 0}},
        ),
        (2, (0, 1), (1, 1), {"pipeline_stages": 2}),
        (4, (0, 1), (2, 1), {"pipeline_stages": 2}),
    ],
)
def test_a_step_left_out_on_overflow_is_left_out_on_every_rank(n: int, stages: Any, cut: Any, options: Any) -> None:
    alone, weights = run_threads(1, steps, 20.0, (0, 0), (1, 1), {})[0]
    assert [over for _, over in alone] == [False, True, False, False, True, False]
    for told, held in run_threads(n, steps, 20.0, stages, cut, options):
        np.testing.assert_allclose([a for a, _ in told], [a for a, _ in alone], rtol=1e-5)
        assert [over for _, over in told] == [over for _, over in alone]
        for name, whole in weights.items():
            np.testing.assert_allclose(held[name], whole, rtol=1e-4, atol=1e-6)


def other_shape(x: Tensor) -> Tensor:
    return x if x.sum() > 0 else x[:1]


def failing(x: Tensor) -> Tensor:
    if x.sum() > 0:
        raise ZeroDivisionError("no")
    return x


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (other_shape, r"test_branches.py:\d+ .* ends in \(2,\) Float32, the other in \(1,\) Float32"),
        (failing, r"test_branches.py:\d+ .* raises ZeroDivisionError: no"),
    ],
)
def test_ways_that_cannot_be_joined_are_refused(function: Callable[[Tensor], Tensor], words: str) -> None:
    with pytest.raises(ValueDependentError, match=words):
        ms.jit(function)(Tensor([1.0, 2.0]))


def test_a_condition_has_one_element() -> None:
    with pytest.raises(RuleError, match=r"test_branches.py:\d+ has shape \(2,\)"):
        ms.jit(lambda x: x if x > 0 else -x)(Tensor([1.0, 2.0]))
