"""The ops as objects, under MindSpore's class names: parts of a tensor, and padding."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from simpar.context import current
from simpar.layout import NOT_CUT, Layout
from simpar.ops.functions.slices import pad, strided_index
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, axis_of, bounds_of, call

__all__ = [
    "Narrow",
    "PadV3",
    "Slice",
    "SliceExt",
    "SplitTensor",
    "SplitV",
    "SplitWithSize",
    "Splitting",
    "StackExt",
    "StridedSlice",
    "Unstack",
]


T = TypeVar("T")


class _Slicing(Primitive):
    """Is an op that takes what an index takes."""

    def _taken(self, x: Tensor, index: tuple[Any, ...]) -> Tensor:
        bounds = bounds_of(x.shape, index)
        made = self.apply_one(x, begin=bounds.begin, end=bounds.end, strides=bounds.strides)
        return made if made.shape == bounds.shape else one("reshape", made, shape=bounds.shape)


class StridedSlice(_Slicing, op="strided_slice"):
    """Takes the elements from ``begin`` to ``end`` in steps of ``strides``, along each axis.

    Args:
        begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask: see ``ops.strided_index``.

    Raises:
        StrategyError: when it is called, it has an ``ellipsis_mask`` where MindSpore takes none.

    >>> StridedSlice(shrink_axis_mask=1)(Tensor([[1.0, 2.0], [3.0, 4.0]]), (1, 0), (2, 2), (1, 1)).tolist()
    [3.0, 4.0]
    """

    def __init__(
        self,
        begin_mask: int = 0,
        end_mask: int = 0,
        ellipsis_mask: int = 0,
        new_axis_mask: int = 0,
        shrink_axis_mask: int = 0,
    ) -> None:
        super().__init__()
        self.masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)

    def __call__(self, input_x: Tensor, begin: Sequence[int], end: Sequence[int], strides: Sequence[int]) -> Tensor:
        """Apply the op."""
        if self.masks[2] and current().mindspore and current().is_partitioned:
            raise self.refused(
                f"it has ellipsis_mask {self.masks[2]}, which MindSpore's parallel compiler does not take. "
                "Name every axis; simpar itself can: run the script without the alias of MindSpore's names."
            )
        return self._taken(input_x, strided_index(begin, end, strides, *self.masks))


class Slice(_Slicing, op="strided_slice"):
    """Takes ``size`` elements of each axis from ``begin`` on; -1 takes all that follow."""

    def __call__(self, input_x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
        """Apply the op."""
        ends = [None if n == -1 else low + n for low, n in zip(begin, size, strict=True)]
        return self._taken(input_x, tuple(slice(low, high) for low, high in zip(begin, ends, strict=True)))


class SliceExt(_Slicing, op="strided_slice"):
    """Takes the elements of one axis from ``start`` to ``end`` in steps of ``step``."""

    def __call__(self, input: Tensor, dim: int = 0, start: int = 0, end: int | None = None, step: int = 1) -> Tensor:
        """Apply the op."""
        return self._taken(input, (*(slice(None),) * axis_of(dim, input.ndim), slice(start, end, step)))


class Narrow(_Slicing, op="strided_slice"):
    """Takes ``length`` elements of one axis from ``start`` on."""

    def __call__(self, input: Tensor, dim: int, start: int, length: int) -> Tensor:
        """Apply the op."""
        return self._taken(input, (*(slice(None),) * axis_of(dim, input.ndim), slice(start, start + length)))


# --- pieces ---


class Splitting(Primitive):
    """Is an op that cuts a tensor into pieces along an axis.

    With the attribute ``skip_redistribution`` and a strategy that cuts this axis, each rank splits its own slice, as in
    MindSpore: of the slices ``a b`` and ``c d`` the parts are ``a c`` and ``b d``. One device makes ``a b`` and
    ``c d``.
    """

    def pieces(self, x: Tensor, axis: int, parts: int | Sequence[int]) -> tuple[Tensor, ...]:
        """Return the pieces of these lengths, or so many equal ones, from first to last.

        Raises:
            StrategyError: with ``skip_redistribution``, the slices have no such pieces.
        """
        at = axis_of(axis, x.ndim)
        count = parts if isinstance(parts, int) else tuple(int(n) for n in parts)
        if self.attrs.get("skip_redistribution") and self.in_strategy and current().is_partitioned:
            entry = self.in_strategy[0]
            cuts = entry.cuts if isinstance(entry, Layout) else entry
            if len(cuts) == x.ndim and cuts[at] > 1:
                return self._within_slices(x, at, cuts[at], entry, count)
        made = self.apply(x, axis=at, parts=count)
        return made if isinstance(made, tuple) else (made,)

    def _within_slices(
        self, x: Tensor, axis: int, slices: int, entry: Layout | tuple[int, ...], parts: int | tuple[int, ...]
    ) -> tuple[Tensor, ...]:
        """Split each slice of an axis by itself: as an axis of slices and one of what is in them."""
        before, length, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
        lengths = (length // parts,) * parts if isinstance(parts, int) else parts
        if any(n % slices for n in lengths) or sum(lengths) != length:
            raise self.refused(
                f"{self.name}: axis {axis}, {length} long, is cut into {slices} slices, and each is split by itself, "
                f"but they do not divide the pieces {lengths} evenly."
            )
        inner: tuple[int, ...] | Layout
        if isinstance(entry, Layout):
            turns = _with(entry.turns, axis, 1) if entry.turns else ()
            inner = replace(entry, tensor_map=_with(entry.tensor_map, axis, NOT_CUT), turns=turns)
        else:
            inner = _with(entry, axis, 1)
        apart = one("reshape", x, shape=(*before, slices, length // slices, *after))
        each = tuple(n // slices for n in lengths)
        with self._recorded():
            made = call("split", apart, strategy=(inner,), parts=each, axis=axis + 1)
        pieces = made if isinstance(made, tuple) else (made,)
        return tuple(one("reshape", p, shape=(*before, n, *after)) for p, n in zip(pieces, lengths, strict=True))


def _with(entries: tuple[T, ...], axis: int, more: T) -> tuple[T, ...]:
    """Return one entry more, behind that of an axis."""
    return (*entries[: axis + 1], more, *entries[axis + 1 :])


class SplitV(Splitting, op="split"):
    """Cuts a tensor into pieces of these lengths along an axis; one length may be -1.

    Args:
        size_splits: the lengths.
        split_dim: the axis.
        num_split: how many there are.
    """

    def __init__(self, size_splits: Sequence[int], split_dim: int, num_split: int) -> None:
        super().__init__()
        self.size_splits, self.split_dim, self.num_split = tuple(size_splits), split_dim, num_split

    def __call__(self, input_x: Tensor) -> tuple[Tensor, ...]:
        """Apply the op."""
        given = self.size_splits
        rest = input_x.shape[axis_of(self.split_dim, input_x.ndim)] - sum(n for n in given if n >= 0)
        return self.pieces(input_x, self.split_dim, [rest if n == -1 else n for n in given])


class SplitWithSize(Splitting, op="split"):
    """Cuts a tensor into pieces of these lengths along an axis."""

    def __call__(self, input: Tensor, split_size: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Apply the op."""
        return self.pieces(input, dim, split_size)


