"""In which pieces inputs arrive; what MindSpore 2.10 takes was measured on its compiler."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.context import Context, entered
from simpar.errors import StrategyError
from simpar.ops import operations as P


class Two(nn.Cell):
    def construct(self, x: Tensor, y: Any) -> Any:
        return ops.relu(x), ops.relu(y[0] if isinstance(y, list) else y)


class Queued(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.get_next = P.GetNext([ms.float32, ms.float32], [[16, 32], [64]], 2, "")

    def construct(self, x: Tensor, y: Tensor) -> Any:
        a, b = self.get_next()
        return ops.relu(a) + x, ops.relu(b), ops.relu(y)


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape, np.float32))


def full_shapes(net: nn.Cell, strategy: Any, *inputs: Any, mindspore: bool = True) -> dict[str, list[int]]:
    with entered(Context(mindspore=mindspore)):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy=strategy)
        net.compile(*inputs)
        return {name: held.full_shape for name, held in net.parameter_layout_dict.items()}


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (((8, 1),), "1 entries for 2 inputs"),
        (((8, 1), (8, 1), (8, 1)), "3 entries for 2 inputs"),
        (((2, 2), (2, 2)), "cuts an input on two axes"),
        (((2, 1), (4, 1)), "two inputs into unequal parts"),
        (((16, 1), (16, 1)), "does not divide the 8 devices"),
    ],
)
def test_what_mindspore_takes_no_dataset_in(strategy: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        full_shapes(Two(), strategy, ones(16, 32), ones(16, 32))


def test_each_input_is_whole_or_cut_into_as_many_parts_on_one_axis() -> None:
    assert full_shapes(Two(), ((1, 8), (8, 1)), ones(16, 4), ones(2, 4)) == {"x": [16, 32], "y": [16, 4]}
    assert full_shapes(Two(), ((1, 1), (8, 1)), ones(16, 4), ones(2, 4)) == {"x": [16, 4], "y": [16, 4]}


def test_simpar_itself_takes_any_cuts_that_the_devices_can_hold() -> None:
    made = full_shapes(Two(), ((2, 2), (4, 1)), ones(16, 4), ones(2, 4), mindspore=False)
    assert made == {"x": [32, 8], "y": [8, 4]}


def test_the_columns_of_a_queue_take_the_entries_as_the_arguments_do() -> None:
    assert full_shapes(Queued(), ((1, 8), (8,)), ones(16, 4), ones(4)) == {"x": [16, 32], "y": [32]}
    with pytest.raises(StrategyError, match="3 entries for 2 inputs"):
        full_shapes(Queued(), ((1, 8), (8,), (1, 8)), ones(16, 4), ones(4))


@pytest.mark.parametrize("strategy", ["data_parallel", ((8, 1),)])
def test_mindspore_takes_tensors_of_a_list_whole(strategy: Any) -> None:
    net = Two()
    full = full_shapes(net, strategy, ones(2, 4), [ones(2, 4)])
    assert full["x"] == [16, 4]
    plan = vars(net)["_simpar_plan"]
    assert [plan.values[v].shape for v in plan.arguments] == [(16, 4), (2, 4)]


def test_simpar_itself_takes_tensors_of_a_list_as_any_other() -> None:
    net = Two()
    full_shapes(net, "data_parallel", ones(2, 4), [ones(2, 4)], mindspore=False)
    plan = vars(net)["_simpar_plan"]
    assert [plan.values[v].shape for v in plan.arguments] == [(16, 4), (16, 4)]
