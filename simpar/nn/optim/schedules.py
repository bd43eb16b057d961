"""Learning rates that change with the step, as Cells: the step's number goes in, the rate comes out."""

from math import pi
from typing import Any

from simpar import ops
from simpar.dtype import float32, int32
from simpar.errors import ContextError, DTypeError
from simpar.nn.cell import Cell
from simpar.parameter import Parameter
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "CosineDecayLR",
    "ExponentialDecayLR",
    "InverseDecayLR",
    "LearningRateSchedule",
    "ListedRates",
    "NaturalExpDecayLR",
    "PolynomialDecayLR",
    "WarmUpLR",
    "check_flag",
    "check_float",
    "check_number",
    "check_steps",
]


class LearningRateSchedule(Cell):
    """Is a learning rate as a function of the step; subclass it and define ``construct(self, global_step)``."""

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step; the first step is 0."""
        return super().construct(global_step)


class ListedRates(LearningRateSchedule):
    """Gives one rate after the other, and the last one from then on.

    Args:
        learning_rate: one for each step; it keeps its name.
    """

    def __init__(self, learning_rate: Parameter) -> None:
        super().__init__(auto_prefix=False)
        self.learning_rate = learning_rate

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        last = Tensor(self.learning_rate.shape[0] - 1, int32)
        return ops.gather(self.learning_rate, ops.minimum(global_step, last), 0)


def _check(schedule: Cell, steps: dict[str, Any], **rates: Any) -> None:
    """Check that rates are numbers above 0, and numbers of steps whole as well."""
    for name, number in rates.items():
        check_number(type(schedule).__name__, name, number, above=True)
    check_steps(type(schedule).__name__, **steps)


def _power(base: float, exponent: Tensor) -> Tensor:
    return ops.pow(Tensor(base, float32), exponent)


def _share(global_step: Tensor, steps: int) -> Tensor:
    """Return which part of ``steps`` has been done, at most 1."""
    return ops.minimum(global_step.astype(float32), Tensor(float(steps), float32)) / float(steps)


class _Decay(LearningRateSchedule):
    """Holds what the decaying schedules share: a rate, a decay, and how many steps it takes."""

    def __init__(self, learning_rate: float, decay_rate: float, decay_steps: int, is_stair: bool = False) -> None:
        super().__init__()
        _check(self, {"decay_steps": decay_steps}, learning_rate=learning_rate, decay_rate=decay_rate)
        check_flag(type(self).__name__, "is_stair", is_stair)
        self.learning_rate, self.decay_rate = float(learning_rate), float(decay_rate)
        self.decay_steps, self.is_stair = decay_steps, is_stair

    def _periods(self, global_step: Tensor) -> Tensor:
        """Return how many times ``decay_steps`` have passed; whole times only for a staircase."""
        periods = global_step.astype(float32) / float(self.decay_steps)
        return ops.floor(periods) if self.is_stair else periods


class ExponentialDecayLR(_Decay):
    """Computes ``learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        learning_rate: the rate at step 0.
        decay_rate: the factor after ``decay_steps`` steps.
        decay_steps: how many steps.
        is_stair: whether the rate changes only every ``decay_steps`` steps.
    """

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        return _power(self.decay_rate, self._periods(global_step)) * self.learning_rate


class NaturalExpDecayLR(_Decay):
    """Computes ``learning_rate * exp(-decay_rate * step)``, with a staircase of ``decay_steps`` steps if asked for."""

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        step = self._periods(global_step) * float(self.decay_steps) if self.is_stair else global_step.astype(float32)
        return ops.exp(step * -self.decay_rate) * self.learning_rate


class InverseDecayLR(_Decay):
    """Computes ``learning_rate / (1 + decay_rate * step / decay_steps)``."""

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        return self.learning_rate / (self._periods(global_step) * self.decay_rate + 1.0)


class CosineDecayLR(LearningRateSchedule):
    """Computes ``min_lr + (max_lr - min_lr) * (1 + cos(pi * step / decay_steps)) / 2``, and ``min_lr`` after that.

    Args:
        min_lr: the last rate.
        max_lr: the first rate.
        decay_steps: how many steps lie between.
    """

    def __init__(self, min_lr: float, max_lr: float, decay_steps: int) -> None:
        super().__init__()
        _check(self, {"decay_steps": decay_steps}, max_lr=max_lr)
        check_number("CosineDecayLR", "min_lr", min_lr)
        if min_lr >= max_lr:
            raise ContextError(f"CosineDecayLR falls from max_lr to min_lr, but {min_lr} is not below {max_lr}.")
        self.min_lr, self.max_lr, self.decay_steps = float(min_lr), float(max_lr), decay_steps

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        wave = ops.cos(_share(global_step, self.decay_steps) * pi) + 1.0
        return wave * (0.5 * (self.max_lr - self.min_lr)) + self.min_lr


class PolynomialDecayLR(LearningRateSchedule):
    """Computes ``end + (learning_rate - end) * (1 - step / decay_steps) ** power``, and ``end`` after that.

    Args:
        learning_rate: the first rate.
        end_learning_rate: the last rate.
        decay_steps: how many steps lie between.
        power: of the polynomial.
        update_decay_steps: whether ``decay_steps`` becomes its next multiple whenever it has passed, so that the rate
            rises again.
    """

    def __init__(
        self,
        learning_rate: float,
        end_learning_rate: float,
        decay_steps: int,
        power: float,
        update_decay_steps: bool = False,
    ) -> None:
        super().__init__()
        _check(self, {"decay_steps": decay_steps}, learning_rate=learning_rate, power=power)
        check_number("PolynomialDecayLR", "end_learning_rate", end_learning_rate)
        check_flag("PolynomialDecayLR", "update_decay_steps", update_decay_steps)
        self.learning_rate, self.end_learning_rate = float(learning_rate), float(end_learning_rate)
        self.decay_steps, self.power = decay_steps, float(power)
        self.update_decay_steps = update_decay_steps

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        left = 1.0 - (self._part(global_step) if self.update_decay_steps else _share(global_step, self.decay_steps))
        return left**self.power * (self.learning_rate - self.end_learning_rate) + self.end_learning_rate

    def _part(self, global_step: Tensor) -> Tensor:
        """Return which part of the present multiple of ``decay_steps`` has been done."""
        periods = global_step.astype(float32) / float(self.decay_steps)
        return periods / ops.maximum(ops.ceil(periods), Tensor(1.0, float32))


class WarmUpLR(LearningRateSchedule):
    """Computes ``learning_rate * step / warmup_steps``, and ``learning_rate`` after that.

    Args:
        learning_rate: the rate at the end.
        warmup_steps: how many steps it takes.
    """

    def __init__(self, learning_rate: float, warmup_steps: int) -> None:
        super().__init__()
        _check(self, {"warmup_steps": warmup_steps}, learning_rate=learning_rate)
        self.learning_rate, self.warmup_steps = float(learning_rate), warmup_steps

    def construct(self, global_step: Tensor) -> Tensor:
        """Return the learning rate at a step."""
        return _share(as_tensor(global_step), self.warmup_steps) * self.learning_rate


# --- checks of the numbers that schedules and optimizers are given ---


def check_number(owner: str, name: str, given: Any, least: float = 0.0, above: bool = False) -> None:
    """Check that something is a number of at least ``least``, or above it.

    Raises:
        DTypeError: it is no number; True and False are none.
        ContextError: it is too small.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a number.")
    if given < least or (above and given == least):
        raise ContextError(
            f"{owner}: {name} is {given}; give a number {'above' if above else 'of at least'} {least:g}."
        )


def check_float(owner: str, name: str, given: Any, least: float = 0.0, above: bool = False) -> None:
    """Check a number as ``check_number`` does, and that it is a float.

    Raises:
        DTypeError: it is none.
        ContextError: it is too small.
    """
    if not isinstance(given, float):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a float, such as 0.1.")
    check_number(owner, name, given, least, above)


def check_steps(owner: str, **counts: Any) -> None:
    """Check that numbers of steps or epochs are whole and above 0.

    Raises:
        DTypeError: one is no whole number.
        ContextError: one is 0 or less.
    """
    for name, given in counts.items():
        if isinstance(given, bool) or not isinstance(given, int):
            raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give a whole number.")
        check_number(owner, name, given, above=True)


def check_flag(owner: str, name: str, given: Any) -> None:
    """Check that something is True or False.

    Raises:
        DTypeError: it is neither.
    """
    if not isinstance(given, bool):
        raise DTypeError(f"{owner}: {name} is {given!r}, a {type(given).__name__}; give True or False.")
