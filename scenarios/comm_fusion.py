"""Communication fusion: many small gradients in a few messages.

A network of 200 small layers, data parallel, trained twice: each gradient in a message of its own, and fused.

What it teaches:

- A message costs its latency, however small it is: 200 messages of 256 bytes wait a hundred times more than two.
- Collectives of the same kind, group, element type and fusion index (``Parameter.comm_fusion``) become one message over
  one flat buffer. ``comm_fusion={"openstate": False}`` turns that off.
- Buckets start while the backward pass still runs. ``Parameter.comm_fusion`` says which gradients share one: here the
  upper half of the layers has index 1 and the lower half, whose gradients come last, has index 2.
- Fusion changes no sum: the losses are the same.

    mpirun -n 4 python scenarios/comm_fusion.py
    simpar run scenarios/comm_fusion.py -n 4 -- --layers 50

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.5952
"""

import argparse
import time

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init
from simpar.context import current
from simpar.recorder import MemoryRecorder, ProgramCompiled

BATCH, WIDTH = 32, 8

parser = argparse.ArgumentParser(description="Small gradients, fused.")
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--layers", type=int, default=200)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()


class Layers(nn.Cell):
    """A long chain of ``x + x @ w``, that returns its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = ms.ParameterTuple(
            Parameter(initializer(Normal(0.01), (WIDTH, WIDTH)), name=f"weight{i}") for i in range(options.layers)
        )
        for i, weight in enumerate(self.weights):
            weight.comm_fusion = 1 if i >= options.layers // 2 else 2
        self.matmul = ops.MatMul().shard(((n, 1), (1, 1)))

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for x and y, both (b, 8)."""
        for weight in self.weights:
            x = x + self.matmul(x, weight)  # (b/n, 8) @ (8, 8)
        error = x - y
        return (error * error).mean()


def train(is_fused: bool) -> tuple[float, list[int], float]:
    """Train with or without fusion.

    Returns:
        The last loss; the bytes of each message with gradients in a step; the milliseconds of a step.
    """
    ms.reset_auto_parallel_context()
    ms.set_auto_parallel_context(
        parallel_mode="semi_auto_parallel", full_batch=True, comm_fusion={"openstate": is_fused}
    )
    ms.set_seed(options.seed)
    network = Layers()
    step = nn.TrainOneStepCell(network, nn.SGD(network.trainable_params(), learning_rate=0.005))
    numbers = np.random.default_rng(options.seed)
    turn = np.linalg.qr(numbers.standard_normal((WIDTH, WIDTH)))[0]
    loss, seconds = 0.0, []
    for _ in range(options.steps):
        x = numbers.standard_normal((BATCH, WIDTH)).astype(np.float32)
        y = (x @ turn).astype(np.float32)
        start = time.perf_counter()
        loss = float(step(Tensor(x), Tensor(y)))
        seconds.append(time.perf_counter() - start)
    compiled = [event for event in recorder.events if isinstance(event, ProgramCompiled)][-1]
    messages = [c.message_bytes for c in compiled.collectives if c.phase == "backward"]
    return loss, messages, 1e3 * float(np.median(seconds))


recorder = current().recorder = MemoryRecorder()  # keeps what happens in a list
loss = 0.0
for is_fused in (False, True):
    loss, messages, step_ms = train(is_fused)
    if rank == 0:
        sizes = f"{min(messages)} to {max(messages)} bytes" if messages else "nothing moves on one rank"
        how = "fused" if is_fused else "not fused"
        print(
            f"{how}: {len(messages)} messages with gradients a step ({sizes}), {step_ms:.1f} ms a step, loss {loss:.6f}"
        )
if rank == 0:
    print(f"final loss {loss:.6f}")
