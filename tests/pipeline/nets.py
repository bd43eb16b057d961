"""Networks in stages, and their training on any number of ranks."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.parallel import full_tensor

__all__ = ["Chain", "Knot", "Tied", "X", "Y", "one_device", "train", "trained"]

X = np.random.default_rng(6).standard_normal((24, 8)).astype(np.float32)
Y = np.random.default_rng(7).standard_normal((24, 8)).astype(np.float32)


class Block(nn.Cell):
    """A product and an activation, cut as asked, with a bias and what came in added."""

    def __init__(self, cut: tuple[int, int]) -> None:
        super().__init__()
        dp, tp = cut
        self.w = Parameter(initializer("normal", (8, 8), ms.float32), name="w")
        self.b = Parameter(initializer("normal", (8,), ms.float32), name="b")
        self.product = ops.MatMul().shard(((dp, tp), (tp, 1)))
        self.add, self.join = ops.Add().shard(((dp, 1), (1,))), ops.Add().shard(((dp, 1), (dp, 1)))
        self.tanh = ops.Tanh().shard(((dp, 1),))

    def construct(self, x: Tensor) -> Tensor:
        return self.join(self.tanh(self.add(self.product(x, self.w), self.b)), x)


class Chain(nn.Cell):
    """Blocks, one behind the other, on the stages given."""

    def __init__(self, stages: tuple[int, ...], cut: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.blocks = nn.CellList([Block(cut) for _ in stages])
        for block, stage in zip(self.blocks, stages, strict=True):
            block.pipeline_stage = stage

    def construct(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class Times(nn.Cell):
    """Multiplies by a table that it is given."""

    def construct(self, x: Tensor, table: Tensor) -> Tensor:
        return ops.tanh(ops.matmul(x, table))


class Tied(nn.Cell):
    """Multiplies by one table on each of its stages."""

    def __init__(self, stages: tuple[int, ...], cut: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.table = Parameter(initializer("normal", (8, 8), ms.float32), name="table")
        self.parts = nn.CellList([Times() for _ in stages])
        for part, stage in zip(self.parts, stages, strict=True):
            part.pipeline_stage = stage

    def construct(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x, self.table)
        return x


class Knot(nn.Cell):
    """Blocks that compute again what they need for the backward pass, between two products with one table."""

    def __init__(self, stages: tuple[int, ...], cut: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.table = Parameter(initializer("normal", (8, 8), ms.float32), name="table")
        self.first, self.chain, self.last = Times(), Chain(stages, cut), Times()
        self.first.pipeline_stage, self.last.pipeline_stage = stages[0], stages[-1]
        for block in self.chain.blocks:
            block.recompute()

    def construct(self, x: Tensor) -> Tensor:
        return self.last(self.chain(self.first(x, self.table)), self.table)


Make = Callable[[], nn.Cell]
ADAM = partial(nn.Adam, learning_rate=0.02)


def train(
    make: Make, micro: int, options: Mapping[str, Any], steps: int, wrap: Any, optimizer: Any = ADAM
) -> tuple[list[float], Any]:
    ms.set_seed(3)
    if options:
        ms.set_auto_parallel_context(**{"parallel_mode": "semi_auto_parallel", "full_batch": True, **options})
    net = make()
    loss = wrap(nn.WithLossCell(net, nn.MSELoss()), micro)
    step = nn.TrainAccumulatedStepCell(loss, optimizer(net.trainable_params())).set_train()
    losses = [step(Tensor(X), Tensor(Y)).item() / micro for _ in range(steps)]
    return losses, {p.name: full_tensor(p).asnumpy() for p in net.trainable_params()}


def trained(
    n: int,
    make: Make,
    micro: int,
    steps: int = 3,
    wrap: Any = nn.PipelineCell,
    optimizer: Any = ADAM,
    **options: Any,
) -> tuple[list[float], dict[str, Any]]:
    """Train on n ranks; return the losses of the steps (of a micro-batch on average) and the weights at the end."""
    made = run_threads(n, train, make, micro, options, steps, wrap, optimizer)
    for losses, weights in made[1:]:
        assert losses == made[0][0], "every rank gets the loss"
        assert all(np.array_equal(weights[name], whole) for name, whole in made[0][1].items())
    return made[0]


def one_device(make: Make, steps: int = 3) -> tuple[list[float], dict[str, Any]]:
    """Train the same on one device, without micro-batches."""
    return trained(1, make, 1, steps)
