"""Mixed precision: networks in float16 with their losses in float32, and scaled losses."""

from typing import Any

from simpar.dtype import float16, float32
from simpar.errors import ContextError, DTypeError
from simpar.nn import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    Cell,
    LayerNorm,
    Optimizer,
    TrainOneStepCell,
    TrainOneStepWithLossScaleCell,
    WithLossCell,
    all_finite,
    micro_batches,
)
from simpar.tensor import Tensor
from simpar.train.loss_scale import LossScaleManager

__all__ = ["all_finite", "auto_mixed_precision", "build_train_network"]

_LEVELS = ("O0", "O1", "O2", "O3", "auto")
_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm)


class _InFloat32(Cell):
    """Computes a loss in float32, whatever the network returns."""

    def __init__(self, loss_fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self._loss_fn = loss_fn

    def construct(self, *inputs: Any) -> Any:
        """Return the loss of inputs turned into float32 where they are floats."""
        return self._loss_fn(*(x.astype(float32) if isinstance(x, Tensor) and x.dtype.is_float else x for x in inputs))


def auto_mixed_precision(network: Cell, amp_level: str = "O0", dtype: Any = float16) -> Cell:
    """Let a network compute in float16, and return it.

    Args:
        network: a Cell.
        amp_level: ``"O0"`` changes nothing; ``"O2"`` and ``"auto"`` keep normalization in float32; ``"O3"`` does not.
        dtype: float16; the type to compute in.

    Raises:
        ContextError: there is no such level.
    """
    if amp_level not in _LEVELS:
        raise ContextError(f"amp_level is {amp_level!r}; choose one of {', '.join(_LEVELS)}.")
    if amp_level == "O0":
        return network
    network.to_float(dtype)
    if amp_level != "O3":
        for _, cell in network.cells_and_names():
            if isinstance(cell, _NORMS):
                cell.to_float(float32)
    return network


def build_train_network(
    network: Cell,
    optimizer: Optimizer,
    loss_fn: Any = None,
    level: str = "O0",
    boost_level: str = "O0",
    **options: Any,
) -> Cell:
    """Return a Cell that takes one step of training.

    Args:
        network: computes predictions, or the loss if ``loss_fn`` is None.
        optimizer: updates its Parameters.
        loss_fn: a Cell of predictions and labels.
        level: as ``amp_level`` of ``auto_mixed_precision``.
        boost_level: taken; changes nothing.
        **options: ``loss_scale_manager``; others of MindSpore's are taken and change nothing.

    Raises:
        DTypeError: ``optimizer`` is none.
    """
    if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"build_train_network takes an optimizer, not {type(optimizer).__name__}.")
    network = auto_mixed_precision(network, level)
    if loss_fn is not None:
        network = WithLossCell(network, _InFloat32(loss_fn) if level != "O0" else loss_fn)
    manager: LossScaleManager | None = options.get("loss_scale_manager")
    cell = None if manager is None else manager.get_update_cell()
    if manager is None or cell is None:
        scale = 1.0 if manager is None else manager.get_loss_scale()
        return TrainOneStepCell(network, optimizer, scale / micro_batches(network))
    return TrainOneStepWithLossScaleCell(network, optimizer, cell)
