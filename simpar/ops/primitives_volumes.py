"""Pooling of volumes as objects, under MindSpore's class names."""

from collections.abc import Sequence
from typing import Any

from simpar.errors import NotYetError, RuleError
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["AvgPool3D", "MaxPool3D"]

Numbers = int | Sequence[int]
Pair = tuple[int, int]


def _three(given: Numbers) -> tuple[int, int, int]:
    numbers = (given,) * 3 if isinstance(given, int) else tuple(given)[-3:]
    if len(numbers) != 3 or min(numbers) < 1:
        raise RuleError(f"{given} is given for depth, rows and columns; give one whole number above 0, or three.")
    return numbers[0], numbers[1], numbers[2]


class _Pool3D(Primitive):
    """What the two poolings of volumes (n, c, d, h, w) share.

    Args:
        kernel_size, strides: one number, or one for depth, rows and columns each.
        pad_mode: ``"valid"``, ``"same"`` or ``"pad"``.
        padding: with ``"pad"``: one number, or two for each of depth, rows and columns.
    """

    def __init__(
        self,
        kernel_size: Numbers,
        strides: Numbers,
        pad_mode: str,
        padding: Numbers,
        ceil_mode: bool | None,
        **attrs: Any,
    ) -> None:
        if ceil_mode:
            raise NotYetError(f"{type(self).__name__}: simpar has no ceil_mode; pad the volumes.")
        if pad_mode.lower() not in ("valid", "same", "pad"):
            raise RuleError(f"pad_mode is {pad_mode!r}; choose 'valid', 'same' or 'pad'.")
        super().__init__(kernel=_three(kernel_size), stride=_three(strides), **attrs)
        self.pad_mode = pad_mode.lower()
        self.padding = (padding,) * 6 if isinstance(padding, int) else tuple(padding)

    def __call__(self, x: Tensor) -> Tensor:
        """Return one value for each window."""
        return self.apply_one(x, pads=self._pads(x.shape[2:]))

    def _pads(self, size: tuple[int, ...]) -> tuple[Pair, ...]:
        if self.pad_mode == "valid":
            return ((0, 0),) * 3
        if self.pad_mode == "pad":
            return tuple((self.padding[i], self.padding[i + 1]) for i in (0, 2, 4))
        each = zip(size, self._attrs["kernel"], self._attrs["stride"], strict=True)
        missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in each]
        return tuple((m // 2, m - m // 2) for m in missing)


class MaxPool3D(_Pool3D, op="pool3d"):
    """Takes the largest value of each window of volumes (n, c, d, h, w)."""

    def __init__(
        self,
        kernel_size: Numbers = 1,
        strides: Numbers = 1,
        pad_mode: str = "VALID",
        pad_list: Numbers = 0,
        ceil_mode: bool | None = None,
        data_format: str = "NCDHW",
    ) -> None:
        del data_format
        super().__init__(kernel_size, strides, pad_mode, pad_list, ceil_mode, mode="max", count_pads=True)


class AvgPool3D(_Pool3D, op="pool3d"):
    """Takes the mean of each window of volumes (n, c, d, h, w)."""

    def __init__(
        self,
        kernel_size: Numbers = 1,
        strides: Numbers = 1,
        pad_mode: str = "valid",
        pad: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int = 0,
        data_format: str = "NCDHW",
    ) -> None:
        del data_format
        if divisor_override:
            raise NotYetError("AvgPool3D: simpar has no divisor_override; multiply the result.")
        counted = count_include_pad and pad_mode.lower() == "pad"
        super().__init__(kernel_size, strides, pad_mode, pad, ceil_mode, mode="avg", count_pads=counted)
