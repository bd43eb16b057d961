"""Which box of its value a Parameter holds, and how one box is taken out of another."""

from typing import Any, cast

from numpy.typing import NDArray

from simpar.errors import DTypeError, LayoutError
from simpar.layout import Box, Layout

__all__ = ["asked_layout", "part_of", "whole_box"]

Shape = tuple[int, ...]


def whole_box(shape: Shape) -> Box:
    """Return the box of a whole tensor."""
    return tuple((0, n) for n in shape)


def part_of(array: NDArray[Any], held: Box, wanted: Box, name: str) -> NDArray[Any]:
    """Return the view of one box in an array that holds another.

    Raises:
        LayoutError: the wanted box is not inside the held one.

    >>> import numpy as np
    >>> part_of(np.arange(4), ((4, 8),), ((6, 8),), "w")
    array([2, 3])
    """
    if any(low < first or high > last for (low, high), (first, last) in zip(wanted, held, strict=True)):
        raise LayoutError(
            f"Parameter {name!r} holds the box {held} on this rank, which does not contain {wanted}. Keep the layout "
            f"in which it is stored, or load it from a checkpoint under the new one."
        )
    return array[tuple(slice(low - first, high - first) for (low, high), (first, _) in zip(wanted, held, strict=True))]


def asked_layout(given: object, shape: Shape) -> tuple[Layout, Shape] | None:
    """Return layout and slice shape that ``init_data`` was asked for, or None if for the whole value.

    Args:
        given: ``(dev_mat, tensor_map, slice_shape, ...)``; MindSpore's compiler adds the field size, whether slices are
            uniform, and the group of the parallel optimizer, which change nothing here.
        shape: the shape of the whole value.

    Raises:
        DTypeError: it is no tuple, or its first three members are no lists of whole numbers.
        LayoutError: it has less than three members, or does not fit the shape.
    """
    if given is None or given == () or given == []:
        return None
    if not isinstance(given, tuple):
        raise DTypeError(
            f"layout is {given!r}, a {type(given).__name__}; give a tuple ([dev_mat], [tensor_map], [slice_shape])."
        )
    members = cast("tuple[Any, ...]", given)
    if len(members) < 3:
        raise LayoutError(
            f"layout {members} has {len(members)} members; give at least dev_mat, tensor_map and slice_shape."
        )
    if not all(isinstance(m, list | tuple) for m in members[:3]):
        raise DTypeError(
            f"layout {members} must begin with three lists of whole numbers: dev_mat, tensor_map, slice_shape."
        )
    dev_mat, tensor_map, slice_shape = (tuple(m) for m in members[:3])
    if len(tensor_map) != len(shape):
        raise LayoutError(
            f"tensor_map {tensor_map} has {len(tensor_map)} entries, but the Parameter's shape is {shape}."
        )
    return Layout(dev_mat, tensor_map), slice_shape
