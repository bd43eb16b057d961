"""Element types under MindSpore's names: ``float32`` prints as ``Float32`` and knows its numpy type."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simpar.errors import DTypeError

__all__ = [
    "DTYPES",
    "DType",
    "as_dtype",
    "bool_",
    "dtype_to_nptype",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


@dataclass(frozen=True, slots=True)
class DType:
    """One element type.

    Args:
        name: lower-case name, e.g. ``"float32"``.
        rank: place in MindSpore's order of types, ``bool`` lowest; a Parameter takes data of a type no higher than
            its own.

    >>> float32, float32.itemsize
    (Float32, 4)
    """

    name: str
    rank: int

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type of the same name."""
        return np.dtype(self.name)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        """Whether gradients can flow through values of this type."""
        return self.name.startswith("float")

    def __repr__(self) -> str:
        return self.name.replace("uint", "UInt") if self.name[0] == "u" else self.name.capitalize()


bool_ = DType("bool", 0)
int8 = DType("int8", 1)
uint8 = DType("uint8", 2)
int16 = DType("int16", 3)
uint16 = DType("uint16", 4)
int32 = DType("int32", 5)
uint32 = DType("uint32", 6)
int64 = DType("int64", 7)
uint64 = DType("uint64", 8)
float16 = DType("float16", 9)
float32 = DType("float32", 10)
float64 = DType("float64", 11)

DTYPES: dict[str, DType] = {
    t.name: t
    for t in (
        bool_, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, float32, float64,
    )
}  # fmt: skip


def as_dtype(given: object) -> DType:
    """Return the element type that ``given`` names.

    Args:
        given: a ``DType``, a numpy type, or Python's ``bool``, ``int``, ``float`` (MindSpore takes the last two as
            int32 and float32).

    Raises:
        DTypeError: ``given`` names none.

    >>> as_dtype(np.dtype("int64")), as_dtype(float)
    (Int64, Float32)
    """
    if isinstance(given, DType):
        return given
    if given is int or given is float or given is bool:
        return {int: int32, float: float32, bool: bool_}[given]
    name = given.name if isinstance(given, np.dtype) else getattr(given, "__name__", given)
    if isinstance(name, str) and name in DTYPES:
        return DTYPES[name]
    raise DTypeError(f"{given!r} is not an element type; choose one of {', '.join(DTYPES)}.")


def dtype_to_nptype(given: DType) -> type[np.generic]:
    """Return the numpy scalar class of an element type, as MindSpore's function of this name does."""
    return as_dtype(given).numpy.type


def promote(types: Iterable[DType]) -> DType:
    """Return the type that an arithmetic op on these types results in; whole numbers never widen a float.

    >>> promote((int32, float32)), promote((int32, int64))
    (Float32, Int64)
    """
    given = list(types)
    floats = [t for t in given if t.is_float]
    return as_dtype(np.result_type(*(t.numpy for t in floats or given)))
