"""The ops as objects, under MindSpore's class names: boxes in images, and images read at the points of a grid."""

from collections.abc import Sequence

from simpar.errors import NotYetError, RuleError
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["IOU", "BoundingBoxEncode", "CheckValid", "CropAndResize", "GridSampler2D", "GridSampler3D", "ROIAlign"]

Four = float | Sequence[float]


def _four(given: Four) -> tuple[float, ...]:
    return (float(given),) * 4 if isinstance(given, int | float) else tuple(float(n) for n in given)


class IOU(Primitive, op="iou"):
    """Measures how far boxes overlap; see ``ops.iou``."""

    def __init__(self, mode: str = "iou") -> None:
        if mode not in ("iou", "iof"):
            raise RuleError(f'IOU with mode {mode!r}: choose "iou" or "iof".')
        super().__init__(mode=mode)

    def __call__(self, anchor_boxes: Tensor, gt_boxes: Tensor) -> Tensor:
        """Return a row for each true box."""
        return self.apply_one(anchor_boxes, gt_boxes)


class BoundingBoxEncode(Primitive, op="bounding_box_encode"):
    """Tells where true boxes lie relative to anchors: shifts of the centre, logarithms of how much larger they are.

    Args:
        means, stds: are taken off the four numbers, which are then divided.

    Raises:
        RuleError: there are not four of them.
    """

    def __init__(self, means: Four = (0.0, 0.0, 0.0, 0.0), stds: Four = (1.0, 1.0, 1.0, 1.0)) -> None:
        attrs = {"means": _four(means), "stds": _four(stds)}
        if any(len(numbers) != 4 for numbers in attrs.values()):
            raise RuleError(f"BoundingBoxEncode with means {means} and stds {stds}: give four of each.")
        super().__init__(**attrs)

    def __call__(self, anchor_box: Tensor, groundtruth_box: Tensor) -> Tensor:
        """Return the four numbers of each pair."""
        return self.apply_one(anchor_box, groundtruth_box)


class CheckValid(Primitive, op="check_valid"):
    """Tells which boxes lie in an image, whose height, width and ratio are given."""

    def __call__(self, bboxes: Tensor, img_metas: Tensor) -> Tensor:
        """Return a truth value for each box."""
        return self.apply_one(bboxes, img_metas)


class CropAndResize(Primitive, op="crop_and_resize"):
    """Takes boxes out of images, all in one size; see ``ops.crop_and_resize``."""

    def __init__(self, method: str = "bilinear", extrapolation_value: float = 0.0) -> None:
        if method == "bilinear_v2":
            raise NotYetError('CropAndResize does not know method "bilinear_v2" yet. Use "bilinear".')
        if method not in ("bilinear", "nearest"):
            raise RuleError(f'CropAndResize with method {method!r}: choose "bilinear" or "nearest".')
        super().__init__(method=method, extrapolation=float(extrapolation_value))

    def __call__(self, x: Tensor, boxes: Tensor, box_index: Tensor, crop_size: Sequence[int]) -> Tensor:
        """Return what lies in each box, (n, rows, columns, c)."""
        return self.apply_one(x, boxes, box_index, crop_size=tuple(int(n) for n in crop_size))


class ROIAlign(Primitive, op="roi_align"):
    """Averages features over the bins of regions, between pixels.

    Args:
        pooled_height, pooled_width: rows and columns of bins.
        spatial_scale: pixels of the features for each of the image.
        sample_num: in how many rows and columns a bin is read; as many as it has pixels for 0.
        roi_end_mode: 1 if the lower right pixel of a region belongs to it.
    """

    def __init__(
        self, pooled_height: int, pooled_width: int, spatial_scale: float, sample_num: int = 2, roi_end_mode: int = 1
    ) -> None:
        pooled = (pooled_height, pooled_width)
        super().__init__(pooled=pooled, scale=float(spatial_scale), samples=sample_num, end_mode=roi_end_mode)

    def __call__(self, features: Tensor, rois: Tensor) -> Tensor:
        """Return the bins of each region, (n, c, rows, columns); a region is image, left, upper, right and lower."""
        return self.apply_one(features, rois)


class GridSampler2D(Primitive, op="grid_sample"):
    """Reads images at the points of a grid; see ``ops.grid_sample``."""

    def __init__(
        self, interpolation_mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
    ) -> None:
        super().__init__(mode=interpolation_mode, padding=padding_mode, corners=align_corners)

    def __call__(self, input_x: Tensor, grid: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(input_x, grid)


class GridSampler3D(GridSampler2D):
    """Reads volumes at the points of a grid; see ``ops.grid_sample``."""
