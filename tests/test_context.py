"""The setters of options take, refuse and read back what MindSpore's do."""

import threading
from typing import Any

import numpy as np
import pytest

from simpar.context import (
    GRAPH_MODE,
    PYNATIVE_MODE,
    Context,
    ParallelMode,
    current,
    entered,
    get_auto_parallel_context,
    get_context,
    get_ps_context,
    get_seed,
    reset_auto_parallel_context,
    reset_ps_context,
    set_auto_parallel_context,
    set_context,
    set_ps_context,
    set_seed,
)

AUTO = {"mode": "auto", "config": None}
DEFAULTS: dict[str, Any] = {
    "device_num": 1,
    "global_rank": 0,
    "parallel_mode": "stand_alone",
    "gradients_mean": False,
    "gradient_fp32_sync": True,
    "force_fp32_communication": False,
    "parameter_broadcast": False,
    "full_batch": False,
    "dataset_strategy": "data_parallel",
    "enable_parallel_optimizer": False,
    "pipeline_stages": 1,
    "search_mode": "recursive_programming",
    "auto_parallel_search_mode": "recursive_programming",
    "loss_repeated_mean": True,
    "strategy_ckpt_load_file": "",
    "strategy_ckpt_save_file": "",
    "all_reduce_fusion_config": [],
    "comm_fusion": {"openstate": True, "allreduce": AUTO, "allgather": AUTO, "reducescatter": AUTO},
}
CHANGES: dict[str, Any] = {
    "device_num": 8,
    "global_rank": 4095,
    "parallel_mode": "semi_auto_parallel",
    "gradients_mean": True,
    "gradient_fp32_sync": False,
    "force_fp32_communication": True,
    "parameter_broadcast": True,
    "full_batch": True,
    "dataset_strategy": ((4, 1), (4,)),
    "enable_parallel_optimizer": True,
    "pipeline_stages": 2,
    "search_mode": "sharding_propagation",
    "auto_parallel_search_mode": "dynamic_programming",
    "loss_repeated_mean": False,
    "strategy_ckpt_load_file": "in.ckpt",
    "strategy_ckpt_save_file": "out.ckpt",
    "all_reduce_fusion_config": [2, 5],
    "comm_fusion": {
        "openstate": False,
        "allreduce": {"mode": "index", "config": [1, 3]},
        "allgather": {"mode": "size", "config": 32},
        "reducescatter": {"mode": "size", "config": 0},
    },
}


