"""What the hand-written programs share: weights, gradients and optimizer state as views of flat buffers, and updates.

These programs are what a careful numpy programmer writes for one network: every array is made before the first step,
every product writes into its place, and chains of passes go in blocks that stay in the cache.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "Array", "Flat", "adam", "cross_entropy", "momentum"]

Array = NDArray[np.float32]

BLOCK = 1 << 16
"""Elements of a block: 256 KiB."""


class Flat:
    """Arrays of given shapes as views of one flat buffer.

    Args:
        like: names and arrays whose shapes to take.
        fill: whether to take their values too, else zeros.
    """

    def __init__(self, like: Mapping[str, Array], *, fill: bool = False) -> None:
        self.whole: Array = np.zeros(sum(a.size for a in like.values()), np.float32)
        self.parts: dict[str, Array] = {}
        at = 0
        for name, array in like.items():
            self.parts[name] = self.whole[at : at + array.size].reshape(array.shape)
            at += array.size
            if fill:
                self.parts[name][...] = array

    def __getitem__(self, name: str) -> Array:
        return self.parts[name]


def momentum(weights: Array, velocity: Array, gradient: Array, rate: float, share: float) -> None:
    """Compute v = share * v + g and w -= rate * v, block by block."""
    scratch = np.empty(BLOCK, np.float32)
    for start in range(0, weights.size, BLOCK):
        w, v, g = (a[start : start + BLOCK] for a in (weights, velocity, gradient))
        s = scratch[: w.size]
        np.multiply(v, share, out=v)
        np.add(v, g, out=v)
        np.multiply(v, rate, out=s)
        np.subtract(w, s, out=w)


def adam(weights: Array, first: Array, second: Array, gradient: Array, rate: float, step: int) -> None:
    """Update by Adam as MindSpore defines it, block by block; ``step`` counts from 1."""
    scratch = np.empty(BLOCK, np.float32)
    scaled = rate * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
    for start in range(0, weights.size, BLOCK):
        w, m, v, g = (a[start : start + BLOCK] for a in (weights, first, second, gradient))
        s = scratch[: w.size]
        np.multiply(m, 0.9, out=m)
        np.multiply(g, 0.1, out=s)
        np.add(m, s, out=m)
        np.multiply(g, g, out=s)
        np.multiply(s, 0.001, out=s)
        np.multiply(v, 0.999, out=v)
        np.add(v, s, out=v)
        np.sqrt(v, out=s)
        np.add(s, 1e-8, out=s)
        np.divide(m, s, out=s)
        np.multiply(s, scaled, out=s)
        np.subtract(w, s, out=w)


def cross_entropy(logits: Array, labels: NDArray[np.int32], rows: int) -> float:
    """Return the sum of the losses over ``rows`` and turn the logits into their gradient, in place."""
    each = np.arange(len(logits))
    picked = logits[each, labels]
    top = logits.max(axis=1)
    np.subtract(logits, top[:, None], out=logits)
    np.exp(logits, out=logits)
    total = np.einsum("ij->i", logits)
    loss = float(np.sum(np.log(total) + top - picked)) / rows
    np.multiply(logits, (1 / (total * rows))[:, None], out=logits)
    logits[each, labels] -= np.float32(1 / rows)
    return loss
