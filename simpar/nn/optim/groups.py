"""What an optimizer is given: Parameters, or groups of them with rates of their own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from simpar.dtype import float32
from simpar.errors import ContextError, DTypeError, TrainingError
from simpar.nn.cell import Cell
from simpar.nn.optim.schedules import LearningRateSchedule, ListedRates
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["Group", "Groups", "Rate", "read_groups", "read_learning_rate", "together"]

Rate = Parameter | LearningRateSchedule
_KEYS = ("params", "lr", "weight_decay", "order_params", "grad_centralization")


@dataclass(frozen=True, slots=True)
class Group:
    """Some Parameters and what they alone are given.

    Args:
        parameters: the Parameters.
        learning_rate: their rate as given, None for that of the optimizer.
        weight_decay: their decay, or a Cell that gives it for a step; None for that of the optimizer.
    """

    parameters: tuple[Parameter, ...]
    learning_rate: Any = None
    weight_decay: float | Cell | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """All Parameters of an optimizer.

    Args:
        groups: by what they are given.
        order: in the order in which their gradients come.
        are_named: whether the user made the groups.
        are_ordered: whether the user gave the order.
    """

    groups: tuple[Group, ...]
    order: tuple[Parameter, ...]
    are_named: bool
    are_ordered: bool = False


def read_groups(given: object) -> Groups:
    """Return what an optimizer was given as groups.

    Raises:
        DTypeError: neither Parameters nor groups are given.
        ContextError: nothing is given, a Parameter twice in a list, or a key that groups do not have.
        TrainingError: a Parameter is in two groups.
    """
    if given is None:
        raise ContextError("an optimizer was given None for its Parameters; pass net.trainable_params().")
    if isinstance(given, str | Tensor) or not isinstance(given, Iterable):
        raise DTypeError(f"an optimizer takes a list of Parameters or of groups, not {given!r}.")
    members = list(cast("Iterable[Any]", given))
    if not members:
        raise ContextError("For 'Optimizer', the argument parameters must not be empty: pass net.trainable_params().")
    if all(isinstance(m, Parameter) for m in members):
        _check_once(members, ContextError)
        return Groups((Group(tuple(members)),), tuple(members), are_named=False)
    if all(isinstance(m, Mapping) for m in members):
        groups = tuple(_group(m) for m in members if "order_params" not in m)
        order = next((tuple(m["order_params"]) for m in members if "order_params" in m), None)
    else:
        raise DTypeError("an optimizer takes a list of Parameters or a list of groups, not a mixture of other things.")
    held = tuple(p for g in groups for p in g.parameters)
    _check_once(held, TrainingError)
    if order is not None and {id(p) for p in order} != {id(p) for p in held}:
        raise ContextError("order_params lists other Parameters than the groups; list each of theirs once.")
    return Groups(groups, held if order is None else order, are_named=True, are_ordered=order is not None)


def _group(given: Mapping[str, Any]) -> Group:
    foreign = [key for key in given if key not in _KEYS]
    if foreign or "params" not in given:
        raise ContextError(f"a group of Parameters has 'params' and may have {_KEYS[1:]}, but was given {list(given)}.")
    if not isinstance(given.get("grad_centralization", False), bool):
        raise DTypeError(f"grad_centralization of a group is {given['grad_centralization']!r}; give True or False.")
    if given.get("grad_centralization"):
        raise ContextError("grad_centralization=True is not among what simpar's optimizers do; leave it out.")
    members = tuple(given["params"])
    if not members or not all(isinstance(p, Parameter) for p in members):
        raise DTypeError("the 'params' of a group is a list of at least one Parameter.")
    return Group(members, given.get("lr"), given.get("weight_decay"))


def _check_once(parameters: Sequence[Parameter], error: type[Exception]) -> None:
    seen: set[int] = set()
    for p in parameters:
        if id(p) in seen:
            raise error(f"Parameter {p.name!r} was given to the optimizer twice; list it once.")
        seen.add(id(p))


def read_learning_rate(given: Any, name: str) -> Rate:
    """Return a learning rate as a Parameter, if it is one number, or as a schedule, such as one for each step.

    Raises:
        DTypeError: it is none of a number, a Tensor, a list of numbers, a schedule.
        ContextError: a number is negative, or a list is empty.
    """
    if isinstance(given, LearningRateSchedule):
        return given
    if isinstance(given, bool | str) or not isinstance(given, int | float | Tensor | Iterable):
        raise DTypeError(f"a learning rate is a number, a Tensor, a list of numbers or a schedule, not {given!r}.")
    numbers = given.asnumpy() if isinstance(given, Tensor) else np.array(_listed(given), np.float32)
    if numbers.ndim > 1 or not numbers.size or numbers.min() < 0:
        raise ContextError(
            f"a learning rate is at least 0, one number or a list with one for each step, not {given!r}."
        )
    made = Parameter(Tensor(numbers, float32), name=name, requires_grad=False)
    return ListedRates(made) if numbers.ndim else made


def together(rates: Sequence[Rate]) -> list[Rate]:
    """Return the rates of several groups: if one is a schedule, all are, and lists are equally long.

    Raises:
        ContextError: two lists differ in length.
    """
    if all(isinstance(rate, Parameter) for rate in rates):
        return list(rates)
    lengths = {rate.learning_rate.shape[0] for rate in rates if isinstance(rate, ListedRates)}
    if len(lengths) > 1:
        raise ContextError(f"the lists of learning rates have lengths {sorted(lengths)}; give one rate for each step.")
    length = max(lengths, default=1)

    def scheduled(rate: Rate) -> LearningRateSchedule:
        if not isinstance(rate, Parameter):
            return rate
        return ListedRates(Parameter(Tensor(np.full(length, rate.asnumpy())), name=rate.name, requires_grad=False))

    made = {id(rate): scheduled(rate) for rate in rates}
    return [made[id(rate)] for rate in rates]


def _listed(given: Any) -> Any:
    return list(cast("Iterable[Any]", given)) if isinstance(given, Iterable) else given
