"""Layouts with names: strategies that say which device axis cuts what.

What it teaches:

- Numbers such as ``((2, 1), (1, 2))`` say into how many slices an axis is cut. A ``Layout`` says by which device axis,
  by name: the same device matrix ("dp", "sp", "mp") for all ops.
- An axis may be cut by two device axes: ``("dp", "sp")`` cuts the rows dp * sp ways, dp outermost. Numbers alone cannot
  say which of the two is the outer one.
- Between two ops whose layouts differ simpar redistributes: here a row of the hidden layer is whole where softmax
  normalises it (mp then cuts the rows too), and cut by mp where it is multiplied.
- Every rank's slice of a parameter follows from the layout of the op that uses it.

    mpirun -n 8 python scenarios/layouts.py

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0156
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Layout, Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init

BATCH, INPUTS, HIDDEN = 64, 16, 64

parser = argparse.ArgumentParser(description="Strategies written as layouts.")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
dp, sp, mp = {1: (1, 1, 1), 2: (1, 1, 2), 4: (2, 1, 2), 8: (2, 2, 2)}[n]
ms.set_seed(options.seed)
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
layout = Layout((dp, sp, mp), ("dp", "sp", "mp"))  # called with names, it is the layout of a tensor
ROWS = ("dp", "sp")


class Mlp(nn.Cell):
    """A perceptron whose hidden layer is normalised row by row; it returns its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Parameter(initializer(Normal(0.25), (INPUTS, HIDDEN)), name="first")
        self.second = Parameter(initializer(Normal(0.125), (HIDDEN, 1)), name="second")
        self.by_columns = ops.MatMul().shard((layout(ROWS, "None"), layout("None", "mp")))
        self.softmax = ops.Softmax().shard((layout((*ROWS, "mp"), "None"),))  # a row must be whole
        self.by_rows = ops.MatMul().shard((layout(ROWS, "mp"), layout("mp", "None")))

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for x (b, 16) and y (b, 1)."""
        hidden = self.by_columns(x, self.first)  # (b/(dp sp), 16) @ (16, h/mp)
        weights = self.softmax(hidden) * HIDDEN  # (b/(dp sp mp), h): an all-to-all before, and one after
        error = self.by_rows(ops.tanh(weights - 1), self.second) - y  # (b/(dp sp), h/mp) @ (h/mp, 1), all-reduced
        return (error * error).mean()


network = Mlp()
step = nn.TrainOneStepCell(network, nn.Adam(network.trainable_params(), learning_rate=0.02))
numbers, loss = np.random.default_rng(options.seed), 0.0
direction = numbers.standard_normal((INPUTS, 1)) / 4
for i in range(1, options.steps + 1):
    x = numbers.standard_normal((BATCH, INPUTS)).astype(np.float32)
    y = np.sin(x @ direction).astype(np.float32)
    loss = float(step(Tensor(x), Tensor(y)))
    if rank == 0 and i % max(1, options.steps // 6) == 0:
        print(f"step {i:3d}: loss {loss:.4f}")

if rank == 0:
    print(f"{n} ranks as (dp, sp, mp) = ({dp}, {sp}, {mp})")
    for p in network.trainable_params():
        print(f"{p.name} {p.full_shape}: tensor map {p.layout.tensor_map}, rank 0 holds {p.shape}")
    print(f"final loss {loss:.6f}")
