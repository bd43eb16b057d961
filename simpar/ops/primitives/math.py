"""The ops as objects, under MindSpore's class names: arithmetic, trigonometric and hyperbolic functions."""

from collections.abc import Sequence

from simpar.ops._faces import Binary, Operand, Unary
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "ACos",
    "Acosh",
    "AddN",
    "Addcdiv",
    "Addcmul",
    "AddcmulExt",
    "ApproximateEqual",
    "Asin",
    "Asinh",
    "Atan",
    "Atan2",
    "Atanh",
    "Cosh",
    "DivNoNan",
    "Exp2",
    "FmodScalar",
    "FmodTensor",
    "Frac",
    "Heaviside",
    "Hypot",
    "IsClose",
    "IsInf",
    "Lerp",
    "Log2",
    "Log10",
    "LogAddExp",
    "LogAddExp2",
    "MulNoNan",
    "NanToNum",
    "NextAfter",
    "RemainderScalarTensor",
    "RemainderTensorScalar",
    "RemainderTensorTensor",
    "Rint",
    "Sinc",
    "Sinh",
    "SquaredDifference",
    "Tan",
    "Trunc",
    "TruncateDiv",
    "TruncateMod",
    "Xdivy",
    "Xlogy",
]


# --- of one operand ---


class Tan(Unary, op="tan"):
    """Is the tangent of x."""


class Asin(Unary, op="asin"):
    """Is the arc sine of x."""


class ACos(Unary, op="acos"):
    """Is the arc cosine of x."""


class Atan(Unary, op="atan"):
    """Is the arc tangent of x."""


class Sinh(Unary, op="sinh"):
    """Is the hyperbolic sine of x."""


class Cosh(Unary, op="cosh"):
    """Is the hyperbolic cosine of x."""


class Asinh(Unary, op="asinh"):
    """Is the inverse hyperbolic sine of x."""


class Acosh(Unary, op="acosh"):
    """Is the inverse hyperbolic cosine of x."""


class Atanh(Unary, op="atanh"):
    """Is the inverse hyperbolic tangent of x."""


class Exp2(Unary, op="exp2"):
    """Is 2 to the power of x."""


class Log2(Unary, op="log2"):
    """Is the logarithm of x to base 2."""


class Log10(Unary, op="log10"):
    """Is the logarithm of x to base 10."""


class Sinc(Unary, op="sinc"):
    """Is sin(πx) / (πx), 1 at 0."""


class Trunc(Unary, op="trunc"):
    """Is x rounded towards zero."""


class Frac(Unary, op="frac"):
    """Is what trunc takes away from x."""


class IsInf(Unary, op="isinf"):
    """Tells where x is infinite."""


class Rint(Unary, op="round"):
    """Is x rounded, halves to even."""


class NanToNum(Primitive, op="nan_to_num"):
    """Replaces what is not a number, and infinities; by 0 and the largest numbers of the type if None."""

    def __init__(self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> None:
        super().__init__(nan=nan or 0.0, posinf=posinf, neginf=neginf)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


# --- of two operands ---


class TruncateMod(Binary, op="fmod"):
    """Is the remainder of x / y rounded towards zero."""


class TruncateDiv(Binary, op="truncate_div"):
    """Is x / y rounded towards zero."""


class FmodTensor(Binary, op="fmod"):
    """Is the remainder of x / y rounded towards zero."""


class FmodScalar(Binary, op="fmod"):
    """Is the remainder of x by a number, rounded towards zero."""


class RemainderTensorTensor(Binary, op="mod"):
    """Is the remainder of x / y rounded down."""


class RemainderTensorScalar(Binary, op="mod"):
    """Is the remainder of x by a number, rounded down."""


class RemainderScalarTensor(Binary, op="mod"):
    """Is the remainder of a number by y, rounded down."""


class DivNoNan(Binary, op="div_no_nan"):
    """Is x / y, 0 where y is 0."""


class MulNoNan(Binary, op="mul_no_nan"):
    """Is x * y, 0 where y is 0 whatever x is."""


class Xdivy(Binary, op="xdivy"):
    """Is x / y, 0 where x is 0."""


class Xlogy(Binary, op="xlogy"):
    """Is x * log(y), 0 where x is 0."""


class SquaredDifference(Binary, op="squared_difference"):
    """Is (x - y)²."""


class Atan2(Binary, op="atan2"):
    """Is the arc tangent of x / y in its quadrant."""


class Hypot(Binary, op="hypot"):
    """Is sqrt(x² + y²)."""


class NextAfter(Binary, op="nextafter"):
    """Is the next number from x towards y."""


class Heaviside(Binary, op="heaviside"):
    """Is 0 for negative x, 1 for positive x, y at 0."""


class LogAddExp(Binary, op="logaddexp"):
    """Is log(exp(x) + exp(y))."""


class LogAddExp2(Binary, op="logaddexp2"):
    """Is log2(2^x + 2^y)."""


class ApproximateEqual(Primitive, op="approximate_equal"):
    """Tells where x and y differ by less than ``tolerance``."""

    def __init__(self, tolerance: float = 1e-5) -> None:
        super().__init__(tolerance=tolerance)

    def __call__(self, x: Operand, y: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)


class IsClose(Primitive, op="isclose"):
    """Tells where x and y differ by at most ``atol + rtol * |y|``."""

    def __init__(self, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = True) -> None:
        super().__init__(rtol=rtol, atol=atol, equal_nan=equal_nan)

    def __call__(self, x: Operand, y: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)


# --- of three and more operands ---


class AddN(Primitive, op="add_n"):
    """Adds tensors of one shape.

    >>> AddN()([Tensor([1.0]), Tensor([2.0])]).tolist()
    [3.0]
    """

    def __call__(self, x: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*x)


class Lerp(Primitive, op="lerp"):
    """Is start + weight * (end - start)."""

    def __call__(self, start: Operand, end: Operand, weight: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(start, end, weight)


class _Scaled(Primitive):
    """Is an op of three tensors and a factor."""

    def __call__(self, x: Tensor, tensor1: Tensor, tensor2: Tensor, value: float | Tensor = 1) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, tensor1, tensor2, value=value.item() if isinstance(value, Tensor) else value)


class Addcmul(_Scaled, op="addcmul"):
    """Is x + value * tensor1 * tensor2."""


class AddcmulExt(Addcmul):
    """Is x + value * tensor1 * tensor2, under the name of ``mint``."""


class Addcdiv(_Scaled, op="addcdiv"):
    """Is x + value * tensor1 / tensor2."""
