"""A pipeline trains as one device does: losses and weights, whatever the stages, cuts and micro-batches."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from simpar import nn
from tests.pipeline.nets import Chain, Make, Tied, one_device, trained

CASES = {
    "two stages": (2, (0, 1), (1, 1), 2, {}),
    "more micro-batches": (2, (0, 0, 1), (1, 1), 6, {}),
    "gpipe": (2, (0, 1, 1), (1, 1), 4, {"pipeline_config": {"pipeline_scheduler": "gpipe"}}),
    "four stages": (4, (0, 1, 2, 3), (1, 1), 4, {}),
    "data parallel": (4, (0, 1), (2, 1), 4, {}),
    "tensor parallel": (4, (0, 1), (1, 2), 4, {}),
    "both": (8, (0, 1), (2, 2), 2, {}),
    "three stages of two": (6, (0, 1, 2), (2, 1), 3, {}),
    "parallel optimizer": (
        8,
        (0, 1),
        (2, 2),
        4,
        {"enable_parallel_optimizer": True, "parallel_optimizer_config": {"parallel_optimizer_threshold": 0}},
    ),
    "interleaved": (2, (0, 1, 0, 1), (1, 1), 4, {"pipeline_config": {"pipeline_interleave": True}}),
    "interleaved gpipe": (
        4,
        (0, 1, 0, 1),
        (2, 1),
        4,
        {"pipeline_config": {"pipeline_interleave": True, "pipeline_scheduler": "gpipe"}},
    ),
    "nothing fused": (4, (0, 1), (2, 1), 4, {"comm_fusion": {"openstate": False}}),
}


def assert_equal(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-5)
    for name, whole in expected[1].items():
        np.testing.assert_allclose(got[1][name], whole, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_a_chain_of_blocks(case: str) -> None:
    n, stages, cut, micro, options = CASES[case]
    make: Make = partial(Chain, stages, cut)
    alone = partial(Chain, stages, (1, 1))
    got = trained(n, make, micro, pipeline_stages=max(stages) + 1, **options)
    assert_equal(got, one_device(alone))


@pytest.mark.parametrize(("n", "stages"), [(2, (0, 1)), (4, (0, 1, 1)), (6, (0, 1, 2))])
def test_a_parameter_that_several_stages_use(n: int, stages: tuple[int, ...]) -> None:
    make: Make = partial(Tied, stages)
    assert_equal(trained(n, make, 4, pipeline_stages=max(stages) + 1), one_device(make))


@pytest.mark.parametrize("n", [1, 4])
def test_gradient_accumulation(n: int) -> None:
    make: Make = partial(Chain, (0, 0), (n, 1))
    got = trained(n, make, 3 if n == 1 else 2, wrap=nn.GradAccumulationCell, device_num=n)
    assert_equal(got, one_device(partial(Chain, (0, 0))))


def test_micro_batches_interleaved_within_micro_batches_of_a_pipeline() -> None:
    def wrap(net: nn.Cell, micro: int) -> nn.Cell:
        return nn.PipelineCell(nn.MicroBatchInterleaved(net, 2), micro)

    make: Make = partial(Chain, (0, 1))
    losses, _ = trained(2, make, 4, wrap=wrap, pipeline_stages=2)
    np.testing.assert_allclose(np.array(losses) / 2, one_device_by_sums(make), rtol=1e-5)


def one_device_by_sums(make: Make) -> Any:
    """Return the losses of one device whose gradient is twice as large, as two parts of a micro-batch are added."""

    def wrap(net: nn.Cell, _: int) -> nn.Cell:
        return nn.MicroBatchInterleaved(net, 2)

    return np.array(trained(1, make, 1, wrap=wrap)[0]) / 2
