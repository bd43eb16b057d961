"""The ops as objects, under MindSpore's class names: complex numbers."""

from simpar.ops._faces import Binary, Operand, Unary
from simpar.tensor import Tensor

__all__ = ["Angle", "Complex", "ComplexAbs", "Conj", "Imag", "Polar", "Real"]


class Real(Unary, op="real"):
    """Is the real part of each number."""


class Imag(Unary, op="imag"):
    """Is the imaginary part of each number."""


class Conj(Unary, op="conj"):
    """Is the conjugate of each number."""


class Angle(Unary, op="angle"):
    """Is the angle of each number, in radians."""


class ComplexAbs(Unary, op="abs"):
    """Is the absolute value of each number."""


class Complex(Binary, op="complex"):
    """Makes complex numbers of their real and imaginary parts."""

    def __call__(self, real: Operand, imag: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(real, imag)


class Polar(Binary, op="polar"):
    """Makes complex numbers of their absolute values and angles."""

    def __call__(self, abs: Operand, angle: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(abs, angle)
