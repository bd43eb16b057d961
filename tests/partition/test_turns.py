"""Axes of ``interleaved_parallel``: numbers are those of one device, and what they must not cut is refused."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.context import Context, entered
from simpar.errors import StrategyError
from simpar.parallel import Layout, full_tensor

X = np.linspace(-1, 1, 128, dtype=np.float32).reshape(16, 8)
ON = Layout((2, 2, 2), ("dp", "mp", "interleaved_parallel"))
IN_TURNS = ("dp", "interleaved_parallel")


class Net(nn.Cell):
    """A product, a sum with a Parameter, an activation and a normalization; strategies may be given to each."""

    def __init__(self, rows: Any = None) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)), name="w")
        self.b = Parameter(Tensor(np.linspace(0, 1, 8, dtype=np.float32)), name="b")
        self.product, self.add, self.gelu, self.softmax = ops.MatMul(), ops.Add(), ops.GeLU(), ops.Softmax()
        if rows is not None:
            self.product.shard((ON(rows, "mp"), ON("mp", "None")), (ON((*rows, "mp"), "None"),))
            self.add.shard((ON(rows, "None"), ON("None")))
            self.gelu.shard((ON(rows, "mp"),))
            self.softmax.shard((ON(rows, "None"),))

    def construct(self, x: Tensor) -> Tensor:
        return (self.softmax(self.gelu(self.add(self.product(x, self.w), self.b))) ** 2).sum()


def step(rows: Any) -> list[NDArray[Any]]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = Net(rows)
    loss, gradients = ms.value_and_grad(net, 0, net.trainable_params())(Tensor(X))
    return [loss.asnumpy(), *(full_tensor(g).asnumpy() for g in (gradients[0], *gradients[1]))]


@pytest.mark.parametrize("rows", [IN_TURNS, ("interleaved_parallel", "dp")])
def test_a_step_in_turns_computes_what_one_device_computes(rows: Any) -> None:
    (wanted,) = run_threads(1, step, None)
    for made in run_threads(4, step, rows):
        for one, other in zip(made, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


class Sum(nn.Cell):
    """The sum of an input and a Parameter, and then a gelu."""

    def __init__(self, add: Any, gelu: Any = None, shape: tuple[int, ...] = (16, 8)) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones(shape, np.float32)), name="w")
        self.add, self.gelu = ops.Add().shard(add), ops.GeLU().shard(gelu)

    def construct(self, x: Tensor) -> Tensor:
        return self.gelu(self.add(x, self.w))


WHOLE = ON("None", "None")
THREE = Layout((2, 2, 4), ("dp", "mp", "interleaved_parallel"))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (lambda: Sum((ON(IN_TURNS, "None"), ON(IN_TURNS, "None"))), "Parameter 'w'"),
        (lambda: Sum((ON(IN_TURNS, "None"), ON("None")), (THREE(IN_TURNS, "None"),), (8,)), "4 turns here and 2"),
        (lambda: Sum((WHOLE, ON("None")), (ON("None", ("dp", "mp", "interleaved_parallel")),), (1,)), "2 turns each"),
    ],
)
def test_what_must_not_take_turns_is_refused(cell: Any, words: str) -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, full_batch=True)
        with pytest.raises(StrategyError, match=words):
            cell().compile(Tensor(X[:, :4] if words == "2 turns each" else X))


def test_an_axis_that_an_op_needs_whole_takes_no_turns() -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, full_batch=True)
        split = ops.Split(0, 2).shard((ON("interleaved_parallel", ("dp", "mp")),))
        net = nn.SequentialCell([Plain(split)])
        with pytest.raises(StrategyError, match="must have whole"):
            net.compile(Tensor(X))


class Plain(nn.Cell):
    """The difference of the two halves that a split makes, squared and summed."""

    def __init__(self, split: ops.Split) -> None:
        super().__init__()
        self.split = split

    def construct(self, x: Tensor) -> Tensor:
        first, second = self.split(x)
        return ((first - 2 * second) ** 2).sum()


def test_a_split_that_skips_redistribution_splits_each_slice_by_itself() -> None:
    def gradient(strategy: Any) -> NDArray[Any]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = Plain(ops.Split(-1, 2).add_prim_attr("skip_redistribution", True).shard(strategy))
        return full_tensor(ms.grad(net)(Tensor(X))).asnumpy()

    def wanted(x: NDArray[Any]) -> NDArray[Any]:
        """Each slice of four columns by itself."""
        first, second = x.reshape(16, 2, 2, 2)[:, :, 0], x.reshape(16, 2, 2, 2)[:, :, 1]
        return np.stack([2 * (first - 2 * second), -4 * (first - 2 * second)], axis=2).reshape(x.shape)

    for strategy in (((2, 2),), (ON(IN_TURNS, "mp"),)):
        for made in run_threads(4, gradient, strategy):
            np.testing.assert_allclose(made, wanted(X), rtol=1e-5, atol=1e-6)
