"""MindSpore's private helpers of the parallel modes: short questions to the context."""

from typing import Any, cast

from simpar.context import STAND_ALONE, current
from simpar.errors import ContextError, DTypeError

__all__ = [
    "_get_device_num",
    "_get_enable_parallel_optimizer",
    "_get_full_batch",
    "_get_global_rank",
    "_get_gradients_mean",
    "_get_parallel_mode",
    "_get_pipeline_stages",
    "_is_in_auto_parallel_mode",
    "_is_in_data_parallel_mode",
    "_is_in_hybrid_parallel_mode",
    "_reset_op_id",
    "check_subclass",
    "check_value_type",
]


def _get_parallel_mode() -> str:
    return current().parallel.parallel_mode


def _get_device_num() -> int:
    return current().device_num


def _get_global_rank() -> int:
    return current().rank


def _get_gradients_mean() -> bool:
    return current().parallel.gradients_mean


def _get_full_batch() -> bool:
    return current().parallel.full_batch


def _get_pipeline_stages() -> int:
    return current().parallel.pipeline_stages


def _get_enable_parallel_optimizer() -> bool:
    parallel = current().parallel
    return parallel.enable_parallel_optimizer and parallel.parallel_mode != STAND_ALONE


def _is_in_auto_parallel_mode() -> bool:
    return current().is_partitioned


def _is_in_data_parallel_mode() -> bool:
    return _get_parallel_mode() == "data_parallel"


def _is_in_hybrid_parallel_mode() -> bool:
    return _get_parallel_mode() == "hybrid_parallel"


def _reset_op_id() -> None:
    """Do nothing: ops are numbered anew for each program."""


# --- checks of arguments ---


def check_value_type(arg_name: str, arg_value: Any, valid_types: Any, prim_name: str | None = None) -> Any:
    """Return a value that has one of the types.

    Raises:
        DTypeError: it has none of them.
    """
    kinds = _kinds(valid_types)
    if not isinstance(arg_value, kinds) or (isinstance(arg_value, bool) and bool not in kinds):
        raise DTypeError(f"{prim_name or 'argument'}: {arg_name} is {arg_value!r}; give one of {valid_types}.")
    return arg_value


def check_subclass(arg_name: str, type_: Any, template_types: Any, prim_name: str | None = None) -> None:
    """Check that a type is one of those, or below it.

    Raises:
        ContextError: it is not.
    """
    kinds = _kinds(template_types)
    if type_ not in kinds and not (isinstance(type_, type) and issubclass(type_, kinds)):
        raise ContextError(f"{prim_name or 'argument'}: {arg_name} is {type_!r}; give one of {template_types}.")


def _kinds(given: Any) -> tuple[Any, ...]:
    return tuple(cast("list[Any]", given)) if isinstance(given, list | tuple) else (given,)
