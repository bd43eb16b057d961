"""Which device axes cut the factors of an op: from the user's strategy, from the operands' layouts, or by default.

Along an axis of two factors, ``(h d)``, a slice is contiguous only if the minor factor is whole, or the major one is
cut into single elements. Otherwise the minor factor's cut is *loose*, and no layout can say what a rank holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd, prod

from simpar.errors import Misfit, StrategyError
from simpar.layout.device_matrix import axis_size, refine
from simpar.layout.factor import Axis, Rule
from simpar.layout.layout import Layout

__all__ = ["Assignment", "assign_by_strategy", "cut_first_axis", "follow", "tightened"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which device axes cut each factor of one op.

    Args:
        dev_mat: the op's device matrix.
        axes: the device axes that cut each factor, major first; factors that are not cut may be left out.
        rank_list: the ranks in the order of the device matrix, None for in order.
        lengths: of factors whose slices are not equally long, how long these are.
    """

    dev_mat: tuple[int, ...]
    axes: Mapping[str, tuple[int, ...]]
    rank_list: tuple[int, ...] | None = None
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def cut(self, factor: str) -> int:
        """Return into how many slices a factor is cut."""
        return prod(axis_size(self.dev_mat, a) for a in self.axes.get(factor, ()))

    def operand(self, rule: Rule, index: int) -> Layout:
        """Return the layout in which the op takes an operand."""
        axes = rule.operands[index]
        return Layout(self.dev_mat, self._map(axes), self.rank_list, lengths=self._lengths(rule, axes))

    def result(self, rule: Rule, index: int) -> Layout:
        """Return the layout in which the op leaves a result, with its partial device axes."""
        partial = tuple(a for f in rule.missing(index) for a in self.axes.get(f, ()))
        axes = rule.results[index]
        lengths = self._lengths(rule, axes)
        return Layout(self.dev_mat, self._map(axes), self.rank_list, partial, rule.combine, lengths)

    def _lengths(self, rule: Rule, axes: tuple[Axis, ...]) -> tuple[tuple[int, ...], ...]:
        """Return the lengths of the slices of each axis, nothing where they are equal."""
        if not rule.lengths and not self.lengths:
            return ()
        return tuple(
            rule.slice_lengths(axis, self.cut(axis[0])) or self.lengths.get(axis[0], ()) if len(axis) == 1 else ()
            for axis in axes
        )

    def _map(self, axes: tuple[Axis, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(a for f in axis for a in self.axes.get(f, ())) for axis in axes)


# --- from a strategy to an assignment ---


def assign_by_strategy(
    rule: Rule, strategy: Sequence[Sequence[int]], device_num: int, *, loose: bool = False
) -> Assignment:
    """Return the assignment that a strategy of numbers means, as MindSpore infers it.

    The device matrix holds the cut of each factor in the rule's order; cuts of 1 are left out. With fewer cuts than
    devices the work is repeated, and the repeat number becomes the last device axis.

    Args:
        strategy: for each operand, into how many slices each axis is cut, e.g. ``((2, 4), (4, 1))``.
        device_num: how many devices share the work.
        loose: whether it may hold loose cuts, for the layouts of the operands alone; see ``tightened``.

    Raises:
        StrategyError: the strategy has the wrong number of operands or axes, does not divide, cuts what must be
            whole, or does not fit the devices.

    >>> from simpar.layout.factor import parse_rule
    >>> rule = parse_rule("i k, k j -> i j", ((8, 4), (4, 6)))
    >>> assign_by_strategy(rule, ((2, 1), (1, 2)), 8).operand(rule, 0)
    Layout(dev_mat=(2, 2, 2), tensor_map=(2, -1), rank_list=None, partial=(), combine='sum')
    """
    cuts = _cuts_of(rule, strategy)
    used = prod(cuts.values())
    if device_num % used:
        why = "more than there are" if used > device_num else "and does not divide them evenly"
        raise StrategyError(
            f"strategy {_plain(strategy)} cuts the work into {used} parts for {device_num} devices, {why}. "
            f"The product of the cuts must divide the number of devices."
        )
    named = [(f, cuts[f]) for f in rule.order if cuts.get(f, 1) > 1]
    repeat = [("", device_num // used)] if device_num > used else []
    is_first = any(f in rule.repeat_first or "*" in rule.repeat_first for f, _ in named)
    named = repeat + named if is_first else named + repeat
    last = len(named) - 1
    axes = {f: (last - i,) for i, (f, _) in enumerate(named) if f}
    made = Assignment(tuple(n for _, n in named) or (1,), axes)
    for f, axis in () if loose else _loose(rule, made):
        raise StrategyError(
            f"strategy {_plain(strategy)} cuts factor {f!r} of rule '{rule}', the minor part of an axis of length "
            f"{rule.length(axis)}, but not the major part into single elements. Cut that first, or write 1 for {f!r}."
        )
    return made


def _loose(rule: Rule, made: Assignment) -> Iterator[tuple[str, Axis]]:
    """Give the factors that must be whole or whose cut is loose, and the axis on which it is."""
    for axis in (axis for axes in (*rule.operands, *rule.results) for axis in axes):
        for place, f in enumerate(axis):
            is_minor = any(made.cut(major) != rule.sizes[major] for major in axis[:place])
            if made.cut(f) > 1 and (is_minor or f in rule.whole):
                yield f, axis


def tightened(rule: Rule, made: Assignment) -> Assignment:
    """Return the assignment without loose cuts, or cuts of what must be whole: that is redistributed first."""
    while loose := {f for f, _ in _loose(rule, made)}:
        made = replace(made, axes={f: a for f, a in made.axes.items() if f not in loose})
    return made


def _cuts_of(rule: Rule, strategy: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return into how many slices the strategy cuts each factor."""
    what = "result" if rule.by_result else "input"
    if len(strategy) != len(rule.chosen):
        raise StrategyError(
            f"strategy {_plain(strategy)} is for {len(strategy)} {what}s, but the op has {len(rule.chosen)}. "
            f"Give one tuple for each {what}."
        )
    cuts: dict[str, int] = {}
    shapes = rule.result_shapes if rule.by_result else rule.operand_shapes
    for index, (axes, numbers, shape) in enumerate(zip(rule.chosen, strategy, shapes, strict=False)):
        if len(numbers) != len(axes):
            raise StrategyError(
                f"strategy {tuple(numbers)} of {what} {index} has {len(numbers)} numbers, but its shape {shape} has "
                f"{len(axes)} axes. Give one number for each axis."
            )
        for place, (axis, cut) in enumerate(zip(axes, numbers, strict=True)):
            for f, n in _split_cut(rule, axis, cut, f"axis {place} of {what} {index}, shape {shape}"):
                if cuts.setdefault(f, n) != n:
                    raise StrategyError(
                        f"strategy {_plain(strategy)} cuts axis {place} of input {index} into {n}, but the same "
                        "index of "
                        f"rule '{rule}' into {cuts[f]} in an earlier input. Cut factor {f!r} alike."
                    )
    return cuts


def _split_cut(rule: Rule, axis: Axis, cut: int, where: str) -> Iterator[tuple[str, int]]:
    """Share the cut of one axis among its factors, the major one first."""
    if isinstance(cut, bool) or cut < 1:
        raise StrategyError(f"a cut of {cut} for {where}: give a whole number of at least 1.")
    left = cut
    for f in axis:
        if refusal := rule.refusal(f, left):
            raise StrategyError(f"{where}, cut into {cut}: {refusal}")
        size = rule.sizes[f]
        own = left if size % left == 0 else size if left % size == 0 else 0
        if not own:
            break
        if own > 1 and f in rule.whole:
            raise StrategyError(
                f"{where} must not be cut by this op (factor {f!r} of rule '{rule}'), but the strategy cuts it into "
                f"{cut}. Write 1 there."
            )
        left //= own
        yield f, own
        if own < size:
            yield from ((rest, 1) for rest in axis[axis.index(f) + 1 :])
            break
    if left > 1:
        length = rule.length(axis)
        raise StrategyError(
            f"{where}: length {length} cannot be cut into {cut} equal slices. Choose a cut that divides {length}.",
            misfits=(Misfit(length, cut, is_multiple=True),),
        )


def _plain(strategy: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(s) for s in strategy)


# --- from the operands' layouts to an assignment ---


def follow(rule: Rule, layouts: Sequence[Layout | None], device_num: int, wanted: Layout | None = None) -> Assignment:
    """Return the assignment that follows the layouts in which the operands already are.

    Operands speak in the order given by their size, the largest first, and last the result, so that no rank computes
    more of it than it keeps. A factor that one has cut is not cut otherwise by the next, and a device axis cuts one
    factor only. What an operand wanted and did not get is redistributed later.

    Args:
        layouts: one per operand; None for an operand that takes whatever the others decide.
        device_num: how many devices there are, for the case that no operand has a layout.
        wanted: the layout in which the first result is needed, if it is known.

    >>> from simpar.layout.factor import parse_rule
    >>> rule = parse_rule("i k, k j -> i j", ((8, 4), (4, 6)))
    >>> follow(rule, (Layout((2, 2), (1, -1)), Layout((2, 2), (-1, 0))), 4).result(rule, 0).tensor_map
    (1, 0)
    """
    known = [(rule.operands[i], lay) for i, lay in enumerate(layouts) if lay is not None]
    known.sort(key=lambda pair: -prod(rule.length(axis) for axis in pair[0]))
    if wanted is not None:
        known.append((rule.results[0], wanted))
    speakers = [(axes, lay) for axes, lay in known if prod(lay.cuts) > 1]
    if not speakers:
        first = known[0][1] if known else Layout((device_num,), ())
        return Assignment(first.dev_mat, {}, first.rank_list)
    dev_mat, ranks = speakers[0][1].dev_mat, speakers[0][1].rank_list
    heard: list[tuple[tuple[Axis, ...], Layout]] = []
    for speaker, lay in speakers:
        common = refine(dev_mat, lay.dev_mat)
        if common is not None and lay.rank_list == ranks:
            dev_mat = common
            heard.append((speaker, lay))
    axes: dict[str, tuple[int, ...]] = {}
    lengths: dict[str, tuple[int, ...]] = {}
    for speaker, lay in heard:
        _listen(rule, speaker, lay.refined(dev_mat), axes, lengths)
    return tightened(rule, Assignment(dev_mat, axes, ranks, lengths))


def _listen(
    rule: Rule,
    operand: tuple[Axis, ...],
    layout: Layout,
    axes: dict[str, tuple[int, ...]],
    lengths: dict[str, tuple[int, ...]],
) -> None:
    """Take over the cuts of one operand, as far as factors and device axes are still free."""
    for place, (axis, cutting) in enumerate(zip(operand, layout.cutting_axes, strict=True)):
        if layout.lengths and layout.lengths[place] and not (len(axis) == 1 and axis[0] in rule.lengths):
            _listen_unequal(rule, axis, cutting, layout.lengths[place], axes, lengths)
            continue
        free = list(cutting)
        for f in axis:
            size, own = rule.sizes[f], ()
            while free and f not in rule.whole and size % axis_size(layout.dev_mat, free[0]) == 0:
                left = size // axis_size(layout.dev_mat, free[0])
                if rule.refusal(f, rule.sizes[f] // max(left, 1)):
                    break
                size = left
                own = (*own, free.pop(0))
            taken = {a for other, used in axes.items() if other != f for a in used}
            if f not in axes and own and not taken & set(own):
                axes[f] = own
            if size > 1 or axes.get(f, own) != own:
                break


def _listen_unequal(
    rule: Rule,
    axis: Axis,
    cutting: tuple[int, ...],
    own: tuple[int, ...],
    axes: dict[str, tuple[int, ...]],
    lengths: dict[str, tuple[int, ...]],
) -> None:
    """Take over the cut of an axis into slices of these lengths, which only a factor can have that stands alone."""
    f = axis[0] if len(axis) == 1 else ""
    taken = {a for used in axes.values() for a in used}
    alone = all(other == (f,) for side in (*rule.operands, *rule.results) for other in side if f in other)
    fits = alone and sum(own) == rule.sizes.get(f) and f not in (*rule.whole, *rule.reaches)
    if fits and f not in axes and not taken & set(cutting):
        axes[f], lengths[f] = cutting, own


def cut_first_axis(
    rule: Rule,
    layouts: Sequence[Layout | None],
    device_num: int,
    batch: int | None = None,
    divisors: Mapping[str, int] | None = None,
) -> Assignment:
    """Return the assignment of an op without a strategy: only the first axis of the operand with the batch is cut.

    That is MindSpore's batch parallelism: as far as the axis divides. An operand that arrives cut along this axis, and
    this axis only, is taken as it is, so that nothing has to move.

    Args:
        layouts: in which the operands arrive; None where it is not known.
        device_num: how many devices there are.
        batch: which operand has the batch; the first with the most axes if None.
        divisors: of factors of unknown length, the number that is sure to divide each.
    """
    ranks = [len(axes) for axes in rule.operands]
    chosen = batch if batch is not None else ranks.index(max(ranks)) if ranks else 0
    axes = rule.operands[chosen] if ranks else ()
    place = axes.index((rule.batch,)) if rule.batch else 0
    factor = axes[place][0] if axes and axes[place] else None
    if factor is None or factor in rule.whole:
        return Assignment((device_num,), {})
    there = layouts[chosen]
    is_cut_so = there is not None and there.cuts[place] > 1 and prod(there.cuts) == there.cuts[place]
    if there is not None and is_cut_so and rule.sizes[factor] % there.cuts[place] == 0:
        return tightened(rule, Assignment(there.dev_mat, {factor: there.cutting_axes[place]}, there.rank_list))
    cut = gcd(rule.sizes[factor], device_num, (divisors or {}).get(factor, 0))
    if cut == 1:
        return Assignment((device_num,), {})
    if cut == device_num:
        return tightened(rule, Assignment((device_num,), {factor: (0,)}))
    return tightened(rule, Assignment((cut, device_num // cut), {factor: (1,)}))
