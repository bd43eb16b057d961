"""The private names that parallel scripts use: the executor, the context as an object, settings."""

from typing import Any

import numpy as np
import pytest

from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.common import Symbol
from simpar.communication import get_rank, init
from simpar.context import current, set_auto_parallel_context
from simpar.errors import ContextError, DTypeError, NotYetError, ParameterError


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


def test_strategies_are_answered_under_mindspores_names() -> None:
    from mindspore.common.api import _cell_graph_executor  # pyright: ignore

    set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
    net = Net().set_train()
    phase, _ = _cell_graph_executor.compile(net, Tensor(np.ones((64, 16), np.float32)), phase="train")
    expected = {"Default/_VirtualDataset-op0": [[1, 1]], "Default/MatMul-op0": [[4, 1], [1, 2]]}
    assert _cell_graph_executor._get_shard_strategy(net) == expected
    assert _cell_graph_executor._graph_executor.get_strategy(phase) == expected
    with_output = expected | {"Default/_VirtualOutput-op0": [[1, 1]]}
    assert _cell_graph_executor._get_shard_strategy(net.set_train(False)) == with_output


def test_a_graph_of_mindspores_own_nodes_is_refused_when_it_is_read() -> None:
    from mindspore.common.api import _cell_graph_executor  # pyright: ignore

    info = _cell_graph_executor._graph_executor.get_parallel_graph_info("train.0")
    with pytest.raises(NotYetError, match=r"MindSpore's C\+\+ compiler prints it"):
        info["@graph_0"]


@pytest.mark.parametrize(
    ("dev_mat", "axis", "rank", "ranks"), [([2, 2], 1, 3, [2, 3]), ([2, 2], 0, 3, [0, 1, 2, 3]), ([3, 2], 1, 2, [2, 3])]
)
def test_only_a_cut_by_the_major_device_axis_parts_blocks_of_ranks(
    dev_mat: Any, axis: int, rank: int, ranks: Any
) -> None:
    from mindspore.parallel._parallel_serialization import (  # pyright: ignore
        _get_param_list_when_first_dim_sharded as ranks_of,  # pyright: ignore
    )

    assert ranks_of(dev_mat, axis, rank) == ranks


def test_slices_are_cut_out_of_a_whole_and_put_together_again() -> None:
    from mindspore.parallel._tensor import _load_tensor, _reshape_param_data  # pyright: ignore

    whole = Tensor(np.arange(8.0, dtype=np.float32).reshape(2, 4))
    set_auto_parallel_context(global_rank=3, device_num=4)
    assert _load_tensor(whole, [2, 2], [1, 0]).tolist() == [[6.0, 7.0]]
    slices = Tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    assert _reshape_param_data(slices, [2, 2], [1, 0]).tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("train", "predict", "ranks", "as_it_is"),
    [
        (([2, 2], [-1, 0]), None, [0, 1], False),
        (([2, 2], [-1, 0]), ([2], [-1, 0]), [0], True),
        (([4], [-1, -1]), ([2], [-1, 0]), [0], False),
    ],
)
def test_whose_files_a_rank_needs(train: object, predict: object, ranks: list[int], as_it_is: bool) -> None:
    from mindspore.parallel._utils import _infer_rank_list  # pyright: ignore

    made = _infer_rank_list({"w": train}, predict and {"w": predict})
    assert made == {"w": (ranks, as_it_is)}


def test_sizes_of_offloading_are_read_in_bytes() -> None:
    from mindspore.context import get_offload_context, set_offload_context  # pyright: ignore

    set_offload_context({"aio_block_size": "0.5GB", "offload_param": "CPU"})
    assert get_offload_context()["aio_block_size"] == 2**29
    assert get_offload_context()["offload_param"] == "cpu"
    with pytest.raises(ContextError, match="give a size in GB"):
        set_offload_context({"offload_disk_size": "1"})


class Wrapped(nn.Cell):
    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def test_cells_that_mark_datasets_pass_on_their_inputs() -> None:
    from mindspore.nn.wrap.cell_wrapper import _MicroBatch, _VirtualDatasetCell  # pyright: ignore
    from mindspore.ops.operations.comm_ops import _VirtualDataset  # pyright: ignore

    x, y = Tensor([[1.0], [2.0]]), Tensor([[3.0], [4.0]])
    assert _VirtualDatasetCell(Wrapped())(x, y).tolist() == [[4.0], [6.0]]
    assert [t.tolist() for t in _VirtualDataset().shard(((2, 1),))(x, y)] == [x.tolist(), y.tolist()]
    assert [t.tolist() for t in _MicroBatch(2)(1, x, y)] == [[[2.0]], [[4.0]]]


def test_a_cell_that_skips_the_parallel_compiler_runs_on_each_rank_alone() -> None:
    def run() -> Any:
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy="full_batch")
        init()
        mine = Tensor(np.full((2, 2), get_rank(), np.float32))
        from mindspore.nn.wrap.cell_wrapper import _BroadCastCell  # pyright: ignore

        return _BroadCastCell([mine])()[0].asnumpy().tolist()

    assert run_threads(2, run) == [[[0, 0], [0, 0]]] * 2
