"""A pipeline: half of the ranks hold the first layers, half the last, and micro-batches run through them.

On 8 ranks: 2 stages, and within each stage data parallel over 2 and tensor parallel over 2. Every rank measures how
long it waits for the other stage: the *bubble*.

What it teaches:

- ``cell.pipeline_stage = s`` is all that the network is told. What one stage hands to the next is sent from each rank
  to the one in its place on the other stage; Parameters and their optimizer states live on their stage only.
- ``PipelineCell(net, m)`` cuts the batch into m micro-batches, so that a stage works on one while the next stage works
  on the one before. Gradients are summed over all, and the update is that of the whole batch: the losses are those of
  one rank.
- At the beginning the last stage waits, at the end the first: of S stages and m micro-batches, (S-1)/(m+S-1) of the
  step is waiting at best. Messages, uneven stages, and more ranks than cores add to it.
- 1F1B (here) and GPipe (``--scheduler gpipe``) have the same bubble, but GPipe keeps the activations of all m
  micro-batches, 1F1B on stage s those of S-s.

    mpirun -n 8 python scenarios/pipeline.py

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0846
"""

import argparse

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init
from simpar.context import current
from simpar.pipeline import bubble_fraction
from simpar.recorder import MemoryRecorder, ProgramCompiled, StepFinished

BATCH, WIDTH, HIDDEN, LAYERS = 256, 128, 512, 4

parser = argparse.ArgumentParser(description="A pipeline of two stages, and its bubble.")
parser.add_argument("--steps", type=int, default=30)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--micro", type=int, default=4)
parser.add_argument("--scheduler", choices=("1f1b", "gpipe"), default="1f1b")
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
stages = min(n, 2)
tp = 2 if n >= 8 else 1
dp = n // stages // tp


class Layer(nn.Cell):
    """Two products, Megatron's column and row pair, with what came in added."""

    def __init__(self) -> None:
        super().__init__()
        self.up = Parameter(initializer(Normal(0.05), (WIDTH, HIDDEN)), name="up")
        self.down = Parameter(initializer(Normal(0.05), (HIDDEN, WIDTH)), name="down")
        self.widen = ops.MatMul().shard(((dp, 1), (1, tp)))
        self.tanh = ops.Tanh().shard(((dp, tp),))
        self.narrow = ops.MatMul().shard(((dp, tp), (tp, 1)))
        self.add = ops.Add().shard(((dp, 1), (dp, 1)))

    def construct(self, x: Tensor) -> Tensor:
        """Return (b, 128) for x (b, 128)."""
        wide = self.tanh(self.widen(x, self.up))  # (b/dp, 128) @ (128, 512/tp)
        return self.add(self.narrow(wide, self.down), x)  # (b/dp, 512/tp) @ (512/tp, 128), summed over tp


class Net(nn.Cell):
    """The layers, the first half on stage 0, and the loss on the last stage."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([Layer() for _ in range(LAYERS)])
        for i, layer in enumerate(self.layers):
            layer.pipeline_stage = i * stages // LAYERS
        self.loss = nn.MSELoss()

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for x and y (b, 128)."""
        for layer in self.layers:
            x = layer(x)
        return self.loss(x, y)


ms.set_auto_parallel_context(
    parallel_mode="semi_auto_parallel",
    full_batch=True,
    pipeline_stages=stages,
    pipeline_config={"pipeline_scheduler": options.scheduler},
)
ms.set_seed(options.seed)
recorder = current().recorder = MemoryRecorder()  # keeps what happens in a list

net = nn.PipelineCell(Net(), options.micro)
step = nn.TrainAccumulatedStepCell(net, nn.Adam(net.trainable_params(), 1e-3)).set_train()

rng = np.random.default_rng(options.seed)
x = rng.standard_normal((BATCH, WIDTH)).astype(np.float32)
y = np.tanh(x @ rng.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH)).astype(np.float32)

loss = 0.0
for _ in range(options.steps):
    loss = step(Tensor(x), Tensor(y)).item() / options.micro  # a PipelineCell returns the sum of the micro-batches

compiled = next(event for event in recorder.events if isinstance(event, ProgramCompiled))
waits = [spec.index for spec in compiled.collectives if spec.kind in ("receive", "broadcast")]
finished = [event for event in recorder.events if isinstance(event, StepFinished)]
waited = [sum(end - start for start, end in event.times[waits]) / (event.end_s - event.start_s) for event in finished]
held = [sum(p.placed is not None for p in net.trainable_params()), np.median(waited)]
of_ranks = ops.AllGather()(Tensor([held], ms.float32)).asnumpy() if n > 1 else np.array([held])  # (n, 2)
if rank == 0:
    predicted = bubble_fraction(stages, options.micro)
    for stage, ranks in enumerate(np.split(of_ranks, stages)):
        print(
            f"stage {stage} of {stages}, {n // stages} ranks: holds {ranks[0, 0]:.0f} of {2 * LAYERS} weights, waits "
            f"{ranks[:, 1].mean():.0%} of a step; the bubble of {options.micro} micro-batches is {predicted:.0%} of it"
        )
    print(f"final loss {loss:.4f}")
