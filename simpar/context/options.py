"""Which options exist, and the check of each: MindSpore's names, in three tables."""

from typing import Any, Protocol, cast, runtime_checkable

from simpar.context.checks import (
    Check,
    bool_option,
    choice_option,
    dict_option,
    int_option,
    rising_ints,
    text_option,
    wrong_type,
)
from simpar.context.fusion import check_comm_fusion
from simpar.context.state import (
    AUTO_PARALLEL,
    DATA_PARALLEL,
    HYBRID_PARALLEL,
    SEMI_AUTO_PARALLEL,
    STAND_ALONE,
)
from simpar.errors import ContextError

__all__ = ["ACCEPTED", "GENERAL", "PARALLEL", "PARALLEL_WRITE_ONLY", "PS", "ParallelMode", "check_option"]

Dataset = str | tuple[Any, ...]


class ParallelMode:
    """Names the parallel modes, as MindSpore's class does."""

    STAND_ALONE = STAND_ALONE
    DATA_PARALLEL = DATA_PARALLEL
    HYBRID_PARALLEL = HYBRID_PARALLEL
    SEMI_AUTO_PARALLEL = SEMI_AUTO_PARALLEL
    AUTO_PARALLEL = AUTO_PARALLEL
    MODE_LIST = (STAND_ALONE, DATA_PARALLEL, HYBRID_PARALLEL, SEMI_AUTO_PARALLEL, AUTO_PARALLEL)


def _dataset_strategy(name: str, value: object) -> Dataset:
    if isinstance(value, str):
        return choice_option("full_batch", "data_parallel")(name, value)
    if not isinstance(value, tuple):
        raise wrong_type(
            name, value, "'full_batch', 'data_parallel' or one tuple of cuts per input, e.g. ((4, 1), (4,))"
        )
    return tuple(_entry(f"{name}[{i}]", entry) for i, entry in enumerate(cast(tuple[object, ...], value)))


@runtime_checkable
class _HasLayout(Protocol):
    """A layout as MindSpore writes it."""

    def to_dict(self) -> dict[str, Any]: ...

    def to_layout(self) -> Any: ...


def _entry(name: str, entry: object) -> Any:
    """Return the cuts of an input, or its layout."""
    if not isinstance(entry, _HasLayout):
        return _cuts(name, entry)
    if entry.to_dict()["interleaved_parallel"]:
        raise ContextError(f"{name} has an axis interleaved_parallel; a dataset has none. Leave it out.")
    return entry.to_layout()


def _cuts(name: str, cuts: object) -> tuple[int, ...]:
    if not isinstance(cuts, tuple):
        raise wrong_type(name, cuts, "a tuple with the number of slices of each axis")
    return tuple(int_option(1)(f"{name}[{i}]", n) for i, n in enumerate(cast(tuple[object, ...], cuts)))


def _optimizer_shard_size(name: str, value: object) -> int:
    number = int_option(-1)(name, value)
    if number == 0:
        raise ContextError(f"{name} is 0; give a number of ranks above 0, or -1 for all that hold the same slice.")
    return number


def _save_graphs(name: str, value: object) -> int:
    """Take a bool, or a level from 0 to 3; simpar writes no files of graphs (``simpar plan --text`` prints plans)."""
    return int(value) if isinstance(value, bool) else int_option(0, 3)(name, value)


_OPTIMIZER: dict[str, Check] = {
    "parallel_optimizer_threshold": int_option(0),
    "optimizer_weight_shard_size": _optimizer_shard_size,
    "gradient_accumulation_shard": bool_option,
    "optimizer_level": choice_option("level1", "level2", "level3"),
}
_PIPELINE: dict[str, Check] = {
    "pipeline_interleave": bool_option,
    "pipeline_scheduler": choice_option("1f1b", "gpipe"),
}
_STRATEGY_FILES: dict[str, Check] = {
    "load_file": text_option,
    "save_file": text_option,
    "only_trainable_params": bool_option,
}


def _keys_of(table: dict[str, Check]) -> Check:
    def check(name: str, value: object) -> dict[str, Any]:
        given = dict_option(name, value)
        return {key: check_option(f"key of {name}", table, key, item) for key, item in given.items()}

    return check


def _optimizer_config(name: str, value: object) -> dict[str, Any]:
    given = _keys_of(_OPTIMIZER)(name, value)
    level = given.get("optimizer_level", "level2")
    if given.get("gradient_accumulation_shard") and level != "level2":
        raise ContextError(
            f"gradient_accumulation_shard is what optimizer_level='level2' does, but optimizer_level is {level!r}. "
            "Give one of the two."
        )
    return given


