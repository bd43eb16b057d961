"""Fourier and cosine transforms: the axes that are transformed stay whole, others may be cut.

The matrix of a Fourier transform is symmetric, so the transposed slope is the transform itself, in the same direction
and with the same factor; padded axes are cut back, shortened ones padded with zeros.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, float_dtype, letters, one, sum_to, write
from simpar.tensor import Tensor

__all__: list[str] = []

_OTHER_NORM = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _rule(shape: Shape, attrs: Attrs, last: int) -> Rule:
    """Return ``"a0 ca1 -> a0 da1"``, where axis 1 is transformed.

    Args:
        shape: of the operand.
        attrs: of the op.
        last: length of the result along the last transformed axis.
    """
    dims, made = tuple[int, ...](attrs["dims"]), (*attrs["lengths"][:-1], last)
    names = letters(len(shape))
    left, right = ([p + f if i in dims else f for i, f in enumerate(names)] for p in "cd")
    sizes = {right[i]: n for i, n in zip(dims, made, strict=True)}
    whole = [names[i] for names in (left, right) for i in dims]
    return parse_rule(f"{' '.join(left)} -> {' '.join(right)}", (shape,), sizes=sizes, whole=whole)


def _same_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _rule(shapes[0], attrs, attrs["lengths"][-1])


def _half_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return _rule(shapes[0], attrs, attrs["lengths"][-1] // 2 + 1)


def _complex_type(types: Sequence[DType], attrs: Attrs) -> DType:
    return types[0].complex


def _real_type(types: Sequence[DType], attrs: Attrs) -> DType:
    return float_dtype([types[0].real], attrs)


def _resized(x: Tensor, shape: Shape) -> Tensor:
    """Return x with axes shortened or padded with zeros at their ends."""
    kept = tuple(map(min, x.shape, shape))
    if kept != x.shape:
        x = one("strided_slice", x, begin=(0,) * x.ndim, end=kept, strides=(1,) * x.ndim)
    missing = tuple((0, n - m) for n, m in zip(shape, kept, strict=True))
    return one("pad", x, paddings=missing) if kept != shape else x


# --- Fourier transforms ---


_FFT: Any = np.fft


def _single(x: Array) -> Array:
    """Return numbers in a type that numpy transforms in the precision of the result."""
    return x if x.dtype.char in "dDfF" else x.astype(np.float32)


def _c2c(x: Array, *, dims: Shape, lengths: Shape, norm: str, inverse: bool = False, out: Array | None = None) -> Array:
    transform = _FFT.ifftn if inverse else _FFT.fftn
    return write(transform(_single(x), lengths, dims, norm), out)


def _r2c(x: Array, *, dims: Shape, lengths: Shape, norm: str, inverse: bool = False, out: Array | None = None) -> Array:
    made = _FFT.rfftn(_single(x), lengths, dims, _OTHER_NORM[norm] if inverse else norm)
    return write(made.conj() if inverse else made, out)


def _c2r(x: Array, *, dims: Shape, lengths: Shape, norm: str, inverse: bool = False, out: Array | None = None) -> Array:
    given = _single(x) if inverse else _single(x).conj()
    return write(_FFT.irfftn(given, lengths, dims, norm if inverse else _OTHER_NORM[norm]), out)


def _c2c_bprop(g: Tensor, x: Tensor, *, dims: Shape, lengths: Shape, norm: str, inverse: bool = False) -> Tensor | None:
    made = one("fft_c2c", g, dims=dims, lengths=lengths, norm=norm, inverse=inverse)
    return sum_to(_resized(made, x.shape), x)


def _c2r_bprop(g: Tensor, x: Tensor, *, dims: Shape, lengths: Shape, norm: str, inverse: bool = False) -> Tensor | None:
    """Count all numbers of the half twice, but those that are their own mirror."""
    made = one("fft_r2c", g, dims=dims, lengths=lengths, norm=norm, inverse=inverse)
    counts = np.full(lengths[-1] // 2 + 1, 2, made.dtype.real.numpy)
    counts[0] = 1
    counts[-1] = 1 if lengths[-1] % 2 == 0 else counts[-1]
    made = made * Tensor(counts.reshape([-1] + [1] * (x.ndim - 1 - dims[-1])))
    return sum_to(_resized(made, x.shape), x)


_ONE: dict[str, Any] = {"dims": (1,), "lengths": (6,), "norm": "backward", "inverse": False}
_LONG: dict[str, Any] = {"dims": (1,), "lengths": (7,), "norm": "ortho", "inverse": True}
_TWO: dict[str, Any] = {"dims": (2, 0), "lengths": (4, 3), "norm": "forward", "inverse": False}
for _name, _kernel, _bprop, _lengths, _dtype in (
    ("fft_c2c", _c2c, _c2c_bprop, _same_rule, _complex_type),
    ("fft_r2c", _r2c, _c2c_bprop, _half_rule, _complex_type),
    ("fft_c2r", _c2r, _c2r_bprop, _same_rule, _real_type),
):
    _taken = ("float32",) if _name == "fft_r2c" else ("complex64",)
    op(
        _name,
        rule=_lengths,
        kernel=_kernel,
        bprop=_bprop,
        dtype=_dtype,
        linear="each",
        examples=(
            Example(((4, 6),), _ONE, _taken),
            Example(((4, 5),), _LONG, _taken),
            Example(((4, 6, 4),), _TWO, _taken),
        ),
    )

# --- cosine transforms ---

_SWAPPED = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type whose matrix is the transposed one, up to the factors of ``_weights``."""


