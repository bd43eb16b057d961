"""The ops as objects, under MindSpore's class names: images in another size."""

from collections.abc import Sequence

from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = [
    "ResizeBilinear",
    "ResizeBilinearV2",
    "ResizeNearestNeighbor",
    "ResizeNearestNeighborV2",
]


class ResizeBilinearV2(Primitive, op="resize"):
    """Gives images (n, c, h, w) another size; each pixel is a mean of the four that it lies between.

    Args:
        align_corners: whether the corners of both lie on each other.
        half_pixel_centers: whether pixels are spots in their middle.
    """

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="bilinear", align=align_corners, half=half_pixel_centers)

    def __call__(self, image: Tensor, size: Sequence[int]) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(image, size=tuple(int(n) for n in size))


class ResizeBilinear(Primitive, op="resize"):
    """Gives images (n, c, h, w) a size that is fixed; see ``ResizeBilinearV2``."""

    def __init__(self, size: Sequence[int], align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="bilinear", align=align_corners, half=half_pixel_centers, size=tuple(size))

    def __call__(self, x: Tensor) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(x)


class ResizeNearestNeighbor(Primitive, op="resize"):
    """Gives images (n, c, h, w) a size that is fixed; each pixel is one of those that were.

    Args:
        size: rows and columns.
        align_corners: whether the corners of both lie on each other.
        half_pixel_centers: whether pixels are spots in their middle.
    """

    def __init__(self, size: Sequence[int], align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="nearest", align=align_corners, half=half_pixel_centers, size=tuple(size))

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(input_x)


class ResizeNearestNeighborV2(Primitive, op="resize"):
    """Gives images (n, c, h, w) another size; see ``ResizeNearestNeighbor``."""

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        super().__init__(mode="nearest", align=align_corners, half=half_pixel_centers)

    def __call__(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Return the images with these rows and columns."""
        return self.apply_one(x, size=tuple(int(n) for n in size))
