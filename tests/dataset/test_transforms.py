"""Transforms against their definitions, and against themselves row by row."""

from typing import Any

import numpy as np
import pytest
import torch

from simpar import dataset as ds
from simpar.dataset import transforms, vision
from simpar.errors import DatasetError

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (5, 12, 9, 3), np.uint8)


def through(operation: Any, images: Any = IMAGES) -> Any:
    data = ds.NumpySlicesDataset({"image": images}, shuffle=False).map(operation, "image")
    return np.stack([r["image"] for r in data.create_dict_iterator(num_epochs=1, output_numpy=True)])


@pytest.mark.parametrize(
    "operation",
    [
        vision.Rescale(1 / 255, -0.5),
        vision.Normalize((1, 2, 3), (4, 5, 6)),
        vision.HWC2CHW(),
        vision.Resize((7, 20)),
        vision.Resize(6),
        vision.Resize((24, 18), vision.Inter.NEAREST),
        vision.CenterCrop((4, 5)),
        vision.Crop((1, 2), (3, 4)),
        vision.Pad((1, 2, 3, 4), 7),
        vision.HorizontalFlip(),
        vision.VerticalFlip(),
        vision.ToTensor(),
        transforms.TypeCast("float16"),
        transforms.PadEnd((14, 9, 3), 1),
        transforms.Slice(slice(1, 4)),
        transforms.Fill(3),
    ],
    ids=lambda o: type(o).__name__,
)
def test_many_rows_at_once_give_what_rows_give_alone(operation: Any) -> None:
    np.testing.assert_array_equal(through(operation), np.stack([operation(i) for i in IMAGES]))


def test_resize_makes_what_a_reference_makes() -> None:
    images = RNG.random((2, 10, 7, 3)).astype(np.float32)
    nchw = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    expected = torch.nn.functional.interpolate(nchw, (5, 15), mode="bilinear", align_corners=False).numpy()
    np.testing.assert_allclose(through(vision.Resize((5, 15)), images), expected.transpose(0, 2, 3, 1), atol=1e-5)
    nearest = torch.nn.functional.interpolate(nchw, (20, 14), mode="nearest-exact").numpy()
    made = through(vision.Resize((20, 14), vision.Inter.NEAREST), images)
    np.testing.assert_array_equal(made, nearest.transpose(0, 2, 3, 1))


def test_padding_is_where_it_was_asked_for() -> None:
    made = through(vision.Pad((1, 2, 3, 4), 7))
    assert made.shape == (5, 12 + 2 + 4, 9 + 1 + 3, 3)
    np.testing.assert_array_equal(made[:, 2:14, 1:10], IMAGES)
    assert (made[:, :2] == 7).all()


def test_one_hot_rows_have_a_one_at_the_label() -> None:
    assert through(transforms.OneHot(3), np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    np.testing.assert_allclose(through(transforms.OneHot(2, 0.2), np.array([1])), [[0.1, 0.9]], rtol=1e-6)
    with pytest.raises(DatasetError, match="a label is 3; with num_classes 3"):
        through(transforms.OneHot(3), np.array([3]))


def test_random_crops_are_parts_of_the_padded_image_and_differ_between_rows() -> None:
    images = np.broadcast_to(np.arange(64).reshape(1, 8, 8, 1), (40, 8, 8, 1)).copy()
    made = through(vision.RandomCrop((4, 4)), images)
    corners = made[:, 0, 0, 0]
    for crop, corner in zip(made, corners, strict=True):
        np.testing.assert_array_equal(crop[..., 0], corner + np.arange(4)[:, None] * 8 + np.arange(4))
    assert len(set(corners.tolist())) > 5
    assert through(vision.RandomCrop(8, 2), images).shape == (40, 8, 8, 1)


def test_a_flip_happens_about_as_often_as_asked() -> None:
    images = np.broadcast_to(np.arange(2).reshape(1, 1, 2, 1), (400, 1, 2, 1)).copy()
    flipped = through(vision.RandomHorizontalFlip(0.25), images)[:, 0, 0, 0].sum()
    assert 60 < flipped < 140


def test_what_is_drawn_is_the_same_in_the_same_run_and_another_in_the_next_epoch() -> None:
    data = ds.NumpySlicesDataset({"x": np.arange(64 * 40).reshape(40, 8, 8, 1)}, shuffle=False)
    data = data.map(vision.RandomCrop(4), "x")

    def epochs() -> list[Any]:
        iterator = data.create_dict_iterator(output_numpy=True)
        return [np.stack([r["x"] for r in iterator]) for _ in range(2)]

    one, two = epochs(), epochs()
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any()


def test_patches_put_together_are_the_image() -> None:
    data = ds.NumpySlicesDataset({"image": IMAGES}, shuffle=False)
    names = [f"p{i}" for i in range(4)]
    data = data.map(vision.SlicePatches(2, 2), "image", names)
    row = next(data.create_dict_iterator(output_numpy=True))
    grown = np.pad(IMAGES[0], ((0, 0), (0, 1), (0, 0)))
    top, bottom = (np.concatenate([row[n] for n in pair], axis=1) for pair in (names[:2], names[2:]))
    np.testing.assert_array_equal(np.concatenate([top, bottom]), grown)


def test_transforms_of_transforms_do_them() -> None:
    def add(n: int) -> Any:
        return lambda x: x + n

    ones = np.zeros((60, 1))
    assert through(transforms.Compose([add(1), add(2)]), ones).tolist() == [[3.0]] * 60
    assert set(through(transforms.RandomChoice([add(1), add(5)]), ones).reshape(-1)) == {1.0, 5.0}
    assert set(through(transforms.RandomApply([add(1), add(5)], 0.5), ones).reshape(-1)) == {0.0, 6.0}
    assert set(through(transforms.RandomOrder([add(1), lambda x: x * 2]), ones).reshape(-1)) == {1.0, 2.0}


def test_several_columns_come_of_one() -> None:
    data = ds.NumpySlicesDataset({"x": [[3, 1, 3]]}, shuffle=False)
    row = next(data.map(transforms.Unique(), "x", ["v", "i", "n"]).create_dict_iterator(output_numpy=True))
    assert (row["v"].tolist(), row["i"].tolist(), row["n"].tolist()) == ([1, 3], [1, 0, 1], [1, 2])
    row = next(data.map(transforms.Duplicate(), "x", ["x", "y"]).create_dict_iterator(output_numpy=True))
    assert row["x"].tolist() == row["y"].tolist() == [3, 1, 3]


def test_images_that_do_not_fit_are_refused_in_words() -> None:
    with pytest.raises(DatasetError, match="2 means for images"):
        through(vision.Normalize((1, 2), (3, 4)))
    with pytest.raises(DatasetError, match="are not in"):
        through(vision.CenterCrop(13))
    with pytest.raises(DatasetError, match="choose"):
        vision.Resize(3, vision.Inter.CUBIC)
