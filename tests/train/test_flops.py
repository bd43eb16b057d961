"""Operations of a step, by hand and by ``FlopsUtilizationCollector``."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops, train
from simpar import dataset as ds
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.errors import ContextError, DTypeError, ModeError
from simpar.train.flops import Flops, flops_of


class Product(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.matmul = ops.MatMul().shard(((2, 2), (2, 2)))

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        return self.matmul(x, y).sum()


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape, np.float32))


def both_gradients(function: Any, *args: Tensor) -> Flops:
    positions = tuple(range(len(args)))
    return flops_of(compile_function(ms.value_and_grad(function, positions), args).plan)


def test_a_product_and_its_gradients_full_and_of_a_rank() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, device_num=8)
    full, shard = 2 * 128 * 32 * 128 * 3, 2 * 64 * 16 * 64 * 3
    assert both_gradients(Product(), ones(128, 32), ones(32, 128)) == Flops(full, full, shard, shard)


def test_a_convolution_and_its_gradients() -> None:
    made = both_gradients(lambda x, w: ops.conv2d(x, w).sum(), ones(2, 4, 6, 6), ones(8, 4, 3, 3))
    assert made.full_model == 3 * 2 * (2 * 8 * 4 * 4) * (4 * 3 * 3)


def test_what_is_computed_again_counts_for_the_hardware_only() -> None:
    net = nn.SequentialCell(nn.Dense(8, 16, has_bias=False), nn.Tanh(), nn.Dense(16, 8, has_bias=False), nn.Tanh())
    net.recompute()
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1))
    made = flops_of(compile_function(step.construct, (ones(4, 8), ones(4, 8)), step).plan)
    product = 2 * 4 * 8 * 16
    assert made.full_model == 5 * product  # two forward, two for weights, one for what is between
    assert made.full_hardware == 6 * product  # the result of the second is handed on, so the first alone is needed


def trained(stages: int) -> Flops | None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages)
    net = nn.SequentialCell(nn.Dense(8, 16), nn.Dense(16, 8))
    net[0].pipeline_stage, net[1].pipeline_stage = 0, stages - 1
    network = nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), 2)
    collector = train.FlopsUtilizationCollector(2, computility=1e9)
    x = np.ones((8, 8), np.float32)
    rows = ds.NumpySlicesDataset({"x": x, "y": x}, shuffle=False).batch(8)
    model = train.Model(network, optimizer=nn.SGD(net.trainable_params(), 0.1))
    model.train(2, rows, callbacks=[collector], dataset_sink_mode=False)
    return collector.flops


def test_full_operations_are_those_of_all_stages(capsys: pytest.CaptureFixture[str]) -> None:
    (alone,) = run_threads(1, trained, 1)
    first, second = run_threads(2, trained, 2)
    assert alone is not None
    assert first is not None
    assert second is not None
    assert first.full_model == second.full_model == alone.full_model == 5 * 2 * 8 * 8 * 16
    assert first.shard_model + second.shard_model == alone.shard_model
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(f"Full model flops is {alone.full_model}, Full hardware") for line in lines) == 3
    assert sum("mfu:" in line and "hfu:" in line for line in lines) == 3


def test_a_network_that_runs_op_by_op_is_refused() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    x = np.ones((4, 8), np.float32)
    rows = ds.NumpySlicesDataset({"x": x, "y": x}, shuffle=False).batch(4)
    model = train.Model(nn.Dense(8, 8), nn.MSELoss(), nn.SGD([ms.Parameter(1.0, name="w")], 0.1), metrics={"loss"})
    with pytest.raises(ModeError, match="GRAPH_MODE"):
        model.eval(rows, callbacks=[train.FlopsUtilizationCollector(1)], dataset_sink_mode=False)


@pytest.mark.parametrize(
    ("size", "full", "kind"), [(0, True, ContextError), (1.5, True, DTypeError), (1, 1, DTypeError)]
)
def test_settings_are_checked(size: Any, full: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="is"):
        train.FlopsUtilizationCollector(size, full_flops=full)
