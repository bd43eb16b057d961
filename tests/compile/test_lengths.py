"""Inputs of unknown length are planned for a length that the ops agree with."""

from collections.abc import Iterator

import numpy as np
import pytest

from simpar import Parameter, Symbol, Tensor, nn, ops
from simpar.compile import compile_function
from simpar.context import Context, entered, set_auto_parallel_context
from simpar.errors import RuleError


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with entered(Context()):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
        yield


class Sum(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones((24, 8), np.float32)))
        self.add = ops.Add().shard(((4, 2), (4, 2)))

    def construct(self, x: Tensor) -> Tensor:
        return self.add(x, self.w)


@pytest.mark.parametrize("length", [None, Symbol(divisor=8), Symbol(max=30)])
def test_an_unknown_length_becomes_that_of_a_parameter(length: object) -> None:
    net = Sum()
    program = compile_function(net.construct, (Tensor(shape=[length, 8]),), net)  # pyright: ignore
    assert program.plan.values[program.plan.outputs[0]].shape == (24, 8)
    assert net.parameter_layout_dict["x"][6] == [-1, 8]


def test_a_length_that_the_symbol_excludes_is_not_tried() -> None:
    with pytest.raises(RuleError, match="do not broadcast"):
        Sum().compile(Tensor(shape=[Symbol(divisor=5), 8]))
