"""MindSpore's private Cells around a network, which simpar's passes have no need of."""

from collections.abc import Sequence
from typing import Any

from simpar.mindspore.operations import _VirtualDataset
from simpar.nn import Cell, LossBase, MicroBatch, TrainAccumulatedStepCell
from simpar.ops import Broadcast
from simpar.tensor import Tensor

__all__ = [
    "VirtualDatasetCellTriple",
    "_BroadCastCell",
    "_Loss",
    "_MicroBatch",
    "_TrainGradAccuStepCell",
    "_VirtualDatasetCell",
]

_Loss = LossBase
_MicroBatch = MicroBatch
_TrainGradAccuStepCell = TrainAccumulatedStepCell


class _VirtualDatasetCell(Cell):
    """Marks where the inputs of a network come from the dataset; here every argument of a program does.

    Args:
        backbone: the network.
    """

    def __init__(self, backbone: Cell) -> None:
        super().__init__(auto_prefix=False)
        self._backbone = backbone
        self._virtual_dataset = _VirtualDataset()

    def construct(self, *data: Any) -> Any:
        """Return what the network makes of the inputs."""
        return self._backbone(*data)


class VirtualDatasetCellTriple(_VirtualDatasetCell):
    """The same for a network of three inputs."""


class _BroadCastCell(Cell):
    """Sends rank 0's values of some Tensors to all ranks.

    Args:
        params: the Tensors.
    """

    def __init__(self, params: Sequence[Tensor]) -> None:
        super().__init__()
        self.params = tuple(params)
        self.broadcast = Broadcast(0)
        self.add_flags(skip_auto_parallel_compile=True)

    def construct(self) -> Any:
        """Return the values of rank 0."""
        return self.broadcast(self.params)
