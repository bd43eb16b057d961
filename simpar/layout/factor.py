"""Rules: which axes of operands and results are one index, and what a cut of it means.

A rule is einsum-like text over *factors*: ``"... i k, ... k j -> ... i j"``. Each word is a factor. A cut of a factor

- that stands in the result passes through at no cost;
- that is missing from the result leaves every rank with a partial result, joined by ``combine``;
- that is ``whole`` is not allowed: a cut there is redistributed first.

``(h d)`` is one axis made of two factors, the major one first; ``1`` is an axis of length one, which is never cut;
``...`` stands for leading axes, matched from the right as numpy broadcasts them. ``h~`` is an axis over which the
windows of factor ``h`` move, as the rows of an image do under a convolution: it is cut where ``h`` is, but has a length
of its own, and the windows of one slice may reach into the next (its `halo`).

Everything here is arithmetic on names and whole numbers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from simpar.errors import Misfit, RuleError

__all__ = ["Axis", "Reach", "Rule", "parse_rule"]

Axis = tuple[str, ...]
"""The factors of one tensor axis, major first; empty for an axis of length one."""

Shape = tuple[int, ...]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reach:
    """Says which indices of an axis each window covers: ``length`` of them from ``(i * step + shift) // parts`` on.

    Args:
        step, shift, parts: where window ``i`` begins; before the axis, where ``shift`` is negative, is padding.
        length: how many indices a window covers.

    >>> Reach(step=2, shift=-1, length=3).span(0, 2)
    (-1, 4)
    """

    step: int
    shift: int
    length: int
    parts: int = 1

    def first(self, window: int) -> int:
        """Return the first index that a window covers."""
        return (window * self.step + self.shift) // self.parts

    def span(self, start: int, stop: int) -> Span:
        """Return the indices that windows ``start`` to ``stop`` cover, padding included, as ``(start, stop)``."""
        return self.first(start), self.first(stop - 1) + self.length


@dataclass(frozen=True, slots=True)
class Rule:
    """The factors of an op's operands and results, with their lengths.

    Args:
        operands: the axes of each operand.
        results: the axes of each result.
        sizes: the length of each factor.
        whole: factors that must not be cut.
        combine: what joins partial results: ``"sum"``, ``"max"`` or ``"min"``.
        order: the factors in the order in which their cuts fill the device matrix, major first.
        repeat_first: factors; where one of them is cut, ranks that repeat the work stand along the first device axis
            (else the last). ``"*"`` stands for every factor.
        batch: the factor that is cut where nothing was chosen; empty for the first axis of the operand with the batch.
        by_result: whether a strategy's numbers cut the axes of the first result, not those of the operands.
        reaches: for a factor of windows, what each of them covers of the axes that are written with a ``~``; the length
            of those axes is the size of ``"h~"``.
        images: those axes: the number of the operand, or of operands and the result, and the place of the axis.
        lengths: for a factor of fields, how long each of them is on an axis on which the factor stands alone.

    >>> rule = parse_rule("i k, k j -> i j", ((8, 4), (4, 6)))
    >>> str(rule), rule.result_shapes
    ('i k, k j -> i j', ((8, 6),))
    """

    operands: tuple[tuple[Axis, ...], ...]
    results: tuple[tuple[Axis, ...], ...]
    sizes: Mapping[str, int]
    whole: frozenset[str] = frozenset()
    combine: str = "sum"
    order: tuple[str, ...] = field(default=())
    repeat_first: tuple[str, ...] = ()
    batch: str = ""
    by_result: bool = False
    reaches: Mapping[str, Reach] = field(default_factory=dict[str, Reach])
    images: frozenset[tuple[int, int]] = frozenset()
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def __post_init__(self) -> None:
        rest = tuple(dict.fromkeys(f for axes in self.operands + self.results for axis in axes for f in axis))
        object.__setattr__(self, "order", (*self.order, *(f for f in rest if f not in self.order)))

    @property
    def operand_shapes(self) -> tuple[Shape, ...]:
        """The shape of each operand."""
        return tuple(self._shape(slot, axes) for slot, axes in enumerate(self.operands))

    @property
    def result_shapes(self) -> tuple[Shape, ...]:
        """The shape of each result."""
        return tuple(self._shape(slot, axes) for slot, axes in enumerate(self.results, start=len(self.operands)))

    def _shape(self, slot: int, axes: tuple[Axis, ...]) -> Shape:
        return tuple(
            self.sizes[f"{axis[0]}~"] if (slot, place) in self.images else self.length(axis)
            for place, axis in enumerate(axes)
        )

    @property
    def chosen(self) -> tuple[tuple[Axis, ...], ...]:
        """The axes that a strategy of numbers cuts, one entry for each of its tuples."""
        return self.results[:1] if self.by_result else self.operands

    def length(self, axis: Axis) -> int:
        """Return the length of an axis."""
        fields = self.lengths.get(axis[0], ()) if len(axis) == 1 else ()
        return sum(fields) if fields else prod(self.sizes[f] for f in axis)

    def slice_lengths(self, axis: Axis, parts: int) -> tuple[int, ...]:
        """Return how long the slices of an axis of fields are, cut into so many parts; nothing for any other axis.

        >>> parse_rule("f, (f n) -> (f n)", ((9,), (6,)), lengths={"f": (2, 4, 3)}).slice_lengths(("f",), 3)
        (2, 4, 3)
        """
        fields = self.lengths.get(axis[0], ()) if len(axis) == 1 else ()
        each = len(fields) // parts
        return tuple(sum(fields[k * each : (k + 1) * each]) for k in range(parts if fields else 0))

    def refusal(self, factor: str, parts: int) -> str:
        """Return why windows cannot be cut into so many parts together with what they move over; empty if they can.

        Both must divide, and no slice may need more of a neighbour than the neighbour holds.

        >>> reaches = {"h": Reach(step=1, shift=-2, length=5)}
        >>> parse_rule("h~ -> h", ((8,),), sizes={"h": 8}, reaches=reaches).refusal("h", 8)
        'slice 0 of 8 holds 1 of 8 indices, but its windows reach 2 further. Cut it into fewer slices.'
        """
        reach = self.reaches.get(factor)
        if reach is None or parts == 1:
            return ""
        windows, image = self.sizes[factor], self.sizes[f"{factor}~"]
        for what, length in (("length", image), ("the number of its windows,", windows)):
            if length % parts:
                return f"{what} {length} cannot be cut into {parts} equal slices. Choose a cut that divides {length}."
        own, each = image // parts, windows // parts
        for block in range(parts):
            start, stop = reach.span(block * each, (block + 1) * each)
            more = max(block * own - max(start, 0), min(stop, image) - (block + 1) * own)
            if more > own:
                return (
                    f"slice {block} of {parts} holds {own} of {image} indices, but its windows reach {more} further. "
                    "Cut it into fewer slices."
                )
        return ""

    def missing(self, result: int) -> tuple[str, ...]:
        """Return the factors of the operands that this result lacks, in order."""
        kept = {f for axis in self.results[result] for f in axis}
        used = {f for axes in self.operands for axis in axes for f in axis}
        return tuple(f for f in self.order if f in used - kept)

    def __str__(self) -> str:
        def text(slot: int, axes: tuple[Axis, ...]) -> str:
            words = ("1" if not a else a[0] if len(a) == 1 else f"({' '.join(a)})" for a in axes)
            return " ".join(f"{w}~" if (slot, place) in self.images else w for place, w in enumerate(words))

        whole = [text(slot, axes) for slot, axes in enumerate((*self.operands, *self.results))]
        return ", ".join(whole[: len(self.operands)]) + " -> " + ", ".join(whole[len(self.operands) :])


# --- from text to a rule ---

_WORD = re.compile(r"\(([^()]*)\)|(\S+)")


def parse_rule(
    text: str,
    shapes: Sequence[Shape],
    *,
    sizes: Mapping[str, int] | None = None,
    whole: Sequence[str] = (),
    combine: str = "sum",
    order: Sequence[str] = (),
    repeat_first: Sequence[str] = (),
    batch: str = "",
    by_result: bool = False,
    reaches: Mapping[str, Reach] | None = None,
    lengths: Mapping[str, tuple[int, ...]] | None = None,
) -> Rule:
    """Return the rule that ``text`` states for operands of these shapes.

    Args:
        text: e.g. ``"... i k, ... k j -> ... i j"``.
        shapes: the shape of each operand.
        sizes: lengths of factors that the shapes do not tell.
        whole, combine, order, repeat_first, batch, by_result, reaches, lengths: as of ``Rule``.

    Raises:
        RuleError: the operands' number, axes or lengths do not fit the text.
    """
    left, arrow, right = text.partition("->")
    if not arrow:
        raise RuleError(f"rule {text!r} has no '->' between operands and results.")
    operands = [_words(part) for part in left.split(",")] if left.strip() or shapes else []
    if len(operands) != len(shapes):
        raise RuleError(f"rule {text!r} takes {len(operands)} operands, but {len(shapes)} were given.")
    lead = _leading(text, operands, shapes)
    fields = dict(lengths or {})
    bound = dict(sizes or {}) | {f: len(n) for f, n in fields.items()}
    bound.update((f"_{i}", n) for i, n in enumerate(reversed(lead)))
    taken = tuple(_expand_operand(text, words, shape, lead) for words, shape in zip(operands, shapes, strict=True))
    for axes, shape in zip(taken, shapes, strict=True):
        _bind(text, axes, shape, bound, fields)
    made = tuple(_expand(_words(part), len(lead)) for part in right.split(","))
    for f in (f for axes in made for axis in axes for f in axis):
        if f not in bound:
            raise RuleError(f"rule {text!r}: no operand tells the length of factor {f!r}.")
    images = frozenset(
        (slot, place) for slot, axes in enumerate((*taken, *made)) for place, axis in enumerate(axes) if _is_image(axis)
    )
    given, left = (tuple(map(_without_signs, side)) for side in (taken, made))
    others = (frozenset(whole), combine, tuple(order), tuple(repeat_first), batch, by_result)
    return Rule(given, left, bound, *others, reaches or {}, images, fields)


def _is_image(axis: Axis) -> bool:
    return axis[-1:] != () and axis[-1].endswith("~")


def _without_signs(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    return tuple(tuple(f.removesuffix("~") for f in axis) for axis in axes)


def _words(part: str) -> list[Axis]:
    """Split ``"... (h d) k"`` into ``[("...",), ("h", "d"), ("k",)]``; ``1`` becomes ``()``."""
    found = [tuple((m[1] or m[2] or "").split()) for m in _WORD.finditer(part)]
    return [() if axis == ("1",) else axis for axis in found]


def _leading(text: str, operands: list[list[Axis]], shapes: Sequence[Shape]) -> Shape:
    """Return the broadcast lengths of the axes that ``...`` stands for."""
    lead: list[int] = []
    for words, shape in zip(operands, shapes, strict=True):
        if ("...",) not in words:
            continue
        own = shape[: len(shape) - len(words) + 1]
        lead = [1] * (len(own) - len(lead)) + lead
        for i, n in enumerate(reversed(own), start=1):
            if n != 1 and lead[-i] not in (1, n):
                ends = zip(reversed(lead), reversed(own), strict=False)
                raise RuleError(
                    f"leading axes {own} do not broadcast with {tuple(lead)} (rule {text!r}, shapes {_show(shapes)}).",
                    misfits=(Misfit(m, n) for m, n in ends if m != n and 1 not in (m, n)),
                )
            lead[-i] = max(lead[-i], n) if n and lead[-i] else 0
    return tuple(lead)


def _expand(words: list[Axis], lead: int) -> tuple[Axis, ...]:
    """Replace ``...`` by its factors ``_n … _0``, counted from the right."""
    out: list[Axis] = []
    for axis in words:
        out += [(f"_{i}",) for i in reversed(range(lead))] if axis == ("...",) else [axis]
    return tuple(out)


def _expand_operand(text: str, words: list[Axis], shape: Shape, lead: Shape) -> tuple[Axis, ...]:
    count = len(shape) - len(words) + 1 if ("...",) in words else 0
    axes = _expand(words, max(count, 0))
    if len(axes) != len(shape):
        raise RuleError(f"an operand of shape {shape} has {len(shape)} axes, but rule {text!r} wants {len(axes)}.")
    repeats = [
        n == 1 and axis[:1] and axis[0][0] == "_" and lead[-1 - int(axis[0][1:])] != 1
        for n, axis in zip(shape, axes, strict=True)
    ]
    return tuple(() if stretched else axis for axis, stretched in zip(axes, repeats, strict=True))


def _bind(
    text: str, axes: tuple[Axis, ...], shape: Shape, sizes: dict[str, int], fields: Mapping[str, tuple[int, ...]]
) -> None:
    """Learn the lengths of factors from one operand's shape."""
    for axis, length in zip(axes, shape, strict=True):
        if len(axis) == 1 and sum(fields.get(axis[0], ())) == length > 0:
            continue
        unknown = [f for f in axis if f not in sizes]
        known = prod(sizes[f] for f in axis if f in sizes)
        if len(unknown) == 1 and known and length % known == 0:
            sizes[unknown[0]] = length // known
        elif unknown or known != length:
            name = " ".join(axis) or "1"
            raise RuleError(
                f"rule {text!r}: axis {name!r} is {length} long in shape {shape}, but {known} elsewhere.",
                misfits=(Misfit(length, known, is_multiple=bool(unknown)),),
            )


def _show(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))
