"""The parallel context as MindSpore's own code holds it: one object with a getter and a setter per option."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Final

from simpar.communication import GlobalComm as PublicGlobalComm
from simpar.context import (
    current,
    get_auto_parallel_context,
    reset_auto_parallel_context,
    set_auto_parallel_context,
)
from simpar.context import set_context as public_set_context
from simpar.errors import ContextError, DTypeError

__all__ = [
    "COMPATIBLE",
    "LAX",
    "STRICT",
    "GlobalComm",
    "_ExistingGroup",
    "_get_algo_single_loop",
    "_get_multi_subgraphs",
    "_get_rp_matmul_mem_coef",
    "_reset_auto_parallel_context",
    "_set_algo_single_loop",
    "_set_auto_parallel_context",
    "_set_multi_subgraphs",
    "_set_rp_matmul_mem_coef",
    "auto_parallel_context",
    "get_cost_model_context",
    "get_offload_context",
    "reset_cost_model_context",
    "set_context",
    "set_cost_model_context",
    "set_offload_context",
]

STRICT: Final = 0
COMPATIBLE: Final = 1
LAX: Final = 2
"""How much of Python MindSpore's compiler takes (``jit_syntax_level``); simpar traces whatever runs."""

_KEPT: Final = ("enable_all_reduce_fusion", "enable_all_gather_fusion", "enable_reduce_scatter_fusion")
"""Settings of the object that are no options of ``set_auto_parallel_context``; unless set, ``comm_fusion`` says."""


@wraps(public_set_context)  # scripts of MindSpore's call __wrapped__ to pass by a check of types
def set_context(**options: object) -> None:
    """Set how programs run; see ``simpar.context.set_context``."""
    public_set_context(**options)


class GlobalComm(PublicGlobalComm):
    """Names backend and group, and holds the marks that MindSpore's tests set to play initialised devices."""

    INITED = False
    CHECK_ENVS = True


class _ExistingGroup:
    """Keeps the groups that MindSpore made; here the world does, and this stays empty."""

    ITEMS: ClassVar[dict[str, Any]] = {}


class _ParallelContext:
    """Reads and writes options under ``get_NAME()`` and ``set_NAME(value)``."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        kind, _, option = name.partition("_")
        if kind == "get" and option.endswith("_is_set"):
            return lambda: _is_set(option.removesuffix("_is_set"))
        if kind == "get":
            return lambda: _read(option)
        if kind == "set" and option:
            return lambda *value, **named: _write(option, *value, *named.values())
        raise AttributeError(f"the parallel context has no member {name!r}; it has get_OPTION and set_OPTION.")

    def reset(self) -> None:
        """Set every option back to its default."""
        _reset_auto_parallel_context()

    def get_all_reduce_fusion_split_indices(self) -> list[int]:
        """Return the places in the list of gradients where a new bucket begins."""
        return get_auto_parallel_context("all_reduce_fusion_config")

    def set_all_reduce_fusion_split_indices(self, indices: list[int], group: str = "") -> None:
        """Set the places in the list of gradients where a new bucket begins."""
        set_auto_parallel_context(all_reduce_fusion_config=indices)

    def allreduce_fusion_threshold_mb(self) -> int:
        """Return the size in MB at which a bucket of gradients is closed."""
        return _threshold("allreduce")

    def allgather_fusion_threshold_mb(self) -> int:
        """Return the size in MB at which a bucket of gathered Parameters is closed."""
        return _threshold("allgather")

    def reducescatter_fusion_threshold_mb(self) -> int:
        """Return the size in MB at which a bucket of scattered gradients is closed."""
        return _threshold("reducescatter")


def _threshold(kind: str) -> int:
    settings = current().parallel.comm_fusion.get(kind, {})
    return settings["config"] if settings.get("mode") == "size" else 64


def _is_set(option: str) -> bool:
    return option in current().others.get("given", ())


def _read(option: str) -> Any:
    if option in _KEPT:
        return current().others.get(option, True) and current().parallel.comm_fusion.get("openstate", True)
    if option.startswith("pipeline_"):
        return getattr(current().parallel, option)
    return get_auto_parallel_context(option)


def _write(option: str, value: Any) -> None:
    if option in _KEPT:
        if not isinstance(value, bool):
            raise DTypeError(f"{option} is {value!r}; give True or False.")
        current().others[option] = value
    else:
        set_auto_parallel_context(**{option: value})


def auto_parallel_context() -> _ParallelContext:
    """Return the parallel context as an object."""
    return _ParallelContext()


def _set_auto_parallel_context(**options: Any) -> None:
    set_auto_parallel_context(**options)


def _reset_auto_parallel_context() -> None:
    reset_auto_parallel_context()
    for name in _KEPT:
        current().others.pop(name, None)


# --- what tells MindSpore's cost model how to count ---


_COST_MODEL: Final[dict[str, object]] = {
    "device_memory_capacity": 16.0 * 2**30,
    "costmodel_alpha": 1.0,
    "costmodel_beta": 400.0,
    "costmodel_gamma": 0.001,
    "costmodel_communi_threshold": 2048.0,
    "costmodel_communi_const": 3072.0,
    "costmodel_communi_bias": 1024.0,
    "dp_algo_single_loop": False,
    "dp_algo_enable_approxi": False,
    "rp_matmul_mem_coef": 0.1,
    "is_multi_subgraphs": False,
    "run_phase": 0,
}
"""The settings and their defaults, kept so that they read back; simpar has a cost model of its own."""


def set_cost_model_context(**options: Any) -> None:
    """Keep settings of MindSpore's cost model, which change nothing.

    Raises:
        ContextError: there is no such setting.
    """
    for name in options:
        _check_cost(name)
    _settings("cost_model").update(options)


def get_cost_model_context(attr_key: str) -> Any:
    """Return a setting of MindSpore's cost model.

    Raises:
        ContextError: there is no such setting.
    """
    _check_cost(attr_key)
    return _settings("cost_model").get(attr_key, _COST_MODEL[attr_key])


def reset_cost_model_context() -> None:
    """Set MindSpore's cost model back to its defaults."""
    _settings("cost_model").clear()


