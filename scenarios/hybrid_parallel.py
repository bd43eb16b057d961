"""Hybrid parallel: the collectives of tensor parallelism, written by hand.

A two-layer perceptron as Megatron-LM cuts it (Shoeybi et al. 2019; its inputs gathered: Korthikanti et al. 2022). The n
ranks form a matrix (dp, mp). A group of mp ranks shares one copy of the network: rank j of it holds h/mp of the hidden
units. Each of the dp copies sees its own part of the batch.

What it teaches:

- In ``hybrid_parallel`` mode a Cell holds its slices and calls collectives itself; simpar adds none.
- ``AllGather`` before the first product, ``ReduceScatter`` after the second. Their gradients are each other: the
  backward pass needs no code.
- The losses of all ranks add up to the loss, so each divides by the size of the whole batch. The gradient of a slice is
  complete within its group, and is summed over the ranks that hold the same slice: ``DistributedGradReducer`` with a
  group.
- The same cut takes one line per op in semi_auto_parallel mode: see tensor_parallel.py.

    mpirun -n 8 python scenarios/hybrid_parallel.py

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0979
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.communication import create_group, get_group_size, get_rank, init

BATCH, INPUTS, HIDDEN = 64, 16, 64

parser = argparse.ArgumentParser(description="Tensor parallelism by hand.")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
dp, mp = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4)}[n]
i_dp, i_mp = divmod(rank, mp)  # the rank's place in the matrix
for i in range(dp):
    create_group(f"mp{i}", [i * mp + j for j in range(mp)])  # e.g. {0, 1} and {2, 3}: one copy of the network
for j in range(mp):
    create_group(f"dp{j}", [i * mp + j for i in range(dp)])  # e.g. {0, 2} and {1, 3}: the same slices
ms.set_auto_parallel_context(parallel_mode="hybrid_parallel", gradients_mean=False)

numbers = np.random.default_rng(options.seed)  # the same on every rank
first = numbers.standard_normal((INPUTS, HIDDEN)).astype(np.float32) / 4
second = numbers.standard_normal((HIDDEN, 1)).astype(np.float32) / 8
units = slice(i_mp * HIDDEN // mp, (i_mp + 1) * HIDDEN // mp)  # the hidden units of this rank


class Mlp(nn.Cell):
    """One rank's slices of a perceptron, and the collectives that join them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Parameter(first[:, units].copy(), name="first")  # (16, h/mp): columns
        self.second = Parameter(second[units].copy(), name="second")  # (h/mp, 1): rows
        self.gather = ops.AllGather(group=f"mp{i_dp}")
        self.scatter = ops.ReduceScatter(group=f"mp{i_dp}")

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return this rank's term of the loss, for its samples x (b/n, 16) and y (b/n, 1)."""
        x = self.gather(x)  # (b/n, 16) -> (b/dp, 16)
        hidden = ops.gelu(x @ self.first, approximate="tanh")  # (b/dp, 16) @ (16, h/mp)
        term = hidden @ self.second  # (b/dp, h/mp) @ (h/mp, 1): a term of the sum over all units
        error = self.scatter(term) - y  # (b/dp, 1) -> (b/n, 1): summed, and each rank keeps its rows
        return (error * error).sum() / BATCH


network = Mlp()
optimizer = nn.Momentum(network.trainable_params(), learning_rate=0.05, momentum=0.9)
reduce_over_copies = nn.DistributedGradReducer(optimizer.parameters, group=f"dp{i_mp}")
gradients_of = ms.value_and_grad(network, None, optimizer.parameters)
sum_over_ranks = ops.AllReduce()


@ms.jit
def step(x: Tensor, y: Tensor) -> Tensor:
    """Train on a rank's samples and return its term of the loss."""
    term, gradients = gradients_of(x, y)
    optimizer(reduce_over_copies(gradients))
    return term


direction = numbers.standard_normal((INPUTS, 1)) / 4
loss = 0.0
for i in range(1, options.steps + 1):
    x = numbers.standard_normal((BATCH, INPUTS)).astype(np.float32)
    y = np.sin(x @ direction).astype(np.float32)
    part = slice(rank * BATCH // n, (rank + 1) * BATCH // n)
    loss = float(sum_over_ranks(step(Tensor(x[part]), Tensor(y[part]))))
    if rank == 0 and i % max(1, options.steps // 6) == 0:
        print(f"step {i:3d}: loss {loss:.4f}")

if rank == 0:
    held = f"first {network.first.shape} of ({INPUTS}, {HIDDEN}), second {network.second.shape} of ({HIDDEN}, 1)"
    print(f"{n} ranks as (dp, mp) = ({dp}, {mp}); rank 0 holds {held}")
    print(f"final loss {loss:.6f}")
