"""MindSpore's private Cells around a network, which simpar's passes have no need of."""

from typing import Any

from simpar.nn import Cell

__all__ = ["VirtualDatasetCellTriple", "_VirtualDatasetCell"]


class _VirtualDatasetCell(Cell):
    """Marks where the inputs of a network come from the dataset; here every argument of a program does.

    Args:
        backbone: the network.
    """

    def __init__(self, backbone: Cell) -> None:
        super().__init__(auto_prefix=False)
        self._backbone = backbone

    def construct(self, *data: Any) -> Any:
        return self._backbone(*data)


class VirtualDatasetCellTriple(_VirtualDatasetCell):
    """The same for a network of three inputs."""
