"""What an option or a method changes can be seen: in the layouts, in the plan, or in the numbers on ranks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, communication, nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.compile import compile_function
from simpar.context import Context, current, entered
from simpar.errors import SimparError
from simpar.parallel.auto_parallel import AutoParallel
from tests.pipeline.nets import Chain, X, Y


class Product(nn.Cell):
    """Multiplies by a weight of 16 x 8, and adds a bias that is not trained."""

    def __init__(self, *cuts: tuple[int, ...]) -> None:
        super().__init__()
        self.matmul = ops.MatMul()
        if cuts:
            self.matmul.shard(cuts)
        self.add = ops.Add()
        self.w = Parameter(Tensor(np.arange(128, dtype=np.float32).reshape(16, 8)), name="w")
        self.b = Parameter(Tensor(np.ones(8, np.float32)), name="b", requires_grad=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.add(self.matmul(x, self.w), self.b)


def options(**given: Any) -> None:
    ms.set_auto_parallel_context(
        **{"parallel_mode": "semi_auto_parallel", "device_num": 8, "dataset_strategy": "full_batch", **given}
    )


def planned(net: nn.Cell, rows: int = 16) -> Any:
    """Compile a net for imagined devices and return its plan."""
    return compile_function(net.construct, (Tensor(np.ones((rows, 16), np.float32)),), net).plan


# --- options ---


def test_the_devices_and_the_rank_that_are_compiled_for_are_those_of_the_context() -> None:
    options(device_num=4, global_rank=3)
    plan = planned(Product((2, 1), (1, 2)))
    assert (plan.device_num, plan.rank) == (4, 3)


@pytest.mark.parametrize("name", ["search_mode", "auto_parallel_search_mode"])
def test_the_search_propagates_where_it_is_told_so(name: str) -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.one = Product((2, 1), (1, 4))
            self.relu = ops.ReLU()
            self.scale = Parameter(Tensor(np.ones((16, 8), np.float32)), name="scale")

        def construct(self, x: Tensor) -> Tensor:
            return self.relu(self.one(x)) * self.scale

    options(parallel_mode="auto_parallel", **{name: "sharding_propagation"})
    net = Net()
    planned(net)
    assert net.parameter_layout_dict["scale"][:3] == ([2, 4], [1, 0], [8, 2])


@pytest.mark.parametrize(("given", "shape"), [("full_batch", [16, 16]), ("data_parallel", [16, 16])])
def test_a_dataset_strategy_says_which_part_of_an_input_is_given(given: str, shape: list[int]) -> None:
    options(dataset_strategy=given)
    net = Product()
    planned(net, 16)
    told = net.parameter_layout_dict["x"]
    assert told[2] == shape
    assert told[6] == ([16, 16] if given == "full_batch" else [128, 16])


def test_full_batch_is_the_older_name() -> None:
    options(full_batch=False)
    net = Product()
    planned(net)
    assert net.parameter_layout_dict["x"][6] == [128, 16]


def broadcast(wanted: bool) -> list[float]:
    ms.set_auto_parallel_context(parallel_mode="data_parallel", parameter_broadcast=wanted)
    net = Product()
    net.w.set_data(Tensor(np.full((16, 8), communication.get_rank(), np.float32)))
    compile_function(net.construct, (Tensor(np.ones((2, 16), np.float32)),), net)
    return [net.w.asnumpy().max().item(), net.w.asnumpy().min().item()]


def test_parameter_broadcast_gives_every_rank_those_of_rank_0() -> None:
    assert run_threads(2, broadcast, True) == [[0, 0], [0, 0]]
    assert run_threads(2, broadcast, False) == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("given", "group"),
    [
        ({"enable_parallel_optimizer": False}, 0),
        ({"enable_parallel_optimizer": True}, 4),
        ({"enable_parallel_optimizer": True, "optimizer_weight_shard_size": 2}, 2),
        ({"enable_parallel_optimizer": True, "parallel_optimizer_config": {"parallel_optimizer_threshold": 1}}, 0),
    ],
)
def test_the_parallel_optimizer_cuts_as_it_is_told(given: dict[str, Any], group: int) -> None:
    options(parallel_optimizer_config={"parallel_optimizer_threshold": 0})
    options(**given)
    net = Product((4, 1), (1, 2))
    planned(net)
    told = net.parameter_layout_dict["w"][5]
    assert int(told.split("-")[0] or 0) == group


def test_a_parameter_plan_says_how_parameters_are_stored() -> None:
    options()
    net = Product((2, 1), (1, 1))
    sharded = ms.shard(net, in_strategy=((1, 1),), parameter_plan={"self.w": (4, 1)})

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net

        def construct(self, x: Tensor) -> Tensor:
            return sharded(x)

    whole = Net()
    planned(whole)
    assert whole.parameter_layout_dict["inner.w"][1:3] == ([1, -1], [4, 8])


# --- AutoParallel ---


def wrapped(net: nn.Cell, mode: str = "semi_auto") -> AutoParallel:
    options()
    return AutoParallel(net, parallel_mode=mode)


def compiled(parts: AutoParallel) -> None:
    parts.compile(Tensor(np.ones((16, 16), np.float32)))


def test_hsdp_stores_slices() -> None:
    net = Product((4, 1), (1, 2))
    parts = wrapped(net)
    parts.hsdp(shard_size=2, threshold=0)
    compiled(parts)
    assert net.parameter_layout_dict["w"][5].startswith("2-")


def test_its_dataset_strategy_says_which_part_of_an_input_is_given() -> None:
    net = Product()
    parts = wrapped(net)
    parts.dataset_strategy("data_parallel")
    compiled(parts)
    assert net.parameter_layout_dict["x"][6] == [128, 16]


def test_strategies_that_were_saved_are_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "strategy.json")
    one, two = Product((4, 1), (1, 2)), Product()
    saving, loading = wrapped(one), wrapped(two)
    saving.save_param_strategy_file(path)
    compiled(saving)
    loading.load_param_strategy_file(path)
    compiled(loading)
    assert two.parameter_layout_dict["w"][:3] == ([4, 2], [-1, 0], [16, 4])


@pytest.mark.parametrize("every", [False, True])
def test_parameters_that_are_not_trained_are_in_the_file_if_wanted(tmp_path: Path, every: bool) -> None:
    path = tmp_path / "strategy.json"
    parts = wrapped(Product((4, 1), (1, 2)))
    parts.save_param_strategy_file(str(path))
    if every:
        parts.disable_strategy_file_only_for_trainable_params()
    compiled(parts)
    assert sorted(json.loads(path.read_text())["parallel_layout_item"]) == (["b", "w"] if every else ["w"])


def test_gradients_mean_is_enabled_for_the_network_alone() -> None:
    asked: list[bool] = []

    class Net(Product):
        def construct(self, x: Tensor) -> Tensor:
            asked.append(current().parallel.gradients_mean)
            return super().construct(x)

    parts = wrapped(Net())
    parts.enable_gradients_mean()
    compiled(parts)
    assert asked == [True]
    assert not current().parallel.gradients_mean


def test_fusion_is_set_for_the_network_alone() -> None:
    parts = wrapped(Product())
    parts.comm_fusion({"allreduce": {"mode": "size", "config": 3}})
    assert parts._options.comm_fusion["allreduce"]["config"] == 3  # pyright: ignore[reportPrivateUsage]
    assert current().parallel.comm_fusion["allreduce"]["mode"] == "auto"


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [
        ("disable_gradient_fp32_sync", "gradient_fp32_sync", False),
        ("enable_fp32_communication", "force_fp32_communication", True),
    ],
)
def test_the_type_of_sums_is_set_for_the_network_alone(method: str, option: str, value: bool) -> None:
    asked: list[bool] = []

    class Net(Product):
        def construct(self, x: Tensor) -> Tensor:
            asked.append(ms.get_auto_parallel_context(option))
            return super().construct(x)

    parts = wrapped(Net())
    getattr(parts, method)()
    compiled(parts)
    assert asked == [value]
    assert ms.get_auto_parallel_context(option) is not value


def test_stages_read_back() -> None:
    parts = wrapped(Product())
    parts.pipeline(stages=2, scheduler="gpipe")
    assert parts.get_pipeline_stages() == 2


# --- settings ---


def test_settings_of_the_search_read_back_and_are_reset() -> None:
    from mindspore.parallel import (  # pyright: ignore
        get_algo_parameters,
        reset_algo_parameters,
        set_algo_parameters,
    )

    set_algo_parameters(elementwise_op_strategy_follow=True)
    assert get_algo_parameters("elementwise_op_strategy_follow") is True
    reset_algo_parameters()
    assert get_algo_parameters("elementwise_op_strategy_follow") is False


def test_modes_have_names() -> None:
    from mindspore.context import ParallelMode  # pyright: ignore

    ms.set_auto_parallel_context(parallel_mode=ParallelMode.SEMI_AUTO_PARALLEL, device_num=8)
    assert ms.get_auto_parallel_context("parallel_mode") == "semi_auto_parallel"
    ms.reset_auto_parallel_context()
    assert ms.get_auto_parallel_context("device_num") == 1


# --- communication ---


def places() -> tuple[int, ...]:
    communication.create_group("pair", [1, 3])
    return (
        communication.get_local_rank(),
        communication.get_local_rank_size(),
        *communication.get_process_group_ranks("pair"),
    )


def test_ranks_of_one_machine_are_counted_there_and_groups_list_theirs() -> None:
    assert run_threads(4, places) == [(rank, 4, 1, 3) for rank in range(4)]


# --- Parameters ---


def test_a_parameter_may_stay_out_of_the_parallel_optimizer() -> None:
    options(enable_parallel_optimizer=True, parallel_optimizer_config={"parallel_optimizer_threshold": 0})
    net = Product((4, 1), (1, 2))
    net.w.parallel_optimizer = False
    planned(net)
    assert not net.parameter_layout_dict["w"][5]


@pytest.mark.parametrize("again", [False, True])
def test_a_parameter_may_be_gathered_again_for_the_backward_pass(again: bool) -> None:
    options(enable_parallel_optimizer=True, parallel_optimizer_config={"parallel_optimizer_threshold": 0})
    net = Product((8, 1), (1, 1))
    net.w.parallel_optimizer_comm_recompute = again
    both = ms.value_and_grad(lambda given: net(given).square().sum(), 0, net.trainable_params())
    plan = compile_function(lambda x: both(x), (Tensor(np.ones((16, 16), np.float32)),)).plan
    gathers = [c for c in plan.collectives if c.kind == "all_gather" and "w" in c.parameters]
    assert len(gathers) == (2 if again else 1)


def test_a_fusion_number_keeps_gradients_in_messages_of_their_own() -> None:
    def messages(second: int) -> int:
        with entered(Context()):
            options()
            one, two = Product((8, 1), (1, 1)), Product((8, 1), (1, 1))
            one.w.name, two.w.name, one.b.name, two.b.name = "w1", "w2", "b1", "b2"
            two.w.comm_fusion = second
            weights = ms.ParameterTuple([one.w, two.w])
            gradients = ms.grad(lambda x: (one(x) * two(x)).sum(), None, weights)
            plan = compile_function(lambda x: gradients(x), (Tensor(np.ones((16, 16), np.float32)),)).plan
            return sum(1 for i in plan.instructions if i.collective is not None)

    assert (messages(1), messages(2)) == (1, 2)


def test_a_parameter_that_is_not_trained_has_no_gradient() -> None:
    net = Product()
    assert [p.name for p in net.trainable_params()] == ["w"]
    net.b.requires_grad = True
    assert [p.name for p in net.trainable_params()] == ["w", "b"]


def test_a_slice_says_that_it_is_one() -> None:
    options(global_rank=5)
    whole = Parameter(initializer("normal", (16, 8), ms.float32), name="w")
    whole.init_data(([4, 2], [1, 0], [4, 4], 0, True, ""), set_sliced=True)
    assert whole.sliced
    assert whole.shape == (4, 4)


def test_a_stage_has_several_parts_if_it_may() -> None:
    def compiled_with(segments: int) -> int:
        with entered(Context()):
            options(device_num=2, pipeline_stages=2, pipeline_segments=segments)
            net = nn.PipelineCell(nn.WithLossCell(Chain((0, 1, 0, 1)), nn.MSELoss()), 2)
            plan = compile_function(net.construct, (Tensor(X), Tensor(Y)), net).plan
            return sum(1 for p in plan.parameters if p.spec.name.endswith("w"))

    with pytest.raises(SimparError, match="stage"):
        compiled_with(1)
    assert compiled_with(2) == 2


def test_mint_functions_compute() -> None:
    from mindspore import mint  # pyright: ignore

    made = mint.nn.functional.linear(Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0], [5.0, 6.0]]), Tensor([1.0, 1.0]))
    assert made.tolist() == [[12.0, 18.0]]
