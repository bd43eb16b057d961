"""Under MindSpore's names, cuts are refused that MindSpore's compiler refuses; simpar by itself takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Symbol, Tensor, nn, ops
from simpar.context import Context, entered, set_auto_parallel_context
from simpar.errors import ModeError, StrategyError, WorldError
from simpar.parallel import Layout


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
    "two device axes cut beside an unknown length": (
        ops.ReLU().shard((Layout((2, 4), ("a", "b"))("None", ("a", "b")),)),
        [Tensor(shape=[None, 8])],
        "several device axes",
    ),
    "images of an unknown number of columns are resized": (
        lambda x: ops.ResizeNearestNeighbor((16, 16)).shard(((2, 1, 1, 1),))(x),
        [Tensor(shape=[4, 2, 8, None])],
        "whose rows or columns",
    ),
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


def test_without_a_strategy_a_length_is_cut_by_what_is_sure_to_divide_it() -> None:
    with entered(Context(mindspore=True)):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
        net = Applied(lambda x, w: x * w)
        net.compile(Tensor(shape=[Symbol(divisor=2), 8]), Parameter(ones(8, 8), name="w"))
        assert net.parameter_layout_dict["w"][2] == [4, 8]


def test_servers_take_part_with_powers_of_two() -> None:
    compiled(ops.MatMul().shard(((3, 1), (1, 1))), ones(24, 24), ones(24, 24), n=24)


class Twice(nn.Cell):
    """Takes a Parameter in two layouts; the second op is linear, so that its gradient does without it."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones((16, 16), np.float32)), name="w")
        self.relu, self.matmul = ops.ReLU().shard(((1, 1),)), ops.MatMul().shard(((1, 1), (1, 8)))

    def construct(self, x: Tensor) -> Tensor:
        return self.matmul(x + self.relu(self.w), self.w)


def test_a_parameter_is_taken_in_one_layout_also_by_ops_that_nothing_needs() -> None:
    net = Twice()
    gradient = ms.grad(lambda x: net(x).sum())
    compiled(gradient, ones(16, 16), mindspore=False)
    with pytest.raises(StrategyError, match="one layout for all ops"):
        compiled(gradient, ones(16, 16))


def test_full_batch_makes_no_sense_where_ranks_have_batches_of_their_own() -> None:
    with entered(Context(mindspore=True)):
        set_auto_parallel_context(parallel_mode="data_parallel", full_batch=True)
        with pytest.raises(ModeError, match="full_batch is set"):
            Applied(ROWS).compile(ones(8, 8))


@pytest.mark.parametrize(
    ("mode", "n", "kind", "error"),
    [
        ("stand_alone", 1, nn.Lamb, ModeError),
        ("data_parallel", 1, nn.Adam, ModeError),
        ("data_parallel", 16, nn.Lamb, WorldError),
    ],
)
def test_the_parallel_optimizer_of_data_parallel_mode_is_for_few(mode: str, n: int, kind: Any, error: Any) -> None:
    with entered(Context(mindspore=True)):
        set_auto_parallel_context(enable_parallel_optimizer=True, parallel_mode=mode, device_num=n)
        with pytest.raises(error):
            kind(Twice().trainable_params(), 0.1)


@pytest.mark.parametrize(("size", "cuts", "words"), [(10, ((8, 1),), "power of 2"), (4, ((2, 4),), "other axes")])
def test_group_size_of_a_batch_norm_is_checked(size: int, cuts: Any, words: str) -> None:
    vectors = ((cuts[0][1],),) * 4
    norm = ops.BatchNorm(is_training=True).shard((*cuts, *vectors)).add_prim_attr("group_size", size)
    with pytest.raises(RuntimeError, match=words):
        compiled(norm, ones(16, 8), *[ones(8)] * 4, mindspore=False)


def test_a_table_that_has_its_values_is_cut_by_field_under_simpars_names_alone() -> None:
    gather = ops.Gather().shard(((2, 1), (1, 2)))
    gather.add_prim_attr("manual_split", (4, 4))
    table = Parameter(Tensor(np.ones((8, 8), np.float32)), name="table")
    ids = ones(4, 2, dtype=np.int32)
    with pytest.raises(
        StrategyError, match=r"in `compiled\(lambda i: gather.*: the table is .* has its values already"
    ):
        compiled(lambda i: gather(table, i, 0), ids, n=2)
    compiled(lambda i: gather(table, i, 0), ids, mindspore=False, n=2)
