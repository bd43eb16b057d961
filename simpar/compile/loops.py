"""Loops and sizes that depend on values: a program of its own finds each out, and then what follows is known.

A function that asks for many conditions, as ``while`` does, or for the size of a result, as ``unique`` does, has no one
graph. It is compiled up to where it asks first; that program runs, all ranks compare what they found, and the function
is compiled anew with this answer, up to the next or to its end. So a tree of programs grows as steps go new ways; a
step runs those along its way, and only the last, the step itself, writes to Parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from simpar.collectives import World
from simpar.compile.traced import Way
from simpar.errors import ValueDependentError, WorldError
from simpar.tensor import Tensor

__all__ = ["Deciding", "agreed"]

_MOST_ROUNDS = 64
"""How many conditions one step may look at: each makes a program, which computes all before it again."""


_MOST_ANSWERS = 16
"""For how many sizes that values tell programs are kept."""


class _Condition(Protocol):
    """The program of a condition."""

    options: object

    @property
    def is_valid(self) -> bool:
        """Whether it is still what the function would become."""
        ...

    def ask(self, tensors: Sequence[Tensor]) -> int:
        """Return what the condition or size is for these inputs, on all ranks."""
        ...


Made = TypeVar("Made", bound=_Condition)


class Deciding(Generic[Made]):
    """A function up to a condition, and what it becomes behind it.

    Args:
        condition: the program of the condition.
        follow: compiles the function with one answer more.
        way: that led here.
    """

    def __init__(self, condition: Made, follow: "Callable[[Way], Made | Deciding[Made]]", way: Way) -> None:
        answers = way.answers or ()
        if len(answers) >= _MOST_ROUNDS:
            raise ValueDependentError(
                f"a function looked at {len(answers)} conditions in one step, and asks for another: its loop goes "
                "round too often to be compiled round by round. Bound it, or loop outside of the compiled function."
            )
        self.condition, self._follow, self._way = condition, follow, way
        self._known: dict[int, Made | Deciding[Made]] = {}

    @property
    def options(self) -> object:
        """The context's options under which the condition was compiled."""
        return self.condition.options

    @property
    def is_valid(self) -> bool:
        """Whether the condition is still what the function asks first."""
        return self.condition.is_valid

    def decided(self, tensors: Sequence[Tensor]) -> Made:
        """Return the program of the whole step, for the way that these inputs lead."""
        now: Made | Deciding[Made] = self
        while isinstance(now, Deciding):
            now = now.next(tensors)
        return now

    def next(self, tensors: Sequence[Tensor]) -> "Made | Deciding[Made]":
        """Return what the function becomes behind the condition."""
        answer = self.condition.ask(tensors)
        known = self._known.pop(answer, None)  # the last gone stands last
        if known is None or not known.is_valid:
            known = self._follow(replace(self._way, answers=(*(self._way.answers or ()), answer)))
        self._known[answer] = known
        if len(self._known) > _MOST_ANSWERS:
            del self._known[next(iter(self._known))]
        return known


def agreed(found: Any, world: World) -> int:
    """Return a condition, as 0 or 1, or a size that all ranks found alike.

    Raises:
        WorldError: they did not: each would go another way, and wait for the others for ever.
    """
    value = np.asarray(found).item()
    answer = value if isinstance(value, int) else int(bool(value))
    both = np.array([answer, -answer], np.int64)  # the least answer, and less the greatest
    if world.size > 1:
        world.communicator.all_reduce(both, "min")
    if both[0] != -both[1]:
        raise WorldError(
            f"a condition or size is {value} on rank {world.rank}, but not on all ranks. Let it depend on what all "
            "ranks hold alike: in data_parallel mode, all_reduce it first."
        )
    return answer
