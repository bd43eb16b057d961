"""Special functions: error functions, gamma and beta functions, Bessel functions; the values are scipy's.

Functions of several operands have a gradient by the last one alone: by the others it is no closed formula, and no
cotangent flows there.
"""

from collections.abc import Callable
from functools import partial
from math import pi, sqrt
from typing import Any

from simpar.ops._pointwise import Unary, binary, ternary, unary
from simpar.ops.support import Array, float_dtype, like, one
from simpar.tensor import Tensor

__all__: list[str] = []


def _scipy(name: str) -> Callable[..., Array]:
    """Return the kernel that is ``scipy.special.<name>``, which is imported at the first call."""

    def kernel(*operands: Array, out: Array | None = None) -> Array:
        from scipy import special  # pyright: ignore[reportMissingTypeStubs] # slow to import, rarely needed

        function: Any = getattr(special, name)
        made: Array = function(*operands, out=out)
        return made

    return kernel


_named = partial(unary, dtype=float_dtype)


# --- the error function ---


def _bell(x: Tensor, sign: float) -> Tensor:
    """Return exp(sign * x²)."""
    return one("exp", like(sign, x) * one("square", x))


_SLOPE = 2 / sqrt(pi)
_named("erf", _scipy("erf"), lambda g, x, out: g * like(_SLOPE, g) * _bell(x, -1))
_named("erfc", _scipy("erfc"), lambda g, x, out: g * like(-_SLOPE, g) * _bell(x, -1))
_named("erfinv", _scipy("erfinv"), lambda g, x, out: g * like(1 / _SLOPE, g) * _bell(out, 1), low=-0.9, high=0.9)

# --- gamma, beta, zeta ---


def _trigamma(x: Tensor) -> Tensor:
    return one("zeta", like(2, x), x)


def _igamma_slope(a: Tensor, x: Tensor) -> Tensor:
    """Return x^(a-1) exp(-x) / Γ(a)."""
    return one("exp", one("xlogy", a - like(1, a), x) - x - one("lgamma", a))


def _betainc_grad(g: Tensor, a: Tensor, b: Tensor, x: Tensor, out: Tensor) -> tuple[None, None, Tensor]:
    whole = one("lgamma", a) + one("lgamma", b) - one("lgamma", a + b)
    powers = one("xlogy", a - like(1, a), x) + one("xlogy", b - like(1, b), like(1, x) - x)
    return None, None, g * one("exp", powers - whole)


_named("lgamma", _scipy("gammaln"), lambda g, x, out: g * one("digamma", x), low=0.5, high=4.0)
_named("digamma", _scipy("psi"), lambda g, x, out: g * _trigamma(x), low=0.5, high=4.0)
_gamma_like: dict[str, Any] = {"dtype": float_dtype, "low": 0.5, "high": 4.0}
binary("igamma", _scipy("gammainc"), lambda g, a, x, out: (None, g * _igamma_slope(a, x)), **_gamma_like)
binary("igammac", _scipy("gammaincc"), lambda g, a, x, out: (None, -(g * _igamma_slope(a, x))), **_gamma_like)
binary("igamma_quantile", _scipy("gammaincinv"), None, dtype=float_dtype, low=0.1, high=0.9)
binary(
    "zeta",
    _scipy("zeta"),
    lambda g, x, q, out: (None, -(g * x * one("zeta", x + like(1, x), q))),
    low=1.5,
    high=4.0,
    dtype=float_dtype,
)
ternary("betainc", _scipy("betainc"), _betainc_grad, low=0.2, high=0.9, dtype=float_dtype)

# --- Bessel functions ---


def _over(out: Tensor, x: Tensor, at_zero: float) -> Tensor:
    """Return out / x, and its limit where x is 0."""
    zero = one("equal", x, like(0, x))
    return one("select", zero, like(at_zero, x), out / one("select", zero, like(1, x), x))


def _i1e_grad(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    return g * (one("bessel_i0e", x) - _over(out, x, 0.5) - out * one("sign", x))


_BESSEL: tuple[tuple[str, Unary], ...] = (
    ("i0", lambda g, x, out: g * one("bessel_i1", x)),
    ("i1", lambda g, x, out: g * (one("bessel_i0", x) - _over(out, x, 0.5))),
    ("i0e", lambda g, x, out: g * (one("bessel_i1e", x) - out * one("sign", x))),
    ("i1e", _i1e_grad),
    ("j0", lambda g, x, out: -(g * one("bessel_j1", x))),
    ("j1", lambda g, x, out: g * (one("bessel_j0", x) - _over(out, x, 0.5))),
    ("k0", lambda g, x, out: -(g * one("bessel_k1", x))),
    ("k1", lambda g, x, out: -(g * (one("bessel_k0", x) + out / x))),
    ("k0e", lambda g, x, out: g * (out - one("bessel_k1e", x))),
    ("k1e", lambda g, x, out: g * (out - one("bessel_k0e", x) - out / x)),
    ("y0", lambda g, x, out: -(g * one("bessel_y1", x))),
    ("y1", lambda g, x, out: g * (one("bessel_y0", x) - out / x)),
)
for _kind, _gradient in _BESSEL:
    _named(f"bessel_{_kind}", _scipy(_kind), _gradient, low=0.5, high=3.0)
