"""MindSpore's setters and getters of options: each call is checked whole before anything changes."""

import copy
import warnings
from dataclasses import fields, replace
from typing import Any

import numpy as np

from simpar.context.checks import Check, int_option
from simpar.context.options import ACCEPTED, GENERAL, PARALLEL, PARALLEL_WRITE_ONLY, PS, check_option, unknown
from simpar.context.state import GRAPH_MODE, PYNATIVE_MODE, ParallelOptions, current
from simpar.errors import ContextError

__all__ = [
    "get_auto_parallel_context",
    "get_context",
    "get_ps_context",
    "get_seed",
    "reset_auto_parallel_context",
    "reset_ps_context",
    "set_auto_parallel_context",
    "set_context",
    "set_device",
    "set_ps_context",
    "set_seed",
]

_STORED = tuple(f.name for f in fields(ParallelOptions))
_OLD_NAMES = {"auto_parallel_search_mode": "search_mode"}


def set_context(**options: object) -> None:
    """Set how programs run: ``mode=GRAPH_MODE`` or ``PYNATIVE_MODE``.

    MindSpore's options of devices and memory (``device_target``, ``max_device_memory``, …) are taken, checked and read
    back, and change nothing: ranks compute with numpy.

    Raises:
        ContextError: an option that does not exist, or a value out of its range.
        DTypeError: a value of the wrong type.

    >>> set_context(mode=PYNATIVE_MODE, device_target="CPU")
    >>> get_context("mode")
    1
    """
    table: dict[str, Check] = {"mode": _mode} | {name: check for name, (_, check) in GENERAL.items()}
    new = {name: check_option("option of set_context", table, name, value) for name, value in options.items()}
    context = current()
    context.mode = new.pop("mode", context.mode)
    context.others.update(new)


def set_device(device_target: str, device_id: int | None = None) -> None:
    """Take the device that MindSpore would use; ranks compute with numpy on the host.

    Args:
        device_target: ``"CPU"``, ``"GPU"`` or ``"Ascend"``.
        device_id: its number.

    Raises:
        ContextError: there is no such device.
        DTypeError: the number is none.
    """
    number = {} if device_id is None else {"device_id": device_id}
    set_context(device_target=device_target, **number)


def _mode(name: str, value: object) -> int:
    number = int_option(0)(name, value)
    if number not in (GRAPH_MODE, PYNATIVE_MODE):
        raise ContextError(f"mode is {number}; choose GRAPH_MODE (0) or PYNATIVE_MODE (1).")
    return number


def get_context(attr_key: str) -> Any:
    """Return the value of an option of ``set_context``, its default if it was not set.

    Raises:
        ContextError: there is no such option.
    """
    if attr_key == "mode":
        return current().mode
    if attr_key not in GENERAL:
        raise unknown("option of get_context", attr_key, ["mode", *GENERAL])
    return current().others.get(attr_key, GENERAL[attr_key][0])


def set_auto_parallel_context(**options: object) -> None:
    """Set how one program is run by many ranks; what is not named stays as it is.

    Args:
        options: ``parallel_mode`` and the other fields of ``ParallelOptions``; the four of the parallel optimizer go
            together into ``parallel_optimizer_config``, a dictionary.

    Raises:
        ContextError: an option that does not exist, or a value out of its range.
        ContextKeyError: ``comm_fusion`` lacks a key or has one that does not exist.
        DTypeError: a value of the wrong type.

    >>> set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8)
    >>> get_auto_parallel_context("parallel_mode"), get_auto_parallel_context("device_num")
    ('semi_auto_parallel', 8)
    """
    context = current()
    parallel, kept = context.parallel, dict[str, Any]()
    for name, value in options.items():
        checked = check_option("option of set_auto_parallel_context", PARALLEL, name, value)
        new = _stored(name, checked, parallel)
        if name in ACCEPTED and checked != ACCEPTED[name][0]:
            warnings.warn(f"{name} changes nothing in simpar: {ACCEPTED[name][2]}.", stacklevel=2)
        kept.update({field: item for field, item in new.items() if field not in _STORED})
        parallel = replace(parallel, **{field: item for field, item in new.items() if field in _STORED})
    context.parallel = parallel
    context.others.update(kept, given={*context.others.get("given", ()), *options})


