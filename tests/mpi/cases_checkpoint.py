"""Checkpoints of real ranks: training that stops and resumes, and stages of a pipeline that each save their own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import simpar as ms
from simpar import Tensor, nn
from simpar.checkpoint import open_checkpoint
from simpar.collectives import World
from simpar.common.initializer import initializer
from tests.mpi.harness import on_ranks

X = np.random.default_rng(6).standard_normal((8, 8)).astype(np.float32)


class Part(nn.Cell):
    """Multiplies by a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.w = ms.Parameter(initializer("normal", (8, 8)), name="w")
        self.product = ms.ops.MatMul().shard(((1, 1), (1, 2)))

    def construct(self, x: Tensor) -> Tensor:
        return self.product(x, self.w)


class Net(nn.Cell):
    """Two parts, and the mean of squares."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.CellList([Part(), Part()])
        for i, part in enumerate(self.parts):
            part.pipeline_stage = i

    def construct(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return (x * x).mean()


@contextmanager
def folder_of(world: World) -> Iterator[Path]:
    """Give one new folder to all ranks; it goes when all are done."""
    made = tempfile.TemporaryDirectory() if world.rank == 0 else None
    yield Path(world.communicator.broadcast_object(made.name if made else None))
    world.communicator.barrier()
    if made is not None:
        made.cleanup()


def step_of(stages: int) -> nn.Cell:
    ms.set_seed(1)
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages)
    net = Net()
    whole = nn.PipelineCell(net, 2) if stages > 1 else net
    return nn.TrainOneStepCell(whole, nn.Momentum(net.trainable_params(), 0.1, 0.9))


def _case(world: World, stages: int, integrated: bool) -> None:
    with folder_of(world) as folder:
        first, path = step_of(stages), folder / f"rank_{world.rank}.safetensors"
        for _ in range(2):
            first(Tensor(X))
        ms.save_checkpoint(first, path, integrated_save=integrated)
        world.communicator.barrier()
        names = {name for name in open_checkpoint(path).pieces if name.endswith("w")}
        assert len(names) == 4 // stages, names  # weights and moments of this stage
        second = step_of(stages)
        second.compile(Tensor(X))
        ms.load_distributed_checkpoint(second, sorted(folder.iterdir()))
        for _ in range(2):
            went_on, resumed = first(Tensor(X)), second(Tensor(X))
            if stages == 1:
                np.testing.assert_array_equal(went_on.asnumpy(), resumed.asnumpy())
        for one, other in zip(first.trainable_params(), second.trainable_params(), strict=True):
            kept, loaded = (ms.parallel.full_tensor(p).asnumpy() for p in (one, other))
            np.testing.assert_array_equal(kept, loaded)


@on_ranks(2, 4)
def case_ranks_resume_from_whole_files_and_from_slices(world: World) -> None:
    for integrated in (True, False):
        _case(world, 1, integrated)


@on_ranks(4)
def case_stages_save_their_own_and_resume(world: World) -> None:
    for integrated in (True, False):
        _case(world, 2, integrated)
