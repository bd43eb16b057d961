"""Padding as Cells: constants, or the tensor's own elements, around the last axes."""

from typing import Any

from simpar import ops
from simpar.errors import ContextError, DTypeError
from simpar.nn.cell import Cell
from simpar.tensor import Tensor

__all__ = [
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Pad",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad2d",
]


class _PadLast(Cell):
    """Pads the last axes by low and high of each, last axis first.

    Args:
        padding: an int for every side of ``_axes`` axes, or a tuple of pairs for at most so many.

    Raises:
        DTypeError: it is neither an int nor a tuple of ints.
        ContextError: a number is below 0, or there are not as many as fit.
    """

    _axes: int
    _mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float = 0) -> None:
        super().__init__()
        self.padding, self.value = _pairs(type(self).__name__, padding, self._axes), value

    def construct(self, x: Tensor) -> Tensor:
        """Return x with elements around it."""
        return ops.pad(x, self.padding, self._mode, self.value)

    def extend_repr(self) -> str:
        """Return the numbers."""
        return f"padding={self.padding}"


def _pairs(layer: str, padding: Any, axes: int) -> tuple[int, ...]:
    numbers: tuple[Any, ...] = (padding,) * (2 * axes) if isinstance(padding, int) else padding
    if not isinstance(padding, int | tuple) or not all(isinstance(n, int) for n in numbers):
        raise DTypeError(f"{layer}(padding={padding!r}): give an int or a tuple of ints.")
    if len(numbers) % 2 or len(numbers) > 2 * axes or any(n < 0 for n in numbers):
        raise ContextError(
            f"{layer}(padding={padding!r}): give low and high for up to {axes} axes, last axis first, none below 0."
        )
    return numbers


class _ConstantPad(_PadLast):
    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        if not isinstance(value, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"{type(self).__name__}(value={value!r}): give a number.")
        super().__init__(padding, value)


class ConstantPad1d(_ConstantPad):
    """Puts ``value`` around the last axis."""

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """Puts ``value`` around the last two axes."""

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """Puts ``value`` around the last three axes."""

    _axes = 3


class _OwnPad(_PadLast):
    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding)


class ZeroPad2d(_OwnPad):
    """Puts zeros around the last two axes."""

    _axes = 2


class ReflectionPad1d(_OwnPad):
    """Continues the last axis by its mirror image, which does not repeat the end."""

    _axes, _mode = 1, "reflect"


class ReflectionPad2d(_OwnPad):
    """Continues the last two axes by their mirror images, which do not repeat the ends."""

    _axes, _mode = 2, "reflect"


class ReflectionPad3d(_OwnPad):
    """Continues the last three axes by their mirror images, which do not repeat the ends."""

    _axes, _mode = 3, "reflect"


class ReplicationPad1d(_OwnPad):
    """Repeats the ends of the last axis."""

    _axes, _mode = 1, "replicate"


class ReplicationPad2d(_OwnPad):
    """Repeats the ends of the last two axes."""

    _axes, _mode = 2, "replicate"


class ReplicationPad3d(_OwnPad):
    """Repeats the ends of the last three axes."""

    _axes, _mode = 3, "replicate"


class Pad(Cell):
    """Pads every axis.

    Args:
        paddings: low and high for each axis, first axis first.
        mode: ``"CONSTANT"`` (zeros), ``"REFLECT"`` (mirrored, the end not repeated) or ``"SYMMETRIC"`` (it is).

    Raises:
        DTypeError: ``paddings`` is no tuple.
        ContextError: its entries are not pairs, or there is no such mode.
    """

    def __init__(self, paddings: tuple[tuple[int, int], ...], mode: str = "CONSTANT") -> None:
        super().__init__()
        if not isinstance(paddings, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"Pad(paddings={paddings!r}): give a tuple with a pair for each axis.")
        if mode not in ("CONSTANT", "REFLECT", "SYMMETRIC") or any(len(pair) != 2 for pair in paddings):
            raise ContextError(
                f"Pad(paddings={paddings!r}, mode={mode!r}): give a pair for each axis, and the mode 'CONSTANT', "
                "'REFLECT' or 'SYMMETRIC'."
            )
        self.paddings, self.mode = paddings, mode
        self.pad = ops.Pad(paddings)

    def construct(self, x: Tensor) -> Tensor:
        """Return x with elements around it."""
        if self.mode == "CONSTANT":
            return self.pad(x)
        last_first = tuple(n for pair in self.paddings[::-1] for n in pair)
        return ops.pad(x, last_first, self.mode.lower())
