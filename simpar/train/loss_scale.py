"""Loss scale managers: which scale a ``Model`` trains with, and which Cell changes it."""

from simpar.errors import ContextError
from simpar.nn import Cell, DynamicLossScaleUpdateCell, FixedLossScaleUpdateCell

__all__ = ["DynamicLossScaleManager", "FixedLossScaleManager", "LossScaleManager"]


class LossScaleManager:
    """Is the base of managers."""

    def get_loss_scale(self) -> float:
        """Return the scale."""
        raise NotImplementedError

    def update_loss_scale(self, overflow: bool) -> None:
        """Change the scale after a step."""
        raise NotImplementedError

    def get_update_cell(self) -> Cell | None:
        """Return the Cell that changes the scale within the step, or None."""
        raise NotImplementedError


class FixedLossScaleManager(LossScaleManager):
    """Keeps the scale.

    Args:
        loss_scale: the scale, at least 1.
        drop_overflow_update: whether a step that overflows changes no Parameter; if not, the optimizer must divide by
            the scale itself (its ``loss_scale``).
    """

    def __init__(self, loss_scale: float = 128.0, drop_overflow_update: bool = True) -> None:
        if loss_scale < 1:
            raise ContextError(f"FixedLossScaleManager: loss_scale is {loss_scale}; give at least 1.")
        self._scale, self._drops = float(loss_scale), drop_overflow_update

    def get_loss_scale(self) -> float:
        """Return the scale."""
        return self._scale

    def get_drop_overflow_update(self) -> bool:
        """Return whether a step that overflows changes no Parameter."""
        return self._drops

    def update_loss_scale(self, overflow: bool) -> None:
        """Do nothing."""

    def get_update_cell(self) -> Cell | None:
        """Return the Cell, or None if steps that overflow are taken as they are."""
        return FixedLossScaleUpdateCell(self._scale) if self._drops else None


class DynamicLossScaleManager(LossScaleManager):
    """Makes the scale smaller on overflow, and larger after so many steps without.

    Args:
        init_loss_scale: the scale to begin with.
        scale_factor: what it is divided and multiplied by.
        scale_window: after how many steps without overflow it grows.
    """

    def __init__(self, init_loss_scale: float = 2**24, scale_factor: int = 2, scale_window: int = 2000) -> None:
        self._scale, self._factor, self._window = float(init_loss_scale), scale_factor, scale_window
        self._good = 0
        self.get_update_cell()  # which checks the numbers

    def get_loss_scale(self) -> float:
        """Return the scale."""
        return self._scale

    def get_drop_overflow_update(self) -> bool:
        """Return True: a step that overflows changes no Parameter."""
        return True

    def update_loss_scale(self, overflow: bool) -> None:
        """Change the scale after a step."""
        if overflow:
            self._scale, self._good = max(self._scale / self._factor, 1.0), 0
            return
        self._good += 1
        if self._good >= self._window:
            self._scale, self._good = self._scale * self._factor, 0

    def get_update_cell(self) -> Cell:
        """Return the Cell that changes the scale."""
        return DynamicLossScaleUpdateCell(self._scale, self._factor, self._window)
