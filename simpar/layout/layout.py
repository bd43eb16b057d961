"""A layout: which rank holds which slice of a tensor."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from math import prod
from typing import TYPE_CHECKING

from simpar.errors import LayoutError, Misfit
from simpar.layout.device_matrix import (
    axis_size,
    check_dev_mat,
    coordinates,
    group_of,
    refine,
    refined_axes,
)

if TYPE_CHECKING:
    from simpar.layout.drawing import LayoutPicture

__all__ = ["NOT_CUT", "Layout", "repeated"]

NOT_CUT = -1
"""The entry of a tensor map for an axis that is not cut."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a tensor is cut over the device matrix.

    Args:
        dev_mat: ranks per device axis, major first, e.g. ``(2, 4)``.
        tensor_map: one entry per tensor axis: the device axis that cuts it, counted from the right (``0`` is the
            last device axis), ``NOT_CUT``, or a tuple of device axes, of which the first is the major one.
        rank_list: the rank at each place of the device matrix, row by row; in order if None.
        partial: device axes along which each rank holds only a term of the value.
        combine: what joins the terms: ``"sum"``, ``"max"`` or ``"min"``.
        lengths: of slices that are not equally long: for each tensor axis the lengths of its slices, or nothing where
            they are equal. Nothing at all if they are on every axis.
        turns: in how many turns a rank computes its slice of each axis (``interleaved_parallel``), if a strategy says
            so. No slice changes with it.

    Raises:
        LayoutError: a device axis is out of range or used twice, ``rank_list`` does not name as many ranks as
            ``dev_mat`` has places, or ``lengths`` not as many slices as there are.

    >>> Layout(dev_mat=(2, 4), tensor_map=(NOT_CUT, 0)).slice_shape((512, 1024))
    (512, 256)
    """

    dev_mat: tuple[int, ...]
    tensor_map: tuple[int | tuple[int, ...], ...]
    rank_list: tuple[int, ...] | None = None
    partial: tuple[int, ...] = ()
    combine: str = "sum"
    lengths: tuple[tuple[int, ...], ...] = ()
    turns: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dev_mat", check_dev_mat(self.dev_mat))
        object.__setattr__(self, "tensor_map", tuple(_entry(e) for e in self.tensor_map))
        object.__setattr__(self, "partial", tuple(sorted(self.partial, reverse=True)))
        self._check_axes()
        if self.rank_list is not None:
            self._check_rank_list(tuple(self.rank_list))
        if self.lengths:
            object.__setattr__(self, "lengths", self._unequal())

    def _unequal(self) -> tuple[tuple[int, ...], ...]:
        """Return the lengths without those of axes whose slices are equal."""
        counts = tuple(len(n) for n in self.lengths)
        if len(counts) != len(self.cuts) or any(n not in (0, cut) for n, cut in zip(counts, self.cuts, strict=True)):
            raise LayoutError(
                f"lengths {self.lengths} are of {counts} slices, but tensor_map {self.tensor_map} cuts the axes into "
                f"{self.cuts}. Give one length for each slice, or nothing for an axis with equal ones."
            )
        kept = tuple(tuple(n) if len(set(n)) > 1 else () for n in self.lengths)
        return kept if any(kept) else ()

    def _check_axes(self) -> None:
        used = [a for axes in self.cutting_axes for a in axes] + list(self.partial)
        for a in used:
            if not 0 <= a < len(self.dev_mat):
                raise LayoutError(
                    f"tensor_map {self.tensor_map} names device axis {a}, but dev_mat {self.dev_mat} has device axes "
                    f"0 (last) to {len(self.dev_mat) - 1} (first). Use {NOT_CUT} for an axis that is not cut."
                )
        for a in used:
            if used.count(a) > 1:
                raise LayoutError(
                    f"device axis {a} of dev_mat {self.dev_mat} is used {used.count(a)} times by tensor_map "
                    f"{self.tensor_map}, partial {self.partial}. A device axis can be used once."
                )

    def _check_rank_list(self, ranks: tuple[int, ...]) -> None:
        if len(ranks) != self.size or len(set(ranks)) != self.size:
            raise LayoutError(
                f"rank_list {ranks} must name {self.size} different ranks, one for each place of dev_mat "
                f"{self.dev_mat}."
            )
        in_order = ranks == tuple(range(self.size))
        object.__setattr__(self, "rank_list", None if in_order else ranks)

    # --- the ranks ---

    @property
    def size(self) -> int:
        """How many ranks the device matrix has."""
        return prod(self.dev_mat)

    @property
    def ranks(self) -> Sequence[int]:
        """The ranks in the order of the device matrix."""
        return range(self.size) if self.rank_list is None else self.rank_list

    def place(self, rank: int) -> int:
        """Return the row-major place of a rank in the device matrix.

        Raises:
            LayoutError: the layout does not have this rank.
        """
        found = rank if self.rank_list is None else self.rank_list.index(rank) if rank in self.rank_list else -1
        if not 0 <= found < self.size:
            raise LayoutError(f"rank {rank} is not one of the {self.size} ranks of dev_mat {self.dev_mat}.")
        return found

    def group(self, rank: int, device_axes: Sequence[int]) -> tuple[int, ...]:
        """Return the ranks that differ from ``rank`` only along these device axes, the first of these slowest."""
        return tuple(self.ranks[p] for p in group_of(self.dev_mat, self.place(rank), device_axes))

    # --- the cuts ---

    @property
    def cutting_axes(self) -> tuple[tuple[int, ...], ...]:
        """The device axes that cut each tensor axis, major first; empty where it is not cut."""
        return tuple(() if e == NOT_CUT else e if isinstance(e, tuple) else (e,) for e in self.tensor_map)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Into how many slices each tensor axis is cut."""
        return tuple(prod(axis_size(self.dev_mat, a) for a in axes) for axes in self.cutting_axes)

    @property
    def repeated_axes(self) -> tuple[int, ...]:
        """The device axes of size above one along which ranks hold the same, major first."""
        used = {a for axes in self.cutting_axes for a in axes} | set(self.partial)
        free = (a for a in reversed(range(len(self.dev_mat))) if a not in used)
        return tuple(a for a in free if axis_size(self.dev_mat, a) > 1)

    @property
    def is_partial(self) -> bool:
        """Whether ranks hold terms that are still to be combined."""
        return prod(axis_size(self.dev_mat, a) for a in self.partial) > 1

    @property
    def is_repeated(self) -> bool:
        """Whether every rank holds the whole value."""
        return not self.is_partial and prod(self.cuts) == 1

    # --- the slices ---

    def slice_shape(self, shape: Sequence[int], rank: int | None = None) -> tuple[int, ...]:
        """Return the shape of the slice that a rank holds; without a rank the largest, where they are not equal.

        >>> Layout((3,), (0,), lengths=((2, 5, 1),)).slice_shape((8,), rank=2)
        (1,)

        Raises:
            LayoutError: the tensor has another number of axes, or an axis does not divide into equal slices.
        """
        if len(shape) != len(self.tensor_map):
            raise LayoutError(
                f"shape {tuple(shape)} has {len(shape)} axes, but tensor_map {self.tensor_map} has "
                f"{len(self.tensor_map)} entries. Give one entry for each axis."
            )
        if self.lengths:
            return self._unequal_shape(tuple(shape), rank)
        for axis, (length, cut) in enumerate(zip(shape, self.cuts, strict=True)):
            if length % cut:
                raise LayoutError(self._uneven(axis, tuple(shape)), misfits=(Misfit(length, cut, is_multiple=True),))
        return tuple(length // cut for length, cut in zip(shape, self.cuts, strict=True))

    def _unequal_shape(self, shape: tuple[int, ...], rank: int | None) -> tuple[int, ...]:
        for axis, (length, lengths) in enumerate(zip(shape, self.lengths, strict=True)):
            if lengths and sum(lengths) != length:
                raise LayoutError(
                    f"axis {axis} of shape {shape} has length {length}, but its slices are {lengths} long, "
                    f"{sum(lengths)} together. Make them {length}."
                )
        equal = replace(self, lengths=()).slice_shape(
            [0 if lengths else n for n, lengths in zip(shape, self.lengths, strict=True)]
        )
        blocks = (None,) * len(shape) if rank is None else self.blocks(rank)
        each = zip(self.lengths, blocks, equal, strict=True)
        return tuple(n if not own else max(own) if b is None else own[b] for own, b, n in each)

    def interval(self, axis: int, block: int, length: int) -> tuple[int, int]:
        """Return ``(start, stop)`` of one slice of a tensor axis of this length.

        >>> Layout((3,), (0,), lengths=((2, 5, 1),)).interval(0, 1, 8)
        (2, 7)
        """
        if self.lengths and self.lengths[axis]:
            start = sum(self.lengths[axis][:block])
            return start, start + self.lengths[axis][block]
        n = length // self.cuts[axis]
        return block * n, (block + 1) * n

    def _uneven(self, axis: int, shape: tuple[int, ...]) -> str:
        cut, length = self.cuts[axis], shape[axis]
        names = ", ".join(map(str, self.cutting_axes[axis]))
        plural = "axes" if "," in names else "axis"
        return (
            f"axis {axis} of shape {shape} has length {length}, which device {plural} {names} of dev_mat "
            f"{self.dev_mat} "
            f"cannot cut into {cut} equal slices. Pad it to {-(-length // cut) * cut} or map it to NOT_CUT."
        )

    def blocks(self, rank: int) -> tuple[int, ...]:
        """Return which slice of each tensor axis a rank holds, counted from 0."""
        coords = coordinates(self.dev_mat, self.place(rank))
        last = len(self.dev_mat) - 1
        found: list[int] = []
        for axes in self.cutting_axes:
            block = 0
            for a in axes:
                block = block * axis_size(self.dev_mat, a) + coords[last - a]
            found.append(block)
        return tuple(found)

    def slice_index(self, rank: int) -> int:
        """Return the row-major number of a rank's slice among all slices.

        >>> Layout((2, 4), (0, 1)).slice_index(3)
        6
        """
        number = 0
        for block, cut in zip(self.blocks(rank), self.cuts, strict=True):
            number = number * cut + block
        return number

    def box(self, shape: Sequence[int], rank: int) -> tuple[tuple[int, int], ...]:
        """Return ``(start, stop)`` of a rank's slice along each tensor axis.

        >>> Layout((2, 4), (1, 0)).box((8, 16), rank=7)
        ((4, 8), (12, 16))
        """
        lengths = self.slice_shape(shape)
        if self.lengths:
            return tuple(self.interval(i, b, n) for i, (b, n) in enumerate(zip(self.blocks(rank), shape, strict=True)))
        return tuple((b * n, (b + 1) * n) for b, n in zip(self.blocks(rank), lengths, strict=True))

    def replicas(self, rank: int) -> tuple[int, ...]:
        """Return the ranks that hold the same slice as ``rank``, itself included."""
        return self.group(rank, self.repeated_axes)

    # --- other layouts ---

    def resolved(self) -> "Layout":
        """Return this layout with its terms combined on every rank."""
        return replace(self, partial=(), combine="sum")

    def without(self, axis: int | None) -> "Layout":
        """Return the layout of a tensor that has all axes but one; this one if None.

        >>> Layout((2, 4), (1, 0)).without(-1)
        Layout(dev_mat=(2, 4), tensor_map=(1,), rank_list=None, partial=(), combine='sum')
        """
        if axis is None:
            return self
        kept, lengths = list(self.tensor_map), list(self.lengths)
        del kept[axis]
        if lengths:
            del lengths[axis]
        return replace(self, tensor_map=tuple(kept), lengths=tuple(lengths))

    def refined(self, dev_mat: tuple[int, ...]) -> "Layout":
        """Return the same layout over a finer device matrix, one that ``refine`` gave."""

        def split(axes: Sequence[int]) -> tuple[int, ...]:
            return tuple(r for a in axes for r in refined_axes(self.dev_mat, dev_mat, a))

        tensor_map = tuple(split(axes) for axes in self.cutting_axes)
        return replace(self, dev_mat=dev_mat, tensor_map=tensor_map, partial=split(self.partial))

    def same_slices(self, other: "Layout") -> bool:
        """Return whether every rank holds the same under both layouts, whatever their device matrices.

        >>> Layout((2, 4), (NOT_CUT, (1, 0))).same_slices(Layout((8,), (NOT_CUT, 0)))
        True
        """
        if self == other:
            return True
        if len(self.tensor_map) != len(other.tensor_map) or (self.size, self.lengths) != (other.size, other.lengths):
            return False
        if self.is_repeated and other.is_repeated:
            return sorted(self.ranks) == sorted(other.ranks)
        if self.is_partial != other.is_partial or (self.is_partial and self.combine != other.combine):
            return False
        common = refine(self.dev_mat, other.dev_mat)
        if common is None:
            return self._same_by_rank(other)
        one, two = self.refined(common), other.refined(common)
        if one.rank_list != two.rank_list:
            return self._same_by_rank(other)
        return one.cutting_axes == two.cutting_axes and one.partial == two.partial

    def _same_by_rank(self, other: "Layout") -> bool:
        """Compare rank by rank: only for layouts that have no common device matrix."""
        if self.cuts != other.cuts or self.is_partial:
            return False
        return all(r in other.ranks and self.blocks(r) == other.blocks(r) for r in self.ranks)

    # --- shown ---

    def show(self, shape: Sequence[int] | None = None, rank: int | None = None) -> "LayoutPicture":
        """Return it as a picture, which a notebook draws and ``rich`` prints.

        Args:
            shape: of the whole tensor; without one the slices are numbered along each axis.
            rank: one whose slice is to stand out.

        Raises:
            LayoutError: the layout cannot cut this shape.

        >>> Layout((2, 4), (1, -1)).show((512, 1024)).svg()[:4]
        '<svg'
        """
        from simpar.layout.drawing import LayoutPicture  # pictures are made of layouts

        return LayoutPicture(self, None if shape is None else tuple(shape), rank)

    def _repr_svg_(self) -> str:
        return self.show().svg()

    def __repr__(self) -> str:
        shown = (f for f in fields(self) if f.repr and (f.name != "lengths" or self.lengths))
        named = (f"{f.name}={getattr(self, f.name)!r}" for f in shown)
        return f"Layout({', '.join(named)})"

    def __str__(self) -> str:
        entries = ", ".join(str(e).replace(" ", "") for e in self.tensor_map)
        text = f"{list(self.dev_mat)} [{entries}]".replace("(", "{").replace(")", "}")
        text += "".join(f" axis {i} by {'+'.join(map(str, n))}" for i, n in enumerate(self.lengths) if n)
        return text + (f" partial {self.combine} {list(self.partial)}" if self.is_partial else "")


def repeated(dev_mat: tuple[int, ...], axes: int) -> Layout:
    """Return the layout in which every rank holds the whole of a tensor with ``axes`` axes."""
    return Layout(dev_mat, (NOT_CUT,) * axes)


def _entry(entry: int | Sequence[int]) -> int | tuple[int, ...]:
    """Write one entry of a tensor map the short way: ``(0,)`` as ``0`` and ``()`` as ``NOT_CUT``."""
    if isinstance(entry, int):
        return entry
    axes = tuple(a for a in entry if a != NOT_CUT)
    return NOT_CUT if not axes else axes[0] if len(axes) == 1 else axes
