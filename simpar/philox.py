"""Random numbers addressed by the global index of an element, so that a slice never depends on the cut.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: *Parallel random numbers: as easy as 1, 2, 3*, SC 2011): ten
rounds of multiplications turn a counter of four words and a key of two into four random words. It has no state. Here
the key is the seed, the upper half of the counter a *stream* (one per tensor, or per dropout and step), and the lower
half the number of a block of four elements, counted row by row in the *whole* tensor. A rank makes the words of its
own box, and no more.

Everything after the words is made of ``+ - * /``, ``sqrt`` and ``frexp``, which IEEE 754 rounds in one way only. Hence
values do not depend on where an element stands in a numpy array, nor on the processor.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.errors import LayoutError

__all__ = ["Box", "fill", "keep_mask", "normal", "normal_quantile", "philox4x32", "uniform", "unit", "words"]

Box = Sequence[tuple[int, int]]
"""``(start, stop)`` along each tensor axis."""

Words = NDArray[np.uint32]
Doubles = NDArray[np.float64]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio, sqrt(3) - 1: what the key grows by each round
_WORD = 0xFFFFFFFF
_LOW = np.uint64(_WORD)
_HALF = np.uint64(32)
_CHUNK = 1 << 14
"""How many elements are made at a time, so that scratch memory stays in the cache."""


def philox4x32(blocks: NDArray[np.uint64], seed: int = 0, stream: int = 0) -> Words:
    """Return the four words of each block.

    Args:
        blocks: numbers of blocks, ``(n,)``: the lower two words of the counter.
        seed: the key, 64 bits.
        stream: the upper two words of the counter, 64 bits.

    Returns:
        ``(n, 4)``.

    >>> [f"{int(w):08x}" for w in philox4x32(np.zeros(1, np.uint64))[0]]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1 = blocks & _LOW, blocks >> _HALF
    c2, c3 = np.full_like(c0, stream & _WORD), np.full_like(c0, stream >> 32 & _WORD)
    k0, k1 = seed & _WORD, seed >> 32 & _WORD
    for _ in range(10):
        one, two = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        np.right_shift(two, _HALF, out=c0)
        np.bitwise_xor(c0, c1, out=c0)
        np.bitwise_xor(c0, np.uint64(k0), out=c0)
        np.right_shift(one, _HALF, out=c2)
        np.bitwise_xor(c2, c3, out=c2)
        np.bitwise_xor(c2, np.uint64(k1), out=c2)
        c1, c3 = np.bitwise_and(two, _LOW, out=two), np.bitwise_and(one, _LOW, out=one)
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    result = np.empty((len(blocks), 4), np.uint32)
    for lane, word in enumerate((c0, c1, c2, c3)):
        result[:, lane] = word
    return result


# --- a box of a tensor as runs of neighbouring elements ---


@dataclass(frozen=True, slots=True)
class _Runs:
    """A box as equally long runs of elements that are neighbours in the whole tensor.

    Trailing axes that the box takes whole join the axis before them into one run.
    """

    rows: tuple[int, ...]  # lengths of the axes in front of the runs
    strides: tuple[int, ...]  # how far apart neighbours along them are
    first: int  # the global index of the first element
    length: int

    def starts(self, begin: int, end: int) -> NDArray[np.uint64]:
        """Return the global index of the first element of runs ``begin`` to ``end``."""
        number = np.arange(begin, end, dtype=np.uint64)
        start = np.full(end - begin, self.first, np.uint64)
        for length, stride in zip(reversed(self.rows), reversed(self.strides), strict=True):
            start += number % np.uint64(length) * np.uint64(stride)
            number //= np.uint64(length)
        return start


def _runs(box: Box, shape: Sequence[int]) -> _Runs:
    if len(box) != len(shape) or any(not 0 <= low <= high <= n for (low, high), n in zip(box, shape, strict=True)):
        raise LayoutError(
            f"box {tuple(box)} does not lie inside shape {tuple(shape)}: give (start, stop) for each axis."
        )
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    cut = next((a for a in reversed(range(len(shape))) if box[a] != (0, shape[a])), 0)
    lengths = [high - low for low, high in box]
    first = sum(low * stride for (low, _), stride in zip(box, strides, strict=True))
    return _Runs(tuple(lengths[:cut]), tuple(strides[:cut]), first, prod(lengths[cut:]))