def _check_cost(name: str) -> None:
    if name not in _COST_MODEL:
        raise ContextError(f"{name!r} is no setting of the cost model; choose one of {', '.join(_COST_MODEL)}.")


def _set_algo_single_loop(single_loop: bool) -> None:
    set_cost_model_context(dp_algo_single_loop=single_loop)


def _get_algo_single_loop() -> bool:
    return get_cost_model_context("dp_algo_single_loop")


def _set_rp_matmul_mem_coef(coefficient: float) -> None:
    set_cost_model_context(rp_matmul_mem_coef=coefficient)


def _get_rp_matmul_mem_coef() -> float:
    return get_cost_model_context("rp_matmul_mem_coef")


def _set_multi_subgraphs(multi_subgraph: bool = True) -> None:
    set_cost_model_context(is_multi_subgraphs=multi_subgraph)


def _get_multi_subgraphs() -> bool:
    return get_cost_model_context("is_multi_subgraphs")


def _settings(place: str) -> dict[str, Any]:
    return current().others.setdefault(place, {})


_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*GB", re.IGNORECASE)
_OFFLOAD: Final[dict[str, object]] = {
    "offload_param": "",
    "offload_path": "./offload/",
    "offload_cpu_size": "0.0GB",
    "offload_disk_size": "1000GB",
    "enable_aio": True,
    "aio_block_size": "1GB",
    "aio_queue_depth": 1024,
    "enable_pinned_mem": False,
    "auto_offload": True,
    "host_mem_block_size": "1GB",
    "cpu_ratio": 1.0,
    "hbm_ratio": 1.0,
}


def set_offload_context(offload_config: dict[str, Any]) -> None:
    """Keep the settings of offloading, which has no meaning where all memory is the host's.

    Raises:
        ContextError: a setting that does not exist, a place that is neither cpu nor disk, a size without its unit.
    """
    for name, value in offload_config.items():
        if name not in _OFFLOAD:
            raise ContextError(f"{name!r} is no setting of offloading; choose one of {', '.join(_OFFLOAD)}.")
        if name == "offload_param" and str(value).lower() not in ("cpu", "disk"):
            raise ContextError(f"offload_param is {value!r}; choose 'cpu' or 'disk'.")
        if name.endswith("_size") and not _SIZE.fullmatch(str(value)):
            raise ContextError(f"{name} is {value!r}; give a size in GB, such as '0.5GB'.")
    _settings("offload").update(offload_config)


def get_offload_context() -> dict[str, Any]:
    """Return the settings of offloading, sizes in bytes."""
    held = {**_OFFLOAD, **_settings("offload")}
    sizes = {name: _bytes(value) for name, value in held.items() if name.endswith("_size")}
    return held | sizes | {"offload_param": str(held["offload_param"]).lower()}


def _bytes(size: object) -> int:
    found = _SIZE.fullmatch(str(size))
    assert found is not None, "sizes were checked when they were set"
    return int(float(found[1]) * 2**30)
