"""MindSpore's private executor: its tests compile with it for devices that nobody has."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from simpar.compile import jit
from simpar.context import Context, current
from simpar.nn import Cell
from simpar.planning import VirtualPlanner

__all__ = ["_CellGraphExecutor", "_cell_graph_executor", "ms_function", "ms_memory_recycle"]

ms_function = jit


def ms_memory_recycle() -> None:
    """Do nothing: memory that is no longer used is freed at once."""


class _CellGraphExecutor:
    """Compiles Cells for the devices that the context names, whether they exist or not."""

    def compile(self, obj: Cell, *args: Any, phase: str = "predict", **options: Any) -> tuple[str, bool]:
        """Compile a Cell and return the name under which the result is known, and True."""
        context = current()
        with _imagined(context):
            obj.compile(*args)
        name = f"{phase}.{context.count('phase')}"
        context.others.setdefault("phases", {})[name] = obj
        return name, True

    def __call__(self, obj: Cell, *args: Any, phase: str = "") -> Any:
        """Run a Cell."""
        return obj(*args)


@contextmanager
def _imagined(context: Context) -> Generator[None]:
    """Let programs be planned for imagined devices where no ranks are connected."""
    if context.planner is not None or context.world is not None:
        yield
        return
    context.planner = VirtualPlanner(context.device_num, context.rank)
    try:
        yield
    finally:
        context.planner = None


_cell_graph_executor = _CellGraphExecutor()
