"""The ops as objects, under MindSpore's class names: special functions, and bits of whole numbers."""

from simpar.ops._faces import Binary, Operand, Unary
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "BesselI0",
    "BesselI0e",
    "BesselI1",
    "BesselI1e",
    "BesselJ0",
    "BesselJ1",
    "BesselK0",
    "BesselK0e",
    "BesselK1",
    "BesselK1e",
    "BesselY0",
    "BesselY1",
    "Betainc",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "Digamma",
    "Erf",
    "Erfc",
    "Erfinv",
    "Gcd",
    "Igamma",
    "Igammac",
    "Invert",
    "Lcm",
    "LeftShift",
    "Lgamma",
    "PopulationCount",
    "RightShift",
    "Zeta",
]


class Erf(Unary, op="erf"):
    """Is the error function of x."""


class Erfc(Unary, op="erfc"):
    """Is 1 - erf(x)."""


class Erfinv(Unary, op="erfinv"):
    """Is the number whose error function is x."""


class Lgamma(Unary, op="lgamma"):
    """Is the logarithm of the gamma function of |x|."""


class Digamma(Unary, op="digamma"):
    """Is the slope of lgamma at x."""


class BesselI0(Unary, op="bessel_i0"):
    """Is the modified Bessel function of the first kind, order 0."""


class BesselI1(Unary, op="bessel_i1"):
    """Is the modified Bessel function of the first kind, order 1."""


class BesselI0e(Unary, op="bessel_i0e"):
    """Is the modified Bessel function I0, scaled by exp(-|x|)."""


class BesselI1e(Unary, op="bessel_i1e"):
    """Is the modified Bessel function I1, scaled by exp(-|x|)."""


class BesselJ0(Unary, op="bessel_j0"):
    """Is the Bessel function of the first kind, order 0."""


class BesselJ1(Unary, op="bessel_j1"):
    """Is the Bessel function of the first kind, order 1."""


class BesselK0(Unary, op="bessel_k0"):
    """Is the modified Bessel function of the second kind, order 0."""


class BesselK1(Unary, op="bessel_k1"):
    """Is the modified Bessel function of the second kind, order 1."""


class BesselK0e(Unary, op="bessel_k0e"):
    """Is the modified Bessel function K0, scaled by exp(x)."""


class BesselK1e(Unary, op="bessel_k1e"):
    """Is the modified Bessel function K1, scaled by exp(x)."""


class BesselY0(Unary, op="bessel_y0"):
    """Is the Bessel function of the second kind, order 0."""


class BesselY1(Unary, op="bessel_y1"):
    """Is the Bessel function of the second kind, order 1."""


class Invert(Unary, op="invert"):
    """Is x with every bit turned."""


class PopulationCount(Unary, op="population_count"):
    """Tells how many bits of x are set."""


class BitwiseAnd(Binary, op="bitwise_and"):
    """Is the bits that x and y both have."""


class BitwiseOr(Binary, op="bitwise_or"):
    """Is the bits that x or y has."""


class BitwiseXor(Binary, op="bitwise_xor"):
    """Is the bits that exactly one of x and y has."""


class LeftShift(Binary, op="left_shift"):
    """Is x with its bits moved up by y places."""


class RightShift(Binary, op="right_shift"):
    """Is x with its bits moved down by y places."""


class Gcd(Binary, op="gcd"):
    """Is the greatest common divisor of x and y."""


class Lcm(Binary, op="lcm"):
    """Is the least common multiple of x and y."""


class Igamma(Binary, op="igamma"):
    """Is the regularized lower incomplete gamma function P(a, x)."""


class Igammac(Binary, op="igammac"):
    """Is 1 - igamma(a, x)."""


class Zeta(Binary, op="zeta"):
    """Is Hurwitz's zeta function: the sum of (q + k)^-x over k ≥ 0."""


class Betainc(Primitive, op="betainc"):
    """Is the regularized incomplete beta function I_x(a, b)."""

    def __call__(self, a: Operand, b: Operand, x: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(a, b, x)
