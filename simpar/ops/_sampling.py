"""Images read between their pixels: each place of the result is a weighted sum of the pixels round a point."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from simpar.ops.support import Array

__all__ = ["Taps", "linear_taps", "nearest_taps"]


@dataclass(frozen=True, slots=True)
class Taps:
    """The pixels that points take, and how much of each.

    Args:
        pixels: number of the pixel, per tap and point.
        weights: its share; 0 for pixels that do not exist.
        slopes: how the share changes with each coordinate of the point; empty if nothing does.
    """

    pixels: Array
    weights: Array
    slopes: tuple[Array, ...] = ()

    def taken(self, rows: Array) -> Array:
        """Return the sum for each point (points, channels) of rows of pixels (pixels, channels)."""
        made = np.zeros((self.pixels.shape[1], rows.shape[1]), rows.dtype)
        for pixels, weights in zip(self.pixels, self.weights, strict=True):
            made += rows[pixels] * weights[:, None]
        return made

    def given_back(self, g: Array, count: int) -> Array:
        """Return what each of ``count`` pixels gets of the cotangents of the points."""
        made = np.zeros((count, g.shape[1]), g.dtype)
        for pixels, weights in zip(self.pixels, self.weights, strict=True):
            np.add.at(made, pixels, g * weights[:, None])
        return made

    def pulled(self, g: Array, rows: Array) -> Array:
        """Return the cotangents of the coordinates (points, axes)."""
        shares = [np.einsum("pc,pc->p", rows[pixels], g) for pixels in self.pixels]
        return np.stack([sum(s * t for s, t in zip(slope, shares, strict=True)) for slope in self.slopes], -1)


def _numbers(places: Sequence[Array], sizes: Sequence[int]) -> tuple[Array, Array]:
    """Return the number of each pixel within its image, and whether it exists."""
    exists = np.ones(places[0].shape, np.bool_)
    number = np.zeros(places[0].shape, np.int64)
    for place, size in zip(places, sizes, strict=True):
        exists &= (place >= 0) & (place < size)
        number = number * size + np.clip(place, 0, size - 1)
    return number, exists


def nearest_taps(points: Sequence[Array], sizes: Sequence[int], images: Array) -> Taps:
    """Return the one pixel that is nearest to each point; arguments as of ``linear_taps``."""
    number, exists = _numbers([np.rint(p).astype(np.int64) for p in points], sizes)
    return Taps((images * prod(sizes) + number)[None], exists[None].astype(points[0].dtype))


def linear_taps(points: Sequence[Array], sizes: Sequence[int], images: Array, with_slopes: bool = False) -> Taps:
    """Return the pixels round each point, weighted by how near they are.

    Args:
        points: one array for each axis, in pixels.
        sizes: length of each axis of an image.
        images: which image each point reads.
        with_slopes: whether the slopes by the coordinates are needed.
    """
    low = [np.floor(p).astype(np.int64) for p in points]
    over = [p - lo for p, lo in zip(points, low, strict=True)]
    pixels: list[Array] = []
    weights: list[Array] = []
    slopes: list[list[Array]] = [[] for _ in points]
    for corner in product((0, 1), repeat=len(points)):
        number, exists = _numbers([lo + c for lo, c in zip(low, corner, strict=True)], sizes)
        shares = [f if c else 1 - f for f, c in zip(over, corner, strict=True)]
        pixels.append(images * prod(sizes) + number)
        weights.append(_product(shares) * exists)
        for axis, slope in enumerate(slopes if with_slopes else ()):
            rest = _product([s for i, s in enumerate(shares) if i != axis]) if len(shares) > 1 else 1
            slope.append(rest * exists * (1 if corner[axis] else -1))
    return Taps(np.stack(pixels), np.stack(weights), tuple(np.stack(s) for s in slopes if s))


def _product(shares: Sequence[Array]) -> Array:
    made = shares[0]
    for share in shares[1:]:
        made = made * share
    return made
