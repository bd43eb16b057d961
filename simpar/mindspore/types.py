"""Names of MindSpore's type system that scripts import beside the element types."""

from simpar import dtype as types
from simpar.dtype import DTYPES, DType, as_dtype
from simpar.tensor import Tensor

__all__ = ["dtype", "from_numpy", "number_type", "pytype_to_dtype"]

from_numpy = Tensor.from_numpy

dtype = types

number_type = tuple(t for t in DTYPES.values() if t.name != "bool")


def pytype_to_dtype(obj: object) -> DType:
    """Return the element type of a Python or numpy type.

    >>> pytype_to_dtype(float)
    Float32
    """
    return as_dtype(obj)