def _chunks(runs: _Runs) -> Iterator[tuple[int, NDArray[np.uint64], int]]:
    """Give pieces of the box in order: place in the flat result, starts of runs, and their length."""
    count = prod(runs.rows)
    if runs.length >= _CHUNK:
        for row in range(count):
            start = runs.starts(row, row + 1)
            for begin in range(0, runs.length, _CHUNK):
                yield row * runs.length + begin, start + np.uint64(begin), min(_CHUNK, runs.length - begin)
        return
    together = max(1, _CHUNK // max(runs.length, 1))
    for row in range(0, count, together):
        yield row * runs.length, runs.starts(row, min(row + together, count)), runs.length


def _words_of_runs(starts: NDArray[np.uint64], length: int, seed: int, stream: int) -> Words:
    """Return the words of several runs of one length, one after the other."""
    lanes = (starts & np.uint64(3)).astype(np.int64)
    per_run = int(lanes.max() + length + 3) // 4
    blocks = (starts >> np.uint64(2))[:, None] + np.arange(per_run, dtype=np.uint64)  # (runs, blocks of a run)
    made = philox4x32(blocks.reshape(-1), seed, stream).reshape(len(starts), -1)
    if lanes.min() == lanes.max():
        return made[:, lanes[0] : lanes[0] + length].reshape(-1)
    return np.take_along_axis(made, lanes[:, None] + np.arange(length), axis=1).reshape(-1)


def fill(
    out: NDArray[Any],
    seed: int,
    stream: int,
    box: Box,
    shape: Sequence[int],
    convert: Callable[[Words], NDArray[Any]],
) -> None:
    """Write random values into ``out``, one for each element of a box of a tensor.

    Args:
        out: an array with the shape of the box; it need not be contiguous.
        seed: tells programs apart, 64 bits.
        stream: tells tensors apart, 64 bits.
        box: ``(start, stop)`` along each axis of the tensor.
        shape: the shape of the whole tensor.
        convert: turns words into values, element by element.

    Raises:
        LayoutError: the box does not lie inside the shape.
    """
    runs = _runs(box, shape)
    if out.size == 0:
        return
    flat = out.reshape(-1) if out.flags.c_contiguous else np.empty(out.shape, out.dtype).reshape(-1)
    for place, starts, length in _chunks(runs):
        flat[place : place + len(starts) * length] = convert(_words_of_runs(starts, length, seed, stream))
    if not out.flags.c_contiguous:
        out[...] = flat.reshape(out.shape)


def _made(dtype: Any, box: Box) -> NDArray[Any]:
    return np.empty([high - low for low, high in box], dtype)


# --- distributions ---


def words(seed: int, stream: int, box: Box, shape: Sequence[int]) -> Words:
    """Return the random word of each element of a box.

    Args:
        seed: of the program.
        stream: one number per tensor.
        box: which elements.
        shape: of the whole tensor, in which elements are counted row by row.

    >>> whole = words(7, 0, ((0, 4), (0, 6)), (4, 6))
    >>> bool((words(7, 0, ((1, 3), (2, 5)), (4, 6)) == whole[1:3, 2:5]).all())
    True
    """
    out = _made(np.uint32, box)
    fill(out, seed, stream, box, shape, lambda w: w)
    return out


def uniform(seed: int, stream: int, box: Box, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return a float32 in [0, 1) for each element of a box, a multiple of 2**-24; arguments as of ``words``."""
    out = _made(np.float32, box)
    fill(out, seed, stream, box, shape, unit)
    return out


def unit(given: Words) -> Doubles:
    """Return the words as numbers in [0, 1) that float32 holds exactly."""
    return (given >> np.uint32(8)).astype(np.float64) * np.float64(2.0**-24)


def normal(seed: int, stream: int, box: Box, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return a float32 of the standard normal distribution for each element of a box; arguments as of ``words``."""
    out = _made(np.float32, box)
    fill(out, seed, stream, box, shape, lambda w: normal_quantile(centred(w)))
    return out


def keep_mask(seed: int, stream: int, box: Box, shape: Sequence[int], keep_prob: float) -> NDArray[np.bool_]:
    """Return for each element of a box whether dropout keeps it, which it does with probability ``keep_prob``.

    Other arguments as of ``words``.
    """
    out = _made(np.bool_, box)
    limit = np.uint64(round(keep_prob * 2**32))
    fill(out, seed, stream, box, shape, lambda w: w < limit)
    return out


def centred(given: Words) -> Doubles:
    """Return the words as numbers strictly between 0 and 1, symmetric around a half."""
    return (given.astype(np.float64) + 0.5) * np.float64(2.0**-32)


# Wichura: Algorithm AS 241, Applied Statistics 37 (1988), routine PPND7; coefficients of the highest power first.
_CENTRE = (59.109374720, 159.29113202, 50.434271938, 3.3871327179), (67.187563600, 78.757757664, 17.895169469, 1.0)
_MIDDLE = (0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0)
_FAR = (0.017337203997, 0.42868294337, 3.0812263860, 6.6579051150), (0.012258202635, 0.24197894225, 1.0)


def normal_quantile(probability: Doubles) -> Doubles:
    """Return the value below which a standard normal variable stays with each probability.

    Args:
        probability: strictly between 0 and 1.

    Returns:
        The quantiles, with a relative error of about 1e-7: Wichura's AS 241, with a logarithm of exact operations.

    >>> round(float(normal_quantile(np.array([0.975]))[0]), 5)
    1.95996
    """
    q = probability - 0.5
    result = q * _ratio(_CENTRE, 0.180625 - q * q)
    tail = np.flatnonzero(np.abs(q) > 0.425)
    low = q[tail] < 0
    r = np.sqrt(-_log(np.where(low, probability[tail], 1.0 - probability[tail])))
    far = np.where(r <= 5.0, _ratio(_MIDDLE, r - 1.6), _ratio(_FAR, r - 5.0))
    result[tail] = np.where(low, -far, far)
    return result


def _ratio(coefficients: tuple[Sequence[float], Sequence[float]], x: Doubles) -> Doubles:
    return _polynomial(coefficients[0], x) / _polynomial(coefficients[1], x)


def _polynomial(coefficients: Sequence[float], x: Doubles) -> Doubles:
    result = x * coefficients[0]
    for c in coefficients[1:-1]:
        result += c
        result *= x
    result += coefficients[-1]
    return result


def _log(x: Doubles) -> Doubles:
    """Return the natural logarithm to about 1e-15, by operations that round alike on every processor.

    With ``x = m * 2**e`` and ``s = (m - 1) / (m + 1)``, it is ``e * log(2) + 2 * (s + s**3 / 3 + s**5 / 5 + ...)``.
    """
    mantissa, exponent = np.frexp(x)  # mantissa in [0.5, 1)
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    series = _polynomial(tuple(2.0 / k for k in range(21, 0, -2)), s * s)
    return (exponent - small) * 0.6931471805599453 + s * series
