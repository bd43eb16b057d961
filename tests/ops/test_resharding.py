"""``reshard`` lays a value out as it is told."""

import numpy as np
import pytest

from simpar import Layout, Tensor, nn, ops, reshard
from simpar.context import Context, entered, set_auto_parallel_context
from simpar.mindspore.answers import plan_of


class Net(nn.Cell):
    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(reshard(x, Layout((2, 4), ("dp", "mp"))("mp", "dp")))


def test_a_value_is_in_the_layout_from_there_on() -> None:
    with entered(Context()):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
        net = Net()
        net.compile(Tensor(np.ones((8, 8), np.float32)))
        kept = next(i for i in plan_of(net).instructions if i.op == "identity")
        assert plan_of(net).values[kept.outputs[0]].layout.cuts == (4, 2)


def test_what_is_no_layout_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Reshard only support type mindspore.parallel.Layout, not \(\(2, 1\),\)"):
        reshard(Tensor([1.0]), ((2, 1),))
