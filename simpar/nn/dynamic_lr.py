"""Learning rates as lists, one number for each step; an optimizer takes such a list as its learning rate.

The rate changes from epoch to epoch: step ``i`` is in epoch ``i // step_per_epoch``. ``optim.schedules`` has the same
curves as Cells, which change from step to step.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, cos, exp, pi
from typing import Any

from simpar.errors import ContextError, DTypeError
from simpar.nn.optim.schedules import check_flag, check_float, check_steps

__all__ = [
    "cosine_decay_lr",
    "exponential_decay_lr",
    "inverse_decay_lr",
    "natural_exp_decay_lr",
    "piecewise_constant_lr",
    "polynomial_decay_lr",
    "warmup_lr",
]


def piecewise_constant_lr(milestone: Sequence[int], learning_rates: Sequence[float]) -> list[float]:
    """Return a rate that is constant up to each milestone.

    Args:
        milestone: growing numbers of steps; the last is the length of the list.
        learning_rates: the rate up to each of them.

    Raises:
        DTypeError: one is no list of whole numbers, the other no list of floats.
        ContextError: they differ in length, do not grow, or a rate is not above 0.

    >>> piecewise_constant_lr([2, 5], [0.1, 0.05])
    [0.1, 0.1, 0.05, 0.05, 0.05]
    """
    name = "piecewise_constant_lr"
    for given in (milestone, learning_rates):
        if not isinstance(given, list | tuple):
            raise DTypeError(f"{name} takes two lists, not {given!r}, a {type(given).__name__}.")
    if len(milestone) != len(learning_rates):
        raise ContextError(f"{name}: {len(milestone)} milestones have {len(learning_rates)} rates; give one each.")
    for place, (step, rate) in enumerate(zip(milestone, learning_rates, strict=True)):
        check_steps(name, **{f"milestone[{place}]": step})
        check_float(name, f"learning_rates[{place}]", rate)
    lengths = [b - a for a, b in pairwise((0, *milestone))]
    if any(length <= 0 for length in lengths):
        raise ContextError(f"{name}: milestones {list(milestone)} do not grow; give each step number once, in order.")
    return [rate for rate, length in zip(learning_rates, lengths, strict=True) for _ in range(length)]


def exponential_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return ``learning_rate * decay_rate ** (epoch / decay_epoch)`` for each step.

    Args:
        learning_rate: the first rate.
        decay_rate: the factor after ``decay_epoch`` epochs.
        total_step: how many steps.
        step_per_epoch: how many of them are an epoch.
        decay_epoch: how many epochs.
        is_stair: whether the rate changes only every ``decay_epoch`` epochs.

    Raises:
        DTypeError: an argument has another type; rates are floats.
        ContextError: a number is not above 0.

    >>> [round(rate, 3) for rate in exponential_decay_lr(0.1, 0.9, 6, 2, 1)]
    [0.1, 0.1, 0.09, 0.09, 0.081, 0.081]
    """
    given = ("exponential_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    return _decay(*given, lambda periods: decay_rate**periods)


def natural_exp_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return ``learning_rate * exp(-decay_rate * epoch)`` for each step; see ``exponential_decay_lr``."""
    given = ("natural_exp_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    return _decay(*given, lambda periods: exp(-decay_rate * periods * decay_epoch))


def inverse_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return ``learning_rate / (1 + decay_rate * epoch / decay_epoch)``; see ``exponential_decay_lr``."""
    given = ("inverse_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    return _decay(*given, lambda periods: 1 / (1 + decay_rate * periods))


def _decay(
    name: str,
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool,
    factor: Callable[[float], float],
) -> list[float]:
    """Return the rate times a factor, which is a function of how many times ``decay_epoch`` epochs have passed."""
    check_float(name, "learning_rate", learning_rate, above=True)
    check_float(name, "decay_rate", decay_rate, above=True)
    check_flag(name, "is_stair", is_stair)
    epochs = _epochs(name, total_step, step_per_epoch, decay_epoch=decay_epoch)
    periods = (epoch // decay_epoch if is_stair else epoch / decay_epoch for epoch in epochs)
    return [learning_rate * factor(p) for p in periods]


def _epochs(name: str, total_step: Any, step_per_epoch: Any, **others: Any) -> list[int]:
    """Return the epoch of each step."""
    check_steps(name, total_step=total_step, step_per_epoch=step_per_epoch, **others)
    return [step // step_per_epoch for step in range(total_step)]


def cosine_decay_lr(
    min_lr: float, max_lr: float, total_step: int, step_per_epoch: int, decay_epoch: int
) -> list[float]:
    """Return half a wave from ``max_lr`` to ``min_lr`` over ``decay_epoch`` epochs, and ``min_lr`` after that.

    Raises:
        DTypeError: an argument has another type; rates are floats.
        ContextError: a number is out of range, or ``max_lr`` is not above ``min_lr``.

    >>> [round(rate, 3) for rate in cosine_decay_lr(0.0, 1.0, 4, 1, 2)]
    [1.0, 0.5, 0.0, 0.0]
    """
    name = "cosine_decay_lr"
    check_float(name, "min_lr", min_lr)
    check_float(name, "max_lr", max_lr, above=True)
    if min_lr >= max_lr:
        raise ContextError(f"{name} falls from max_lr to min_lr, but {max_lr} is not above {min_lr}; exchange them.")
    epochs = _epochs(name, total_step, step_per_epoch, decay_epoch=decay_epoch)
    half = 0.5 * (max_lr - min_lr)
    return [min_lr + half * (1 + cos(pi * min(epoch, decay_epoch) / decay_epoch)) for epoch in epochs]


def polynomial_decay_lr(
    learning_rate: float,
    end_learning_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    power: float,
    update_decay_epoch: bool = False,
) -> list[float]:
    """Return ``(learning_rate - end) * (1 - epoch / decay_epoch) ** power + end`` for each step, ``end`` at last.

    Args:
        learning_rate: the first rate.
        end_learning_rate: the last rate.
        total_step: how many steps.
        step_per_epoch: how many of them are an epoch.
        decay_epoch: how many epochs lie between.
        power: of the polynomial.
        update_decay_epoch: whether ``decay_epoch`` becomes its next multiple whenever it has passed, so that the rate
            rises again.

    Raises:
        DTypeError: an argument has another type; rates and the power are floats.
        ContextError: a number is out of range.

    >>> [round(rate, 3) for rate in polynomial_decay_lr(0.1, 0.01, 4, 1, 2, 1.0)]
    [0.1, 0.055, 0.01, 0.01]
    """
    name = "polynomial_decay_lr"
    check_float(name, "learning_rate", learning_rate, above=True)
    check_float(name, "end_learning_rate", end_learning_rate)
    check_float(name, "power", power, above=True)
    check_flag(name, "update_decay_epoch", update_decay_epoch)
    epochs = _epochs(name, total_step, step_per_epoch, decay_epoch=decay_epoch)

    def part(epoch: int) -> float:
        if not update_decay_epoch:
            return min(epoch, decay_epoch) / decay_epoch
        return epoch / (decay_epoch * max(1, ceil(epoch / decay_epoch)))

    return [(learning_rate - end_learning_rate) * (1 - part(epoch)) ** power + end_learning_rate for epoch in epochs]


def warmup_lr(learning_rate: float, total_step: int, step_per_epoch: int, warmup_epoch: int) -> list[float]:
    """Return a rate that rises from 0 over ``warmup_epoch`` epochs.

    Raises:
        DTypeError: an argument has another type; the rate is a float.
        ContextError: a number is not above 0.

    >>> [round(rate, 3) for rate in warmup_lr(0.1, 4, 1, 2)]
    [0.0, 0.05, 0.1, 0.1]
    """
    check_float("warmup_lr", "learning_rate", learning_rate, above=True)
    epochs = _epochs("warmup_lr", total_step, step_per_epoch)
    check_steps("warmup_lr", warmup_epoch=warmup_epoch)
    return [learning_rate * min(epoch, warmup_epoch) / warmup_epoch for epoch in epochs]
