"""Pipelines on real ranks: equal to one device, and messages too long to be sent before they are received."""

from functools import partial
from typing import Any

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn
from simpar.collectives import World, solo_world
from simpar.context import Context, entered
from tests.mpi.harness import on_ranks
from tests.pipeline.nets import Knot, train

WIDTH = 1 << 14
X = np.random.default_rng(2).standard_normal((16, WIDTH)).astype(np.float32)


class Scale(nn.Cell):
    """Multiplies each column by a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.linspace(0.5, 1.5, WIDTH, dtype=np.float32)), name="w")

    def construct(self, x: Tensor) -> Tensor:
        return (x * self.w).tanh()


class Net(nn.Cell):
    """One part for each stage, and the mean of squares."""

    def __init__(self, stages: int, parts: int) -> None:
        super().__init__()
        self.parts = nn.CellList([Scale() for _ in range(parts)])
        for i, part in enumerate(self.parts):
            part.pipeline_stage = i % stages

    def construct(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return (x * x).mean()


def losses(stages: int, parts: int, **options: Any) -> list[float]:
    if options:
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages, **options
        )
    net = Net(stages, parts)
    step = nn.TrainAccumulatedStepCell(nn.PipelineCell(net, 4), nn.SGD(net.trainable_params(), 10.0))
    return [step(Tensor(X)).item() for _ in range(3)]


def check(world: World, parts: int, **config: Any) -> None:
    with entered(Context(world=world)):
        got = losses(min(world.size, parts), parts, pipeline_config=config)
    if world.rank == 0:
        with entered(Context(world=solo_world())):
            np.testing.assert_allclose(got, losses(1, parts), rtol=1e-5)


@on_ranks(2, 4, threads=False)
def case_a_pipeline_of_long_messages_by_1f1b(world: World) -> None:
    check(world, world.size, pipeline_scheduler="1f1b")


@on_ranks(4, threads=False)
def case_a_pipeline_of_long_messages_by_gpipe(world: World) -> None:
    check(world, 4, pipeline_scheduler="gpipe")


@on_ranks(2, threads=False)
def case_an_interleaved_pipeline_of_long_messages(world: World) -> None:
    with entered(Context(world=world)):
        config = {"pipeline_interleave": True}
        got = losses(2, 6, pipeline_config=config)
    if world.rank == 0:
        with entered(Context(world=solo_world())):
            np.testing.assert_allclose(got, losses(1, 6), rtol=1e-5)


def check_knot(world: World, stages: tuple[int, ...], micro: int, wrap: type[nn.Cell], options: dict[str, Any]) -> None:
    """Train on all ranks, with slices of the optimizer, and compare with one device."""
    stored = {"parallel_optimizer_threshold": 0} | options.pop("parallel_optimizer_config", {})
    options |= {"enable_parallel_optimizer": True, "parallel_optimizer_config": stored}
    with entered(Context(world=world)):
        cut = (2, world.size // 2 // (max(stages) + 1))
        losses, weights = train(partial(Knot, stages, cut), micro, options, 2, wrap)
    if world.rank == 0:
        with entered(Context(world=solo_world())):
            alone, whole = train(partial(Knot, stages), 1, {}, 2, wrap)
        np.testing.assert_allclose(losses, alone, rtol=1e-5)
        for name, values in whole.items():
            np.testing.assert_allclose(weights[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


@on_ranks(4, threads=False)
def case_a_shared_table_recomputation_and_slices_of_the_optimizer_by_gpipe(world: World) -> None:
    config = {"pipeline_scheduler": "gpipe"}
    check_knot(world, (0, 1), 2, nn.PipelineCell, {"pipeline_stages": 2, "pipeline_config": config})


@on_ranks(4, 8, threads=False)
def case_the_same_with_stages_that_take_turns(world: World) -> None:
    check_knot(world, (0, 1, 0), 2, nn.PipelineCell, {"pipeline_stages": 2, "pipeline_segments": 2})


@on_ranks(4, threads=False)
def case_the_same_accumulated_in_slices(world: World) -> None:
    config = {"optimizer_level": "level2"}
    check_knot(world, (0, 0), 3, nn.GradAccumulationCell, {"parallel_optimizer_config": config})
