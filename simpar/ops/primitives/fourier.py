"""The ops as objects, under MindSpore's class names: Fourier and cosine transforms; arguments as of the functions."""

from simpar.dtype import DType
from simpar.ops._transforms import LAST_TWO, Axes, cosine_attrs, fft_attrs, shift_attrs
from simpar.ops.functions.fourier import fftfreq, rfftfreq
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "DCT",
    "DCTN",
    "FFT",
    "FFT2",
    "FFTN",
    "HFFT",
    "HFFT2",
    "HFFTN",
    "IDCT",
    "IDCTN",
    "IFFT",
    "IFFT2",
    "IFFTN",
    "IHFFT",
    "IHFFT2",
    "IHFFTN",
    "IRFFT",
    "IRFFT2",
    "IRFFTN",
    "RFFT",
    "RFFT2",
    "RFFTN",
    "FFTFreq",
    "FFTShift",
    "IFFTShift",
    "RFFTFreq",
]


class _Fourier(Primitive):
    """Is a Fourier transform."""

    inverse = False
    mirrored = False

    def _along(self, x: Tensor, s: Axes, dim: Axes, norm: str | None) -> Tensor:
        return self.apply_one(x, **fft_attrs(x, s, dim, norm, inverse=self.inverse, mirrored=self.mirrored))


class _One(_Fourier):
    """Transforms along one axis."""

    def __call__(self, input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
        """Apply the op."""
        return self._along(input, n, dim, norm)


class _Two(_Fourier):
    """Transforms along two axes."""

    def __call__(self, input: Tensor, s: Axes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
        """Apply the op."""
        return self._along(input, s, dim, norm)


class _Several(_Fourier):
    """Transforms along several axes, along all if none are named."""

    def __call__(self, input: Tensor, s: Axes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
        """Apply the op."""
        return self._along(input, s, dim, norm)


class FFT(_One, op="fft_c2c"):
    """Is the Fourier transform along one axis."""


class FFT2(_Two, op="fft_c2c"):
    """Is the Fourier transform along two axes."""


class FFTN(_Several, op="fft_c2c"):
    """Is the Fourier transform along several axes."""


class IFFT(_One, op="fft_c2c"):
    """Is the inverse Fourier transform along one axis."""

    inverse = True


class IFFT2(_Two, op="fft_c2c"):
    """Is the inverse Fourier transform along two axes."""

    inverse = True


class IFFTN(_Several, op="fft_c2c"):
    """Is the inverse Fourier transform along several axes."""

    inverse = True


class RFFT(_One, op="fft_r2c"):
    """Is half of the Fourier transform of real numbers along one axis."""


class RFFT2(_Two, op="fft_r2c"):
    """Is half of the Fourier transform of real numbers along two axes."""


class RFFTN(_Several, op="fft_r2c"):
    """Is half of the Fourier transform of real numbers along several axes."""


class IRFFT(_One, op="fft_c2r"):
    """Is the inverse of ``RFFT`` along one axis."""

    inverse = True
    mirrored = True


class IRFFT2(_Two, op="fft_c2r"):
    """Is the inverse of ``RFFT`` along two axes."""

    inverse = True
    mirrored = True


class IRFFTN(_Several, op="fft_c2r"):
    """Is the inverse of ``RFFT`` along several axes."""

    inverse = True
    mirrored = True


class HFFT(_One, op="fft_c2r"):
    """Is the Fourier transform of numbers of which the mirror is the conjugate along one axis."""

    mirrored = True


class HFFT2(_Two, op="fft_c2r"):
    """Is the Fourier transform of numbers of which the mirror is the conjugate along two axes."""

    mirrored = True


class HFFTN(_Several, op="fft_c2r"):
    """Is the Fourier transform of numbers of which the mirror is the conjugate along several axes."""

    mirrored = True


class IHFFT(_One, op="fft_r2c"):
    """Is the inverse of ``HFFT`` along one axis."""

    inverse = True


class IHFFT2(_Two, op="fft_r2c"):
    """Is the inverse of ``HFFT`` along two axes."""

    inverse = True


class IHFFTN(_Several, op="fft_r2c"):
    """Is the inverse of ``HFFT`` along several axes."""

    inverse = True


class FFTShift(Primitive, op="roll"):
    """Moves the number of frequency 0 to the middle."""

    def __call__(self, input: Tensor, dim: Axes = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, **shift_attrs(input, dim, inverse=False))


class IFFTShift(Primitive, op="roll"):
    """Is the inverse of ``FFTShift``."""

    def __call__(self, input: Tensor, dim: Axes = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, **shift_attrs(input, dim, inverse=True))


class FFTFreq(Primitive):
    """Makes the frequencies of ``fft``."""

    def __call__(self, n: int, d: float = 1.0, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        return fftfreq(n, d, dtype)


class RFFTFreq(Primitive):
    """Makes the frequencies of ``rfft``."""

    def __call__(self, n: int, d: float = 1.0, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        return rfftfreq(n, d, dtype)


class DCT(Primitive, op="dct"):
    """Is the cosine transform along one axis."""

    def __call__(
        self, x: Tensor, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
    ) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, **cosine_attrs(x, type, n, axis, norm, inverse=False))


class IDCT(Primitive, op="dct"):
    """Is the inverse cosine transform along one axis."""

    def __call__(
        self, x: Tensor, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
    ) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, **cosine_attrs(x, type, n, axis, norm, inverse=True))


class DCTN(Primitive, op="dct"):
    """Is the cosine transform along several axes."""

    def __call__(self, x: Tensor, type: int = 2, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, **cosine_attrs(x, type, s, axes, norm, inverse=False))


class IDCTN(Primitive, op="dct"):
    """Is the inverse cosine transform along several axes."""

    def __call__(self, x: Tensor, type: int = 2, s: Axes = None, axes: Axes = None, norm: str | None = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, **cosine_attrs(x, type, s, axes, norm, inverse=True))
