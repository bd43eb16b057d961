"""Element types under MindSpore's names: ``float32`` prints as ``Float32`` and knows its numpy type.

numpy has no bfloat16: its arrays are those of the package ``ml_dtypes``, which is imported when the first is made. Ops
compute it in float32 and round what they return (see ``graph.kernel_of``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from simpar.errors import DTypeError

__all__ = [
    "DTYPES",
    "DType",
    "as_dtype",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
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
        """The numpy type of the same name; of bfloat16 that of ``ml_dtypes``."""
        return _brain_float() if self.name == "bfloat16" else np.dtype(self.name)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        """Whether its values are real numbers with a fraction."""
        return self.name.startswith(("float", "bfloat"))

    @property
    def is_complex(self) -> bool:
        """Whether its values are complex numbers."""
        return self.name.startswith("complex")

    @property
    def has_gradient(self) -> bool:
        """Whether gradients can flow through values of this type."""
        return self.is_float or self.is_complex

    @property
    def real(self) -> "DType":
        """The type of the real part of a complex number; itself for others.

        >>> complex64.real, int32.real
        (Float32, Int32)
        """
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def complex(self) -> "DType":
        """The type of complex numbers made of this; complex64 for whole numbers and halves.

        >>> float64.complex, float16.complex
        (Complex128, Complex64)
        """
        return complex128 if self.name in ("float64", "complex128") else complex64

    def __repr__(self) -> str:
        return self.name.replace(*_SHOWN[self.name[0]]) if self.name[0] in _SHOWN else self.name.capitalize()


_SHOWN = {"u": ("uint", "UInt"), "b": ("bfloat", "BFloat")}


@lru_cache(1)
def _brain_float() -> np.dtype[Any]:
    import ml_dtypes  # 5 to 10 ms that most programs need not wait for

    return np.dtype(ml_dtypes.bfloat16)


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
bfloat16 = DType("bfloat16", 10)
float32 = DType("float32", 11)
float64 = DType("float64", 12)
complex64 = DType("complex64", 13)
complex128 = DType("complex128", 14)

DTYPES: dict[str, DType] = {
    t.name: t
    for t in (
        bool_, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, bfloat16, float32,
        float64, complex64, complex128,
    )
}  # fmt: skip


_PYTHON = {bool: bool_, int: int32, float: float32, complex: complex64}


def as_dtype(given: object) -> DType:
    """Return the element type that ``given`` names.

    Args:
        given: a ``DType``, a numpy type, or Python's ``bool``, ``int``, ``float``, ``complex`` (MindSpore takes the
            last three as int32, float32 and complex64).

    Raises:
        DTypeError: ``given`` names none.

    >>> as_dtype(np.dtype("int64")), as_dtype(float)
    (Int64, Float32)
    """
    if isinstance(given, DType):
        return given
    if isinstance(given, type) and given in _PYTHON:
        return _PYTHON[given]
    name = given.name if isinstance(given, np.dtype) else getattr(given, "__name__", given)
    if isinstance(name, str) and name in DTYPES:
        return DTYPES[name]
    raise DTypeError(f"{given!r} is not an element type; choose one of {', '.join(DTYPES)}.")


def dtype_to_nptype(given: DType) -> type[np.generic]:
    """Return the numpy scalar class of an element type, as MindSpore's function of this name does."""
    return as_dtype(given).numpy.type


def promote(types: Iterable[DType]) -> DType:
    """Return the type that an arithmetic op on these types results in; whole numbers never widen a float.

    bfloat16 stays what it is among its own and whole numbers; with any other float it counts as float32.

    >>> promote((int32, float32)), promote((int32, int64)), promote((bfloat16, float16))
    (Float32, Int64, Float32)
    """
    given = list(types)
    floats = [t for t in given if t.has_gradient]
    if bfloat16 in floats:
        floats = [bfloat16] if set(floats) == {bfloat16} else [float32 if t == bfloat16 else t for t in floats]
    return as_dtype(np.result_type(*(t.numpy for t in floats or given)))
