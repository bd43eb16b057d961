"""Tables of features: rows looked up by number, and summed up field by field."""

from typing import Any

from simpar import ops
from simpar.context import current
from simpar.dtype import DType, float32
from simpar.errors import ContextError, LayoutError, NotYetError
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import check_length, initial
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["EmbeddingLookup", "MultiFieldEmbeddingLookup"]

_MODES = ("batch_slice", "field_slice", "table_row_slice", "table_column_slice")


class EmbeddingLookup(Cell):
    """Looks up rows of a table; in semi_auto_parallel and auto_parallel it says itself how the work is cut.

    Args:
        vocab_size: rows v of the table.
        embedding_size: length d of a row.
        param_init: what fills ``embedding_table`` (v, d).
        target: which of ``gatherv2`` (``"DEVICE"``) and ``embeddinglookup`` looks up; both compute here.
        slice_mode: what all devices share: ``"batch_slice"`` the numbers, ``"table_row_slice"`` the rows of the table,
            ``"table_column_slice"`` its columns, ``"field_slice"`` the rows and the last axis of the numbers, by field.
        manual_shapes: for ``"field_slice"``, how many rows each field has: equally many, and a field for each device.
        max_norm: the largest norm of a row that is returned; longer ones are made shorter.
        sparse: taken; gradients are dense here.
        dtype: the element type of the table.

    Raises:
        ContextError: a length is no positive int, there is no such mode, or ``manual_shapes`` is missing.
    """

    BATCH_SLICE = "batch_slice"
    FIELD_SLICE = "field_slice"
    TABLE_ROW_SLICE = "table_row_slice"
    TABLE_COLUMN_SLICE = "table_column_slice"

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        param_init: Any = "normal",
        target: str = "CPU",
        slice_mode: str = "batch_slice",
        manual_shapes: tuple[int, ...] | None = None,
        max_norm: float | None = None,
        sparse: bool = True,
        vocab_cache_size: int = 0,
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_length(name, "vocab_size", vocab_size)
        check_length(name, "embedding_size", embedding_size)
        if slice_mode == "field_slice" and not manual_shapes:
            raise ContextError(f"{name}'s field_slice needs manual_shapes: how many rows each field has, e.g. (4, 4).")
        if slice_mode not in _MODES:
            raise ContextError(f"{name}'s slice_mode is {slice_mode!r}; choose one of {', '.join(_MODES)}.")
        if max_norm is not None and max_norm <= 0:
            raise ContextError(f"{name}'s max_norm is {max_norm}; give a number above 0.")
        if vocab_cache_size:
            raise NotYetError(f"{name}: a cache of the table (vocab_cache_size) is not there; leave it out.")
        self.vocab_size, self.embedding_size, self.max_norm = vocab_size, embedding_size, max_norm
        self.slice_mode = slice_mode
        filled = initial(param_init, (vocab_size, embedding_size), dtype, f"the table of {name}")
        self.embedding_table = Parameter(filled, name="embedding_table")
        self.gatherv2, self.embeddinglookup = ops.SparseGatherV2(), ops.EmbeddingLookup().set_device("CPU")
        self.target = target
        for lookup in (self.gatherv2, self.embeddinglookup) if slice_mode == "field_slice" else ():
            lookup.add_prim_attr("manual_split", manual_shapes)

    def construct(self, indices: Tensor) -> Tensor:
        """Return the rows, of shape (*indices.shape, d)."""
        lookup = self.embeddinglookup if self.target == "CPU" else self.gatherv2
        self._cut(lookup, indices.ndim)
        rows = lookup(self.embedding_table, indices, 0)
        if self.max_norm is None:
            return rows
        norm = ops.sqrt(ops.reduce_sum(ops.square(rows), (-1,), True))
        return rows * (self.max_norm / ops.maximum(norm, self.max_norm))

    def _cut(self, lookup: ops.EmbeddingLookup | ops.SparseGatherV2, axes: int) -> None:
        """Give the op the strategy of the mode, unless it has one."""
        context = current()
        if not context.is_partitioned or lookup.in_strategy is not None:
            return
        n, uncut = context.device_num, (1,) * axes
        table, numbers = {
            "batch_slice": ((1, 1), (n, *uncut[1:])),
            "field_slice": ((n, 1), (*uncut[1:], n)),
            "table_row_slice": ((n, 1), uncut),
            "table_column_slice": ((1, n), uncut),
        }[self.slice_mode]
        lookup.shard((table, numbers))

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"vocab_size={self.vocab_size}, embedding_size={self.embedding_size}"


