"""How numpy's arrays look to MPI: their types, their operations, and boxes of them.

Nothing here imports mpi4py: the module ``mpi4py.MPI`` is an argument.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simpar.collectives.communicator import COMBINE, Array, check_combine, flat

__all__ = ["Boxes", "Operations", "free_types", "wire_form"]

_STAND_INS: dict[str, type[np.generic]] = {"?": np.uint8, "e": np.uint16, "E": np.uint16}  # bool, float16, bfloat16
_BOOL_COMBINE = {"sum": "max", "max": "max", "min": "min", "prod": "min"}


def wire_form(array: Array) -> Array:
    """Return the array flat, as a type that every MPI knows: its own, or one of the same size."""
    stand_in = _STAND_INS.get(array.dtype.char)
    return flat(array) if stand_in is None else flat(array).view(stand_in)


class Operations:
    """MPI's operations by name, and one of our own for float16 and bfloat16, which MPI lacks."""

    __slots__ = ("_known", "_mpi")

    def __init__(self, mpi: Any) -> None:
        self._mpi = mpi
        self._known: dict[tuple[str, str], Any] = {}

    def find(self, buffer: Array, combine: str) -> tuple[Any, Array]:
        """Return the operation that combines such buffers, and the buffer as MPI sees it."""
        key = (buffer.dtype.char, combine)
        if key not in self._known:
            self._known[key] = self._make(buffer.dtype, combine)
        return self._known[key], wire_form(buffer)

    def _make(self, dtype: np.dtype[Any], combine: str) -> Any:
        check_combine(combine)
        if dtype.char in "eE":
            return self._mpi.Op.Create(_half_operation(COMBINE[combine], dtype), commute=True)
        name = _BOOL_COMBINE[combine] if dtype.kind == "b" else combine  # of truth values, a sum is "or"
        return {"sum": self._mpi.SUM, "max": self._mpi.MAX, "min": self._mpi.MIN, "prod": self._mpi.PROD}[name]


def _half_operation(function: Callable[..., Any], dtype: np.dtype[Any]) -> Callable[[Any, Any, Any], None]:
    def combine(term: Any, total: Any, _: Any) -> None:
        into = np.frombuffer(total, dtype)
        function(np.frombuffer(term, dtype), into, out=into)

    return combine


@dataclass(frozen=True, slots=True)
class Boxes:
    """One side of an exchange: per rank a count, an address and a type that describes the box from there."""

    counts: list[int]
    addresses: list[int]
    types: list[Any]
    bottom: Any
    boxes: list[Array | None]
    """The boxes themselves, so that their memory lives as long as their addresses are kept."""

    @staticmethod
    def of(mpi: Any, boxes: list[Array | None]) -> "Boxes":
        """Describe boxes by their absolute addresses, so that strides of any kind will do."""
        full = [box is not None and box.size > 0 for box in boxes]
        first = min((box.ctypes.data for box in boxes if box is not None), default=0)
        addresses = [box.ctypes.data - first if box is not None else 0 for box in boxes]
        types = [_box_type(mpi, box) for box in boxes]
        span = max((_end(box) for box in boxes if box is not None), default=first) - first
        return Boxes([int(each) for each in full], addresses, types, mpi.buffer.fromaddress(first, span), boxes)

    @property
    def message(self) -> list[Any]:
        """The form in which mpi4py takes it."""
        return [self.bottom, self.counts, self.addresses, self.types]


def _end(box: Array) -> int:
    return np.lib.array_utils.byte_bounds(box)[1]


def _box_type(mpi: Any, box: Array | None) -> Any:
    """Return a committed type for the elements of ``box``, whose strides are not negative."""
    made = mpi.BYTE.Create_contiguous(1 if box is None else box.itemsize)
    for length, stride in reversed(() if box is None else tuple(zip(box.shape, box.strides, strict=True))):
        inner = made
        is_dense = stride == inner.Get_extent()[1]
        made = inner.Create_contiguous(length) if is_dense else inner.Create_hvector(length, 1, stride)
        inner.Free()
    return made.Commit()


def free_types(mpi: Any, types: list[Any]) -> None:
    """Free types that were committed, unless MPI has ended and freed them already."""
    if not mpi.Is_finalized():
        for each in types:
            each.Free()
