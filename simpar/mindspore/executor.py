"""MindSpore's private executor: its tests compile with it for devices that nobody has."""

from typing import Any

from simpar.compile import jit
from simpar.context import current
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

    def __call__(self, obj: Cell, *args: Any, phase: str = "") -> Any:
        """Run a Cell."""
        return obj(*args)


_cell_graph_executor = _CellGraphExecutor()
