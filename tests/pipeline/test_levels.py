"""What the levels of the parallel optimizer cut while gradients add up over micro-batches, in bytes of a rank."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from simpar import Parameter, ParameterTuple, Tensor, nn, ops
from simpar.common.initializer import initializer
from simpar.execute import foresee_memory
from simpar.partition import Plan
from tests.compile.planning import plans_of, semi_auto
from tests.pipeline.nets import Chain, one_device, trained

N, MICRO, LAYERS, WIDTH = 4, 4, 6, 64
WEIGHT = WIDTH * WIDTH * 4
ROWS = np.ones((16, WIDTH), np.float32)


class Products(nn.Cell):
    """Products with weights of 16 KB, over which a batch of 16 rows costs little; its rows are cut in four."""

    def __init__(self) -> None:
        super().__init__()
        shape = (WIDTH, WIDTH)
        self.weights = ParameterTuple(Parameter(initializer("normal", shape), name=f"w{n}") for n in range(LAYERS))
        self.product = ops.MatMul().shard(((N, 1), (1, 1)))

    def construct(self, x: Tensor) -> Tensor:
        for w in self.weights:
            x = ops.tanh(self.product(x, w))
        return x


def build() -> Any:
    net = Products()
    loss = nn.GradAccumulationCell(nn.WithLossCell(net, nn.MSELoss()), MICRO)
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    return nn.TrainOneStepCell(loss, optimizer), [Tensor(ROWS), Tensor(ROWS)]


def zero(**options: Any) -> dict[str, Any]:
    config = {"parallel_optimizer_threshold": 0, **options}
    return {"enable_parallel_optimizer": True, "parallel_optimizer_config": config}


def plan_at(**options: Any) -> Plan:
    return plans_of(build, **semi_auto(N, **zero(**options)))[0]


def volume(plan: Plan, kind: str) -> int:
    return sum(c.volume_bytes for c in plan.collectives if c.kind == kind)


def test_every_level_stores_a_part_of_weights_and_states() -> None:
    for level in ("level1", "level2", "level3"):
        memory = foresee_memory(plan_at(optimizer_level=level))
        assert memory.parameter_bytes == LAYERS * WEIGHT // N + 4 + 4, "with the rate and the number of the step"
        assert memory.optimizer_bytes == LAYERS * WEIGHT // N


@pytest.mark.parametrize("options", [{"optimizer_level": "level2"}, {"gradient_accumulation_shard": True}])
def test_level_2_keeps_a_part_of_each_total_from_one_micro_batch_to_the_next(options: dict[str, Any]) -> None:
    saved = foresee_memory(plan_at()).arena_bytes - foresee_memory(plan_at(**options)).arena_bytes
    assert saved >= (LAYERS - 2) * (WEIGHT - WEIGHT // N)  # but for the layers that are at work


def test_level_2_scatters_the_gradients_of_every_micro_batch() -> None:
    one, two = plan_at(), plan_at(optimizer_level="level2")
    assert volume(two, "reduce_scatter") == MICRO * volume(one, "reduce_scatter")
    causes = {c.cause for c in two.collectives if c.kind == "reduce_scatter"}
    assert causes == {f"gradient of w{n} in micro-batch {m}" for n in range(LAYERS) for m in range(MICRO)}


def test_level_3_gathers_weights_again_and_keeps_none() -> None:
    two, three = plan_at(optimizer_level="level2"), plan_at(optimizer_level="level3")
    assert volume(three, "all_gather") > volume(two, "all_gather") == volume(plan_at(), "all_gather")
    saved = foresee_memory(two).arena_bytes - foresee_memory(three).arena_bytes
    assert saved >= (LAYERS - 2) * WEIGHT


CASES = {
    "level 2": (4, (0, 0), (4, 1), {}),
    "shards of two": (4, (0, 0), (4, 1), {"optimizer_weight_shard_size": 2}),
    "a pipeline": (8, (0, 1), (2, 2), {}),
    "level 3": (4, (0, 0), (2, 2), {"optimizer_level": "level3"}),
}


@pytest.mark.parametrize("case", CASES)
def test_losses_and_weights_are_those_of_one_device(case: str) -> None:
    n, stages, cut, options = CASES[case]
    wrap = nn.PipelineCell if max(stages) else nn.GradAccumulationCell
    settings = {"pipeline_stages": max(stages) + 1, **zero(**{"optimizer_level": "level2", **options})}
    losses, weights = trained(n, partial(Chain, stages, cut), 2, wrap=wrap, **settings)
    expected = one_device(partial(Chain, stages))
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    for name, whole in expected[1].items():
        np.testing.assert_allclose(weights[name], whole, rtol=1e-4, atol=1e-6, err_msg=name)
