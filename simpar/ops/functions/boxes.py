"""The ops as functions, under MindSpore's lower-case names: boxes in images, images read at the points of a grid."""

from collections.abc import Sequence

from simpar.errors import NotYetError, RuleError
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = ["crop_and_resize", "grid_sample", "iou"]


def iou(anchor_boxes: Tensor, gt_boxes: Tensor, mode: str = "iou") -> Tensor:
    """Return how far each true box (row) and each anchor (column) overlap; corners are pixels that belong to the box.

    Args:
        anchor_boxes, gt_boxes: left, upper, right and lower corner, (n, 4) and (m, 4).
        mode: ``"iou"`` for the part of what both cover, ``"iof"`` for the part of the true box.

    Raises:
        RuleError: another mode.

    >>> iou(Tensor([[0.0, 0.0, 1.0, 1.0]]), Tensor([[0.0, 0.0, 1.0, 3.0]])).tolist()
    [[0.5]]
    """
    if mode not in ("iou", "iof"):
        raise RuleError(f'iou with mode {mode!r}: choose "iou" or "iof".')
    return one("iou", anchor_boxes, gt_boxes, mode=mode)


def crop_and_resize(
    image: Tensor,
    boxes: Tensor,
    box_indices: Tensor,
    crop_size: Sequence[int],
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Tensor:
    """Return what lies in boxes of images, each in the same size.

    Args:
        image: (b, h, w, c).
        boxes: upper, left, lower and right corner, 0 and 1 being the corners of the image, (n, 4).
        box_indices: which image each box is of, (n).
        crop_size: rows and columns of the result (n, rows, columns, c).
        method: ``"bilinear"`` or ``"nearest"``.
        extrapolation_value: what stands where a box leaves its image.

    Raises:
        RuleError: another method.
        NotYetError: ``"bilinear_v2"``.
    """
    if method == "bilinear_v2":
        raise NotYetError('crop_and_resize does not know method "bilinear_v2" yet. Use "bilinear".')
    if method not in ("bilinear", "nearest"):
        raise RuleError(f'crop_and_resize with method {method!r}: choose "bilinear" or "nearest".')
    size = tuple(int(n) for n in crop_size)
    attrs = {"crop_size": size, "method": method, "extrapolation": float(extrapolation_value)}
    return one("crop_and_resize", image, boxes, box_indices, **attrs)


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
) -> Tensor:
    """Return images (n, c, h, w) or volumes (n, c, d, h, w) read at the points of a grid.

    Args:
        input: the images.
        grid: x and y, or x, y and z, of each point, (n, rows, columns, 2) or (n, depth, rows, columns, 3).
        mode: ``"bilinear"`` or ``"nearest"``.
        padding_mode: what lies beyond: ``"zeros"``, the ``"border"``, or the image's ``"reflection"``.
        align_corners: whether -1 and 1 are the centres of the corner pixels, not their edges.

    Raises:
        RuleError: another mode.
    """
    if mode not in ("bilinear", "nearest") or padding_mode not in ("zeros", "border", "reflection"):
        raise RuleError(
            f'grid_sample with mode {mode!r} and padding_mode {padding_mode!r}: choose "bilinear" or "nearest", and '
            f'"zeros", "border" or "reflection".'
        )
    return one("grid_sample", input, grid, mode=mode, padding=padding_mode, corners=align_corners)