class TestAutoParallelContext:
    @pytest.mark.parametrize("name", DEFAULTS)
    def test_option_has_the_default_of_mindspore(self, name: str) -> None:
        assert get_auto_parallel_context(name) == DEFAULTS[name]

    @pytest.mark.parametrize("name", CHANGES)
    def test_option_reads_back_and_resets(self, name: str) -> None:
        set_auto_parallel_context(**{name: CHANGES[name]})
        assert get_auto_parallel_context(name) == CHANGES[name]
        reset_auto_parallel_context()
        assert get_auto_parallel_context(name) == DEFAULTS[name]

    @pytest.mark.parametrize("mode", ParallelMode.MODE_LIST)
    def test_every_parallel_mode_can_be_set(self, mode: str) -> None:
        set_auto_parallel_context(parallel_mode=mode)
        assert current().parallel.parallel_mode == mode

    def test_what_is_not_named_stays(self) -> None:
        set_auto_parallel_context(device_num=8)
        set_auto_parallel_context(global_rank=3)
        assert (get_auto_parallel_context("device_num"), get_auto_parallel_context("global_rank")) == (8, 3)

    def test_nothing_changes_when_one_of_the_options_is_wrong(self) -> None:
        with pytest.raises(ValueError):
            set_auto_parallel_context(device_num=8, global_rank=-1)
        assert get_auto_parallel_context("device_num") == 1

    def test_unknown_option_is_named_with_those_there_are(self) -> None:
        with pytest.raises(ValueError, match=r"'device_number' is no option .*; choose one of .* device_num,"):
            set_auto_parallel_context(device_number=8)
        with pytest.raises(ValueError, match="'device_number' is no option"):
            get_auto_parallel_context("device_number")

    def test_options_are_given_by_name(self) -> None:
        with pytest.raises(TypeError):
            set_auto_parallel_context(8)  # pyright: ignore[reportCallIssue]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("device_num", "8"),
            ("device_num", True),
            ("device_num", 8.0),
            ("global_rank", None),
            ("gradients_mean", 1),
            ("full_batch", "yes"),
            ("parallel_mode", 2),
            ("pipeline_stages", "2"),
            ("dataset_strategy", [[4, 1]]),
            ("dataset_strategy", ([4, 1],)),
            ("dataset_strategy", ((4, "1"),)),
            ("all_reduce_fusion_config", (1, 2)),
            ("comm_fusion", "auto"),
            ("comm_fusion", {"allreduce": "auto"}),
            ("comm_fusion", {"openstate": 1}),
            ("comm_fusion", {"allreduce": {"mode": "size", "config": "32"}}),
            ("comm_fusion", {"allreduce": {"mode": "index", "config": 3}}),
            ("parallel_optimizer_config", 64),
            ("parallel_optimizer_config", {"gradient_accumulation_shard": 1}),
            ("parallel_optimizer_config", {"parallel_optimizer_threshold": "64"}),
            ("strategy_ckpt_load_file", 1),
        ],
    )
    def test_value_of_the_wrong_type_is_a_type_error(self, name: str, value: object) -> None:
        with pytest.raises(TypeError, match="; give "):
            set_auto_parallel_context(**{name: value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("device_num", 0),
            ("global_rank", -1),
            ("global_rank", 4096),
            ("pipeline_stages", 0),
            ("parallel_mode", "model_parallel"),
            ("search_mode", "fastest"),
            ("dataset_strategy", "half_batch"),
            ("dataset_strategy", ((0, 1),)),
            ("all_reduce_fusion_config", [3, 3]),
            ("comm_fusion", {"allreduce": {"mode": "size", "config": -1}}),
            ("comm_fusion", {"allreduce": {"mode": "index", "config": [3, 1]}}),
            ("parallel_optimizer_config", {"parallel_optimizer_threshold": -1}),
            ("parallel_optimizer_config", {"optimizer_weight_shard_size": 0}),
            ("parallel_optimizer_config", {"optimizer_weight_shard_size": -2}),
            ("parallel_optimizer_config", {"optimizer_level": "level4"}),
            ("parallel_optimizer_config", {"gradient_accumulation_shard": True, "optimizer_level": "level3"}),
            ("parallel_optimizer_config", {"threshold": 64}),
        ],
    )
    def test_value_out_of_range_is_a_value_error(self, name: str, value: object) -> None:
        with pytest.raises(ValueError):
            set_auto_parallel_context(**{name: value})

    def test_rank_beyond_the_devices_is_left_to_the_compiler(self) -> None:
        set_auto_parallel_context(device_num=2, global_rank=5, pipeline_stages=3)

    def test_message_tells_the_value_and_the_range(self) -> None:
        with pytest.raises(ValueError, match=r"^global_rank is 4096; give a number from 0 to 4095\.$"):
            set_auto_parallel_context(global_rank=4096)

    @pytest.mark.parametrize("name", ["parallel_optimizer_config", "pipeline_config"])
    def test_some_options_can_be_set_but_not_read(self, name: str) -> None:
        set_auto_parallel_context(**{name: {}})
        with pytest.raises(ValueError, match=name):
            get_auto_parallel_context(name)

    def test_parallel_optimizer_config_sets_its_four_options(self) -> None:
        set_auto_parallel_context(
            parallel_optimizer_config={
                "parallel_optimizer_threshold": 0,
                "optimizer_weight_shard_size": -1,
                "gradient_accumulation_shard": True,
                "optimizer_level": "level2",
            }
        )
        options = current().parallel
        assert options.parallel_optimizer_threshold == 0
        assert options.optimizer_weight_shard_size == -1
        assert options.gradient_accumulation_shard is True
        assert options.optimizer_level == "level2"

    def test_strategy_ckpt_config_sets_both_files(self) -> None:
        set_auto_parallel_context(strategy_ckpt_config={"load_file": "a", "save_file": "b"})
        assert get_auto_parallel_context("strategy_ckpt_load_file") == "a"
        assert get_auto_parallel_context("strategy_ckpt_config") == {"load_file": "a", "save_file": "b"}

    def test_full_batch_and_dataset_strategy_tell_the_same(self) -> None:
        set_auto_parallel_context(full_batch=True)
        assert get_auto_parallel_context("dataset_strategy") == "full_batch"
        set_auto_parallel_context(dataset_strategy="data_parallel")
        assert get_auto_parallel_context("full_batch") is False


class TestCommFusion:
    @pytest.mark.parametrize(
        "config",
        [
            {"broadcast": {"mode": "auto", "config": None}},
            {"allreduce": {"mode": "auto"}},
            {"allreduce": {"config": 32}},
            {"allreduce": {"mode": "fastest", "config": None}},
            {"allgather": {"mode": "index", "config": [1]}},
            {"reducescatter": {"mode": "index", "config": [1]}},
        ],
    )
    def test_missing_or_unknown_key_is_a_key_error(self, config: dict[str, Any]) -> None:
        with pytest.raises(KeyError):
            set_auto_parallel_context(comm_fusion=config)

    def test_kinds_that_are_not_named_fuse_by_default(self) -> None:
        set_auto_parallel_context(comm_fusion={"allreduce": {"mode": "size", "config": 32}})
        fusion = get_auto_parallel_context("comm_fusion")
        assert fusion["allreduce"] == {"mode": "size", "config": 32}
        assert fusion["allgather"] == AUTO

    def test_what_was_read_is_a_copy(self) -> None:
        get_auto_parallel_context("comm_fusion")["allreduce"]["mode"] = "size"
        assert get_auto_parallel_context("comm_fusion")["allreduce"] == AUTO


