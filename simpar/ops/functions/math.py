"""The ops as functions, under MindSpore's lower-case names: arithmetic, trigonometric and hyperbolic functions."""

from math import pi

from simpar.ops._faces import Operand, applied
from simpar.ops.functions.elementwise import clamp, floor_mod, less, log, logical_and, pow
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "acos",
    "acosh",
    "addcdiv",
    "addcmul",
    "approximate_equal",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "copysign",
    "cosh",
    "deg2rad",
    "div_no_nan",
    "exp2",
    "float_power",
    "fmod",
    "frac",
    "heaviside",
    "hypot",
    "isclose",
    "isinf",
    "isneginf",
    "isposinf",
    "lerp",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "mul_no_nan",
    "nan_to_num",
    "nextafter",
    "rad2deg",
    "remainder",
    "rint",
    "signbit",
    "sinc",
    "sinh",
    "squared_difference",
    "tan",
    "trunc",
    "truncate_div",
    "truncate_mod",
    "xdivy",
    "xlogy",
]


# --- of one operand ---


def tan(x: Operand) -> Tensor:
    """Return the tangent of x."""
    return applied("tan", x)


def asin(x: Operand) -> Tensor:
    """Return the arc sine of x."""
    return applied("asin", x)


def acos(x: Operand) -> Tensor:
    """Return the arc cosine of x."""
    return applied("acos", x)


def atan(x: Operand) -> Tensor:
    """Return the arc tangent of x."""
    return applied("atan", x)


def sinh(x: Operand) -> Tensor:
    """Return the hyperbolic sine of x."""
    return applied("sinh", x)


def cosh(x: Operand) -> Tensor:
    """Return the hyperbolic cosine of x."""
    return applied("cosh", x)


def asinh(x: Operand) -> Tensor:
    """Return the inverse hyperbolic sine of x."""
    return applied("asinh", x)


def acosh(x: Operand) -> Tensor:
    """Return the inverse hyperbolic cosine of x."""
    return applied("acosh", x)


def atanh(x: Operand) -> Tensor:
    """Return the inverse hyperbolic tangent of x."""
    return applied("atanh", x)


def exp2(x: Operand) -> Tensor:
    """Return 2 to the power of x."""
    return applied("exp2", x)


def log2(x: Operand) -> Tensor:
    """Return the logarithm of x to base 2."""
    return applied("log2", x)


def log10(x: Operand) -> Tensor:
    """Return the logarithm of x to base 10."""
    return applied("log10", x)


def sinc(x: Operand) -> Tensor:
    """Return sin(πx) / (πx), 1 at 0."""
    return applied("sinc", x)


def trunc(x: Operand) -> Tensor:
    """Return x rounded towards zero."""
    return applied("trunc", x)


def frac(x: Operand) -> Tensor:
    """Return what trunc takes away from x."""
    return applied("frac", x)


def isinf(x: Operand) -> Tensor:
    """Return where x is infinite."""
    return applied("isinf", x)


def rint(x: Operand) -> Tensor:
    """Return x rounded, halves to even."""
    return applied("round", x)


def deg2rad(x: Operand) -> Tensor:
    """Return degrees as radians."""
    return applied("mul", x, pi / 180)


def rad2deg(x: Operand) -> Tensor:
    """Return radians as degrees."""
    return applied("mul", x, 180 / pi)


def isneginf(x: Tensor) -> Tensor:
    """Return where x is negative and infinite."""
    return logical_and(isinf(x), less(x, 0))


def isposinf(x: Tensor) -> Tensor:
    """Return where x is positive and infinite."""
    return logical_and(isinf(x), less(0, x))


def signbit(x: Tensor) -> Tensor:
    """Return where the sign of x is negative, which that of -0.0 is."""
    return less(copysign(1.0, x), 0)


def logit(x: Tensor, eps: float | None = None) -> Tensor:
    """Return log(x / (1 - x)), of x moved into [eps, 1 - eps] if that is given."""
    x = x if eps is None else clamp(x, eps, 1 - eps)
    return log(x / (1 - x))


