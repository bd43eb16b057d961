"""More of what MindSpore's tutorials teach: pipelines, splitting by hand, Model with callbacks, checkpoints, files.

As in ``programs``: each trains for three steps and returns losses; not in parallel, it is the program of one device.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import simpar as ms
from simpar import Tensor, nn, ops, train
from simpar import dataset as ds
from simpar.communication import get_rank
from simpar.context import current
from simpar.parallel.nn import Pipeline, PipelineGradReducer
from tests.tutorials.programs import IMAGES, LABELS, STEPS, Layers, Network, step_of, whole_batch
from tests.tutorials.programs import train as train_by

MICRO = 4
STAGES = {f"_backbone.{name}": stage for name, stage in [("layer1", 0), ("relu1", 0), ("layer2", 1), ("layer3", 1)]}


def by_pipeline(in_parallel: bool, **options: Any) -> list[float]:
    """Train layers on two stages of 4 ranks, four micro-batches behind each other."""
    net = Layers()
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    config = STAGES if in_parallel else {}
    parts = Pipeline(nn.WithLossCell(net, nn.CrossEntropyLoss()), MICRO, stage_config=config).set_train()
    gradients_of = ms.value_and_grad(lambda x, y: parts(x, y), None, optimizer.parameters)
    reduce_gradients = PipelineGradReducer(optimizer.parameters)

    @ms.jit
    def step(data: Tensor, target: Tensor) -> Tensor:
        loss, gradients = gradients_of(data, target)
        optimizer(reduce_gradients(gradients))
        return loss

    made = whole_batch(step, in_parallel)
    if in_parallel:
        made.pipeline(stages=2, **options)
    return train_by(made)


def pipeline(in_parallel: bool) -> list[float]:
    """Run micro-batches through two stages, one forward and one backward in turn."""
    return by_pipeline(in_parallel)


def pipeline_gpipe(in_parallel: bool) -> list[float]:
    """The same, all forward passes first."""
    return by_pipeline(in_parallel, scheduler="gpipe")


def accumulated_by_function(in_parallel: bool) -> list[float]:
    """Hand the optimizer the Parameters in which the gradients of micro-batches add up, and clear them."""
    net = Layers()
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    parts = nn.GradAccumulationCell(nn.WithLossCell(net, nn.CrossEntropyLoss()), MICRO)
    gradients_of = ms.value_and_grad(lambda x, y: parts(x, y), None, optimizer.parameters)
    totals, each = optimizer.parameters.clone(prefix="accu_grads", init="zeros"), ops.HyperMap()

    def clear(total: Any, gradient: Tensor) -> Any:
        return ops.assign(total, ops.depend(total, gradient) * 0.0)

    @ms.jit
    def step(data: Tensor, target: Tensor) -> Tensor:
        loss, gradients = gradients_of(data, target)
        optimizer(totals)
        return ops.depend(loss, each(clear, totals, gradients))

    made = whole_batch(step, in_parallel)
    if in_parallel:
        made.hsdp(threshold=0, optimizer_level="level2")
    return train_by(made)


def splitting(in_parallel: bool) -> list[float]:
    """Cut the first product by rows and columns and the second by the axis that it sums, around a whole ReLU."""
    net = Network()
    if in_parallel:
        net.matmul1.shard(((2, 1), (1, 4)))
        net.relu1.shard(((2, 4),))
        net.matmul2.shard(((2, 4), (4, 1)))
    return train_by(whole_batch(step_of(net), in_parallel))


class Losses(train.Callback):
    """Notes the loss of each step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def step_end(self, run_context: train.RunContext) -> None:
        self.seen.append(float(run_context.original_args().net_outputs))


def batches(in_parallel: bool) -> Any:
    """Return the rows in one batch, each rank given its eighth."""
    columns = {"data": IMAGES, "label": LABELS}
    if not in_parallel:
        return ds.NumpySlicesDataset(columns, shuffle=False).batch(16)
    shards: Any = {"num_shards": current().device_num, "shard_id": get_rank()}
    return ds.NumpySlicesDataset(columns, shuffle=False, **shards).batch(2)


def model_with_callbacks(in_parallel: bool) -> list[float]:
    """Train by a Model, whose callbacks are told the losses, on rows that each rank reads itself."""
    if in_parallel:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", gradients_mean=True)
    net = Layers()
    losses = Losses()
    model = train.Model(net, nn.CrossEntropyLoss(), nn.Momentum(net.trainable_params(), 0.1, 0.9))
    rows = batches(in_parallel)
    callbacks = [losses, train.LossMonitor(100)]
    model.train(STEPS, rows, callbacks=callbacks, dataset_sink_mode=False)
    if not in_parallel:
        return losses.seen
    mean = ops.ReduceMean()
    return [float(mean(Tensor(np.array(loss)))) for loss in losses.seen]


def saved_and_loaded(in_parallel: bool) -> list[float]:
    """Train a step, save what the rank holds, and let another network, cut otherwise, go on from there."""
    with TemporaryDirectory() as folder:
        one = Network()
        if in_parallel:
            one.matmul1.shard(((2, 4), (4, 1)))
        first = whole_batch(step_of(one), in_parallel)(Tensor(IMAGES), Tensor(LABELS))
        path = Path(folder, "network.ckpt")
        ms.save_checkpoint(one, path)
        two = Network()
        if in_parallel:
            two.matmul1.shard(((1, 2), (2, 4)))
        ms.load_param_into_net(two, ms.load_checkpoint(path))
        later = train_by(whole_batch(step_of(two), in_parallel))
    return [float(first), *later[: STEPS - 1]]


def strategy_file(in_parallel: bool) -> list[float]:
    """Save how Parameters are cut in one run, and let the next be cut so by the file."""
    ms.set_seed(1)
    if not in_parallel:
        return train_by(ms.jit(step_of(Network())))
    with TemporaryDirectory() as folder:
        path = str(Path(folder, "strategy.json"))
        one = Network()
        one.matmul1.shard(((2, 1), (1, 4)))
        saved = whole_batch(step_of(one), True)
        saved.save_param_strategy_file(path)
        saved(Tensor(IMAGES), Tensor(LABELS))
        ms.set_seed(1)
        loaded = whole_batch(step_of(Network()), True)
        loaded.load_param_strategy_file(path)
        return train_by(loaded)


MORE: tuple[Callable[[bool], list[float]], ...] = (
    pipeline,
    pipeline_gpipe,
    accumulated_by_function,
    splitting,
    model_with_callbacks,
    saved_and_loaded,
    strategy_file,
)
