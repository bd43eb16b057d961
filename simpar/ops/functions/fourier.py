"""The ops as functions, under MindSpore's lower-case names: Fourier and cosine transforms.

All take ``norm``: ``"backward"`` (the default) divides the inverse transform by the number of elements, ``"forward"``
the transform itself, ``"ortho"`` both by its root.
"""

import numpy as np

from simpar.dtype import DType, float32
from simpar.ops._transforms import LAST_TWO, Axes, cosine_attrs, fft_attrs, shift_attrs
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = [
    "dct",
    "dctn",
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "idct",
    "idctn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


def _full(x: Tensor, s: Axes, dim: Axes, norm: str | None, inverse: bool) -> Tensor:
    return one("fft_c2c", x, **fft_attrs(x, s, dim, norm, inverse=inverse, mirrored=False))


def _half(x: Tensor, s: Axes, dim: Axes, norm: str | None, inverse: bool) -> Tensor:
    return one("fft_r2c", x, **fft_attrs(x, s, dim, norm, inverse=inverse, mirrored=False))


def _back(x: Tensor, s: Axes, dim: Axes, norm: str | None, inverse: bool) -> Tensor:
    return one("fft_c2r", x, **fft_attrs(x, s, dim, norm, inverse=inverse, mirrored=True))


# --- complex to complex ---


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the Fourier transform along an axis.

    Args:
        input: real or complex numbers.
        n: the length to which the axis is padded with zeros, or shortened, first.
        dim: the axis.
        norm: see the head of the module.

    >>> fft(Tensor([1.0, 0.0, 0.0])).tolist()
    [(1+0j), (1+0j), (1+0j)]
    """
    return _full(input, n, dim, norm, False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of ``fft``."""
    return _full(input, n, dim, norm, True)


def fft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return the Fourier transform along two axes."""
    return _full(input, s, dim, norm, False)


def ifft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return the inverse of ``fft2``."""
    return _full(input, s, dim, norm, True)


def fftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return the Fourier transform along several axes."""
    return _full(input, s, dim, norm, False)


def ifftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return the inverse of ``fftn``."""
    return _full(input, s, dim, norm, True)


# --- real to complex, and back ---


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the first half of the Fourier transform of real numbers, of which the other is the mirror.

    >>> rfft(Tensor([1.0, 2.0, 3.0, 4.0])).shape
    (3,)
    """
    return _half(input, n, dim, norm, False)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of ``rfft``: ``n`` real numbers, an even count if None."""
    return _back(input, n, dim, norm, True)


def rfft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return half of the Fourier transform of real numbers along two axes."""
    return _half(input, s, dim, norm, False)


def irfft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return the inverse of ``rfft2``."""
    return _back(input, s, dim, norm, True)


def rfftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return half of the Fourier transform of real numbers along several axes."""
    return _half(input, s, dim, norm, False)


def irfftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return the inverse of ``rfftn``."""
    return _back(input, s, dim, norm, True)


# --- of numbers whose mirror is their conjugate ---


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the Fourier transform, which is real, of numbers of which the first half is given."""
    return _back(input, n, dim, norm, False)


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of ``hfft``."""
    return _half(input, n, dim, norm, True)


def hfft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return ``hfft`` along two axes."""
    return _back(input, s, dim, norm, False)


def ihfft2(input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Return the inverse of ``hfft2``."""
    return _half(input, s, dim, norm, True)


def hfftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return ``hfft`` along several axes."""
    return _back(input, s, dim, norm, False)


def ihfftn(input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Return the inverse of ``hfftn``."""
    return _half(input, s, dim, norm, True)


# --- frequencies ---


def fftshift(input: Tensor, dim: Axes = None) -> Tensor:
    """Return a transform with the number of frequency 0 in the middle of axes, of all if None."""
    return one("roll", input, **shift_attrs(input, dim, inverse=False))


def ifftshift(input: Tensor, dim: Axes = None) -> Tensor:
    """Return the inverse of ``fftshift``."""
    return one("roll", input, **shift_attrs(input, dim, inverse=True))


def fftfreq(n: int, d: float = 1.0, dtype: DType | None = None) -> Tensor:
    """Return the frequencies of ``fft`` of ``n`` numbers ``d`` apart.

    >>> fftfreq(4).tolist()
    [0.0, 0.25, -0.5, -0.25]
    """
    return Tensor(np.fft.fftfreq(n, d), dtype or float32)


def rfftfreq(n: int, d: float = 1.0, dtype: DType | None = None) -> Tensor:
    """Return the frequencies of ``rfft`` of ``n`` numbers ``d`` apart."""
    return Tensor(np.fft.rfftfreq(n, d), dtype or float32)


# --- cosine transforms ---


def dct(x: Tensor, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the cosine transform along an axis.

    Args:
        x: real or complex numbers.
        type: which of the four cosine transforms, 1 to 4.
        n: the length to which the axis is padded with zeros, or shortened, first.
        axis: the axis.
        norm: see the head of the module.
    """
    return one("dct", x, **cosine_attrs(x, type, n, axis, norm, inverse=False))


def idct(x: Tensor, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of ``dct``."""
    return one("dct", x, **cosine_attrs(x, type, n, axis, norm, inverse=True))


def dctn(x: Tensor, type: int = 2, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Tensor:
    """Return the cosine transform along several axes."""
    return one("dct", x, **cosine_attrs(x, type, s, axes, norm, inverse=False))


def idctn(x: Tensor, type: int = 2, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Tensor:
    """Return the inverse of ``dctn``."""
    return one("dct", x, **cosine_attrs(x, type, s, axes, norm, inverse=True))
