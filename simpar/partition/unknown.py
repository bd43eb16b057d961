"""Axes of unknown length: MindSpore's compiler takes a cut only where it is sure that it divides."""

from collections.abc import Mapping, Sequence
from math import gcd

from simpar.errors import StrategyError
from simpar.graph import Argument, OpDef
from simpar.layout import Assignment, Rule, axis_size
from simpar.partition.arriving import argument_cuts
from simpar.partition.strategy import PartitionOptions

__all__ = ["Divisors", "argument_divisors", "check_images", "check_unknown", "divisors_of"]

Divisors = Mapping[str, int]
"""The factors of unknown length, each with a number that divides it."""


def argument_divisors(argument: Argument, index: int | None, options: PartitionOptions) -> Mapping[int, int]:
    """Return the axes of unknown length of an argument's whole value: a batch that comes in pieces divides by them."""
    if index is None:
        return argument.unknown
    cuts = argument_cuts(index, options, len(argument.value.shape))
    return {axis: n * cuts[axis] for axis, n in argument.unknown.items()}


def divisors_of(rule: Rule, operands: Sequence[Mapping[int, int]]) -> Divisors:
    """Return the factors of unknown length of an op."""
    found: dict[str, int] = {}
    for axes, unknown in zip(rule.operands, operands, strict=True):
        for axis, divisor in unknown.items():
            for f in axes[axis][:1]:
                found[f] = gcd(found.get(f, 0), divisor)
    return found


def check_unknown(definition: OpDef, rule: Rule, divisors: Divisors, made: Assignment) -> None:
    """Check that the cuts of factors of unknown length are sure to divide.

    Raises:
        StrategyError: one is not, or its slices cannot be numbered; or MindSpore has no such cut beside them.
    """
    if divisors:
        _check_beside(rule, made)
    for f, divisor in divisors.items():
        cut = made.cut(f)
        if divisor % cut:
            raise StrategyError(
                f"factor {f!r} has an unknown length of which only the divisor {divisor} is known, so MindSpore does "
                f"not cut it into {cut}. Describe the input with Symbol(divisor={cut}) in its shape, or write 1 there. "
                "simpar itself cuts by the length that comes: run the script without the alias."
            )
        if cut > 1 and f == definition.offsets:
            raise StrategyError(
                f"factor {f!r} is looked up by number, so MindSpore does not cut it into {cut} while its length is "
                "unknown. Give the input a known length, or write 1 there."
            )


def check_images(definition: OpDef, rule: Rule, divisors: Divisors) -> None:
    """Check that images that are resized have rows and columns of known number.

    Raises:
        StrategyError: they have not.
    """
    unsized = sorted(set(rule.reaches) & divisors.keys())
    if definition.name == "resize" and unsized:
        raise StrategyError(
            f"MindSpore resizes no images whose rows or columns ({', '.join(unsized)}) are of unknown number where one "
            "program is cut. Give the input known lengths there. simpar itself can: run the script without the alias."
        )


def _check_beside(rule: Rule, made: Assignment) -> None:
    """Check the cuts of an op that has a factor of unknown length."""
    for f in rule.order:
        axes = [a for a in made.axes.get(f, ()) if axis_size(made.dev_mat, a) > 1]
        if len(axes) > 1:
            raise StrategyError(
                f"several device axes cut factor {f!r}, which MindSpore does not take of an op with unknown lengths. "
                "Cut it by one device axis, or give the inputs known lengths."
            )
        if axes and f in rule.reaches:
            raise StrategyError(
                f"a cut of {f!r} needs its neighbours' edges, which MindSpore does not exchange while a length is "
                "unknown. Write 1 there, or give the inputs known lengths."
            )
