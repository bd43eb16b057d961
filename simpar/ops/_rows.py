"""Loops over blocks that stay in the cache, for kernels made of several passes over the same elements."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "as_tuple", "or_new", "rows_of", "spans", "widened"]

Array = NDArray[Any]

BLOCK_BYTES = 1 << 18
"""How much of one operand a block covers: with scratch and results it still fits a core's second-level cache."""


def spans(count: int, row_bytes: int) -> Iterator[slice]:
    """Give slices of ``count`` rows, each of about ``BLOCK_BYTES``.

    >>> list(spans(5, BLOCK_BYTES // 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = max(1, BLOCK_BYTES // max(row_bytes, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def rows_of(array: Array, axes: int = 1) -> Array:
    """Return an array as a matrix whose rows are its last ``axes`` axes, without a copy where it is contiguous."""
    row = int(np.prod(array.shape[array.ndim - axes :], dtype=np.int64))
    return array.reshape(array.size // max(row, 1), row)


def or_new(out: Array | None, shape: Sequence[int], dtype: Any) -> Array:
    """Return ``out``, or a new array in its place."""
    return np.empty(tuple(shape), dtype) if out is None else out


def as_tuple(given: Array | tuple[Array, ...] | None) -> tuple[Array, ...]:
    """Return the arrays of ``out``, or of a kernel's results: none, one or several."""
    return given if isinstance(given, tuple) else () if given is None else (given,)


def widened(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Let a kernel compute in float32 what is given in float16, where sums and exponentials soon leave the range.

    A result that cannot be written in place, because it is float16 or not contiguous, is made anew and copied.
    """

    @functools.wraps(kernel)
    def run(*arrays: Array, out: Any = None, **attrs: Any) -> Any:
        half = any(a.dtype == np.float16 for a in arrays)
        outs: tuple[Array, ...] = as_tuple(out)
        if not half and all(o.flags.c_contiguous for o in outs):
            return kernel(*arrays, out=out, **attrs)
        wide = tuple(a.astype(np.float32) if a.dtype == np.float16 else a for a in arrays)
        made = kernel(*wide, out=None, **attrs)
        results: tuple[Array, ...] = as_tuple(made)
        if not outs:
            narrow = half and all(a.dtype == np.float16 or a.dtype.kind != "f" for a in arrays)
            outs = tuple(r.astype(np.float16) if narrow and r.dtype == np.float32 else r for r in results)
        else:
            for target, result in zip(outs, results, strict=True):
                np.copyto(target, result, casting="unsafe")
        return outs if isinstance(made, tuple) else outs[0]

    return run
