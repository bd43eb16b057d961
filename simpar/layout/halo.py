"""Halos: what a rank needs of a tensor beside its slice, because its windows reach over the border.

Where the windows of a convolution are cut, and the image alike, the windows of one rank cover its slice of the image
and some rows of its neighbours: the slice's *halo*. Two steps follow from that, each the transpose of the other:

- an op that takes an image is handed its slice with the halo: ``HaloExchange``, in which neighbours send their rows;
- an op that makes an image, as a gradient does, leaves terms of the halo too: ``HaloReduce``, in which they are sent
  back and added.

Both leave the layout as it is, for that says who owns what. A halo reaches into the neighbouring slices at most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from simpar.layout.factor import Rule
from simpar.layout.intersection import Box, Transfer
from simpar.layout.layout import Layout
from simpar.layout.redistribution_steps import Step

__all__ = ["Halo", "HaloExchange", "HaloReduce", "halo_of", "spans_of"]

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Halo:
    """What ranks hold of a tensor instead of their slices: a little more, or less, than them.

    Args:
        spans: for each tensor axis, what ranks hold of it, one ``(start, stop)`` for each of its slices; empty for an
            axis of which they hold just the slice.

    >>> Halo((((0, 5), (3, 8)),)).box(Layout((2,), (0,)), (8,), rank=1)
    ((3, 8),)
    """

    spans: tuple[tuple[Span, ...], ...]

    def box(self, layout: Layout, shape: Sequence[int], rank: int) -> Box:
        """Return ``(start, stop)`` of what a rank holds along each tensor axis, of a tensor in this layout."""
        each = zip(self.spans, layout.blocks(rank), layout.box(shape, rank), strict=True)
        return tuple(spans[block] if spans else own for spans, block, own in each)

    @property
    def axes(self) -> tuple[int, ...]:
        """The tensor axes along which it differs from the slice."""
        return tuple(axis for axis, spans in enumerate(self.spans) if spans)


def halo_of(rule: Rule, slot: int, layout: Layout) -> Halo | None:
    """Return the halo with which an op takes an operand, or leaves a result; None if slices do.

    Args:
        rule: of the op.
        slot: the number of the operand, or of all operands and the result.
        layout: of that operand or result.
    """
    axes = (*rule.operands, *rule.results)[slot]
    spans: list[tuple[Span, ...]] = []
    for place, (axis, parts) in enumerate(zip(axes, layout.cuts, strict=True)):
        cut_image = parts > 1 and (slot, place) in rule.images
        spans.append(_clipped(rule, axis[0], parts) if cut_image else ())
    return Halo(tuple(spans)) if any(spans) else None


def _clipped(rule: Rule, factor: str, parts: int) -> tuple[Span, ...]:
    """Return what the windows of each part cover, without padding."""
    reach, each, length = rule.reaches[factor], rule.sizes[factor] // parts, rule.sizes[f"{factor}~"]
    covered = (reach.span(part * each, (part + 1) * each) for part in range(parts))
    return tuple((min(max(start, 0), length), min(max(stop, 0), length)) for start, stop in covered)


def spans_of(rule: Rule, layouts: Sequence[Layout], rank: int) -> dict[str, Span]:
    """Return what the windows of one rank cover, padding included, for each factor of windows.

    Args:
        rule: of the op.
        layouts: of its operands and results.
        rank: whose windows.
    """
    found: dict[str, Span] = {}
    for axes, layout in zip((*rule.operands, *rule.results), layouts, strict=True):
        for axis, parts, block in zip(axes, layout.cuts, layout.blocks(rank), strict=True):
            if axis and axis[0] in rule.reaches:
                each = rule.sizes[axis[0]] // parts
                found[axis[0]] = rule.reaches[axis[0]].span(block * each, (block + 1) * each)
    return found


# --- the steps ---


@dataclass(frozen=True, slots=True)
class _HaloStep(Step):
    """Is what the two have in common: messages between neighbours, all on their way together.

    Args:
        halo: what ranks hold beside their slices, before or after the step.
    """

    halo: Halo

    @property
    def rounds(self) -> int:
        """One message to each neighbour; all are on their way together."""
        return 1

    def volume_bytes(self, shape: Sequence[int], itemsize: int, rank: int | None = None) -> int:
        """Return what ``rank`` sends to others; without a rank, the most that one of them sends."""
        return _sent(self, shape, itemsize, rank)

    def words(self) -> str:
        """Return the axes whose neighbours exchange, and what their ranks hold with the halo."""
        return _words(self.halo)

    def _held(self, shape: Sequence[int], rank: int) -> Box:
        return self.halo.box(self.before, shape, rank)


@dataclass(frozen=True, slots=True)
class HaloExchange(_HaloStep):
    """Hands each rank its slice with the halo, which it holds after it: neighbours send what it lacks."""

    kind: ClassVar[str] = "halo_exchange"

    def transfers(self, shape: Sequence[int], rank: int) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
        """Return what ``rank`` sends, as boxes of its slice, and receives, as boxes of what it holds after."""
        return _overlaps(self, self.before.box, self._held, shape, rank)


@dataclass(frozen=True, slots=True)
class HaloReduce(_HaloStep):
    """Sends terms of the halo, held before it, back to the ranks that own them, which add them to their slices."""

    kind: ClassVar[str] = "halo_reduce"

    def transfers(self, shape: Sequence[int], rank: int) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
        """Return what ``rank`` sends, as boxes of what it holds before, and receives, as boxes of its slice."""
        return _overlaps(self, self._held, self.before.box, shape, rank)


Holds = Callable[[Sequence[int], int], Box]


def _overlaps(
    step: Step, before: Holds, after: Holds, shape: Sequence[int], rank: int
) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
    """Return what goes from what ranks hold before to what they hold after, wherever the two overlap."""
    send: list[Transfer] = []
    receive: list[Transfer] = []
    mine, then = before(shape, rank), after(shape, rank)
    for peer in step.group(rank):
        send += _shared(peer, mine, after(shape, peer))
        receive += _shared(peer, then, before(shape, peer))
    return tuple(send), tuple(receive)


def _shared(peer: int, mine: Box, other: Box) -> list[Transfer]:
    """Return the overlap of two boxes as a box of the first, if there is one."""
    both = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(mine, other, strict=True))
    if any(start >= stop for start, stop in both):
        return []
    return [(peer, tuple((start - a, stop - a) for (start, stop), (a, _) in zip(both, mine, strict=True)))]


def _sent(step: Step, shape: Sequence[int], itemsize: int, rank: int | None) -> int:
    ranks = step.group(step.before.ranks[0]) if rank is None else (rank,)
    return itemsize * max(
        sum(prod(stop - start for start, stop in box) for peer, box in step.transfers(shape, r)[0] if peer != r)
        for r in ranks
    )


def _words(halo: Halo) -> str:
    each = (f"{axis} {' '.join(f'{a}:{b}' for a, b in halo.spans[axis])}" for axis in halo.axes)
    return "axes " + ", ".join(each) if len(halo.axes) > 1 else "axis " + next(each)
