"""The ops as objects, under MindSpore's class names: elements by number, and segments."""

from collections.abc import Sequence

import numpy as np

from simpar.context import current
from simpar.dtype import int64
from simpar.errors import NotYetError
from simpar.layout import NOT_CUT, Layout
from simpar.ops.functions.index import without_gradient_at
from simpar.ops.gather_fields import RowLookup
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, axis_of, call

__all__ = [
    "Embedding",
    "EmbeddingLookup",
    "GatherD",
    "GatherNd",
    "Index",
    "IndexSelect",
    "SparseGatherV2",
    "UnsortedSegmentMax",
    "UnsortedSegmentMin",
    "UnsortedSegmentProd",
    "UnsortedSegmentSum",
]


# --- rows and elements by number ---


class GatherNd(Primitive, op="gather_nd"):
    """Takes the elements that the last axis of the indices numbers."""

    def __call__(self, input_x: Tensor, indices: Tensor) -> Tensor:
        """Return them in the shape of the indices' other axes."""
        return self.apply_one(input_x, indices)


class Index(Primitive, op="index"):
    """Takes the elements that tensors of numbers name, one tensor for each of the first axes: ``x[rows, columns]``.

    >>> Index()(Tensor([[1.0, 2.0], [3.0, 4.0]]), (Tensor([0, 1]), Tensor([1, -1]))).tolist()
    [2.0, 4.0]
    """

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Index":
        """Say how the tensor and each tensor of numbers are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if self.in_strategy is not None:
            table, numbers = self.in_strategy[:2]
            if isinstance(numbers, Layout):
                numbers = Layout(numbers.dev_mat, (*numbers.tensor_map, NOT_CUT), numbers.rank_list)
            else:
                numbers = (*numbers, 1)
            self.in_strategy = (table, numbers)
        return self

    def __call__(self, input: Tensor, indices: Sequence[Tensor]) -> Tensor:
        """Return them in the shape that the numbers have together; negative ones count from the end."""
        shape = np.broadcast_shapes(*(i.shape for i in indices))
        numbers = [
            one("mod", i.astype(int64), Tensor(n, int64)).broadcast_to(shape).expand_dims(len(shape))
            for i, n in zip(indices, input.shape, strict=False)
        ]
        together = call("concat", *numbers, axis=len(shape))
        assert isinstance(together, Tensor), "concat has one result"
        return self.apply_one(input, together)


class GatherD(Primitive, op="gather_elements"):
    """Takes elements along one axis, by indices of as many axes."""

    def __call__(self, x: Tensor, dim: int, index: Tensor) -> Tensor:
        """Return them in the shape of the indices."""
        return self.apply_one(x, index, axis=axis_of(dim, x.ndim))


class SparseGatherV2(RowLookup):
    """Is Gather: takes slices of a table by number. The gradient of the table is not kept as rows here."""

    def __call__(self, input_params: Tensor, input_indices: Tensor, axis: int = 0) -> Tensor:
        """Return the slices along ``axis``."""
        return self.rows(input_params, input_indices, axis_of(int(axis), input_params.ndim))


class IndexSelect(Primitive, op="gather"):
    """Takes the elements of an axis that a vector numbers."""

    def __call__(self, input: Tensor, dim: int, index: Tensor) -> Tensor:
        """Return them along that axis."""
        return self.apply_one(input, index, axis=axis_of(dim, input.ndim))


class EmbeddingLookup(RowLookup):
    """Takes rows of a table whose first row has the number ``offset``; a number it does not hold gives zeros."""

    def __call__(self, input_params: Tensor, input_indices: Tensor, offset: int = 0) -> Tensor:
        """Return the rows.

        Raises:
            StrategyError: there is an offset and a ``manual_split``, whose fields begin at row 0; or, under MindSpore's
                names where one program is cut, an offset at all, or the op is not on the CPU.
        """
        target = self.attrs.get("primitive_target")
        if current().mindspore and current().is_partitioned and (offset or target != "CPU"):
            raise self.refused(
                f"EmbeddingLookup with offset {offset} and primitive_target {target!r}: where one program is cut, "
                "MindSpore takes it with offset 0 and on the CPU only. Write .set_device('CPU'), or use Gather."
            )
        if offset and self.attrs.keys() & {"manual_split", "manual_split_with_offset"}:
            raise self.refused(
                f"EmbeddingLookup has the offset {offset} and a manual_split, whose fields begin at number 0. Give the "
                f"offset 0, and numbers less {offset}."
            )
        return self.rows(input_params, input_indices - offset if offset else input_indices, 0)


class Embedding(Primitive, op="gather"):
    """Takes rows of a table by number; the strategy names the numbers first, then the table."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Embedding":
        """Say how the op is cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        self.in_strategy = None if self.in_strategy is None else self.in_strategy[::-1]
        return self

    def __call__(
        self,
        input: Tensor,
        weight: Tensor,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
    ) -> Tensor:
        """Return the rows; row ``padding_idx`` gets no gradient."""
        if max_norm is not None or scale_grad_by_freq:
            raise NotYetError("Embedding: simpar has no max_norm and no scale_grad_by_freq; leave them out.")
        return without_gradient_at(padding_idx, input, self.apply_one(weight, input, axis=0))


# --- segments ---


class _Segment(Primitive):
    """Is an op that joins elements by the number of their segment."""

    def __call__(self, input_x: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
        """Return one element for each segment."""
        return self.apply_one(input_x, segment_ids, segments=int(num_segments))

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "_Segment":
        """Say how tensor and numbers are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        return self


class UnsortedSegmentSum(_Segment, op="unsorted_segment_sum"):
    """Sums the elements of each segment."""


class UnsortedSegmentMin(_Segment, op="unsorted_segment_min"):
    """Takes the smallest element of each segment."""


class UnsortedSegmentMax(_Segment, op="unsorted_segment_max"):
    """Takes the largest element of each segment."""


class UnsortedSegmentProd(_Segment, op="unsorted_segment_prod"):
    """Multiplies the elements of each segment."""
