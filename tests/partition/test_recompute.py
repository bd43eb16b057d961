"""Recomputation: the same bits, less memory, and only the repetitions that were asked for."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.execute import foresee_memory
from simpar.parallel import full_tensor
from simpar.partition import Plan
from tests.compile.planning import plan_of, semi_auto

X = np.random.default_rng(1).standard_normal((32, 16)).astype(np.float32)


class Block(nn.Cell):
    """Two products with activations and dropout between."""

    def __init__(self, tp: int) -> None:
        super().__init__()
        self.up = Parameter(initializer("normal", (16, 64), ms.float32), name="up")
        self.down = Parameter(initializer("normal", (64, 16), ms.float32), name="down")
        self.first, self.second = ops.MatMul().shard(((1, 1), (1, tp))), ops.MatMul().shard(((1, tp), (tp, 1)))
        self.tanh, self.gelu = ops.Tanh().shard(((1, tp),)), ops.GeLU().shard(((1, tp),))
        self.drop = nn.Dropout(0.9)

    def construct(self, x: Tensor) -> Tensor:
        return self.drop(self.second(self.gelu(self.tanh(self.first(x, self.up))), self.down))


class Net(nn.Cell):
    """Blocks, one behind the other, and the mean of what comes out."""

    def __init__(self, tp: int = 1, mark: Callable[[Block], object] = lambda block: None) -> None:
        super().__init__()
        self.is_called_so = mark is MARKS["call"]
        self.blocks = nn.CellList([Block(tp) for _ in range(4)])
        for block in self.blocks:
            mark(cast("Block", block))

    def construct(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = ms.recompute(block, x) if self.is_called_so else block(x)
        return (x * x).mean()


MARKS: dict[str, Callable[[Any], object]] = {
    "cell": lambda block: block.recompute(),
    "without collectives": lambda block: block.recompute(mp_comm_recompute=False),
    "ops": lambda block: (block.tanh.recompute(), block.gelu.recompute()),
    "call": lambda block: None,
}


def train(tp: int, mark: Callable[[Any], object]) -> tuple[list[Any], dict[str, Any]]:
    ms.set_seed(5)
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = Net(tp, mark)
    step = nn.TrainOneStepCell(net, nn.Adam(net.trainable_params(), 0.01)).set_train()
    return [step(Tensor(X)).item() for _ in range(3)], {p.name: full_tensor(p).asnumpy() for p in net.get_parameters()}


@pytest.mark.parametrize("tp", [1, 2])
@pytest.mark.parametrize("mark", MARKS)
def test_training_is_the_same_bit_by_bit(tp: int, mark: str) -> None:
    plain, again = run_threads(tp, train, tp, lambda block: None)[0], run_threads(tp, train, tp, MARKS[mark])[0]
    assert plain[0] == again[0]
    for name, values in plain[1].items():
        np.testing.assert_array_equal(again[1][name], values, err_msg=name)


def plan(mark: Callable[[Any], object] = lambda block: None, tp: int = 1) -> Plan:
    def build() -> Any:
        net = Net(tp, mark)
        return nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.1)).set_train(), [Tensor(X)]

    return plan_of(build, **semi_auto(tp))


def count(made: Plan, op: str, phase: str) -> int:
    return sum(i.op == op and i.phase == phase for i in made.instructions)


@pytest.mark.parametrize("mark", ["cell", "ops", "call"])
def test_less_memory_is_planned(mark: str) -> None:
    assert foresee_memory(plan(MARKS[mark])).arena_bytes < 0.8 * foresee_memory(plan()).arena_bytes


def test_what_a_cell_hands_on_is_kept() -> None:
    made = plan(MARKS["cell"])
    assert (count(made, "gelu", "forward"), count(made, "gelu", "backward")) == (4, 4)
    handed_on = {i.outputs[0] for i in made.instructions if i.op == "dropout" and i.phase == "forward"}
    assert handed_on <= {v for i in made.instructions if i.phase == "backward" for v in i.inputs}


def test_an_op_that_is_not_to_be_repeated_in_a_cell_that_is_stays_kept() -> None:
    made = plan(lambda block: (block.recompute(), block.gelu.recompute(False)))
    assert count(made, "gelu", "backward") == 0
    assert count(made, "tanh", "backward") == 4


@pytest.mark.parametrize(("moves", "repeated"), [(True, 4), (False, 0)])
def test_sums_over_ranks_are_repeated_only_if_asked(moves: bool, repeated: int) -> None:
    before = count(plan(tp=2), "all_reduce", "backward")
    made = plan(lambda block: block.recompute(mp_comm_recompute=moves), tp=2)
    assert count(made, "all_reduce", "backward") - before == repeated
