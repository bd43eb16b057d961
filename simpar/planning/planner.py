"""Takes the plans of programs, and lets the script go on without their results."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from simpar.context import current
from simpar.dtype import DType
from simpar.errors import ContextError, WorldError
from simpar.graph import Graph
from simpar.partition import PartitionOptions, Plan
from simpar.tensor import Tensor

__all__ = ["PlannedProgram", "ValueAsked", "VirtualPlanner"]


class ValueAsked(BaseException):
    """Ends a script that asks for a value which nobody computed; ``except Exception`` does not hold it up.

    Args:
        what: what was asked, as ``Tensor`` says it.
    """

    def __init__(self, what: str) -> None:
        super().__init__("an op outside of a compiled function" if what == "this operation" else what)


@dataclass(frozen=True, slots=True)
class PlannedProgram:
    """A program that a script compiled, the parallel mode it was compiled in, and what it was before it was cut."""

    name: str
    parallel_mode: str
    plan: Plan
    source: tuple[Graph, PartitionOptions]


class VirtualPlanner:
    """Plays one of many imagined devices: ``context.planner`` of ``simpar plan``.

    Args:
        device_num: how many devices are imagined.
        rank: which of them the script plays.
        strategy_file: whose strategies count more than the script's; empty for none.

    Raises:
        ContextError: there is no such device.

    >>> VirtualPlanner(1024, rank=7).rank
    7
    """

    def __init__(self, device_num: int, rank: int = 0, strategy_file: str = "") -> None:
        if device_num < 1 or not 0 <= rank < device_num:
            raise ContextError(f"rank {rank} of {device_num} devices does not exist. Choose one from 0 to n - 1.")
        self.device_num, self.rank, self.strategy_file = device_num, rank, strategy_file
        self.programs: list[PlannedProgram] = []

    def take(self, name: str, plan: Plan, source: tuple[Graph, PartitionOptions]) -> None:
        """Keep the plan of a program, and what it was before it was cut."""
        self.programs.append(PlannedProgram(name, current().parallel.parallel_mode, plan, source))

    def result(self, shape: tuple[int, ...], dtype: DType) -> Tensor:
        """Return a Tensor that has a shape and a type, and ends the script when it is asked for its values."""
        return _Imagined(shape, dtype)

    def asked(self, what: str) -> None:
        """End the script if a program was planned: from here on values are not those of a real run.

        Raises:
            ValueAsked: there is a plan.
            WorldError: there is none, and what was asked needs other ranks.
        """
        if self.programs:
            raise ValueAsked(what)
        if "collective" in what:
            raise WorldError(
                f"{what} comes before the first program and needs {self.device_num} real ranks. Skip it while the "
                "script is planned, or write it inside a compiled function."
            )


class _Imagined(Tensor):
    """Stands for a result; any look at its values ends the script."""

    def __init__(self, shape: tuple[int, ...], dtype: DType) -> None:
        super().__init__(0)
        self._array, self._shape, self._dtype = None, shape, dtype

    def _data(self, what: str) -> NDArray[Any]:
        raise ValueAsked(what)

    def __repr__(self) -> str:
        raise ValueAsked("printing a tensor")

    __str__ = __repr__
