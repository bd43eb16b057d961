"""Measures of one rank as events: its memory, and what its slices hold."""

import os
import resource
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.recorder.events import Checksum, MemoryMeasured, SliceStatistics

__all__ = ["measure_checksum", "measure_memory", "measure_statistics"]

_PROCESS = Path("/proc/self")
_BINS = 16
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


def measure_statistics(
    rank: int, parameter: str, step: int, values: NDArray[Any], bins: int = _BINS
) -> SliceStatistics:
    """Sum up the values of a slice; of an empty one all is NaN, and the histogram counts finite values only.

    >>> measured = measure_statistics(0, "w", 1, np.array([0.0, 1.0, 2.0, 3.0]), bins=2)
    >>> measured.minimum, measured.maximum, measured.mean, measured.histogram
    (0.0, 3.0, 1.5, (2, 2))
    """
    flat = np.asarray(values, np.float64).ravel()
    if not flat.size:
        return SliceStatistics(rank, parameter, step, _NAN, _NAN, _NAN, _NAN)
    finite = flat[np.isfinite(flat)]
    histogram = tuple(np.histogram(finite, bins)[0].tolist()) if finite.size else ()
    with np.errstate(invalid="ignore"):  # infinities have no spread: NaN says so
        numbers = (float(flat.min()), float(flat.max()), float(flat.mean()), float(flat.std()))
    return SliceStatistics(rank, parameter, step, *numbers, histogram)
