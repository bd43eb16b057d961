"""Sums of 16-bit floats over ranks: as float32, or in their own type."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.partition import Plan
from tests.compile.planning import Build, plan_of, semi_auto

ROWS = np.array([[2048.0], [1.0], [1.0], [1.0]], np.float16)
"""Their sum, 2051, lies between the float16s 2050 and 2052, and is rounded to even once."""


class Columns(nn.Cell):
    """Sums of the columns of x, one weight each: the gradient of each is the sum of its column."""

    def __init__(self, count: int, strategy: tuple[tuple[int, int], ...], dtype: Any = np.float16) -> None:
        super().__init__()
        self.weights = [Parameter(Tensor(np.ones((1, 1), dtype)), name=f"w{i}") for i in range(count)]
        for w in self.weights:
            setattr(self, w.name, w)
        self.product = ops.MatMul().shard(strategy)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.product(x, w) for w in self.weights)


def added(net: Columns) -> Any:
    """Return what adds up all that a network gives."""
    return lambda x: sum((y.sum() for y in net(x)), Tensor(np.float16(0)))


def gradients(count: int) -> Build:
    def build() -> Any:
        net = Columns(count, ((4, 1), (1, 1)))
        return ms.value_and_grad(added(net), None, net.weights), [Tensor(ROWS)]

    return build


def sums(plan: Plan) -> list[tuple[str, int]]:
    """Give the type and the bytes of each sum that serves Parameters."""
    found = [i for i in plan.instructions if i.collective is not None and any(i.collective.parameters)]
    return [(plan.values[i.inputs[0]].dtype.name, i.collective.message_bytes) for i in found if i.collective]


def test_gradients_are_summed_as_float32_unless_that_is_switched_off() -> None:
    assert sums(plan_of(gradients(1), **semi_auto(4))) == [("float32", 4)]
    assert sums(plan_of(gradients(1), **semi_auto(4, gradient_fp32_sync=False))) == [("float16", 2)]


def test_widened_gradients_still_share_a_message() -> None:
    assert sums(plan_of(gradients(8), **semi_auto(4))) == [("float32", 32)]


@pytest.mark.parametrize("forced", [False, True])
def test_sums_of_other_values_are_widened_on_demand(forced: bool) -> None:
    def build() -> Any:
        product = ops.MatMul().shard(((1, 4), (4, 1)))
        return product, [Tensor(ROWS.T), Tensor(np.ones((4, 1), np.float16))]

    plan = plan_of(build, **semi_auto(4, force_fp32_communication=forced))
    (total,) = (i for i in plan.instructions if i.op == "all_reduce")
    assert plan.values[total.inputs[0]].dtype.name == ("float32" if forced else "float16")
    assert plan.values[plan.outputs[0]].dtype.name == "float16"


def test_float32_gradients_are_left_as_they_are() -> None:
    def build() -> Any:
        net = Columns(1, ((4, 1), (1, 1)), np.float32)
        x = Tensor(ROWS.astype(np.float32))
        return ms.value_and_grad(lambda x: net(x)[0].sum(), None, net.weights), [x]

    assert Counter(i.op for i in plan_of(build, **semi_auto(4)).instructions)["cast"] == 0


def gradient_on_a_rank(rows: Any) -> Any:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = Columns(1, ((4, 1), (1, 1)))
    _, (gradient,) = ms.value_and_grad(added(net), None, net.weights)(Tensor(rows))
    return gradient.asnumpy()


def sum_on_a_rank(rows: Any) -> Any:
    ms.set_auto_parallel_context(parallel_mode="data_parallel", force_fp32_communication=True)
    return ms.jit(lambda x: ops.AllReduce()(x))(Tensor(rows[ms.communication.get_rank()])).asnumpy()


@pytest.mark.parametrize("total_on_a_rank", [gradient_on_a_rank, sum_on_a_rank])
def test_a_total_is_rounded_once(total_on_a_rank: Any) -> None:
    for total in run_threads(4, total_on_a_rank, ROWS):
        assert total.dtype == np.float16
        assert total.item() == 2052.0