def _stored(name: str, value: Any, before: ParallelOptions) -> dict[str, Any]:
    """Return the fields that an option sets: usually the one of its own name."""
    if name in ("parallel_optimizer_config", "pipeline_config"):
        return value
    if name == "strategy_ckpt_config":
        return {f"strategy_ckpt_{key}": item for key, item in value.items()}
    if name == "full_batch" and isinstance(before.dataset_strategy, str):
        return {"full_batch": value, "dataset_strategy": "full_batch" if value else "data_parallel"}
    if name == "dataset_strategy" and isinstance(value, str):
        return {"dataset_strategy": value, "full_batch": value == "full_batch"}
    if name == "all_reduce_fusion_config":
        return {name: tuple(value)}
    return {_OLD_NAMES.get(name, name): value}


def get_auto_parallel_context(attr_key: str) -> Any:
    """Return the value of an option of ``set_auto_parallel_context``, its default if it was not set.

    Raises:
        ContextError: there is no such option, or it can be set but not read (``parallel_optimizer_config``,
            ``pipeline_config``).
    """
    readable = [name for name in PARALLEL if name not in PARALLEL_WRITE_ONLY]
    if attr_key not in readable:
        raise unknown("option that get_auto_parallel_context can read", attr_key, readable)
    options = current().parallel
    if attr_key == "strategy_ckpt_config":
        return {"load_file": options.strategy_ckpt_load_file, "save_file": options.strategy_ckpt_save_file}
    if attr_key in ACCEPTED:
        return current().others.get(attr_key, ACCEPTED[attr_key][0])
    value = getattr(options, _OLD_NAMES.get(attr_key, attr_key))
    if value is None:  # device_num, global_rank: the world decides when the program is compiled
        return {"device_num": 1, "global_rank": 0}[attr_key]
    return list(value) if attr_key == "all_reduce_fusion_config" else copy.deepcopy(value)


def reset_auto_parallel_context() -> None:
    """Set every option of ``set_auto_parallel_context`` back to its default."""
    current().parallel = ParallelOptions()
    for name in ("pipeline_config", "given", *ACCEPTED):
        current().others.pop(name, None)


def set_ps_context(**options: object) -> None:
    """Set the options of parameter server training.

    They take effect with ``enable_ps=True`` and the environment variable ``MS_ROLE`` set.

    Raises:
        ContextError: an option that does not exist, or a value out of its range.
        DTypeError: a value of the wrong type.
    """
    table = {name: check for name, (_, check) in PS.items()}
    new = {name: check_option("option of set_ps_context", table, name, value) for name, value in options.items()}
    current().ps.update(new)


def get_ps_context(attr_key: str) -> Any:
    """Return the value of an option of ``set_ps_context``, its default if it was not set.

    Raises:
        ContextError: there is no such option.
    """
    if attr_key not in PS:
        raise unknown("option of get_ps_context", attr_key, list(PS))
    return current().ps.get(attr_key, PS[attr_key][0])


def reset_ps_context() -> None:
    """Set every option of ``set_ps_context`` back to its default."""
    current().ps.clear()


def set_seed(seed: int) -> None:
    """Set the seed of initializers, of dropout, and of numpy's global random numbers, and let all begin anew.

    Args:
        seed: from 0 to 2**32 - 1.

    Raises:
        ContextError: the seed is out of range.
        DTypeError: the seed is no whole number.

    >>> set_seed(7)
    >>> get_seed()
    7
    """
    checked = int_option(0, 2**32 - 1)("seed", seed)
    np.random.seed(checked)  # data that a script draws with np.random is to repeat, too
    current().seed = checked
    current().counters.clear()  # what is made next repeats what was made first after an earlier call


def get_seed() -> int | None:
    """Return the seed that ``set_seed`` set, or None."""
    return current().seed