class MultiFieldEmbeddingLookup(EmbeddingLookup):
    """Looks up weighted rows, and sums them up for each field: (n, f, d) for numbers (n, s).

    Args:
        vocab_size, embedding_size: as of ``EmbeddingLookup``.
        field_size: fields f.
        param_init, target, slice_mode, max_norm, sparse, dtype: as of ``EmbeddingLookup``.
        feature_num_list: as ``manual_shapes``; fields are not cut.
        operator: ``"SUM"``, ``"MEAN"`` (the sum by the sum of the weights' sizes) or ``"MAX"`` of the rows of a field.
            A row of weight 0 is padding: it does not count, and a field of no other rows has zeros.
    """

    OPERATOR_SUM = "SUM"
    OPERATOR_MEAN = "MEAN"
    OPERATOR_MAX = "MAX"

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        field_size: int,
        param_init: Any = "normal",
        target: str = "CPU",
        slice_mode: str = "batch_slice",
        feature_num_list: tuple[int, ...] | None = None,
        max_norm: float | None = None,
        sparse: bool = True,
        operator: str = "SUM",
        dtype: DType = float32,
    ) -> None:
        super().__init__(
            vocab_size, embedding_size, param_init, target, slice_mode, feature_num_list, max_norm, sparse, dtype=dtype
        )
        check_length("MultiFieldEmbeddingLookup", "field_size", field_size)
        if operator not in ("SUM", "MEAN", "MAX"):
            raise ContextError(f"MultiFieldEmbeddingLookup's operator is {operator!r}; choose SUM, MEAN or MAX.")
        if slice_mode == "field_slice":
            raise ContextError("MultiFieldEmbeddingLookup is told the field of each row, so it has no field_slice.")
        self.field_size, self.operator = field_size, operator

    def construct(self, input_indices: Tensor, input_values: Tensor, field_ids: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return one row for each field.

        Args:
            input_indices: numbers of rows, (n, s).
            input_values: what each row is multiplied by, (n, s).
            field_ids: the field of each row, (n, s).

        Raises:
            LayoutError: they are not shaped alike.
        """
        if not input_indices.shape == input_values.shape == field_ids.shape or input_indices.ndim != 2:
            raise LayoutError(
                f"MultiFieldEmbeddingLookup takes numbers, values and fields of one shape (n, s), not "
                f"{input_indices.shape}, {input_values.shape} and {field_ids.shape}."
            )
        rows = super().construct(input_indices) * input_values.expand_dims(-1)
        hot = ops.one_hot(field_ids, self.field_size, 1.0, 0.0).astype(rows.dtype)  # (n, s, f)
        weights = (hot * ops.abs(input_values).expand_dims(-1)).astype(rows.dtype)
        if self.operator == "MAX":
            return self._largest(rows, weights)
        summed = ops.matmul(hot.swapaxes(1, 2), rows)
        if self.operator == "SUM":
            return summed
        return ops.div_no_nan(summed, ops.reduce_sum(weights, (1,)).expand_dims(-1))

    @staticmethod
    def _largest(rows: Tensor, weights: Tensor) -> Tensor:
        """Return the largest element of the rows of each field; zero where a field has none."""
        here = weights.expand_dims(-1) > 0  # (n, s, f, 1)
        kept = ops.select(here, rows.expand_dims(2), ops.full_like(rows.expand_dims(2), -3.0e38))
        largest = kept.max(1)
        filled = ops.reduce_sum(weights, (1,)).expand_dims(-1) > 0
        return ops.select(filled, largest, ops.zeros_like(largest))
