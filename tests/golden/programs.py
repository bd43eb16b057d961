"""The programs whose plans are kept as golden files."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import initializer
from tests.compile.planning import plan_of, semi_auto
from tests.parity.models import BATCH, GPT, MLP, SEQUENCE
from tests.parity.strategies import megatron, zero

__all__ = ["PROGRAMS", "gpt", "mlp", "worked_example"]

COLUMN_ROW = {"up": ((1, 1), (1, 4)), "bias": ((1, 4), (4,)), "tanh": ((1, 4),), "down": ((1, 4), (4, 1))}
DATA_PARALLEL = {"up": ((4, 1), (1, 1)), "bias": ((4, 1), (1,)), "tanh": ((4, 1),), "down": ((4, 1), (1, 1))}


class TwoProducts(nn.Cell):
    """The worked example of simpar's design: z = (x @ w1) @ w2 on (2, 2) devices, the mean of z * z."""

    def __init__(self) -> None:
        super().__init__()
        self.w1 = Parameter(initializer("normal", (4, 6), ms.float32), name="w1")
        self.w2 = Parameter(initializer("normal", (6, 2), ms.float32), name="w2")
        self.matmul1 = ops.MatMul().shard(((2, 1), (1, 2)))
        self.matmul2 = ops.MatMul().shard(((2, 2), (2, 1)))

    def construct(self, x: Tensor) -> Tensor:
        z = self.matmul2(self.matmul1(x, self.w1), self.w2)
        return (z * z).mean()


def worked_example() -> tuple[Callable[..., Any], list[Tensor]]:
    net = TwoProducts()
    return ms.value_and_grad(net, None, net.trainable_params()), [Tensor(np.zeros((8, 4), np.float32))]


def mlp(cuts: Mapping[str, Any]) -> Callable[[], tuple[Callable[..., Any], list[Tensor]]]:
    def build() -> tuple[Callable[..., Any], list[Tensor]]:
        net = MLP(cuts)
        optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
        with_gradients = ms.value_and_grad(net, None, net.trainable_params())

        def step(x: Tensor, y: Tensor) -> Tensor:
            loss, gradients = with_gradients(x, y)
            optimizer(gradients)
            return loss

        return step, [Tensor(np.zeros((8, 8), np.float32))] * 2

    return build


def gpt() -> tuple[Callable[..., Any], list[Tensor]]:
    net = GPT(megatron(2, 2))
    tokens = Tensor(np.zeros((BATCH, SEQUENCE), np.int32))
    return ms.value_and_grad(net, None, net.trainable_params()), [tokens, tokens]


PROGRAMS: dict[str, Callable[[], str]] = {
    "worked_example": lambda: plan_of(worked_example, **semi_auto(4)).text,
    "worked_example_optimizer": lambda: plan_of(worked_example, **semi_auto(4, **zero())).text,
    "mlp_data_parallel": lambda: plan_of(mlp(DATA_PARALLEL), **semi_auto(4)).text,
    "mlp_column_row": lambda: plan_of(mlp(COLUMN_ROW), **semi_auto(4)).text,
    "mlp_optimizer": lambda: plan_of(mlp(DATA_PARALLEL), **semi_auto(4, **zero())).text,
    "gpt_dp2_tp2": lambda: plan_of(gpt, **semi_auto(4)).text,
}
"""The text of each plan, by the name of its golden file."""
