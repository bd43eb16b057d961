"""AdaFactor's second moments are stored as MindSpore stores them: as their weights, without the axis lost."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.context import Context, entered

WORLD = 8

Held = dict[str, tuple[list[int], list[int], list[int], bool]]
"""Of each state: device matrix, tensor map, slice shape without the optimizer's shards, and whether it has these."""


class _Net(nn.Cell):
    """A product with a weight (32, 64), a bias, and an element-wise product with a weight (8, 16, 64)."""

    def __init__(self, product: Any, total: Any, last: Any) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones((32, 64), np.float32)), name="w")
        self.b = Parameter(Tensor(np.ones(64, np.float32)), name="b")
        self.v = Parameter(Tensor(np.ones((8, 16, 64), np.float32)), name="v")
        self.product, self.add, self.mul = ops.MatMul(), ops.Add(), ops.Mul()
        self.product.shard(product)
        self.add.shard(total)
        self.mul.shard(last)

    def construct(self, x: Tensor) -> Tensor:
        y = self.add(self.product(x, self.w), self.b)
        return self.mul(y.reshape((1, 16, 64)), self.v).sum()


def _held(shards: bool, product: Any, total: Any, last: Any) -> Held:
    with entered(Context(mindspore=True)):
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel",
            device_num=WORLD,
            global_rank=0,
            full_batch=True,
            enable_parallel_optimizer=shards,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )
        net = _Net(product, total, last)
        step = nn.TrainOneStepCell(net, nn.AdaFactor(net.trainable_params()))
        step.set_train()
        step.compile(Tensor(np.ones((16, 32), np.float32)))
        held = {name: lay for name, lay in step.parameter_layout_dict.items() if name.startswith("exp_avg_sq")}
        return {n: (x.dev_mat, x.tensor_map, x.slice_shape, bool(x.opt_shard_group)) for n, x in held.items()}


CUT = (((2, 2), (2, 1)), ((8, 1), (1,)), ((1, 2, 2), (2, 2, 2)))
ROWS = (((8, 1), (1, 1)), ((8, 1), (1,)), ((1, 1, 1), (1, 1, 1)))
EDGES = (((1, 2), (2, 4)), ((4, 2), (2,)), ((1, 2, 1), (2, 2, 1)))


@pytest.mark.parametrize("shards", [False, True])
@pytest.mark.parametrize(
    ("strategies", "expected"),
    [
        (
            CUT,
            {
                "exp_avg_sq_row_w": ([2, 2, 2], [1], [16], True),
                "exp_avg_sq_col_w": ([2, 2, 2], [-1], [64], False),
                "exp_avg_sq_row_v": ([2, 2, 2], [2, 1], [4, 8], False),
                "exp_avg_sq_col_v": ([2, 2, 2], [2, 0], [4, 32], False),
                "exp_avg_sq_b": ([8], [-1], [64], True),
            },
        ),
        (
            ROWS,
            {
                "exp_avg_sq_row_w": ([8], [-1], [32], True),
                "exp_avg_sq_col_w": ([8], [-1], [64], False),
                "exp_avg_sq_row_v": ([8], [-1, -1], [8, 16], True),
                "exp_avg_sq_col_v": ([8], [-1, -1], [8, 64], True),
                "exp_avg_sq_b": ([8], [-1], [64], True),
            },
        ),
        (
            EDGES,
            {
                "exp_avg_sq_row_w": ([2, 4], [1], [16], False),
                "exp_avg_sq_col_w": ([2, 4], [0], [16], False),
                "exp_avg_sq_row_v": ([2, 2, 2], [2, 1], [4, 8], True),
                "exp_avg_sq_col_v": ([2, 2, 2], [2, -1], [4, 64], True),
                "exp_avg_sq_b": ([4, 2], [0], [32], True),
            },
        ),
    ],
    ids=["cut", "rows", "edges"],
)
def test_a_factored_state_has_its_weights_layout_without_the_axis_lost(
    shards: bool, strategies: Any, expected: Held
) -> None:
    wanted = {name: (*layout, sharded and shards) for name, (*layout, sharded) in expected.items()}
    assert _held(shards, *strategies) == wanted


def test_a_state_is_told_as_its_weight_is_with_the_optimizers_shards() -> None:
    with entered(Context(mindspore=True)):
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel",
            device_num=WORLD,
            full_batch=True,
            enable_parallel_optimizer=True,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )
        net = _Net(*CUT)
        step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))
        step.set_train()
        step.compile(Tensor(np.ones((16, 32), np.float32)))
        held = step.parameter_layout_dict
    assert held["moments.w"] == held["w"]
    assert held["moments.v"] == held["v"]
    assert held["w"].opt_shard_group
    assert not held["v"].opt_shard_group