def nan_to_num(
    x: Operand, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return x with numbers in place of what is none, and of infinities.

    Args:
        nan: 0 if None.
        posinf, neginf: the largest and smallest numbers of the type if None.
    """
    return applied("nan_to_num", x, nan=nan or 0.0, posinf=posinf, neginf=neginf)


arcsin, arccos, arctan = asin, acos, atan
arcsinh, arccosh, arctanh = asinh, acosh, atanh

# --- of two operands ---


def truncate_mod(x: Operand, y: Operand) -> Tensor:
    """Return the remainder of x / y rounded towards zero."""
    return applied("fmod", x, y)


def truncate_div(x: Operand, y: Operand) -> Tensor:
    """Return x / y rounded towards zero."""
    return applied("truncate_div", x, y)


def div_no_nan(x: Operand, y: Operand) -> Tensor:
    """Return x / y, 0 where y is 0."""
    return applied("div_no_nan", x, y)


def mul_no_nan(x: Operand, y: Operand) -> Tensor:
    """Return x * y, 0 where y is 0 whatever x is."""
    return applied("mul_no_nan", x, y)


def xdivy(x: Operand, y: Operand) -> Tensor:
    """Return x / y, 0 where x is 0."""
    return applied("xdivy", x, y)


def xlogy(x: Operand, y: Operand) -> Tensor:
    """Return x * log(y), 0 where x is 0."""
    return applied("xlogy", x, y)


def squared_difference(x: Operand, y: Operand) -> Tensor:
    """Return (x - y)²."""
    return applied("squared_difference", x, y)


def atan2(x: Operand, y: Operand) -> Tensor:
    """Return the arc tangent of x / y in its quadrant."""
    return applied("atan2", x, y)


def hypot(x: Operand, y: Operand) -> Tensor:
    """Return sqrt(x² + y²)."""
    return applied("hypot", x, y)


def nextafter(x: Operand, y: Operand) -> Tensor:
    """Return the next number from x towards y."""
    return applied("nextafter", x, y)


def copysign(x: Operand, y: Operand) -> Tensor:
    """Return x with the sign of y."""
    return applied("copysign", x, y)


def heaviside(x: Operand, y: Operand) -> Tensor:
    """Return 0 for negative x, 1 for positive x, y at 0."""
    return applied("heaviside", x, y)


def logaddexp(x: Operand, y: Operand) -> Tensor:
    """Return log(exp(x) + exp(y))."""
    return applied("logaddexp", x, y)


def logaddexp2(x: Operand, y: Operand) -> Tensor:
    """Return log2(2^x + 2^y)."""
    return applied("logaddexp2", x, y)


arctan2, fmod, remainder = atan2, truncate_mod, floor_mod


def float_power(x: Operand, exponent: Operand) -> Tensor:
    """Return x to a power, in float64."""
    return pow(as_tensor(x).astype("float64"), exponent)


def approximate_equal(x: Operand, y: Operand, tolerance: float = 1e-5) -> Tensor:
    """Return where x and y differ by less than ``tolerance``."""
    return applied("approximate_equal", x, y, tolerance=tolerance)


def isclose(x: Operand, y: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Return where x and y differ by at most ``atol + rtol * |y|``.

    >>> isclose(Tensor([1.0, 1.0]), Tensor([1.0, 1.1])).tolist()
    [True, False]
    """
    return applied("isclose", x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


# --- of three operands ---


def lerp(start: Operand, end: Operand, weight: Operand) -> Tensor:
    """Return start + weight * (end - start).

    >>> lerp(Tensor([0.0, 10.0]), Tensor([1.0, 20.0]), 0.5).tolist()
    [0.5, 15.0]
    """
    return applied("lerp", start, end, weight)


def addcmul(x: Tensor, tensor1: Tensor, tensor2: Tensor, value: float | Tensor = 1) -> Tensor:
    """Return x + value * tensor1 * tensor2."""
    return _scaled("addcmul", "mul", x, tensor1, tensor2, value)


def addcdiv(x: Tensor, tensor1: Tensor, tensor2: Tensor, value: float | Tensor = 1) -> Tensor:
    """Return x + value * tensor1 / tensor2."""
    return _scaled("addcdiv", "div", x, tensor1, tensor2, value)


def _scaled(name: str, inner: str, x: Tensor, tensor1: Tensor, tensor2: Tensor, value: float | Tensor) -> Tensor:
    """Apply the op whose factor is a number, or what it is made of for a Tensor."""
    if isinstance(value, Tensor):
        return x + value * one(inner, tensor1, tensor2)
    return one(name, x, tensor1, tensor2, value=value)
