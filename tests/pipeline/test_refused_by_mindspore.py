"""What only MindSpore's compiler refuses of stages and micro-batches, and what its scripts say that changes nothing."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn
from simpar.context import Context, entered
from simpar.errors import DTypeError, StrategyError
from simpar.parallel.auto_parallel import AutoParallel
from tests.pipeline.nets import Chain, X, Y


def compiled(cell: nn.Cell, *given: Any, stages: int = 1) -> nn.Cell:
    """Compile for devices that nobody has, under MindSpore's names."""
    with entered(Context(mindspore=True)):
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel", device_num=4, global_rank=0, full_batch=True, pipeline_stages=stages
        )
        cell.compile(*given)
    return cell


def training(net: nn.Cell) -> nn.Cell:
    return nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.1)).set_train()


def test_stages_that_train_have_micro_batches() -> None:
    net = nn.WithLossCell(Chain((0, 1)), nn.MSELoss())
    with pytest.raises(StrategyError, match=r"pipeline_stages is 2.*nn\.PipelineCell\(network, 2\)"):
        compiled(training(net), Tensor(X), Tensor(Y), stages=2)
    compiled(training(nn.PipelineCell(net, 2)), Tensor(X), Tensor(Y), stages=2)


def test_an_accumulation_without_gradients_is_refused() -> None:
    net = nn.GradAccumulationCell(nn.WithLossCell(Chain((0, 0)), nn.MSELoss()), 2)
    with pytest.raises(StrategyError, match="without gradients to accumulate"):
        compiled(net, Tensor(X), Tensor(Y))
    compiled(training(net), Tensor(X), Tensor(Y))


def test_the_batch_is_that_of_the_part_with_options_of_its_own() -> None:
    parallel = AutoParallel(nn.WithLossCell(Chain((0, 0)), nn.MSELoss()))
    parallel.dataset_strategy("full_batch")
    with entered(Context(mindspore=True)):
        ms.set_auto_parallel_context(parallel_mode="stand_alone", full_batch=True, device_num=4, global_rank=0)
        training(parallel).compile(Tensor(X), Tensor(Y))


def test_stages_of_a_parameter_may_be_named() -> None:
    shared = Parameter(Tensor(np.ones(2, np.float32)), name="shared")
    shared.add_pipeline_stage(1)
    with pytest.raises(DTypeError, match="whole number from 0 on"):
        shared.add_pipeline_stage(-1)


def test_a_cell_that_wraps_another_takes_over_the_options_of_its_compiler() -> None:
    inner, outer = nn.Cell(), nn.Cell()
    inner.set_jit_config("O1")
    outer._get_attr_from_cell(inner)  # pyright: ignore[reportPrivateUsage]
    assert outer.get_flags()["jit_config"] == "O1"


def test_each_part_of_a_batch_has_a_cell() -> None:
    cell = nn.PipelineCell(nn.Cell(), 4)
    for part in cell.micro_inputs:
        part.strided_slice.add_prim_attr("out_shard_size", 2)
    assert [part.micro_size for part in cell.micro_inputs] == [4] * 4
