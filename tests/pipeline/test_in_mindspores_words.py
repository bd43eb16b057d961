"""Training functions as users of MindSpore write pipelines: stages by name, a function of the step, AutoParallel."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops, train
from simpar import dataset as ds
from simpar.collectives import run_threads
from simpar.parallel import full_tensor
from simpar.parallel.auto_parallel import AutoParallel
from simpar.parallel.nn import GradAccumulation, Pipeline, PipelineGradReducer

X = np.random.default_rng(4).standard_normal((8, 4, 4)).astype(np.float32)
Y = np.random.default_rng(5).integers(0, 4, 8).astype(np.int32)
STAGES = {f"_backbone.{name}": stage for name, stage in [("flatten", 0), ("one", 0), ("two", 1), ("three", 1)]}


class Net(nn.Cell):
    """Three layers behind a flattening."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.one = nn.Dense(16, 32, activation="relu")
        self.two = nn.Dense(32, 32, activation="relu")
        self.three = nn.Dense(32, 4)

    def construct(self, x: Tensor) -> Tensor:
        return self.three(self.two(self.one(self.flatten(x))))


def step_of(net: nn.Cell, optimizer: nn.Optimizer) -> Any:
    reducer = PipelineGradReducer(optimizer.parameters, opt_shard=False)
    both = ops.value_and_grad(net, None, optimizer.parameters)

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Any:
        loss, gradients = both(x, y)
        gradients = reducer(gradients)
        optimizer(gradients)
        return loss, gradients

    return step


def pipeline(stages: int, **options: Any) -> list[float]:
    ms.set_seed(1)
    net = Net()
    optimizer = nn.SGD(net.trainable_params(), 1e-2)
    config = {name: min(stage, stages - 1) for name, stage in STAGES.items()}
    parts = Pipeline(nn.WithLossCell(net, nn.CrossEntropyLoss()), 4, stage_config=config).set_train()
    step = AutoParallel(step_of(parts, optimizer), parallel_mode="semi_auto")
    step.pipeline(stages=stages, **options)
    return [step(Tensor(X), Tensor(Y))[0].item() for _ in range(3)]


@pytest.mark.parametrize("options", [{}, {"interleave": True}, {"scheduler": "gpipe"}])
def test_a_pipeline_in_which_every_rank_is_given_the_same_rows(options: dict[str, Any]) -> None:
    alone = run_threads(1, pipeline, 1)[0]
    for losses in run_threads(4, lambda: pipeline(2, **options)):
        np.testing.assert_allclose(losses, alone, rtol=1e-5)


def accumulation() -> list[float]:
    ms.set_seed(1)
    net = Net()
    optimizer = nn.SGD(net.trainable_params(), 1e-2)
    step = nn.TrainAccumulatedStepCell(GradAccumulation(nn.WithLossCell(net, nn.CrossEntropyLoss()), 4), optimizer)
    parallel = AutoParallel(step)
    parallel.hsdp(threshold=0)
    return [parallel(Tensor(X), Tensor(Y)).item() for _ in range(3)]


def test_accumulation_with_the_parallel_optimizer() -> None:
    alone = run_threads(1, accumulation)[0]
    for losses in run_threads(2, accumulation):
        np.testing.assert_allclose(losses, alone, rtol=1e-5)


def by_model(stages: int) -> Any:
    """Train by a Model, without a pipeline if ``stages`` is 0."""
    ms.set_seed(1)
    net = Net()
    optimizer, loss = nn.SGD(net.trainable_params(), 1e-2), nn.CrossEntropyLoss()
    model = train.Model(net, loss, optimizer)
    if stages:
        parallel = AutoParallel(Pipeline(nn.WithLossCell(net, loss), 4, stage_config=STAGES))
        parallel.pipeline(stages=stages)
        model = train.Model(parallel, optimizer=optimizer)
    rows = ds.NumpySlicesDataset({"data": X, "label": Y}, shuffle=False).batch(8)
    model.train(3, rows, dataset_sink_mode=False)
    return {p.name: full_tensor(p).asnumpy() for p in net.trainable_params()}


def test_a_model_trains_a_pipeline_by_the_mean_of_its_micro_batches() -> None:
    alone = run_threads(1, by_model, 0)[0]
    for weights in run_threads(4, by_model, 2):
        for name, whole in alone.items():
            np.testing.assert_allclose(weights[name], whole, rtol=1e-4, atol=1e-6, err_msg=name)


def test_gradients_are_scaled_down() -> None:
    reducer = PipelineGradReducer(Net().trainable_params(), scale_sense=4.0)
    assert reducer((Tensor([8.0, 2.0]),))[0].tolist() == [2.0, 0.5]


@pytest.mark.parametrize(("wrong", "kind"), [(0, ValueError), (-2, ValueError), (True, TypeError), (2.0, TypeError)])
def test_micro_batches_are_counted_from_1(wrong: Any, kind: type[Exception]) -> None:
    for make in (Pipeline, GradAccumulation, nn.MicroBatchInterleaved):
        with pytest.raises(kind, match=r"_size is|_num is"):
            make(Net(), wrong)


def test_a_stage_of_a_cell_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="stage_config names 'four'"):
        Pipeline(Net(), 4, stage_config={"four": 0})


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(TypeError, match="give a Cell"):
        Pipeline(len, 4)  # pyright: ignore[reportArgumentType]
