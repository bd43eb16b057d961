"""Images in the files that MNIST and CIFAR are published in.

The files are not brought along and not fetched: put them into a folder, as their makers name them.
"""

import gzip
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from simpar.dataset.dataset import Dataset
from simpar.dataset.order import chosen_sampler
from simpar.dataset.rows import Array
from simpar.dataset.sources import ArrayRows
from simpar.errors import DatasetError

__all__ = ["Cifar10Dataset", "Cifar100Dataset", "FashionMnistDataset", "MnistDataset"]

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CIFAR_IMAGE = 3 * 32 * 32


def _bytes(path: Path) -> bytes:
    """Return what is in a file, or in the same packed with gzip.

    Raises:
        DatasetError: neither is there.
    """
    if path.is_file():
        return path.read_bytes()
    if _is_there(path):
        return gzip.decompress(_packed(path).read_bytes())
    held = sorted(p.name for p in path.parent.iterdir())[:8] if path.parent.is_dir() else None
    raise DatasetError(
        f"there is no file {path}: "
        + ("its folder does not exist." if held is None else f"the folder holds {held}.")
        + " Give the folder with the files as they are published."
    )


def _packed(path: Path) -> Path:
    return path.with_name(path.name + ".gz")


def _is_there(path: Path) -> bool:
    return path.is_file() or _packed(path).is_file()


def _idx(path: Path, axes: int) -> Array:
    """Return the array in an IDX file: two zero bytes, a type, the number of axes, their lengths, the values.

    Raises:
        DatasetError: it is something else, or cut short.
    """
    data = _bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES:
        raise DatasetError(f"{path} is not an IDX file: it begins with {data[:4]!r}. Give the file as published.")
    shape = struct.unpack_from(f">{data[3]}I", data, 4) if len(data) >= 4 + 4 * data[3] else ()
    if len(shape) != axes:
        raise DatasetError(f"{path} holds {data[3]} axes; {axes} were expected. Are images and labels exchanged?")
    dtype = np.dtype(_IDX_TYPES[data[2]])
    start, size = 4 + 4 * axes, prod(shape) * dtype.itemsize
    if len(data) < start + size:
        raise DatasetError(f"{path} is cut short: {len(data)} bytes of {start + size}. Copy it again.")
    return np.frombuffer(data, dtype, prod(shape), start).reshape(shape)


def _cifar(path: Path, labels: int) -> tuple[Array, Array]:
    """Return the labels (n, ``labels``) and images (n, 32, 32, 3) of one binary file of CIFAR.

    Raises:
        DatasetError: its length is not a whole number of rows.
    """
    data, row = _bytes(path), labels + _CIFAR_IMAGE
    if not data or len(data) % row:
        raise DatasetError(f"{path} has {len(data)} bytes, not a multiple of {row}: it is cut short, or another file.")
    rows = np.frombuffer(data, np.uint8).reshape(-1, row)
    return rows[:, :labels], rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


class _Images(Dataset, ABC):
    """Is images and their labels, in files of a folder; arguments as of ``MnistDataset``."""

    _FILES: ClassVar[dict[str, list[str]]]
    _LABELS: ClassVar[tuple[str, ...]] = ("label",)
    _CLASSES: ClassVar[int] = 10

    def __init__(
        self,
        dataset_dir: str | Path,
        usage: str | None = None,
        num_samples: int | None = None,
        num_parallel_workers: int | None = None,
        shuffle: bool | None = None,
        sampler: Any = None,
        num_shards: int | None = None,
        shard_id: int | None = None,
        **_: Any,
    ) -> None:
        chosen = chosen_sampler(sampler, shuffle, num_samples, num_shards, shard_id)
        folder = Path(dataset_dir)
        there = [part for part, files in self._FILES.items() if _is_there(folder / files[0])]
        known = {"train": ["train"], "test": ["test"], "all": ["train", "test"], None: there or ["train"]}
        if usage not in known:
            raise DatasetError(f"usage is {usage!r}; choose 'train', 'test' or 'all'.")
        read = [pair for part in known[usage] for pair in self._read(folder, self._FILES[part], usage is None)]
        labels = np.concatenate([one for one, _ in read]).astype(np.uint32)
        arrays = [np.concatenate([two for _, two in read]), *labels.T]
        super().__init__(ArrayRows(("image", *self._LABELS), arrays, chosen, self._CLASSES))

    @abstractmethod
    def _read(self, folder: Path, files: list[str], some: bool) -> Iterator[tuple[Array, Array]]:
        """Give labels (n, labels), images (n, height, width, channels) of files; of those there are if ``some``."""


class MnistDataset(_Images):
    """Is MNIST's handwritten digits: ``image`` (28, 28, 1) uint8 and ``label`` uint32.

    Args:
        dataset_dir: the folder with the four IDX files (``train-images-idx3-ubyte``, …), packed with gzip or not.
        usage: ``"train"``, ``"test"`` or ``"all"``; what is there if None.
        num_samples: at most so many rows.
        num_parallel_workers: taken; rows are made in this process.
        shuffle: whether the order is drawn anew in each epoch; yes if None.
        sampler: decides which rows come instead.
        num_shards: among how many ranks the rows are shared; each gets every ``num_shards``-th.
        shard_id: which of them this is.

    Raises:
        DatasetError: a file is missing, cut short or something else.
    """

    _FILES: ClassVar[dict[str, list[str]]] = {
        "train": ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
        "test": ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
    }

    def _read(self, folder: Path, files: list[str], some: bool) -> Iterator[tuple[Array, Array]]:
        images, labels = files
        yield _idx(folder / labels, 1)[:, np.newaxis], _idx(folder / images, 3)[..., np.newaxis]


class FashionMnistDataset(MnistDataset):
    """Is Fashion-MNIST's pieces of clothing, in files like those of MNIST; arguments as there."""


class Cifar10Dataset(_Images):
    """Is CIFAR-10's photographs: ``image`` (32, 32, 3) uint8 and ``label`` uint32.

    The folder holds the binary files (``data_batch_1.bin``, …, ``test_batch.bin``); arguments as of ``MnistDataset``.
    """

    _FILES: ClassVar[dict[str, list[str]]] = {
        "train": [f"data_batch_{i}.bin" for i in range(1, 6)],
        "test": ["test_batch.bin"],
    }

    def _read(self, folder: Path, files: list[str], some: bool) -> Iterator[tuple[Array, Array]]:
        there = [name for name in files if _is_there(folder / name)] if some else []
        for name in there or files:
            yield _cifar(folder / name, len(self._LABELS))


class Cifar100Dataset(Cifar10Dataset):
    """Is CIFAR-100's photographs: ``image``, ``coarse_label``, ``fine_label``; arguments as of ``Cifar10Dataset``."""

    _FILES: ClassVar[dict[str, list[str]]] = {"train": ["train.bin"], "test": ["test.bin"]}
    _LABELS: ClassVar[tuple[str, ...]] = ("coarse_label", "fine_label")
    _CLASSES = 100
