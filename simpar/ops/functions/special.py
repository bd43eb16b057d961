"""The ops as functions, under MindSpore's lower-case names: special functions, and bits of whole numbers."""

from math import factorial, log, pi

from simpar.errors import RuleError
from simpar.ops._faces import Operand, applied
from simpar.tensor import Tensor

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "bessel_j0",
    "bessel_j1",
    "bessel_k0",
    "bessel_k0e",
    "bessel_k1",
    "bessel_k1e",
    "bessel_y0",
    "bessel_y1",
    "betainc",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "gcd",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "igamma",
    "igammac",
    "invert",
    "lcm",
    "lgamma",
    "mvlgamma",
    "polygamma",
    "population_count",
    "zeta",
]


def erf(x: Operand) -> Tensor:
    """Return the error function of x."""
    return applied("erf", x)


def erfc(x: Operand) -> Tensor:
    """Return 1 - erf(x)."""
    return applied("erfc", x)


def erfinv(x: Operand) -> Tensor:
    """Return the number whose error function is x."""
    return applied("erfinv", x)


def lgamma(x: Operand) -> Tensor:
    """Return the logarithm of the gamma function of |x|."""
    return applied("lgamma", x)


def digamma(x: Operand) -> Tensor:
    """Return the slope of lgamma at x."""
    return applied("digamma", x)


def bessel_i0(x: Operand) -> Tensor:
    """Return the modified Bessel function of the first kind, order 0."""
    return applied("bessel_i0", x)


def bessel_i1(x: Operand) -> Tensor:
    """Return the modified Bessel function of the first kind, order 1."""
    return applied("bessel_i1", x)


def bessel_i0e(x: Operand) -> Tensor:
    """Return the modified Bessel function I0, scaled by exp(-|x|)."""
    return applied("bessel_i0e", x)


def bessel_i1e(x: Operand) -> Tensor:
    """Return the modified Bessel function I1, scaled by exp(-|x|)."""
    return applied("bessel_i1e", x)


def bessel_j0(x: Operand) -> Tensor:
    """Return the Bessel function of the first kind, order 0."""
    return applied("bessel_j0", x)


def bessel_j1(x: Operand) -> Tensor:
    """Return the Bessel function of the first kind, order 1."""
    return applied("bessel_j1", x)


def bessel_k0(x: Operand) -> Tensor:
    """Return the modified Bessel function of the second kind, order 0."""
    return applied("bessel_k0", x)


def bessel_k1(x: Operand) -> Tensor:
    """Return the modified Bessel function of the second kind, order 1."""
    return applied("bessel_k1", x)


def bessel_k0e(x: Operand) -> Tensor:
    """Return the modified Bessel function K0, scaled by exp(x)."""
    return applied("bessel_k0e", x)


def bessel_k1e(x: Operand) -> Tensor:
    """Return the modified Bessel function K1, scaled by exp(x)."""
    return applied("bessel_k1e", x)


def bessel_y0(x: Operand) -> Tensor:
    """Return the Bessel function of the second kind, order 0."""
    return applied("bessel_y0", x)


def bessel_y1(x: Operand) -> Tensor:
    """Return the Bessel function of the second kind, order 1."""
    return applied("bessel_y1", x)


def invert(x: Operand) -> Tensor:
    """Return x with every bit turned."""
    return applied("invert", x)


def population_count(x: Operand) -> Tensor:
    """Return how many bits of x are set."""
    return applied("population_count", x)


def bitwise_and(x: Operand, y: Operand) -> Tensor:
    """Return the bits that x and y both have."""
    return applied("bitwise_and", x, y)


def bitwise_or(x: Operand, y: Operand) -> Tensor:
    """Return the bits that x or y has."""
    return applied("bitwise_or", x, y)


def bitwise_xor(x: Operand, y: Operand) -> Tensor:
    """Return the bits that exactly one of x and y has."""
    return applied("bitwise_xor", x, y)


def bitwise_left_shift(x: Operand, y: Operand) -> Tensor:
    """Return x with its bits moved up by y places."""
    return applied("left_shift", x, y)


def bitwise_right_shift(x: Operand, y: Operand) -> Tensor:
    """Return x with its bits moved down by y places."""
    return applied("right_shift", x, y)


def gcd(x: Operand, y: Operand) -> Tensor:
    """Return the greatest common divisor of x and y."""
    return applied("gcd", x, y)


def lcm(x: Operand, y: Operand) -> Tensor:
    """Return the least common multiple of x and y."""
    return applied("lcm", x, y)


def igamma(a: Operand, x: Operand) -> Tensor:
    """Return the regularized lower incomplete gamma function P(a, x)."""
    return applied("igamma", a, x)


def igammac(a: Operand, x: Operand) -> Tensor:
    """Return 1 - igamma(a, x)."""
    return applied("igammac", a, x)


def zeta(x: Operand, q: Operand) -> Tensor:
    """Return Hurwitz's zeta function: the sum of (q + k)^-x over k ≥ 0."""
    return applied("zeta", x, q)


i0, i1, i0e, i1e = bessel_i0, bessel_i1, bessel_i0e, bessel_i1e


def betainc(a: Operand, b: Operand, x: Operand) -> Tensor:
    """Return the regularized incomplete beta function I_x(a, b)."""
    return applied("betainc", a, b, x)


def polygamma(n: int, x: Tensor) -> Tensor:
    """Return the n-th derivative of digamma at positive x.

    Raises:
        RuleError: n is negative.

    >>> round(polygamma(1, Tensor([1.0])).item(), 5)  # π² / 6
    1.64493
    """
    if n < 0:
        raise RuleError(f"polygamma has the order {n}; give 0 or more.")
    if n == 0:
        return digamma(x)
    return zeta(Tensor(n + 1.0, x.dtype), x) * ((-1.0) ** (n + 1) * factorial(n))


def mvlgamma(x: Tensor, p: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension p; x is above (p - 1) / 2.

    Raises:
        RuleError: p is below 1.
    """
    if p < 1:
        raise RuleError(f"mvlgamma has the dimension {p}; give 1 or more.")
    total = lgamma(x)
    for j in range(1, p):
        total = total + lgamma(x - j / 2)
    return total + p * (p - 1) / 4 * log(pi)
