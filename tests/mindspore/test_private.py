"""The private names that parallel scripts use: the executor, the context as an object, settings."""

import numpy as np
import pytest

from simpar import Parameter, Tensor, nn, ops
from simpar.common import Symbol
from simpar.context import current, set_auto_parallel_context
from simpar.errors import ContextError, DTypeError, ParameterError


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.matmul = ops.MatMul().shard(((4, 1), (1, 2)))
        self.w = Parameter(Tensor(np.ones((16, 8), np.float32)), name="w")

    def construct(self, x: Tensor) -> Tensor:
        return self.matmul(x, self.w)


def test_the_executor_compiles_for_devices_that_do_not_exist() -> None:
    from mindspore.common.api import _cell_graph_executor  # pyright: ignore

    set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, global_rank=3)
    net = Net()
    phase, done = _cell_graph_executor.compile(net, Tensor(np.ones((64, 16), np.float32)), phase="train")
    assert done
    assert phase.startswith("train")
    assert "w" in net.parameter_layout_dict
    assert current().planner is None


def test_the_parallel_context_as_an_object_reads_and_writes_options() -> None:
    from mindspore.parallel._auto_parallel_context import auto_parallel_context  # pyright: ignore

    set_auto_parallel_context(device_num=4)
    auto_parallel_context().set_global_rank(3)
    assert auto_parallel_context().get_device_num() == 4
    assert current().parallel.global_rank == 3
    assert auto_parallel_context().get_device_num_is_set()
    assert auto_parallel_context().get_enable_all_reduce_fusion()
    auto_parallel_context().reset()
    assert not auto_parallel_context().get_device_num_is_set()


def test_settings_of_the_cost_model_read_back_and_reset() -> None:
    from mindspore.parallel import _cost_model_context as cost  # pyright: ignore

    cost.set_cost_model_context(costmodel_beta=60.0)
    assert cost.get_cost_model_context("costmodel_beta") == 60.0
    cost.reset_cost_model_context()
    assert cost.get_cost_model_context("costmodel_beta") == 400.0
    with pytest.raises(ContextError, match="no setting of the cost model"):
        cost.set_cost_model_context(nothing=1)


@pytest.mark.parametrize(
    ("setting", "error"),
    [({"tensor_slice_align_size": 0}, ContextError), ({"fully_use_devices": 1}, DTypeError), ({"x": 1}, ContextError)],
)
def test_settings_of_the_search_are_checked(setting: dict[str, object], error: type[Exception]) -> None:
    from mindspore.parallel import set_algo_parameters  # pyright: ignore

    with pytest.raises(error):
        set_algo_parameters(**setting)


@pytest.mark.parametrize(
    ("symbol", "length"),
    [
        (Symbol(), 64),
        (Symbol(divisor=24), 72),
        (Symbol(divisor=16, remainder=1), 65),
        (Symbol(max=30, divisor=8), 24),
        (Symbol(min=100, divisor=8), 104),
    ],
)
def test_a_symbol_is_planned_as_a_length_that_fits(symbol: Symbol, length: int) -> None:
    assert symbol.length == length
    assert Tensor(shape=[symbol, 16]).shape == (length, 16)


def test_a_symbol_that_no_length_fits_is_refused() -> None:
    with pytest.raises(ParameterError, match="max is below min"):
        Symbol(max=2, min=3)
    with pytest.raises(DTypeError, match="whole number"):
        Symbol(divisor=2.0)  # pyright: ignore


def test_a_tensor_without_data_has_a_shape() -> None:
    made = Tensor(shape=[None, 16])
    assert made.shape[1] == 16
    with pytest.raises(DTypeError, match="has none yet"):
        made.asnumpy()