class TestContext:
    def test_graph_mode_is_the_default(self) -> None:
        assert get_context("mode") == GRAPH_MODE == 0

    def test_mode_reads_back(self) -> None:
        set_context(mode=PYNATIVE_MODE)
        assert get_context("mode") == 1

    @pytest.mark.parametrize(
        ("name", "default"), [("device_target", "CPU"), ("device_id", 0), ("max_call_depth", 1000)]
    )
    def test_options_of_devices_have_defaults(self, name: str, default: object) -> None:
        assert get_context(name) == default

    def test_options_of_devices_read_back(self) -> None:
        set_context(device_target="Ascend", device_id=3)
        assert (get_context("device_target"), get_context("device_id")) == ("Ascend", 3)

    @pytest.mark.parametrize(
        ("options", "error"), [({"mode": 2}, ValueError), ({"mode": "graph"}, TypeError), ({"mod": 0}, ValueError)]
    )
    def test_wrong_option_is_refused(self, options: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            set_context(**options)

    def test_unknown_option_cannot_be_read(self) -> None:
        with pytest.raises(ValueError, match="'mod' is no option of get_context"):
            get_context("mod")


class TestPsContext:
    def test_enable_ps_reads_back_and_resets(self) -> None:
        assert get_ps_context("enable_ps") is False
        set_ps_context(enable_ps=True)
        assert get_ps_context("enable_ps") is True
        reset_ps_context()
        assert get_ps_context("enable_ps") is False

    @pytest.mark.parametrize(
        ("options", "error"),
        [({"enable_ps": 1}, TypeError), ({"scheduler_port": 65536}, ValueError), ({"server": 1}, ValueError)],
    )
    def test_wrong_option_is_refused(self, options: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            set_ps_context(**options)

    def test_unknown_option_cannot_be_read(self) -> None:
        with pytest.raises(ValueError, match="'server' is no option of get_ps_context"):
            get_ps_context("server")


class TestSeed:
    def test_no_seed_is_set_at_first(self) -> None:
        assert get_seed() is None

    def test_seed_repeats_what_numpy_draws(self) -> None:
        set_seed(3)
        first = np.random.rand(4)
        set_seed(3)
        assert get_seed() == 3
        np.testing.assert_array_equal(np.random.rand(4), first)

    @pytest.mark.parametrize(
        ("seed", "error"), [(-1, ValueError), (2**32, ValueError), (1.0, TypeError), (True, TypeError)]
    )
    def test_seed_is_a_whole_number_that_numpy_can_take(self, seed: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            set_seed(seed)


class TestContextObject:
    def test_entered_context_ends_with_its_block(self) -> None:
        before = current()
        with entered(Context()) as inside:
            set_auto_parallel_context(device_num=4)
            assert current() is inside
        assert current() is before
        assert get_auto_parallel_context("device_num") == 1

    def test_each_thread_that_plays_a_rank_has_its_own_options(self) -> None:
        seen: list[int] = []

        def play() -> None:
            with entered(Context()):
                seen.append(get_auto_parallel_context("device_num"))

        set_auto_parallel_context(device_num=4)
        thread = threading.Thread(target=play)
        thread.start()
        thread.join()
        assert seen == [1]

    def test_devices_and_rank_are_the_options_before_the_world(self) -> None:
        class World:
            size, rank = 4, 3

        context = Context(world=World())
        assert (context.device_num, context.rank) == (4, 3)
        with entered(context):
            set_auto_parallel_context(device_num=8, global_rank=1)
        assert (context.device_num, context.rank) == (8, 1)

    @pytest.mark.parametrize("mode", ParallelMode.MODE_LIST)
    def test_only_semi_auto_and_auto_parallel_cut_the_program(self, mode: str) -> None:
        set_auto_parallel_context(parallel_mode=mode)
        assert current().is_partitioned == (mode in ("semi_auto_parallel", "auto_parallel"))

    def test_count_tells_how_often_it_was_asked_before(self) -> None:
        context = Context()
        assert [context.count("Parameter"), context.count("Parameter"), context.count("x")] == [0, 1, 0]


def test_an_option_without_a_meaning_here_reads_back_with_a_note() -> None:
    with pytest.warns(UserWarning, match="enable_alltoall changes nothing in simpar: redistribution takes"):
        set_auto_parallel_context(enable_alltoall=True)
    assert get_auto_parallel_context("enable_alltoall") is True
    reset_auto_parallel_context()
    assert get_auto_parallel_context("enable_alltoall") is False


def test_an_option_without_a_meaning_here_is_checked() -> None:
    with pytest.raises(ValueError, match="communi_parallel_mode"):
        set_auto_parallel_context(communi_parallel_mode="wrong")
