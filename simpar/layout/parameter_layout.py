"""What ``cell.parameter_layout_dict`` holds for each Parameter: MindSpore's tuple, with a name for each place."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from simpar.layout.device_matrix import axis_size
from simpar.layout.layout import NOT_CUT, Layout

__all__ = ["ParameterLayout"]


class ParameterLayout(NamedTuple):
    """How a Parameter is cut, as MindSpore's compiler reports it: lists, in MindSpore's order.

    An axis that several device axes cut, be they of size 1, stands as several axes, one for each: ``tensor_map`` then
    has more entries than the Parameter has axes. The cut of the parallel optimizer is not in it; ``opt_shard_group``
    says that there is one.

    Args:
        dev_mat: the device matrix, without axes of size 1.
        tensor_map: the device axis that cuts each axis, counted from the right, or -1.
        slice_shape: what a rank takes part in the op with.
        field_size: always 0.
        uniform_split: whether all ranks hold slices of one shape.
        opt_shard_group: the name of the group of ranks that share the slice in the parallel optimizer, which begins
            with their number; empty for no such cut.
        full_shape: of the whole Parameter.
        mapped_slice_shape: the slice shape with one axis for each entry of ``tensor_map``.
        pipeline_shared, is_send, peer_rank, sr_tag: for a Parameter that stages of a pipeline share.

    >>> ParameterLayout.of(Layout((2, 2, 2), (-1, (1, 0))), (64, 64))[:3]
    ([2, 2, 2], [-1, 1, 0], [64, 16])
    """

    dev_mat: list[int]
    tensor_map: list[int]
    slice_shape: list[int]
    field_size: int
    uniform_split: bool
    opt_shard_group: str
    full_shape: list[int]
    mapped_slice_shape: list[int]
    pipeline_shared: bool = False
    is_send: bool = False
    peer_rank: int = 0
    sr_tag: int = 0

    @staticmethod
    def of(
        layout: Layout, shape: Sequence[int], opt_shard_group: str = "", rank: int | None = None
    ) -> "ParameterLayout":
        """Return the report of a layout.

        Args:
            layout: in which an op takes the Parameter.
            shape: of the whole.
            opt_shard_group: the name of the group over which the parallel optimizer cuts the slice of this rank.
            rank: whose slice is told, where they are not equal; without one the largest.

        Raises:
            LayoutError: an axis does not divide.
        """
        sizes = {a: axis_size(layout.dev_mat, a) for a in range(len(layout.dev_mat))}
        places = [a for a in sizes if sizes[a] > 1]  # the device axes that are left, the last one first
        tensor_map: list[int] = []
        mapped: list[int] = []
        held = layout.slice_shape(shape, rank)
        for length, axes in zip(held, layout.cutting_axes, strict=True):
            cutting = [places.index(a) if sizes[a] > 1 else NOT_CUT for a in axes] or [NOT_CUT]
            tensor_map += cutting
            mapped += [1] * (len(cutting) - 1) + [length]
        dev_mat = [sizes[a] for a in reversed(places)] or [prod(layout.dev_mat)]
        is_uniform = not layout.lengths
        return ParameterLayout(dev_mat, tensor_map, list(held), 0, is_uniform, opt_shard_group, list(shape), mapped)
