"""Measures of one rank as events: its memory, and what its slices hold."""

import os
import resource
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.recorder.events import Checksum, MemoryMeasured, SliceValues
from simpar.recorder.tiles import pooled, tile_shape

__all__ = ["BINS", "MOST_CELLS", "measure_checksum", "measure_memory", "measure_values"]

_PROCESS = Path("/proc/self")
_BLOCK = 1 << 15  # elements: a quarter of a megabyte in float64, which stays in the cache
BINS = 32
"""Bins of a histogram."""
MOST_CELLS = 1024
"""Cells of a tile, e.g. 32 x 32, unless fewer are asked for."""
_NAN = float("nan")


def measure_memory(rank: int, step: int, planned_bytes: int) -> MemoryMeasured:
    """Measure the memory of this process; about a millisecond, so not at every step.

    Pages that ranks share (libraries, shared windows) count fully as resident, and in parts as a rank's share. Where
    there is no ``/proc``, resident is the most there ever was, and the share is unknown.
    """
    try:
        rss_bytes = int((_PROCESS / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return MemoryMeasured(rank, step, rss_bytes, _share_bytes(), planned_bytes)


def _share_bytes() -> int | None:
    """Return the proportional set size, which Linux sums up since 4.14."""
    try:
        lines = (_PROCESS / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("Pss:")]
    return int(found[0][1]) * 1024 if found else None


def measure_checksum(rank: int, parameter: str, step: int, values: NDArray[Any]) -> Checksum:
    """Digest the bytes of a slice; slices that are equal bit by bit have equal digests, whatever their strides.

    >>> a = np.arange(6.0).reshape(2, 3)
    >>> measure_checksum(0, "w", 1, a).digest == measure_checksum(1, "w", 1, a.T.copy().T).digest
    True
    """
    return Checksum(rank, parameter, step, blake2b(np.ascontiguousarray(values).tobytes(), digest_size=8).hexdigest())


def measure_values(
    rank: int, program: str, parameter: str, step: int, values: NDArray[Any], cells: int = MOST_CELLS
) -> SliceValues:
    """Sum up the values of a slice, block by block, and keep the means of a few cells of it.

    Args:
        rank: that holds the slice.
        program: that wrote it.
        parameter: whose slice it is.
        step: of the program after which it is measured.
        values: the slice; not copied. Of complex numbers the absolute values are summed up.
        cells: the most that its tile may have.

    >>> measured = measure_values(0, "train", "w", 1, np.array([0.0, 1.0, 2.0, 3.0, np.nan]))
    >>> measured.minimum, measured.maximum, measured.mean, measured.nans, sum(measured.histogram)
    (0.0, 3.0, 1.5, 1, 4)
    """
    array = np.asarray(values)
    array = np.abs(array) if array.dtype.kind == "c" else array
    flat = array.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = _sums(flat)
        histogram = _histogram(flat, sums.minimum, sums.maximum) if sums.count else ()
    tile = pooled(array, tile_shape(array.shape, cells)) if array.size else np.zeros(array.shape, np.float32)
    mean, deviation, norm = sums.moments
    infinities = flat.size - sums.count - sums.nans
    return SliceValues(
        rank, program, parameter, step, sums.minimum, sums.maximum, mean, deviation, norm, sums.nans, infinities,
        histogram, tile,
    )  # fmt: skip


@dataclass(slots=True)
class _Sums:
    """What is summed up of the finite values; ``total`` and ``squares`` are of their distance from ``first``."""

    first: float = 0.0
    minimum: float = _NAN
    maximum: float = _NAN
    count: int = 0
    nans: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def moments(self) -> tuple[float, float, float]:
        """Mean, standard deviation, and square root of the sum of squares."""
        if not self.count:
            return _NAN, _NAN, _NAN
        away = self.total / self.count
        variance = max(0.0, self.squares / self.count - away * away)
        mean = self.first + away
        return mean, sqrt(variance), sqrt(self.count * (variance + mean * mean))


def _sums(flat: NDArray[Any]) -> _Sums:
    found = _Sums()
    for at in range(0, flat.size, _BLOCK):
        block = flat[at : at + _BLOCK].astype(np.float64)
        if not isfinite(float(block @ block)):
            found.nans += int(np.isnan(block).sum())
            block = block[np.isfinite(block)]
        if not block.size:
            continue
        if not found.count:
            found.first = float(block[0])
        found.minimum = float(np.fmin(found.minimum, block.min()))
        found.maximum = float(np.fmax(found.maximum, block.max()))
        found.count += block.size
        block -= found.first
        found.total += float(block.sum())
        found.squares += float(block @ block)
    return found


def _histogram(flat: NDArray[Any], minimum: float, maximum: float) -> tuple[int, ...]:
    """Count finite values in equal bins from minimum to maximum."""
    counts = np.zeros(BINS, np.int64)
    scale = BINS / (maximum - minimum) if maximum > minimum else 0.0
    scale = scale if isfinite(scale) else 0.0  # a spread that float64 cannot divide by: one bin
    for at in range(0, flat.size, _BLOCK):
        block = flat[at : at + _BLOCK].astype(np.float64)
        if not isfinite(float(block.sum())):
            block = block[np.isfinite(block)]
        block -= minimum
        places = np.minimum((block * scale).astype(np.intp), BINS - 1) if scale else np.zeros(block.size, np.intp)
        counts += np.bincount(places, minlength=BINS)
    return tuple(counts.tolist())
