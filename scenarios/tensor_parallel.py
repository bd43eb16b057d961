"""Tensor parallel: a network for one device, cut by one strategy for each product.

What it teaches:

- In ``semi_auto_parallel`` mode the program is written for one device: shapes are those of the whole tensors.
- ``.shard`` says into how many slices each axis of each operand is cut. The first product is cut by the columns of its
  matrix, the second by the rows of its own; so the hidden layer is cut alike where it leaves and where it enters, and
  nothing need move between them.
- Rows are an index that the result lacks: the second product leaves a term on each rank, so simpar adds an all-reduce.
- Every rank holds h/n hidden units, yet the losses are those of one device. No line speaks of ranks or slices.

    mpirun -n 4 python scenarios/tensor_parallel.py
    simpar run scenarios/tensor_parallel.py -n 8

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0335
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init

BATCH, INPUTS, HIDDEN = 64, 16, 64

parser = argparse.ArgumentParser(description="Tensor parallel training.")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, mp = get_rank(), get_group_size()
ms.set_seed(options.seed)
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)


class Mlp(nn.Cell):
    """A perceptron with one hidden layer, that returns its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Parameter(initializer(Normal(0.25), (INPUTS, HIDDEN)), name="first")
        self.second = Parameter(initializer(Normal(0.125), (HIDDEN, 1)), name="second")
        self.by_columns = ops.MatMul().shard(((1, 1), (1, mp)))
        self.by_rows = ops.MatMul().shard(((1, mp), (mp, 1)))
        self.gelu = ops.GeLU().shard(((1, mp),))

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for x (b, 16) and y (b, 1); the comments say what each rank computes."""
        hidden = self.gelu(self.by_columns(x, self.first))  # (b, 16) @ (16, h/mp)
        error = self.by_rows(hidden, self.second) - y  # (b, h/mp) @ (h/mp, 1), all-reduced
        return (error * error).mean()


network = Mlp()
optimizer = nn.Momentum(network.trainable_params(), learning_rate=0.05, momentum=0.9)
step = nn.TrainOneStepCell(network, optimizer)

numbers = np.random.default_rng(options.seed)
direction = numbers.standard_normal((INPUTS, 1)) / 4
loss = 0.0
for i in range(1, options.steps + 1):
    x = numbers.standard_normal((BATCH, INPUTS)).astype(np.float32)
    y = np.sin(x @ direction).astype(np.float32)
    loss = float(step(Tensor(x), Tensor(y)))
    if rank == 0 and i % max(1, options.steps // 6) == 0:
        print(f"step {i:3d}: loss {loss:.4f}")

if rank == 0:
    for p in network.trainable_params():
        layout = p.layout
        cut = f"device matrix {layout.dev_mat}, tensor map {layout.tensor_map}"
        print(f"{p.name} {p.full_shape}: {cut}, rank 0 holds {p.shape}")
    print(f"final loss {loss:.6f}")
