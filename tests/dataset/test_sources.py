"""Where rows come from: generators, files, samplers."""

import gzip
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simpar import dataset as ds
from simpar.errors import DatasetError


def rows(data: ds.Dataset, column: str) -> list[Any]:
    return [row[column] for row in data.create_dict_iterator(num_epochs=1, output_numpy=True)]


class Squares:
    def __getitem__(self, place: int) -> tuple[Any, Any]:
        return np.array(place), np.array(place**2)

    def __len__(self) -> int:
        return 9


def counting() -> Iterator[tuple[Any]]:
    for i in range(5):
        yield (np.array(i),)


def test_an_object_with_numbers_gives_rows_in_any_order() -> None:
    data = ds.GeneratorDataset(Squares(), ["x", "y"], num_shards=3, shard_id=1, shuffle=False)
    assert [int(y) for y in rows(data, "y")] == [1, 16, 49]
    shuffled = ds.GeneratorDataset(Squares(), ["x", "y"])
    assert Counter(int(y) for y in rows(shuffled, "y")) == Counter(i * i for i in range(9))


def test_a_generator_gives_rows_as_they_come_in_every_epoch() -> None:
    data = ds.GeneratorDataset(counting, "x", column_types=["float32"], num_samples=4)
    iterator = data.create_dict_iterator(num_epochs=2, output_numpy=True)
    for _ in range(2):
        assert [row["x"].tolist() for row in iterator] == [0.0, 1.0, 2.0, 3.0]
    assert data.get_dataset_size() == 4
    with pytest.raises(DatasetError, match="cannot be shuffled"):
        ds.GeneratorDataset(counting, "x", num_shards=2, shard_id=0)


def test_a_row_that_does_not_fit_the_columns_is_named() -> None:
    with pytest.raises(DatasetError, match="row 0 of the source has 2 arrays for 1 columns"):
        rows(ds.GeneratorDataset(Squares(), "x"), "x")


def write_idx(path: Path, array: Any, packed: bool = False) -> None:
    data = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
    else:
        path.write_bytes(data)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    images = np.arange(6 * 28 * 28, dtype=np.uint32).reshape(6, 28, 28).astype(np.uint8)
    for part, count, packed in (("train", 6, False), ("t10k", 2, True)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", images[:count], packed)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8), packed)
    return tmp_path


def test_mnist_is_read_from_its_files(mnist: Path) -> None:
    data = ds.MnistDataset(str(mnist), "train", shuffle=False)
    assert (data.get_dataset_size(), data.num_classes(), data.output_shapes()) == (6, 10, [[28, 28, 1], []])
    assert [t.name for t in data.output_types()] == ["uint8", "uint32"]
    assert int(rows(data, "image")[1][0, 5, 0]) == (28 * 28 + 5) % 256
    assert ds.MnistDataset(mnist, "test").get_dataset_size() == 2
    assert ds.MnistDataset(mnist).get_dataset_size() == 8


def test_the_pipeline_of_the_tutorials_gives_normalized_images_in_batches(mnist: Path) -> None:
    data = ds.MnistDataset(mnist, "train", shuffle=False)
    transforms = [ds.vision.Rescale(1.0 / 255.0, 0), ds.vision.Normalize((0.1307,), (0.3081,)), ds.vision.HWC2CHW()]
    data = data.map(transforms, "image").map(ds.transforms.TypeCast("int32"), "label").batch(4)
    first = next(data.create_dict_iterator(output_numpy=True))
    raw = np.arange(4 * 28 * 28).astype(np.uint8).reshape(4, 1, 28, 28)
    np.testing.assert_allclose(first["image"], (raw / 255 - 0.1307) / 0.3081, rtol=1e-5, atol=1e-6)
    assert first["label"].tolist() == [0, 1, 2, 3]
    assert first["label"].dtype == np.int32


def test_files_that_are_missing_cut_short_or_foreign_are_named(mnist: Path, tmp_path: Path) -> None:
    file = mnist / "train-images-idx3-ubyte"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(DatasetError, match="cut short"):
        ds.MnistDataset(mnist, "train")
    file.write_bytes(b"\x89PNG" + whole)
    with pytest.raises(DatasetError, match="not an IDX file"):
        ds.MnistDataset(mnist, "train")
    file.write_bytes((mnist / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(DatasetError, match="holds 1 axes; 3 were expected"):
        ds.MnistDataset(mnist, "train")
    with pytest.raises(DatasetError, match="its folder does not exist"):
        ds.MnistDataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="usage is 'validation'"):
        ds.MnistDataset(mnist, "validation")


def test_cifar_is_read_from_its_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 3, 32, 32), np.uint8)
    labels = np.array([3, 1, 4, 1], np.uint8)
    rows_ = np.concatenate([labels[:, None], images.reshape(4, -1)], axis=1)
    (tmp_path / "data_batch_1.bin").write_bytes(rows_.tobytes())
    data = ds.Cifar10Dataset(tmp_path, shuffle=False)
    assert [int(v) for v in rows(data, "label")] == [3, 1, 4, 1]
    np.testing.assert_array_equal(np.stack(rows(data, "image")), images.transpose(0, 2, 3, 1))
    (tmp_path / "data_batch_1.bin").write_bytes(rows_.tobytes()[:-1])
    with pytest.raises(DatasetError, match="not a multiple of 3073"):
        ds.Cifar10Dataset(tmp_path)


def test_samplers_choose_rows() -> None:
    def chosen(sampler: Any) -> list[int]:
        return [int(v) for v in rows(ds.NumpySlicesDataset({"x": np.arange(6)}, sampler=sampler), "x")]

    assert chosen(ds.SubsetSampler([4, 0])) == [4, 0]
    assert chosen([5, 5]) == [5, 5]
    assert sorted(chosen(ds.SubsetRandomSampler([1, 2, 3]))) == [1, 2, 3]
    assert chosen(ds.SequentialSampler(2, 3)) == [2, 3, 4]
    assert chosen(ds.DistributedSampler(2, 1, shuffle=False)) == [1, 3, 5]
    assert set(chosen(ds.WeightedRandomSampler([0, 1, 0, 1, 0, 0], 40))) == {1, 3}
    assert sorted(chosen(ds.WeightedRandomSampler([1, 1, 1], 3, replacement=False))) == [0, 1, 2]
    assert len(chosen(ds.RandomSampler(replacement=True, num_samples=20))) == 20
    with pytest.raises(DatasetError, match="asks for row 6 of 6"):
        chosen(ds.SubsetSampler([6]))
