"""MindSpore's private executor: its tests compile with it for devices that nobody has."""

from typing import Any

from simpar.compile import jit
from simpar.context import current
from simpar.mindspore.answers import GraphExecutor, all_reduce_fusion, plan_of, strategies_of
from simpar.nn import Cell

__all__ = ["_CellGraphExecutor", "_cell_graph_executor", "ms_function", "ms_memory_recycle"]

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
        return name, True

    @property
    def _graph_executor(self) -> GraphExecutor:
        return GraphExecutor()

    def _get_shard_strategy(self, obj: Cell) -> dict[str, list[list[int]]]:
        return strategies_of(plan_of(obj), with_outputs=not obj.training)

    def _get_allreduce_fusion(self, obj: Cell) -> dict[str, int]:
        return all_reduce_fusion(plan_of(obj))

    def __call__(self, obj: Cell, *args: Any, phase: str = "") -> Any:
        """Run a Cell."""
        return obj(*args)


_cell_graph_executor = _CellGraphExecutor()
