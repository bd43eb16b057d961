"""MindSpore's private helpers of the parallel modes: short questions to the context."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.communication import get_rank
from simpar.context import STAND_ALONE, current, get_seed
from simpar.errors import ContextError, DTypeError
from simpar.layout import Layout
from simpar.tensor import Tensor

__all__ = [
    "_assignment",
    "_get_device_num",
    "_get_enable_parallel_optimizer",
    "_get_full_batch",
    "_get_global_rank",
    "_get_gradients_mean",
    "_get_graph_seed",
    "_get_parallel_mode",
    "_get_param_list_when_first_dim_sharded",
    "_get_pipeline_stages",
    "_infer_rank_list",
    "_is_in_auto_parallel_mode",
    "_is_in_data_parallel_mode",
    "_is_in_hybrid_parallel_mode",
    "_load_tensor",
    "_reset_op_id",
    "_reshape_param_data",
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


def _infer_rank_list(train_map: dict[str, Any], predict_map: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return, for each Parameter, whose files of a checkpoint a rank needs, and whether it takes one as it is.

    Args:
        train_map: for each name the device matrix and tensor map of training.
        predict_map: those of prediction; whole everywhere if None.
    """
    found: dict[str, Any] = {}
    for name, layout in train_map.items():
        saved, wanted = _layout(layout), _layout(predict_map[name]) if predict_map and name in predict_map else None
        if max(saved.cuts, default=1) == 1:
            found[name] = ([0], False)
        elif wanted is not None and wanted.cuts == saved.cuts:
            found[name] = ([saved.replicas(current().rank)[0]], True)
        else:
            found[name] = (sorted({saved.replicas(rank)[0] for rank in saved.ranks}), False)
    return found


def _layout(given: Sequence[Any]) -> Layout:
    return Layout(tuple(given[0]), tuple(given[1]))


def _get_param_list_when_first_dim_sharded(dev_mat: Sequence[int], device_axis: int, rank: int) -> list[int]:
    """Return the ranks whose slices of a Parameter, stored by the parallel optimizer, lie between two cuts of axis 0.

    Args:
        dev_mat: the device matrix.
        device_axis: which of its axes cuts axis 0, from the right: only the major one parts whole blocks of ranks.
        rank: one of the ranks.
    """
    layout = _layout((dev_mat, (device_axis,)))
    return sorted(layout.replicas(rank) if device_axis == len(dev_mat) - 1 else layout.ranks)


def _load_tensor(tensor: Tensor, dev_mat: Sequence[int], tensor_map: Sequence[int], *_: Any) -> Tensor:
    """Return this rank's slice of a whole Tensor."""
    box = _layout((dev_mat, tensor_map)).box(tensor.shape, get_rank())
    return Tensor(tensor.asnumpy()[tuple(slice(start, stop) for start, stop in box)])


def _reshape_param_data(param_data: Tensor, dev_mat: Sequence[int], tensor_map: Sequence[int]) -> Tensor:
    """Return the whole Tensor of the slices of all ranks, which stand one after the other along the first axis."""
    layout = _layout((dev_mat, tensor_map))
    slices = np.split(param_data.asnumpy(), layout.size)
    whole = np.empty([n * c for n, c in zip(slices[0].shape, layout.cuts, strict=True)], slices[0].dtype)
    for rank, part in zip(layout.ranks, slices, strict=True):
        whole[tuple(slice(start, stop) for start, stop in layout.box(whole.shape, rank))] = part
    return Tensor(whole)


def _assignment(arr: NDArray[Any], num: Any) -> NDArray[Any]:
    """Write a number, or an array, into an array; initializers written by hand do it so."""
    arr[...] = np.reshape(num, ()) if np.size(num) == 1 else num
    return arr


def _get_graph_seed(op_seed: int, kernel_name: str) -> tuple[int, int]:
    """Return the program's seed and that of an op."""
    return get_seed() or 0, op_seed


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