class SplitTensor(Splitting, op="split"):
    """Cuts a tensor into pieces of one length along an axis; the last may be shorter."""

    def __call__(self, input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Apply the op."""
        length = input.shape[axis_of(dim, input.ndim)]
        return self.pieces(input, dim, [min(split_size, length - at) for at in range(0, length, split_size)])


class Unstack(Splitting, op="split"):
    """Takes the tensors that stand along an axis, without it.

    Args:
        axis: the axis.
        num: how many there are; found if None.
    """

    def __init__(self, axis: int = 0, num: int | None = None) -> None:
        super().__init__()
        self.axis, self.num = axis, num

    def __call__(self, input_x: Tensor) -> tuple[Tensor, ...]:
        """Apply the op."""
        at = axis_of(self.axis, input_x.ndim)
        pieces = self.pieces(input_x, at, (1,) * input_x.shape[at])
        return tuple(one("squeeze", piece, axis=(at,)) for piece in pieces)


class StackExt(Primitive, op="stack"):
    """Joins tensors along a new axis."""

    def __init__(self, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*tensors, axis=axis_of(self.dim, tensors[0].ndim + 1))


class PadV3(Primitive, op="pad"):
    """Puts elements around a tensor.

    Args:
        mode: ``"constant"``, ``"reflect"``, ``"edge"`` or ``"circular"``.
        paddings_contiguous: whether the numbers are pairs, low and high of each axis, the last axis first; else all
            lows stand before all highs.
    """

    def __init__(self, mode: str = "constant", paddings_contiguous: bool = True) -> None:
        super().__init__()
        self.mode, self.paddings_contiguous = mode, paddings_contiguous

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "PadV3":
        """Say how the tensor is cut; entries for paddings and value change nothing. See ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        self.in_strategy = None if self.in_strategy is None else self.in_strategy[:1]
        return self

    def __call__(self, input_x: Tensor, paddings: Sequence[int] | Tensor, constant_value: float | Tensor = 0) -> Tensor:
        """Apply the op."""
        given: list[int] = paddings.tolist() if isinstance(paddings, Tensor) else list(paddings)
        half = len(given) // 2
        if not self.paddings_contiguous:
            given = [n for i in range(half) for n in (given[i], given[half + i])]
        value = constant_value.item() if isinstance(constant_value, Tensor) else constant_value
        if self.mode != "constant" or self.in_strategy is None:
            return pad(input_x, given, self.mode, value)
        pairs = [(given[2 * i], given[2 * i + 1]) for i in range(half)][::-1]
        return self.apply_one(input_x, paddings=(*((0, 0),) * (input_x.ndim - half), *pairs), value=value)
