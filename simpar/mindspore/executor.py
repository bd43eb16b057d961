"""MindSpore's private executor: its tests compile with it for devices that nobody has."""

from typing import Any

from simpar.compile import jit
from simpar.context import current
from simpar.mindspore.answers import GraphExecutor, all_reduce_fusion, parallel_ops, plan_of, strategies_of
from simpar.mindspore.options import _get_algo_single_loop  # pyright: ignore[reportPrivateUsage]
from simpar.nn import Cell
from simpar.tensor import Tensor
from simpar.train import flops_of

__all__ = ["_CellGraphExecutor", "_cell_graph_executor", "flops_collection", "ms_function", "ms_memory_recycle"]

ms_function = jit


def ms_memory_recycle() -> None:
    """Do nothing: memory that is no longer used is freed at once."""


class _CellGraphExecutor:
    """Compiles Cells for the devices that the context names, whether they exist or not."""

    def compile(self, obj: Cell, *args: Any, phase: str = "predict", **options: Any) -> tuple[str, bool]:
        """Compile a Cell and return the name under which the result is known, and True."""
        context = current()
        obj.compile(*args)
        name = f"{phase}.{context.count('phase')}"
        context.others.setdefault("phases", {})[name] = obj
        vars(obj)["current_phase"] = name
        return name, True

    @property
    def _graph_executor(self) -> GraphExecutor:
        return GraphExecutor()

    def init_dataset(self, queue_name: str, *_: Any, **__: Any) -> bool:
        """Say that a queue is there: ``device_que().send()`` is all that one needs."""
        del queue_name
        return True

    def _get_shard_strategy(self, obj: Cell) -> dict[str, list[list[int]]]:
        return strategies_of(plan_of(obj), with_outputs=not obj.training)

    def _get_num_parallel_ops(self, obj: Cell) -> int:
        return parallel_ops(plan_of(obj), loops_once=_get_algo_single_loop())

    def _get_allreduce_fusion(self, obj: Cell) -> dict[str, int]:
        return all_reduce_fusion(plan_of(obj))

    def __call__(self, obj: Cell, *args: Any, phase: str = "") -> Any:
        """Run a Cell."""
        return obj(*args)


def flops_collection(phase: str) -> tuple[int, int, int, int, bool]:
    """Return the operations of a step: full of the model and of the hardware, a rank's, and whether lengths are open.

    Args:
        phase: ``current_phase`` of the Cell that was compiled.
    """
    cell: Cell = current().others["phases"][phase]
    found = flops_of(plan_of(cell))
    is_open = any(x.unknown for x in cell.get_inputs() or () if isinstance(x, Tensor))
    return found.full_model, found.full_hardware, found.shard_model, found.shard_hardware, is_open


_cell_graph_executor = _CellGraphExecutor()
