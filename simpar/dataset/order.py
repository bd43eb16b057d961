"""In which order rows come: an epoch's number, and samplers.

Every order is a function of the seed and of the number of the epoch, and of nothing else. Ranks that ask alike get the
same rows in the same order; with ``num_shards`` each gets every ``num_shards``-th of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar import philox
from simpar.context import current
from simpar.errors import DatasetError

__all__ = [
    "DistributedSampler",
    "Epoch",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "SubsetSampler",
    "WeightedRandomSampler",
    "chosen_sampler",
    "dataset_seed",
]

Places = NDArray[np.int64]


def dataset_seed() -> int:
    """Return the seed of shuffling: that of ``dataset.config``, else that of ``set_seed``, else 0."""
    context = current()
    return int(context.others.get("dataset.seed", context.seed or 0))


@dataclass(frozen=True, slots=True)
class Epoch:
    """Is one pass over the rows.

    Args:
        number: of passes before this one.
        seed: of everything that is drawn.
        stage: tells the stages of one dataset apart, so that each draws numbers of its own.
    """

    number: int = 0
    seed: int = 0
    stage: int = 0

    def below(self, number: int | None = None) -> "Epoch":
        """Return the epoch as the stage below sees it."""
        return Epoch(self.number if number is None else number, self.seed, self.stage + 1)

    def uniform(self, count: int) -> NDArray[np.float32]:
        """Return ``count`` numbers in [0, 1)."""
        stream = (1 << 63) + (self.stage << 40) + self.number
        return philox.uniform(self.seed, stream, ((0, count),), (count,))

    def permutation(self, count: int) -> Places:
        """Return the numbers 0 to ``count`` - 1, shuffled.

        >>> sorted(Epoch(seed=3).permutation(5).tolist())
        [0, 1, 2, 3, 4]
        """
        stream = (1 << 63) + (self.stage << 40) + self.number
        return np.argsort(philox.words(self.seed, stream, ((0, count),), (count,)), kind="stable")


class Sampler:
    """Is the base of samplers: which rows of a source come, in which order.

    Args:
        num_samples: at most so many; all if None.
    """

    def __init__(self, num_samples: int | None = None) -> None:
        if num_samples is not None and num_samples <= 0:
            raise DatasetError(f"num_samples is {num_samples}; give a positive number, or leave it out for all rows.")
        self.num_samples = num_samples

    def places(self, rows: int, epoch: Epoch) -> Places:
        """Return the numbers of the rows of one epoch, in order."""
        places = self._places(rows, epoch)
        return places if self.num_samples is None else places[: self.num_samples]

    def count(self, rows: int) -> int:
        """Return how many rows an epoch has."""
        return len(self.places(rows, Epoch()))

    def _places(self, rows: int, epoch: Epoch) -> Places:
        raise NotImplementedError


class SequentialSampler(Sampler):
    """Takes the rows as they come, from ``start_index`` on."""

    def __init__(self, start_index: int | None = None, num_samples: int | None = None) -> None:
        super().__init__(num_samples)
        self.start_index = start_index or 0

    def _places(self, rows: int, epoch: Epoch) -> Places:
        return np.arange(self.start_index, rows)


class RandomSampler(Sampler):
    """Takes the rows in an order that is drawn anew in each epoch.

    Args:
        replacement: whether a row may come more than once.
        num_samples: at most so many; all if None.
    """

    def __init__(self, replacement: bool = False, num_samples: int | None = None) -> None:
        super().__init__(num_samples)
        self.replacement = replacement

    def _places(self, rows: int, epoch: Epoch) -> Places:
        if not self.replacement:
            return epoch.permutation(rows)
        count = rows if self.num_samples is None else self.num_samples
        return (epoch.uniform(count).astype(np.float64) * rows).astype(np.int64)


class SubsetSampler(Sampler):
    """Takes the rows with these numbers, in their order."""

    def __init__(self, indices: int | Sequence[int], num_samples: int | None = None) -> None:
        super().__init__(num_samples)
        self.indices = np.atleast_1d(np.asarray(indices, np.int64))

    def _places(self, rows: int, epoch: Epoch) -> Places:
        wrong = self.indices[(self.indices < 0) | (self.indices >= rows)]
        if wrong.size:
            raise DatasetError(f"the sampler asks for row {wrong[0]} of {rows}; numbers go from 0 to {rows - 1}.")
        return self.indices


class SubsetRandomSampler(SubsetSampler):
    """Takes the rows with these numbers, in an order that is drawn anew in each epoch."""

    def _places(self, rows: int, epoch: Epoch) -> Places:
        indices = super()._places(rows, epoch)
        return indices[epoch.permutation(len(indices))]


class WeightedRandomSampler(Sampler):
    """Draws rows with probabilities in proportion to their weights.

    Args:
        weights: one per row, not negative.
        num_samples: how many; as many as weights if None.
        replacement: whether a row may come more than once.
    """

    def __init__(self, weights: Sequence[float], num_samples: int | None = None, replacement: bool = True) -> None:
        super().__init__(num_samples)
        self.weights, self.replacement = np.asarray(weights, np.float64), replacement
        if not len(self.weights) or self.weights.min() < 0 or not self.weights.sum() > 0:
            raise DatasetError(f"weights {list(weights)[:8]} must not be negative, and one must be positive.")

    def _places(self, rows: int, epoch: Epoch) -> Places:
        if len(self.weights) > rows:
            raise DatasetError(f"there are {len(self.weights)} weights for {rows} rows; give at most one per row.")
        count = self.num_samples or len(self.weights)
        if self.replacement:
            edges = np.cumsum(self.weights) / self.weights.sum()
            return np.searchsorted(edges, epoch.uniform(count), side="right").clip(max=len(edges) - 1)
        keys = np.log(epoch.uniform(len(self.weights)).astype(np.float64) + 1e-12) / np.maximum(self.weights, 1e-300)
        return np.argsort(-keys, kind="stable")[:count]  # Efraimidis and Spirakis, 2006: the largest u ** (1 / w)


class DistributedSampler(Sampler):
    """Gives each of ``num_shards`` ranks every ``num_shards``-th row, equally many to each.

    Args:
        num_shards: how many ranks share the rows.
        shard_id: which of them this is.
        shuffle: whether the order is drawn anew in each epoch; the same on all ranks.
        num_samples: at most so many for this rank; all of its share if None.
        offset: which rank gets the first row; from rank 0 on if -1.
    """

    def __init__(
        self, num_shards: int, shard_id: int, shuffle: bool = True, num_samples: int | None = None, offset: int = -1
    ) -> None:
        super().__init__(num_samples)
        if num_shards < 1 or not 0 <= shard_id < num_shards:
            raise DatasetError(
                f"shard_id {shard_id} of num_shards {num_shards}: give a number of shards that is at least 1, and a "
                f"shard from 0 to num_shards - 1 (get_rank() and get_group_size(), in most programs)."
            )
        self.num_shards, self.shard_id, self.shuffle, self.offset = num_shards, shard_id, shuffle, offset

    def _places(self, rows: int, epoch: Epoch) -> Places:
        order = epoch.permutation(rows) if self.shuffle else np.arange(rows)
        share = ceil(rows / self.num_shards)
        first = self.shard_id - max(self.offset, 0)
        return order[(first + self.num_shards * np.arange(share)) % rows]  # what is missing at the end begins anew


def chosen_sampler(
    sampler: Any,
    shuffle: bool | None,
    num_samples: int | None,
    num_shards: int | None,
    shard_id: int | None,
    default_shuffle: bool = True,
) -> Sampler:
    """Return the sampler that a source's arguments ask for.

    Raises:
        DatasetError: they contradict each other.
    """
    if (num_shards is None) != (shard_id is None):
        raise DatasetError(f"num_shards is {num_shards} and shard_id is {shard_id}: give both, or neither.")
    if sampler is not None:
        if shuffle is not None or num_shards is not None:
            raise DatasetError("a sampler was given with shuffle or num_shards: the sampler decides both, give one.")
        return sampler if isinstance(sampler, Sampler) else SubsetSampler(list(sampler), num_samples)
    shuffled = default_shuffle if shuffle is None else shuffle
    if num_shards is not None and shard_id is not None:
        return DistributedSampler(num_shards, shard_id, shuffled, num_samples)
    return RandomSampler(num_samples=num_samples) if shuffled else SequentialSampler(num_samples=num_samples)
