"""Complex numbers: made of two real ones, taken apart, conjugated.

A gradient here is the transposed slope, not conjugated (see ``autodiff``): of r = |z| it is g (x - iy) / r.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, float32, promote
from simpar.errors import DTypeError
from simpar.graph import Example
from simpar.ops._pointwise import binary, unary
from simpar.ops.support import Array, Attrs, one, write, zeros_like
from simpar.tensor import Tensor

__all__: list[str] = []


def _real_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return types[0].real


def _angle_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    return types[0].real if types[0].has_gradient else float32


def _complex_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    """Return the type that two parts make.

    Raises:
        DTypeError: a part is complex itself.
    """
    if any(t.is_complex for t in types):
        raise DTypeError(f"a complex number is made of two real ones, not of {types[0]} and {types[1]}.")
    return promote(types).complex


def _real(x: Array, out: Array | None = None) -> Array:
    return write(np.real(x), out)


def _imag(x: Array, out: Array | None = None) -> Array:
    return write(np.imag(x), out)


def _angle(x: Array, out: Array | None = None) -> Array:
    return write(np.angle(x), out)


def _complex(x: Array, y: Array, out: Array | None = None) -> Array:
    made = np.empty(np.broadcast_shapes(x.shape, y.shape), np.result_type(x, y, np.complex64)) if out is None else out
    made.real, made.imag = x, y
    return made


def _polar(x: Array, y: Array, out: Array | None = None) -> Array:
    return _complex(x * np.cos(y), x * np.sin(y), out)


def _turned(g: Tensor) -> Tensor:
    """Return i g."""
    if g.dtype.is_complex:
        return one("complex", -one("imag", g), one("real", g))
    return one("complex", zeros_like(g), g)


def _abs_grad(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    slope = one("sign", x)
    return g * (one("conj", slope) if x.dtype.is_complex else slope)


def _angle_grad(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    return -_turned(g) / x if x.dtype.is_complex else zeros_like(x)


def _imag_grad(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    return -_turned(g) if x.dtype.is_complex else zeros_like(x)


def _complex_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    return one("real", g), -one("imag", g)


def _polar_grad(g: Tensor, x: Tensor, y: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    unit = one("complex", one("cos", y), one("sin", y))
    return one("real", g * unit), -one("imag", g * out)


_TRIED: dict[str, Any] = {"examples": (Example(((4, 6),), dtypes=("complex64",)), Example(((2, 3, 4),)))}

unary("abs", np.absolute, _abs_grad, dtype=_real_dtype, **_TRIED)
unary("angle", _angle, _angle_grad, dtype=_angle_dtype, **_TRIED)
unary("real", _real, lambda g, x, out: g, dtype=_real_dtype, linear="each", **_TRIED)
unary("imag", _imag, _imag_grad, dtype=_real_dtype, linear="each", **_TRIED)
unary("conj", np.conjugate, lambda g, x, out: one("conj", g), linear="each", **_TRIED)
binary("complex", _complex, _complex_grad, dtype=_complex_dtype, linear="joint")
binary("polar", _polar, _polar_grad, dtype=_complex_dtype)
