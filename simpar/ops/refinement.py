"""The rule of a reshape: which part of a cut survives when axes are split and merged."""

from math import gcd

from simpar.errors import Misfit, RuleError
from simpar.layout import Rule

__all__ = ["reshape_rule"]

Shape = tuple[int, ...]
Axes = list[tuple[str, ...]]


def reshape_rule(given: Shape, made: Shape) -> Rule:
    """Return the rule of a reshape, by refining both shapes to common factors.

    Both shapes are read from the left; a common divisor of the two axes at hand is a factor of both. Where there is
    none, what is left of them is whole, until the shapes meet again.

    Raises:
        RuleError: the shapes hold different numbers of elements.

    >>> str(reshape_rule((4, 6), (4, 2, 3)))
    'f0 (f1 f2) -> f0 f1 f2'
    >>> str(reshape_rule((6, 4), (4, 6)))  # only the common divisor 2 can be cut
    '(f0 w1) w4 -> (f0 w2) w3'
    """
    refinement = _Refinement(given, made)
    if 0 in given:
        refinement.keep_apart()
    else:
        refinement.run()
    whole = frozenset(f for f in refinement.sizes if f[0] == "w")
    operands, results = (tuple(refinement.left),), (tuple(refinement.right),)
    return Rule(operands, results, refinement.sizes, whole, repeat_first=("*",))


class _Refinement:
    """The two shapes while they are read; ``left`` and ``right`` become their axes."""

    def __init__(self, given: Shape, made: Shape) -> None:
        if _count(given) != _count(made):
            raise RuleError(
                f"shape {given} with its {_count(given)} elements cannot be reshaped to {made} with {_count(made)}.",
                misfits=(Misfit(_count(given), _count(made)),),
            )
        self.given, self.made = given, made
        self.sizes: dict[str, int] = {}
        self.left: Axes = [() for _ in given]
        self.right: Axes = [() for _ in made]

    def keep_apart(self) -> None:
        """Let no axis be cut: there are no elements to hold."""
        self.left = [(self._factor("w", n),) for n in self.given]
        self.right = [(self._factor("w", n),) for n in self.made]

    def run(self) -> None:
        """Read both shapes from the left."""
        i = j = 0
        one = other = 1  # what is left of the axes i - 1 and j - 1
        while True:
            while one == 1 and i < len(self.given):
                one, i = self.given[i], i + 1
            while other == 1 and j < len(self.made):
                other, j = self.made[j], j + 1
            if one == other == 1:
                return
            common = gcd(one, other)
            if common > 1:
                name = self._factor("f", common)
                self.left[i - 1] += (name,)
                self.right[j - 1] += (name,)
                one, other = one // common, other // common
            else:
                one, i, other, j = self._skip(one, i, other, j)

    def _skip(self, one: int, i: int, other: int, j: int) -> tuple[int, int, int, int]:
        """Make factors of their own, whole, until as many elements are read on both sides."""
        self.left[i - 1] += (self._factor("w", one),)
        self.right[j - 1] += (self._factor("w", other),)
        while one != other:
            if one < other:
                one, i = one * self.given[i], i + 1
                self._whole_axis(self.left, i - 1, self.given[i - 1])
            else:
                other, j = other * self.made[j], j + 1
                self._whole_axis(self.right, j - 1, self.made[j - 1])
        return 1, i, 1, j

    def _whole_axis(self, axes: Axes, place: int, length: int) -> None:
        if length > 1:
            axes[place] = (self._factor("w", length),)

    def _factor(self, kind: str, size: int) -> str:
        name = f"{kind}{len(self.sizes)}"
        self.sizes[name] = size
        return name


def _count(shape: Shape) -> int:
    count = 1
    for n in shape:
        count *= n
    return count
