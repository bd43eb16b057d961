"""The strategies that an op can take: into how many slices each factor of its rule is cut."""

from collections.abc import Iterator
from math import prod

from simpar.errors import StrategyError
from simpar.layout import Assignment, Rule, assign_by_strategy

__all__ = ["Cuts", "candidates", "strategy_of"]

Cuts = tuple[tuple[int, ...], ...]
"""For each operand (or the result, see ``Rule.by_result``), into how many slices each axis is cut."""


def candidates(rule: Rule, device_num: int, uses_all: bool = False) -> tuple[tuple[Cuts, Assignment], ...]:
    """Return every strategy of an op, and what it means; the largest cuts of the first factors come first.

    Args:
        rule: of the op.
        device_num: over how many devices it is cut.
        uses_all: whether only those count that cut it into as many parts, the last first, as MindSpore has it; all do
            if none does.

    >>> from simpar.layout import parse_rule
    >>> [cuts for cuts, _ in candidates(parse_rule("i k, k j -> i j", ((2, 3), (3, 2))), 2)]
    [((2, 1), (1, 1)), ((1, 1), (1, 2)), ((1, 1), (1, 1))]
    """
    found: list[tuple[Cuts, Assignment]] = []
    factors = [f for f in rule.order if f not in rule.whole and rule.sizes[f] > 1]
    for sizes in _cuts([rule.sizes[f] for f in factors], device_num):
        cuts = _strategy(rule, dict(zip(factors, sizes, strict=True)))
        try:
            found.append((cuts, assign_by_strategy(rule, cuts, device_num)))
        except StrategyError:  # a cut of the minor part of an axis alone
            continue
    full = [pair for pair in found if prod(pair[1].cut(f) for f in rule.order) == device_num] if uses_all else []
    return tuple(full[::-1] or found)


def strategy_of(rule: Rule, made: Assignment) -> Cuts:
    """Return an assignment as numbers."""
    return _strategy(rule, {f: made.cut(f) for f in rule.order})


def _strategy(rule: Rule, cuts: dict[str, int]) -> Cuts:
    return tuple(tuple(prod(cuts.get(f, 1) for f in axis) for axis in axes) for axes in rule.chosen)


def _cuts(lengths: list[int], device_num: int) -> Iterator[tuple[int, ...]]:
    """Give the cuts of some axes whose product divides the number of devices."""
    if not lengths:
        yield ()
        return
    for cut in (n for n in range(device_num, 0, -1) if device_num % n == 0 and lengths[0] % n == 0):
        for rest in _cuts(lengths[1:], device_num // cut):
            yield cut, *rest
