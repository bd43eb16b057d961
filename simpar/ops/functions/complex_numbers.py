"""The ops as functions, under MindSpore's lower-case names: complex numbers."""

from simpar.errors import DTypeError
from simpar.ops._faces import Operand, applied
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = [
    "adjoint",
    "angle",
    "conj",
    "imag",
    "is_complex",
    "isreal",
    "polar",
    "real",
    "view_as_real",
]


def real(input: Tensor) -> Tensor:
    """Return the real part of each number."""
    return one("real", input)


def imag(input: Tensor) -> Tensor:
    """Return the imaginary part of each number, 0 for real ones.

    >>> imag(Tensor([1 + 2j, 3 - 4j])).tolist()
    [2.0, -4.0]
    """
    return one("imag", input)


def conj(input: Tensor) -> Tensor:
    """Return the conjugate of each number."""
    return one("conj", input)


def angle(input: Tensor) -> Tensor:
    """Return the angle of each number, in radians from the real axis."""
    return one("angle", input)


def polar(abs: Operand, angle: Operand) -> Tensor:
    """Return the complex numbers of these absolute values and angles, in radians.

    >>> polar(Tensor([2.0]), Tensor([0.0])).tolist()
    [(2+0j)]
    """
    return applied("polar", abs, angle)


def adjoint(x: Tensor) -> Tensor:
    """Return each matrix transposed and conjugated."""
    return one("conj", x.swapaxes(-1, -2))


def is_complex(input: Tensor) -> bool:
    """Return whether the numbers are of a complex type."""
    return input.dtype.is_complex


def isreal(input: Tensor) -> Tensor:
    """Return where the imaginary part is 0."""
    return one("imag", input) == 0


def view_as_real(input: Tensor) -> Tensor:
    """Return real and imaginary parts side by side, along a new last axis.

    Raises:
        DTypeError: the numbers are no complex ones.
    """
    if not input.dtype.is_complex:
        raise DTypeError(f"view_as_real takes complex numbers apart, not {input.dtype}.")
    return one("stack", one("real", input), one("imag", input), axis=input.ndim)
