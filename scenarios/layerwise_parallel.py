"""Layerwise parallel: some parameters belong to one rank alone.

Eight sensors measure the same law, each with an error of its own. The weights of the law are shared by all ranks. The
corrections, one row for each sensor, are not: a rank keeps those of its own 8/n sensors, whose data it sees.

What it teaches:

- ``layerwise_parallel=True`` keeps a Parameter local in data parallel mode: it is not broadcast at the start, and its
  gradient is not reduced. Everything else about it is as usual.
- Gradients are summed here, not averaged (``gradients_mean=False``), and every rank divides its loss by the size of the
  *whole* batch. So the ranks' losses add up to the loss, and a local gradient is right as it stands.
- Therefore training does not depend on n.

    mpirun -n 4 python scenarios/layerwise_parallel.py

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0111
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.communication import get_group_size, get_rank, init

SENSORS, SAMPLES, INPUTS = 8, 16, 6

parser = argparse.ArgumentParser(description="Parameters of one rank alone.")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
own = SENSORS // n  # sensors of each rank
ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=False, parameter_broadcast=True)
ms.set_seed(options.seed)


class Sensors(nn.Cell):
    """Predicts what a rank's own sensors show, and returns this rank's share of the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.law = Parameter(np.zeros((INPUTS, 1), np.float32), name="law")
        self.correction = Parameter(
            np.zeros((own, 1), np.float32), name="correction", layerwise_parallel=True
        )  # (8/n, 1)

    def construct(self, x: Tensor, sensor: Tensor, y: Tensor) -> Tensor:
        """Return a term of the loss for x (8/n * 16, 6), the sensors' numbers (8/n * 16,) and y (8/n * 16, 1)."""
        error = x @ self.law + ops.gather(self.correction, sensor, 0) - y
        return (error * error).sum() / (SENSORS * SAMPLES)  # by all samples, not by a rank's


network = Sensors()
optimizer = nn.Momentum(network.trainable_params(), learning_rate=0.1, momentum=0.5)
step = nn.TrainOneStepCell(network, optimizer)  # reduces the gradient of law, leaves that of correction
sum_over_ranks, gather = ops.AllReduce(), ops.AllGather()

numbers = np.random.default_rng(options.seed)  # the data is the same on every rank
law = numbers.standard_normal((INPUTS, 1))
errors = numbers.standard_normal((SENSORS, 1, 1))
sensor = np.repeat(np.arange(own, dtype=np.int32), SAMPLES)  # (8/n * 16,), counted within the rank
loss = 0.0
for i in range(1, options.steps + 1):
    x = numbers.standard_normal((SENSORS, SAMPLES, INPUTS))  # of all sensors
    y = x @ law + errors + 0.1 * numbers.standard_normal((SENSORS, SAMPLES, 1))
    mine = slice(rank * own, (rank + 1) * own)
    x_own = Tensor(x[mine].reshape(-1, INPUTS).astype(np.float32))
    y_own = Tensor(y[mine].reshape(-1, 1).astype(np.float32))
    loss = float(sum_over_ranks(step(x_own, Tensor(sensor), y_own)))
    if rank == 0 and i % max(1, options.steps // 6) == 0:
        print(f"step {i:3d}: loss {loss:.4f}")

found = gather(network.correction).asnumpy()  # (8, 1), joined for the report only
if rank == 0:
    print(f"{n} ranks; each keeps {own} of the {SENSORS} corrections. sensor: found, true")
    for number, (a, b) in enumerate(zip(found[:, 0], errors[:, 0, 0], strict=True)):
        print(f"  {number}: {a:+.3f}, {b:+.3f} (rank {number // own})")
    print(f"final loss {loss:.6f}")