def _weights(x: Array, axis: int, inner: float, last: float) -> Array:
    """Return x with the elements inside of an axis times ``inner``, and the first, which is no pair, as it is."""
    inside = [inner] * (x.shape[axis] - 2)
    factors = np.array([1, *inside, last][: x.shape[axis]], x.dtype)
    return x * factors.reshape([-1] + [1] * (x.ndim - 1 - axis))


def _cosine(x: Array, dims: Shape, lengths: Shape | None, norm: str, type: int, inverse: bool) -> Array:
    from scipy import fft  # pyright: ignore[reportMissingTypeStubs] # slow to import, rarely needed

    transform: Any = getattr(fft, "idctn" if inverse else "dctn")
    made: Array = transform(x, type, lengths, dims, norm)
    return made


def _turned_over(x: Array, dims: Shape, norm: str, type: int, inverse: bool) -> Array:
    """Multiply by the transposed matrix."""
    if norm == "ortho":
        return _cosine(x, dims, None, norm, type, not inverse)
    kind = _SWAPPED[type] if inverse else type
    for axis in dims:
        if kind in (1, 2):
            x = _weights(x, axis, 0.5, 1 if kind == 1 else 0.5)
    made = _cosine(x, dims, None, norm, _SWAPPED[type], inverse)
    for axis in dims:
        if kind == 2:
            made = made * 2
        elif kind in (1, 3):
            made = _weights(made, axis, 2, 1 if kind == 1 else 2) * (1 if kind == 1 else 0.5)
    return made


def _dct(
    x: Array,
    *,
    dims: Shape,
    lengths: Shape,
    norm: str,
    type: int,
    inverse: bool,
    transposed: bool,
    out: Array | None = None,
) -> Array:
    x = _single(x)
    if transposed:
        return write(_turned_over(x, dims, norm, type, inverse), out)
    return write(_cosine(x, dims, lengths, norm, type, inverse), out)


def _dct_bprop(
    g: Tensor, x: Tensor, *, dims: Shape, lengths: Shape, norm: str, type: int, inverse: bool, transposed: bool
) -> Tensor | None:
    attrs = {"dims": dims, "lengths": lengths, "norm": norm, "type": type, "inverse": inverse}
    return sum_to(_resized(one("dct", g, **attrs, transposed=not transposed), x.shape), x)


def _dct_attrs(type: int, lengths: Shape, norm: str, **given: Any) -> dict[str, Any]:
    found = {"dims": tuple(range(1, 1 + len(lengths))), "lengths": lengths, "norm": norm, "type": type}
    return {**found, "inverse": False, "transposed": False, **given}


op(
    "dct",
    rule=_same_rule,
    kernel=_dct,
    bprop=_dct_bprop,
    dtype=float_dtype,
    linear="each",
    examples=(
        Example(((4, 6),), _dct_attrs(2, (6,), "backward")),
        Example(((4, 6),), _dct_attrs(2, (5,), "ortho", inverse=True)),
        Example(((4, 6),), _dct_attrs(2, (7,), "forward", inverse=True)),
        Example(((4, 6, 3),), _dct_attrs(2, (6, 3), "forward")),
        Example(((4, 6),), _dct_attrs(1, (6,), "backward"), ("complex64",)),
        Example(((4, 6),), _dct_attrs(3, (6,), "forward")),
        Example(((4, 6),), _dct_attrs(4, (6,), "backward", transposed=True)),
    ),
)
