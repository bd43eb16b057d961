"""Indexing a tensor by ints, slices, ``...`` and None, as bounds of one strided slice and a shape."""

from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from simpar.errors import DTypeError

__all__ = ["Bounds", "Index", "bounds_of"]

Index = int | slice | None | EllipsisType
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an index takes.

    Args:
        begin, end, strides: per axis of the tensor.
        shape: what is left when ints have taken their axes away and None has added some.
    """

    begin: Shape
    end: Shape
    strides: Shape
    shape: Shape


def bounds_of(lengths: Shape, index: Any) -> Bounds:
    """Return what ``index`` takes of a tensor of this shape.

    Raises:
        DTypeError: the index holds something else, or steps backwards.
        IndexError: an int is out of range, or there are more entries than axes.

    >>> bounds_of((4, 6), (1, slice(2, None))).shape
    (4,)
    """
    taken: list[tuple[int, int, int]] = []
    shape: list[int] = []
    left = list(lengths)
    for entry in _spelled_out(index if isinstance(index, tuple) else (index,), len(lengths)):  # pyright: ignore[reportUnknownArgumentType]
        if entry is None:
            shape.append(1)
            continue
        bounds, length = _of_axis(entry, left.pop(0))
        taken.append(bounds)
        shape += [] if length is None else [length]
    begin, end, strides = zip(*taken, strict=True) if taken else ((), (), ())
    return Bounds(tuple(begin), tuple(end), tuple(strides), tuple(shape))


def _spelled_out(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """Put full slices in the place of ``...``, or at the end."""
    named = sum(i is not None and i is not Ellipsis for i in index)
    if named > ndim:
        raise IndexError(f"{named} indices for a tensor that has {ndim} axes.")
    places = [p for p, i in enumerate(index) if i is Ellipsis]
    if len(places) > 1:
        raise IndexError("an index holds `...` once at most.")
    at = places[0] if places else len(index)
    return [*index[:at], *[slice(None)] * (ndim - named), *index[at + 1 :]]


def _of_axis(entry: Any, length: int) -> tuple[tuple[int, int, int], int | None]:
    """Return ``(begin, end, stride)`` and the length that is left, None if the axis goes away."""
    if isinstance(entry, slice):
        low, high, by = entry.indices(length)  # pyright: ignore[reportUnknownMemberType]
        if by < 1:
            raise DTypeError(f"a Tensor is sliced with steps of at least 1, not {by}.")
        return (low, max(low, high), by), len(range(low, high, by))
    if isinstance(entry, int) and not isinstance(entry, bool):
        if not -length <= entry < length:
            raise IndexError(f"index {entry} is out of range for an axis of length {length}.")
        return (entry % length, entry % length + 1, 1), None
    raise DTypeError(
        f"a Tensor is indexed by ints, slices, `...` and None, not by {type(entry).__name__}; use ops.gather."
    )
