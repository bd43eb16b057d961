"""Rows for training: where they come from, in which order, and what is done to them.

A dataset is a chain of stages. Each call (``map``, ``batch``, ``shuffle``, …) returns a new one with a stage more, and
nothing is read until an iterator asks. Rows go from stage to stage in blocks of many (``rows``), so that a transform
works on all of them at once where its work is the same for each; a row is looked at alone only by a user's own function
and by transforms that draw at random.

An order is a function of the seed and of the number of the epoch (``order``): the same run gives the same rows, and
ranks that ask alike see them in the same order, as semi_auto_parallel needs. With ``num_shards`` and ``shard_id`` each
rank gets a part of its own, as data_parallel needs.

MindSpore's names, so far as parallel training scripts use them. Everything is made in the process that asks: workers,
queues and caches are taken as arguments and change nothing.
"""

from simpar.dataset import config, transforms, vision
from simpar.dataset.batches import BatchInfo
from simpar.dataset.dataset import Dataset, EpochIterator, TransferDataset
from simpar.dataset.files import Cifar10Dataset, Cifar100Dataset, FashionMnistDataset, MnistDataset
from simpar.dataset.order import (
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    SubsetSampler,
    WeightedRandomSampler,
)
from simpar.dataset.sources import GeneratorDataset, NumpySlicesDataset

__all__ = [
    "BatchInfo",
    "Cifar10Dataset",
    "Cifar100Dataset",
    "Dataset",
    "DistributedSampler",
    "EpochIterator",
    "FashionMnistDataset",
    "GeneratorDataset",
    "MnistDataset",
    "NumpySlicesDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "SubsetSampler",
    "TransferDataset",
    "WeightedRandomSampler",
    "config",
    "transforms",
    "vision",
    "zip",
]


def zip(datasets: tuple[Dataset, ...]) -> Dataset:
    """Return rows with the columns of several datasets side by side.

    >>> one, two = (NumpySlicesDataset({n: [1, 2]}, shuffle=False) for n in "ab")
    >>> zip((one, two)).get_col_names()
    ['a', 'b']
    """
    first, *others = datasets
    return first.zip(tuple(others))
