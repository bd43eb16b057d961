"""Boxes in images, and images read at points, against PyTorch and their definitions."""

from math import floor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.errors import RuleError
from tests.ops.test_against_torch import gradients_of

torch = pytest.importorskip("torch")

Array = NDArray[Any]
RNG = np.random.default_rng(8)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize(("image", "grid"), [((2, 3, 5, 6), (2, 4, 3, 2)), ((2, 2, 3, 4, 5), (2, 2, 3, 4, 3))])
def test_images_read_on_a_grid_are_those_of_torch(
    mode: str, padding: str, corners: bool, image: tuple[int, ...], grid: tuple[int, ...]
) -> None:
    arrays = [floats(*image), RNG.uniform(-1.4, 1.4, grid).astype(np.float32)]
    made, gradients = gradients_of(lambda x, g: ops.grid_sample(x, g, mode, padding, corners) ** 2, arrays)
    given = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = torch.nn.functional.grid_sample(*given, mode, padding, corners) ** 2
    expected.sum().backward()
    np.testing.assert_allclose(made, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(gradients, given, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-3, atol=2e-4)


def read(image: Array, y: float, x: float) -> Array:
    """Return a pixel (channels) between others."""
    top, left = min(floor(y), image.shape[0] - 1), min(floor(x), image.shape[1] - 1)
    low, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
    dy, dx = y - top, x - left
    upper = image[top, left] * (1 - dx) + image[top, right] * dx
    return upper * (1 - dy) + (image[low, left] * (1 - dx) + image[low, right] * dx) * dy


def test_crops_are_read_pixel_by_pixel() -> None:
    images, boxes = floats(2, 5, 6, 3), RNG.uniform(-0.1, 1.1, (4, 4)).astype(np.float32)
    index = np.array([0, 1, 1, 0], np.int32)
    made = ops.crop_and_resize(Tensor(images), Tensor(boxes), Tensor(index), (3, 2), extrapolation_value=7.0).asnumpy()
    for n, (y1, x1, y2, x2) in enumerate(boxes):
        for i in range(3):
            for j in range(2):
                y, x = (y1 + (y2 - y1) * i / 2) * 4, (x1 + (x2 - x1) * j) * 5
                inside = 0 <= y <= 4 and 0 <= x <= 5
                expected = read(images[index[n]], y, x) if inside else np.full(3, 7.0)
                np.testing.assert_allclose(made[n, i, j], expected, rtol=1e-4, atol=1e-5)


def test_the_whole_image_as_a_box_is_the_image() -> None:
    images = floats(1, 4, 5, 2)
    for method in ("bilinear", "nearest"):
        made = ops.CropAndResize(method)(Tensor(images), Tensor([[0.0, 0.0, 1.0, 1.0]]), Tensor([0], ms.int32), (4, 5))
        np.testing.assert_allclose(made.asnumpy(), images, rtol=1e-6)


def test_regions_are_means_of_samples() -> None:
    features = floats(2, 3, 6, 5)
    rois = np.array([[1, 0.5, 1, 4, 5], [0, 2, 0, 6, 3]], np.float32)
    made = ops.ROIAlign(2, 3, 0.5, 2, 1)(Tensor(features), Tensor(rois)).asnumpy()
    for n, (image, x1, y1, x2, y2) in enumerate(rois):
        rows = (y2 + 1 - y1) * 0.5 / 2, y1 * 0.5
        columns = (x2 + 1 - x1) * 0.5 / 3, x1 * 0.5
        for p in range(2):
            for q in range(3):
                ys = [rows[1] + (p + (k + 0.5) / 2) * rows[0] for k in range(2)]
                xs = [columns[1] + (q + (k + 0.5) / 2) * columns[0] for k in range(2)]
                pixels = features[int(image)].transpose(1, 2, 0)
                expected = np.mean([read(pixels, y, x) for y in ys for x in xs], axis=0)
                np.testing.assert_allclose(made[n, :, p, q], expected, rtol=1e-4, atol=1e-5)


def linear_in_images(name: str, images: Array) -> Any:
    boxes = RNG.uniform(0, 1, (4, 4)).astype(np.float32)
    rois = np.concatenate([[[0], [1], [3], [2]], RNG.uniform(0, 5, (4, 4))], 1).astype(np.float32)
    if name == "crop":
        made = ops.CropAndResize().shard(((4, 1, 1, 1), (1, 1), (1,)))
        return lambda x: made(x, Tensor(boxes), Tensor(np.array([0, 3, 2, 2], np.int32)), (3, 2))
    align = ops.ROIAlign(2, 2, 1.0).shard(((2, 1, 1, 1), (2, 1)))
    return lambda x: align(x, Tensor(rois))


@pytest.mark.parametrize("name", ["crop", "roi"])
def test_images_on_several_ranks_answer_for_their_boxes(name: str) -> None:
    images = floats(4, 5, 6, 3) if name == "crop" else floats(4, 3, 5, 6)
    function = linear_in_images(name, images)

    def program() -> tuple[Array, Array]:
        value, gradient = ms.value_and_grad(lambda x: ops.square(function(x)).sum())(Tensor(images))
        return value.asnumpy().copy(), gradient.asnumpy().copy()

    def on_rank() -> tuple[Array, Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return program()

    value, gradient = program()
    direction = floats(*images.shape)
    made = function(Tensor(images)).asnumpy()
    slope = 2 * np.sum(made * function(Tensor(direction)).asnumpy())  # linear in the images
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-3)
    for loss, held in run_threads(4, on_rank):
        np.testing.assert_allclose(loss, value, rtol=1e-5)
        np.testing.assert_allclose(held, gradient, rtol=1e-4, atol=1e-5)


def test_boxes_by_hand() -> None:
    anchors, truths = Tensor([[0.0, 0, 3, 3], [2, 2, 5, 5]]), Tensor([[0.0, 0, 3, 1]])
    np.testing.assert_allclose(ops.IOU()(anchors, truths).asnumpy(), [[0.5, 0]])
    np.testing.assert_allclose(ops.iou(anchors, truths, "iof").asnumpy(), [[1, 0]])
    encoded = ops.BoundingBoxEncode((0.0, 0.0, 0.0, 0.0), (1.0, 0.5, 1.0, 1.0))(anchors[:1], truths)
    np.testing.assert_allclose(encoded.asnumpy(), [[0, -0.5, 0, np.log(0.5)]], rtol=1e-6)
    boxes = Tensor(np.linspace(0, 6, 12).reshape(3, 4).astype(np.float32))
    assert ops.CheckValid()(boxes, Tensor([2.0, 1.0, 3.0])).tolist() == [True, False, False]


def test_what_boxes_refuse() -> None:
    with pytest.raises(RuleError, match="choose"):
        ops.iou(Tensor(floats(1, 4)), Tensor(floats(1, 4)), "ioo")
    with pytest.raises(RuleError, match="each has 5 numbers"):
        ops.ROIAlign(2, 2, 1.0)(Tensor(floats(1, 1, 4, 4)), Tensor(floats(2, 4)))
    with pytest.raises(RuleError, match="coordinate for each"):
        ops.grid_sample(Tensor(floats(1, 1, 4, 4)), Tensor(floats(1, 2, 2, 3)))
