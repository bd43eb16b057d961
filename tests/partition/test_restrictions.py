"""Under MindSpore's names, cuts are refused that MindSpore's compiler refuses; simpar by itself takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar import Symbol, Tensor, nn, ops
from simpar.context import Context, entered, set_auto_parallel_context
from simpar.errors import StrategyError


class Applied(nn.Cell):
    """Applies an op to its inputs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


def compiled(function: Callable[..., Any], *inputs: Tensor, mindspore: bool = True, n: int = 8) -> None:
    with entered(Context(mindspore=mindspore)):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=n, dataset_strategy="full_batch")
        Applied(function).compile(*inputs)


def ones(*shape: int, dtype: Any = np.float32) -> Tensor:
    return Tensor(np.ones(shape, dtype))


ROWS = ops.ReLU().shard(((4, 1),))
CASES = {
    "an unknown length is cut": (ROWS, [Tensor(shape=[None, 8])], "only the divisor 1 is known"),
    "of an op behind another": (lambda x: ROWS(-x), [Tensor(shape=[Symbol(divisor=2), 8])], "only the divisor 2"),
    "three ranks of a server talk": (ops.MatMul().shard(((8, 1), (1, 1))), [ones(24, 24), ones(24, 24)], "3 in one"),
    "no strategy, and the first axis must be whole": (ops.Softmax(axis=0), [ones(16, 8)], "Give it a strategy"),
    "the axis that is picked from is cut": (
        lambda x, i: ops.GatherD().shard(((2, 1), (2, 1)))(x, 0, i),
        [ones(16, 8), ones(16, 8, dtype=np.int32)],
        "indices whole",
    ),
}


@pytest.mark.parametrize("about", CASES)
def test_what_mindspore_refuses_is_refused_under_its_names_alone(about: str) -> None:
    function, inputs, words = CASES[about]
    n = 24 if "server" in about else 8
    with pytest.raises(StrategyError, match=words):
        compiled(function, *inputs, n=n)
    compiled(function, *inputs, mindspore=False, n=n)


def test_a_cut_that_divides_the_divisor_of_a_symbol_is_taken() -> None:
    compiled(ROWS, Tensor(shape=[Symbol(divisor=4), 8]))


def test_servers_take_part_with_powers_of_two() -> None:
    compiled(ops.MatMul().shard(((3, 1), (1, 1))), ones(24, 24), ones(24, 24), n=24)
