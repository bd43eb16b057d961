"""What the two faces of the ops share: operands as users give them, and objects of one or two operands."""

from typing import Any

from numpy.typing import NDArray

from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = ["Binary", "Operand", "Unary", "applied", "first_tensor"]

Operand = Tensor | NDArray[Any] | float


def first_tensor(*given: object) -> Tensor | None:
    """Return the first Tensor among operands, after which numbers are typed."""
    return next((x for x in given if isinstance(x, Tensor)), None)


def applied(name: str, *operands: object, **attrs: Any) -> Tensor:
    """Apply an op to Tensors, arrays and numbers."""
    like = first_tensor(*operands)
    return one(name, *(as_tensor(x, like) for x in operands), **attrs)


class Unary(Primitive):
    """Is an op of one tensor."""

    def __call__(self, x: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class Binary(Primitive):
    """Is an op of two tensors or numbers that broadcast."""

    def __call__(self, x: Operand, y: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)
