"""The layout that the user gives to a result: it is taken, and the numbers are those of one device."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.errors import StrategyError
from simpar.parallel import Layout

X = np.random.default_rng(2).standard_normal((4, 6)).astype(np.float32)
ON = Layout((2, 2, 2), ("dp", "sp", "mp"))
Op = Callable[[Tensor], Any]


def tiled_within(is_cut: bool) -> Op:
    tile = ops.Tile().shard((ON("dp", "None"),), (ON("dp", ("sp", "mp")),)) if is_cut else ops.Tile()
    return lambda x: tile(x, (1, 4))


def tiled_to_more_axes(is_cut: bool) -> Op:
    tile = ops.Tile().shard((ON("None", "mp"),), (ON("dp", "sp", "mp"),)) if is_cut else ops.Tile()
    return lambda x: tile(x, (4, 2, 1))


def transposed(is_cut: bool) -> Op:
    transpose = ops.Transpose().shard((ON("dp", "mp"),), (ON("sp", "dp"),)) if is_cut else ops.Transpose()
    return lambda x: transpose(x, (1, 0))


def defined_by_the_user(is_cut: bool) -> Op:
    add = ops.Add().add_prim_attr("self_define_shard", True)
    if is_cut:
        add.shard((ON("dp", "None"), ON("dp", "None")), (ON("None", "mp"),))
    return lambda x: add(x, x)


def run(make: Callable[[bool], Op], is_cut: bool) -> tuple[Any, Any]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    op = make(is_cut)

    def weighted(x: Tensor) -> Tensor:
        y = op(x)
        return ops.sum(y * Tensor(np.arange(y.size, dtype=np.float32).reshape(y.shape)))

    value, gradient = ms.jit(ms.value_and_grad(weighted))(Tensor(X))
    return value.asnumpy(), gradient.asnumpy()


@pytest.mark.parametrize("make", [tiled_within, tiled_to_more_axes, transposed, defined_by_the_user])
def test_a_result_in_the_users_layout_is_that_of_one_device(make: Callable[[bool], Op]) -> None:
    ((value, gradient),) = run_threads(1, run, make, False)
    for got, slope in run_threads(8, run, make, True):
        np.testing.assert_allclose(got, value, rtol=1e-4)
        np.testing.assert_allclose(slope, gradient, rtol=1e-5)


def test_a_layout_that_cannot_cut_the_result_is_refused() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, full_batch=True)
    add = ops.Add().shard((ON("dp", "None"), ON("dp", "None")), (ON("None", ("dp", "mp")),))
    with pytest.raises(StrategyError, match="out_strategy: axis 1 of shape"):
        compile_function(lambda x: add(x, x), (Tensor(X),), None)


def test_a_result_that_the_user_defines_needs_layouts() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, full_batch=True)
    add = ops.Add().shard(((2, 1), (2, 1)), ((1, 2),)).add_prim_attr("self_define_shard", True)
    with pytest.raises(StrategyError, match="needs a Layout for each of its 1 results"):
        compile_function(lambda x: add(x, x), (Tensor(X),), None)


def test_a_user_may_define_the_layouts_of_an_op_that_cannot_be_cut_so() -> None:
    rows = Layout((2, 2), ("dp", "mp"))
    x, at = np.zeros((4, 4, 3), np.float32), np.array([[[i, j]] for i in range(4) for j in range(2)]).reshape(4, 2, 2)
    update = np.arange(24, dtype=np.float32).reshape(4, 2, 3)

    def step() -> tuple[Any, ...]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        scatter = ops.TensorScatterUpdate().add_prim_attr("self_define_shard", True)
        scatter.shard((rows("dp", "mp", "None"),) * 3, (rows("dp", "mp", "None"),))
        gradient = ms.grad(lambda x, u: (scatter(x, Tensor(at), u) * u.sum()).sum(), (0, 1))
        return tuple(ms.parallel.full_tensor(g).asnumpy() for g in gradient(Tensor(x + 1), Tensor(update)))

    kept = np.ones((4, 4, 3), np.float32)
    kept[:, :2] = 0
    for made in run_threads(4, step):
        np.testing.assert_allclose(made[0], kept * update.sum(), rtol=1e-5)
        np.testing.assert_allclose(made[1], np.full((4, 2, 3), update.sum() * 2 + kept.sum()), rtol=1e-5)


def test_self_define_shard_is_true_or_false() -> None:
    add = ops.Add().shard((ON("dp", "None"),) * 2, (ON("dp", "None"),)).add_prim_attr("self_define_shard", 1)
    with pytest.raises(StrategyError, match="True or False"):
        add(Tensor(X), Tensor(X))