PARALLEL: dict[str, Check] = {
    "all_reduce_fusion_config": rising_ints,
    "auto_parallel_search_mode": choice_option("dynamic_programming", "recursive_programming", "sharding_propagation"),
    "comm_fusion": check_comm_fusion,
    "dataset_strategy": _dataset_strategy,
    "device_num": int_option(1),
    "enable_parallel_optimizer": bool_option,
    "force_fp32_communication": bool_option,
    "full_batch": bool_option,
    "global_rank": int_option(0, 4095),
    "gradient_fp32_sync": bool_option,
    "gradients_mean": bool_option,
    "group_ckpt_save_file": text_option,
    "loss_repeated_mean": bool_option,
    "optimizer_weight_shard_size": _optimizer_shard_size,
    "parallel_mode": choice_option(*ParallelMode.MODE_LIST),
    "parallel_optimizer_config": _optimizer_config,
    "parameter_broadcast": bool_option,
    "pipeline_config": _keys_of(_PIPELINE),
    "pipeline_result_broadcast": bool_option,
    "pipeline_segments": int_option(1),
    "pipeline_stages": int_option(1),
    "search_mode": choice_option("dynamic_programming", "recursive_programming", "sharding_propagation"),
    "strategy_ckpt_config": _keys_of(_STRATEGY_FILES),
    "strategy_ckpt_load_file": text_option,
    "strategy_ckpt_save_file": text_option,
}
ACCEPTED: dict[str, tuple[object, Check, str]] = {
    "auto_pipeline": (False, bool_option, "stages are those that Cells name"),
    "communi_parallel_mode": (
        "all_group_parallel",
        choice_option("all_group_parallel", "same_server_group_parallel", "no_group_parallel"),
        "collectives of all groups overlap",
    ),
    "enable_alltoall": (False, bool_option, "redistribution takes the cheapest collectives"),
    "optimizer_weight_shard_aggregated_save": (False, bool_option, "checkpoints hold whole Parameters"),
    "sharding_propagation": (False, bool_option, "search_mode says so"),
}
"""Options of ``set_auto_parallel_context`` that are checked and read back, and change nothing: default, check, why."""

PARALLEL.update({name: check for name, (_, check, _) in ACCEPTED.items()})
PARALLEL_WRITE_ONLY = ("parallel_optimizer_config", "pipeline_config")

# Options of set_context that change nothing on a CPU, so that a script that sets them runs: (default, check).
GENERAL: dict[str, tuple[object, Check]] = {
    "aoe_config": ({}, dict_option),
    "aoe_tune_mode": ("", text_option),
    "ascend_config": ({}, dict_option),
    "check_bprop": (False, bool_option),
    "compile_cache_path": ("", text_option),
    "debug_level": (0, int_option(0)),
    "deterministic": ("OFF", choice_option("ON", "OFF")),
    "device_id": (0, int_option(0)),
    "device_target": ("CPU", choice_option("CPU", "GPU", "Ascend")),
    "disable_format_transform": (False, bool_option),
    "enable_compile_cache": (False, bool_option),
    "enable_graph_kernel": (False, bool_option),
    "enable_reduce_precision": (True, bool_option),
    "env_config_path": ("", text_option),
    "exec_order": ("", text_option),
    "gpu_config": ({}, dict_option),
    "grad_for_scalar": (False, bool_option),
    "graph_kernel_flags": ("", text_option),
    "inter_op_parallel_num": (0, int_option(0)),
    "jit_config": ({}, dict_option),
    "jit_level": ("", text_option),
    "jit_syntax_level": (2, int_option(0)),
    "max_call_depth": (1000, int_option(1)),
    "max_device_memory": ("1024GB", text_option),
    "memory_offload": ("OFF", choice_option("ON", "OFF")),
    "memory_optimize_level": ("O0", choice_option("O0", "O1")),
    "mempool_block_size": ("1GB", text_option),
    "op_timeout": (900, int_option(0)),
    "precompile_only": (False, bool_option),
    "print_file_path": ("", text_option),
    "pynative_synchronize": (False, bool_option),
    "recompute_comm_overlap": ("", text_option),
    "reserve_class_name_in_scope": (True, bool_option),
    "runtime_num_threads": (30, int_option(1)),
    "save_graphs": (0, _save_graphs),
    "save_graphs_path": (".", text_option),
    "support_binary": (False, bool_option),
    "variable_memory_max_size": ("30GB", text_option),
}

PS: dict[str, tuple[object, Check]] = {
    "enable_ps": (False, bool_option),
    "worker_num": (0, int_option(0)),
    "server_num": (0, int_option(1)),
    "scheduler_ip": ("", text_option),
    "scheduler_port": (0, int_option(1, 65535)),
    "scheduler_manage_port": (11202, int_option(1, 65535)),
    "config_file_path": ("", text_option),
    "enable_ssl": (False, bool_option),
    "client_password": ("", text_option),
    "server_password": ("", text_option),
}


def check_option(what: str, table: dict[str, Check], name: str, value: object) -> Any:
    """Return what to store for option ``name`` of a table.

    Raises:
        ContextError: there is no such option (the message lists those there are), or the value is out of range.
        DTypeError: the value has the wrong type.
    """
    if name not in table:
        raise unknown(what, name, list(table))
    return table[name](name, value)


def unknown(what: str, name: object, known: list[str]) -> ContextError:
    """Return the error for an option that does not exist."""
    return ContextError(f"{name!r} is no {what}; choose one of {', '.join(sorted(known))}.")
