"""Who sends which part of its slice to whom: the general exchange between any two layouts.

A rank needs the box of its slice under the target. That box overlaps some slices of the source; each of them has one
holder, or several that repeat it, of which one is chosen: the rank itself if it can be, else holders in turn, so that
the work is spread. A rank thus receives exactly what it lacks, which no plan can undercut.

The choice is a formula of coordinates, the same on every rank, so that nobody has to ask.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, product
from math import prod

from simpar.layout.device_matrix import axis_size, coordinates, rank_at, refine
from simpar.layout.layout import Layout

__all__ = ["Box", "Transfer", "common_layouts", "intersections", "most_received", "moving_axes", "participants"]

Box = tuple[tuple[int, int], ...]
"""``(start, stop)`` along each tensor axis."""

Transfer = tuple[int, Box]
"""The rank at the other end, and the box that goes there or comes from there."""


@lru_cache(maxsize=4096)
def common_layouts(source: Layout, target: Layout) -> tuple[Layout, Layout] | None:
    """Return both layouts over their common device matrix, or None if they have none.

    >>> a, b = common_layouts(Layout((4,), (0, -1)), Layout((2, 2), (1, 0))) or ()
    >>> a.dev_mat, a.tensor_map, b.tensor_map
    ((2, 2), ((1, 0), -1), (1, 0))
    """
    if source.rank_list != target.rank_list:
        return None
    if source.dev_mat == target.dev_mat:
        return source, target
    common = refine(source.dev_mat, target.dev_mat)
    return None if common is None else (source.refined(common), target.refined(common))


def moving_axes(source: Layout, target: Layout) -> tuple[int, ...]:
    """Return the device axes, major first, along which data moves; both layouts have the same device matrix.

    An axis stands still if both layouts repeat over it, or are partial over it, or if it belongs to the leading device
    axes that cut a tensor axis alike.

    >>> moving_axes(Layout((2, 2, 2), ((2, 1), -1)), Layout((2, 2, 2), ((2, 0), -1)))
    (1, 0)
    """
    still: set[int] = set()
    for i, (one, two) in enumerate(zip(_cuts(source), _cuts(target), strict=True)):
        if source.lengths[i : i + 1] != target.lengths[i : i + 1]:
            continue
        for a, b in zip(one, two, strict=False):
            if a != b:
                break
            still.add(a)
    still |= set(source.repeated_axes) & set(target.repeated_axes)
    still |= set(source.partial) & set(target.partial)
    axes = reversed(range(len(source.dev_mat)))
    return tuple(a for a in axes if a not in still and axis_size(source.dev_mat, a) > 1)


def participants(source: Layout, target: Layout, rank: int) -> tuple[int, ...]:
    """Return the ranks among which an exchange moves data, as seen by one of them, in one order for all."""
    both = common_layouts(source, target)
    if both is not None:
        return both[0].group(rank, moving_axes(*both))
    known = set(source.ranks)
    return (*source.ranks, *(r for r in target.ranks if r not in known))


def intersections(
    source: Layout, target: Layout, shape: Sequence[int], rank: int
) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
    """Return what a rank sends to whom and what it receives from whom, as boxes of the whole tensor.

    What the rank keeps is listed too, as sent to and received from itself. Where both layouts are partial over a
    device axis, terms stay with their kind.

    Args:
        source: how the tensor lies now.
        target: how it is to lie; the device matrices and the ranks may be others.
        shape: of the whole tensor.
        rank: one rank of either layout.

    Returns:
        What is sent and what is received, each in the order of ``participants``.

    >>> rows, columns = Layout((2,), (0, -1)), Layout((2,), (-1, 0))
    >>> send, receive = intersections(rows, columns, (4, 4), rank=0)
    >>> send
    ((0, ((0, 2), (0, 2))), (1, ((0, 2), (2, 4))))
    """
    both = common_layouts(source, target)
    source, target = both or (source, target)
    moving = moving_axes(source, target) if both else None
    group = participants(source, target, rank)
    place = {r: i for i, r in enumerate(group)}
    receive = sorted(_receive(source, target, shape, rank, moving), key=lambda t: place[t[0]])
    return tuple(_send(source, target, shape, rank, group, moving)), tuple(receive)


def most_received(source: Layout, target: Layout, shape: Sequence[int]) -> int:
    """Return how many elements the rank that lacks most must receive: the least that any plan can move.

    >>> most_received(Layout((4,), (0, -1)), Layout((4,), (-1, 0)), (8, 8))
    12
    """
    both = common_layouts(source, target)
    if both is None or source.lengths or target.lengths:
        return max(_lacking(source, target, shape, r) for r in target.ranks)
    whole = prod(target.slice_shape(shape))
    return whole - _least_overlap(_cuts(both[0]), _cuts(both[1]), source.slice_shape(shape), target.slice_shape(shape))


def _least_overlap(
    source: Sequence[tuple[int, ...]], target: Sequence[tuple[int, ...]], one: Sequence[int], two: Sequence[int]
) -> int:
    """Return the fewest elements that a rank holds under both layouts, as a formula.

    Where the device axes of a tensor axis part, some rank stands first along the one and last along the other and so
    holds nothing in common; where one list begins with the other, the finer slice lies inside the coarser.
    """
    for a, b in zip(source, target, strict=True):
        n = min(len(a), len(b))
        if a[:n] != b[:n]:
            return 0
    return prod(map(min, one, two))


def _lacking(source: Layout, target: Layout, shape: Sequence[int], rank: int) -> int:
    need = target.box(shape, rank)
    volume = prod(stop - start for start, stop in need)
    if rank not in source.ranks:
        return volume
    shared = _overlap(need, source.box(shape, rank))
    return volume - (prod(stop - start for start, stop in shared) if shared else 0)


def _receive(
    source: Layout, target: Layout, shape: Sequence[int], rank: int, moving: tuple[int, ...] | None
) -> Iterator[Transfer]:
    if rank not in target.ranks or 0 in shape:
        return
    need = target.box(shape, rank)
    for block in product(*_blocks(source, shape, need)):
        shared = _overlap(need, _box(source, block, shape))
        assert shared is not None, "each of these blocks overlaps the box by construction"
        yield _sender(source, target, block, rank, moving), shared


def _send(
    source: Layout,
    target: Layout,
    shape: Sequence[int],
    rank: int,
    group: Sequence[int],
    moving: tuple[int, ...] | None,
) -> Iterator[Transfer]:
    if rank not in source.ranks or 0 in shape:
        return
    have, block = source.box(shape, rank), source.blocks(rank)
    known = set(target.ranks) if moving is None else None
    for peer in group:
        if known is not None and peer not in known:
            continue
        shared = _overlap(have, _box(target, target.blocks(peer), shape))
        if shared is not None and _sender(source, target, block, peer, moving) == rank:
            yield peer, shared


def _sender(source: Layout, target: Layout, block: Sequence[int], rank: int, moving: tuple[int, ...] | None) -> int:
    """Return which holder of a source slice sends to ``rank``.

    The holder has the slice's coordinates along the device axes that cut it. Along those that repeat it, it has the
    receiver's own, shifted by how far the receiver stands from the slice: so a rank that holds the slice is its own
    sender, and receivers that stand apart ask different holders.
    """
    last = len(source.dev_mat) - 1
    place = source.place(rank) if rank in source.ranks else target.place(rank) % source.size
    at, distance = list(coordinates(source.dev_mat, place)), 0
    for axes, number in zip(source.cutting_axes, block, strict=True):
        for a in reversed(axes):
            size = axis_size(source.dev_mat, a)
            number, wanted = divmod(number, size)
            distance = distance * size + (at[last - a] - wanted) % size
            at[last - a] = wanted
    for a in reversed(source.repeated_axes):
        if moving is None or a in moving:
            distance, shift = divmod(distance, axis_size(source.dev_mat, a))
            at[last - a] = (at[last - a] + shift) % axis_size(source.dev_mat, a)
    return source.ranks[rank_at(source.dev_mat, at)]


def _blocks(layout: Layout, shape: Sequence[int], box: Box) -> list[range]:
    """Return, for each tensor axis, the slices that a box overlaps."""
    found: list[range] = []
    for axis, ((start, stop), length, cut) in enumerate(zip(box, shape, layout.cuts, strict=True)):
        if layout.lengths and (own := layout.lengths[axis]):
            stops = list(accumulate(own))
            found.append(range(bisect_right(stops, start), bisect_left(stops, stop) + 1))
        else:
            n = length // cut
            found.append(range(start // n, (stop - 1) // n + 1))
    return found


def _box(layout: Layout, blocks: Sequence[int], shape: Sequence[int]) -> Box:
    return tuple(layout.interval(i, b, n) for i, (b, n) in enumerate(zip(blocks, shape, strict=True)))


def _overlap(one: Box, two: Box) -> Box | None:
    found = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, two, strict=True))
    return found if all(start < stop for start, stop in found) else None


def _cuts(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """Return the cutting axes without device axes of size one, which cut nothing."""
    return tuple(tuple(a for a in axes if axis_size(layout.dev_mat, a) > 1) for axes in layout.cutting_axes)
