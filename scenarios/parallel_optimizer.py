"""The parallel optimizer: of what ranks would hold alike, each keeps only a part.

The same network is trained twice, data parallel on n ranks: with whole copies, and with the parallel optimizer. Then
each rank measures the bytes of its own arrays.

What it teaches:

- Adam keeps two states for each weight, so a copy of a network takes three times its weights on every rank.
- ``enable_parallel_optimizer=True`` stores weights and states cut once more along axis 0, over the ranks that would
  hold the same (ZeRO's third stage, Rajbhandari et al. 2020). Weights are gathered before their use; gradients leave by
  a reduce-scatter straight into the stored slices. Nothing changes in the network, and the losses are the same.
- A Parameter with ``parallel_optimizer=False`` stays whole, and so does one that is smaller than the threshold or whose
  slices would be uneven: here ``scale``, of one element.

    mpirun -n 8 python scenarios/parallel_optimizer.py

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0980
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init

BATCH, INPUTS, HIDDEN = 64, 64, 256

parser = argparse.ArgumentParser(description="The parallel optimizer, measured.")
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()


class Mlp(nn.Cell):
    """A perceptron that returns its loss; every op is cut along the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Parameter(initializer(Normal(0.125), (INPUTS, HIDDEN)), name="first")
        self.second = Parameter(initializer(Normal(0.06), (HIDDEN, HIDDEN)), name="second")
        self.third = Parameter(initializer(Normal(0.06), (HIDDEN, 1)), name="third")
        self.scale = Parameter(initializer("ones", (1,)), name="scale", parallel_optimizer=False)
        self.matmul = ops.MatMul().shard(((n, 1), (1, 1)))

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for x (b, 64) and y (b, 1)."""
        x = ops.tanh(self.matmul(x, self.first))  # (b/n, 64) @ (64, 256); first is stored as (64/n, 256)
        x = ops.tanh(self.matmul(x, self.second))  # (b/n, 256) @ (256, 256); stored as (256/n, 256)
        error = self.matmul(x, self.third) * self.scale - y  # (b/n, 256) @ (256, 1); stored as (256/n, 1)
        return (error * error).mean()


def resident_bytes() -> int:
    """Return the memory of this process, as Linux tells it; 0 elsewhere."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def train(is_parallel: bool) -> tuple[float, int, int]:
    """Train with or without the parallel optimizer.

    Returns:
        The last loss; the bytes of this rank's weights; the bytes of its Adam states.
    """
    ms.reset_auto_parallel_context()
    ms.set_auto_parallel_context(
        parallel_mode="semi_auto_parallel",
        full_batch=True,
        enable_parallel_optimizer=is_parallel,
        parallel_optimizer_config={"parallel_optimizer_threshold": 0},  # KiB: cut even the smallest
    )
    ms.set_seed(options.seed)
    network = Mlp()
    optimizer = nn.Adam(network.trainable_params(), learning_rate=0.003)
    step = nn.TrainOneStepCell(network, optimizer)
    numbers = np.random.default_rng(options.seed)
    direction = numbers.standard_normal((INPUTS, 1)) / 8
    loss = 0.0
    for _ in range(options.steps):
        x = numbers.standard_normal((BATCH, INPUTS)).astype(np.float32)
        y = np.sin(x @ direction).astype(np.float32)
        loss = float(step(Tensor(x), Tensor(y)))
    states = (*optimizer.moment1, *optimizer.moment2)
    return loss, held(network.trainable_params()), held(states)


def held(parameters: object) -> int:
    """Return the bytes of the arrays that this rank really holds."""
    return sum(p.asnumpy().nbytes for p in parameters)


weights_total = 4 * (INPUTS * HIDDEN + HIDDEN * HIDDEN + HIDDEN + 1)
gather = ops.AllGather()
for is_parallel in (False, True):
    loss, weights, states = train(is_parallel)
    ms.reset_auto_parallel_context()
    of_all = gather(Tensor(np.array([[weights, states, resident_bytes() >> 10]], np.int64))).asnumpy()  # (n, 3)
    if rank == 0:
        print(f"{'with' if is_parallel else 'without'} the parallel optimizer: loss {loss:.6f}")
        for number, (w, s, resident) in enumerate(of_all.tolist()):
            share = f"{(w + s) / (3 * weights_total):.1%} of all weights and states"
            print(f"  rank {number}: weights {w} B, Adam states {s} B ({share}); process {resident >> 10} MiB")
if rank == 0:
    print(f"final loss {loss:.6f}")
