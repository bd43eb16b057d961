"""A cotangent that is given as an input is cut as what it belongs to, and told so, as MindSpore does."""

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function

RNG = np.random.default_rng(0)
X, Y, Z, SENS = (RNG.standard_normal(shape).astype(np.float32) for shape in ((8, 4), (4, 8), (8, 8), (8, 8)))


class Products(nn.Cell):
    """Two products, cut in the same number of rows and columns, or not at all."""

    def __init__(self, cuts: int) -> None:
        super().__init__()
        self.first, self.second = ops.MatMul(), ops.MatMul()
        self.first.shard(((cuts, 1), (1, cuts)))
        self.second.shard(((cuts, cuts), (cuts, 1)))

    def construct(self, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return self.second(self.first(x, y), z)


class WithSens(nn.Cell):
    """The gradients of a network by all its inputs, with the cotangent of its result as the last."""

    def __init__(self, network: nn.Cell) -> None:
        super().__init__()
        self.network = network

    def construct(self, x: Tensor, y: Tensor, z: Tensor, sens: Tensor) -> tuple[Tensor, ...]:
        return ops.GradOperation(get_all=True, sens_param=True)(self.network)(x, y, z, sens)


def test_the_cotangent_is_told_in_the_layout_of_the_result() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=64, global_rank=0, full_batch=True)
    net = WithSens(Products(8))
    net.compile(*(Tensor(np.ones(s, np.float32)) for s in ((128, 32), (32, 64), (64, 64), (128, 64))))
    told = {name: tuple(layout[:3]) for name, layout in net.parameter_layout_dict.items()}
    assert told["sens"] == ([8, 8], [1, -1], [16, 64])
    assert told["z"] == ([64], [-1, -1], [64, 64])


def test_each_rank_only_cuts_its_slice_out_of_it() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, full_batch=True)
    net = WithSens(Products(2))
    plan = compile_function(net.construct, tuple(map(Tensor, (X, Y, Z, SENS))), net).plan
    sens = plan.arguments[-1]
    assert [i.op for i in plan.instructions if sens in i.inputs] == ["slice"]


@pytest.mark.parametrize("ranks", [1, 4])
def test_gradients_are_those_of_the_cotangent(ranks: int) -> None:
    def gradients() -> list[np.ndarray]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = WithSens(Products(1 if ranks == 1 else 2))
        return [np.array(g.asnumpy()) for g in net(*map(Tensor, (X, Y, Z, SENS)))]

    expected = SENS @ Z.T @ Y.T, X.T @ (SENS @ Z.T), (X @ Y).T @ SENS
    for found in run_threads(ranks, gradients):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_number_as_cotangent_scales_the_gradients() -> None:
    double = ops.GradOperation(sens_param=True)(lambda x, s: ops.square(x))
    np.testing.assert_allclose(double(Tensor(X), Tensor(X), Tensor(np.float32(3.0))).asnumpy(), 6 * X, rtol=1e-6)
