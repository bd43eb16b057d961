"""Pooling of volumes as objects, under MindSpore's class names."""

from collections.abc import Sequence
from typing import Any

from simpar.errors import NotYetError, RuleError
from simpar.ops._windows import numbers_of, pads_of
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["AvgPool3D", "MaxPool3D"]

Numbers = int | Sequence[int]


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
        super().__init__(kernel=numbers_of(kernel_size, 3), stride=numbers_of(strides, 3), **attrs)
        self.pad_mode, self.padding = pad_mode.lower(), padding

    def __call__(self, x: Tensor) -> Tensor:
        """Return one value for each window."""
        kernel, stride = self._attrs["kernel"], self._attrs["stride"]
        padding = self.padding if self.pad_mode == "pad" else 0
        return self.apply_one(x, pads=pads_of(self.pad_mode, padding, x.shape[2:], kernel, stride, (1, 1, 1)))


class MaxPool3D(_Pool3D, op="max_pool"):
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
        super().__init__(kernel_size, strides, pad_mode, pad_list, ceil_mode)


class AvgPool3D(_Pool3D, op="avg_pool"):
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
        super().__init__(kernel_size, strides, pad_mode, pad, ceil_mode, count_pads=counted)
