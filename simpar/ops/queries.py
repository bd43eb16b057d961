"""What a program asks of tensors, known before anything is computed; and the status of Ascend's floats."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar import dtype as types
from simpar.graph import Value
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "DType",
    "NPUAllocFloatStatus",
    "NPUClearFloatStatus",
    "NPUGetFloatStatus",
    "Rank",
    "ScalarToTensor",
    "Shape",
    "Size",
    "TensorToScalar",
    "TupleToArray",
    "dtype",
    "dyn_shape",
    "numel",
    "rank",
    "scalar_to_tensor",
    "shape",
    "size",
    "tuple_to_array",
]


def shape(input_x: Tensor) -> tuple[int, ...]:
    """Return the length of each axis.

    >>> shape(Tensor([[1.0, 2.0]]))
    (1, 2)
    """
    return input_x.shape


def dyn_shape(input_x: Tensor) -> Tensor:
    """Return the length of each axis as a Tensor; lengths are known while a program is traced.

    >>> dyn_shape(Tensor([[1.0, 2.0]])).tolist()
    [1, 2]
    """
    return Tensor(np.array(input_x.shape, np.int64))


def dtype(input_x: Tensor) -> types.DType:
    """Return the element type."""
    return input_x.dtype


def rank(input_x: Tensor) -> int:
    """Return how many axes there are."""
    return input_x.ndim


def size(input_x: Tensor) -> int:
    """Return how many elements there are."""
    return input_x.size


numel = size


def scalar_to_tensor(input_x: float, dtype: types.DType | None = None) -> Tensor:
    """Return a number as a Tensor without axes: float32, int64 or bool if no type is given.

    >>> scalar_to_tensor(1).dtype, scalar_to_tensor(1.0).dtype
    (Int64, Float32)
    """
    return as_tensor(input_x) if dtype is None else Tensor(input_x, dtype)


def tuple_to_array(input_x: Sequence[float]) -> Tensor:
    """Return numbers as a Tensor with one axis.

    >>> tuple_to_array((1.5, 2.0)).tolist()
    [1.5, 2.0]
    """
    whole = all(isinstance(n, int) for n in input_x)
    return Tensor(np.array(input_x, np.int64 if whole else np.float32))


class Shape(Primitive):
    """Tells the length of each axis."""

    def __call__(self, x: Tensor) -> tuple[int, ...]:
        """Return the lengths."""
        return x.shape


class DType(Primitive):
    """Tells the element type."""

    def __call__(self, x: Tensor) -> types.DType:
        """Return the type."""
        return x.dtype


class Rank(Primitive):
    """Tells how many axes there are."""

    def __call__(self, x: Tensor) -> int:
        """Return their number."""
        return x.ndim


class Size(Primitive):
    """Tells how many elements there are."""

    def __call__(self, x: Tensor) -> int:
        """Return their number."""
        return x.size


class ScalarToTensor(Primitive):
    """Makes a Tensor without axes of a number."""

    def __call__(self, input_x: float, dtype: types.DType | None = None) -> Tensor:
        """Return the Tensor."""
        return scalar_to_tensor(input_x, dtype)


class TensorToScalar(Primitive):
    """Takes the number out of a Tensor; while a program is traced it stays a Tensor, now without axes."""

    def __call__(self, input_x: Tensor) -> Any:
        """Return the number."""
        is_traced = isinstance(input_x.operand(), Value)
        return input_x.reshape(()) if is_traced else input_x.item()


class TupleToArray(Primitive):
    """Makes a Tensor with one axis of numbers."""

    def __call__(self, input_x: Sequence[float]) -> Tensor:
        """Return the Tensor."""
        return tuple_to_array(input_x)


# --- Ascend's flag of overflow, which numpy's floats do not have: it is never set ---


class NPUAllocFloatStatus(Primitive):
    """Makes the flag: eight zeros."""

    def __call__(self) -> Tensor:
        """Return the flag."""
        return Tensor(np.zeros(8, np.float32))


class NPUGetFloatStatus(Primitive):
    """Reads the flag, which is never set; tell an overflow by ``ops.isfinite``."""

    def __call__(self, x: Any) -> Tensor:
        """Return zeros."""
        return Tensor(np.zeros(8, np.float32))


class NPUClearFloatStatus(NPUGetFloatStatus):
    """Clears the flag, which is never set."""
