"""The data: 1797 handwritten digits of 8 x 8 pixels, which scikit-learn brings with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DATA", "Digits", "batches", "read", "split", "write"]

Pair = tuple["Digits", "Digits"]

DATA = "digits.npz"
"""The file from which ranks read the images."""
_TEST = 360
"""Images kept for the test; an even number, so that 2 ranks can cut them."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Is a set of images and what they show.

    Args:
        images: (n, 64) float32, from 0 to 1.
        labels: (n,) int32, from 0 to 9.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int32]


def split(seed: int) -> Pair:
    """Return the images to train with and those to test with; the seed decides which are which.

    >>> train, test = split(0)
    >>> train.images.shape, test.images.shape
    ((1437, 64), (360, 64))
    """
    sets: Any = import_module("sklearn.datasets")  # here, not above: it takes a second
    bundle = sets.load_digits()
    order = np.random.default_rng(seed).permutation(len(bundle.target))
    images = (bundle.data[order] / 16).astype(np.float32)
    labels = bundle.target[order].astype(np.int32)
    return Digits(images[_TEST:], labels[_TEST:]), Digits(images[:_TEST], labels[:_TEST])


def write(path: Path, digits: Pair) -> None:
    """Write the images for the ranks, so that they need not load scikit-learn."""
    train, test = digits
    np.savez(path, train=train.images, train_labels=train.labels, test=test.images, test_labels=test.labels)


def read(path: Path) -> Pair:
    """Return the images that ``write`` wrote."""
    with np.load(path) as held:
        return Digits(held["train"], held["train_labels"]), Digits(held["test"], held["test_labels"])


def batches(
    digits: Digits, size: int, count: int, seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """Yield batches of ``size`` images, drawn anew in each epoch; the same on every rank."""
    rng = np.random.default_rng(seed + 1)
    order = rng.permutation(len(digits.labels))
    place = 0
    for _ in range(count):
        if place + size > len(order):
            order, place = rng.permutation(len(digits.labels)), 0
        chosen = order[place : place + size]
        place += size
        yield digits.images[chosen], digits.labels[chosen]
