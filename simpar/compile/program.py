"""Programs: a function compiled for these shapes and options, and the steps that it runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from simpar.collectives import solo_world
from simpar.compile.loops import agreed
from simpar.compile.record import measure_seldom
from simpar.compile.tree import Rebuild
from simpar.compile.watch import Watch
from simpar.context import Context, current
from simpar.dtype import as_dtype
from simpar.execute import Executor
from simpar.graph import Graph
from simpar.partition import PartitionOptions, Plan
from simpar.recorder import StepFinished
from simpar.tensor import Elsewhere, Tensor

__all__ = ["Planner", "Program"]


class Planner(Protocol):
    """Takes plans instead of running them: ``simpar plan``."""

    @property
    def device_num(self) -> int:
        """How many devices are imagined."""
        ...

    @property
    def rank(self) -> int:
        """Which of them this program plays."""
        ...

    @property
    def strategy_file(self) -> str:
        """Whose strategies count more than the program's; empty for none."""
        ...

    def take(self, name: str, plan: Plan, source: tuple[Graph, PartitionOptions]) -> None:
        """Keep the plan of a program, and what it was before it was cut."""
        ...

    def result(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Return what stands for a result that nobody computes."""
        ...

    def asked(self, what: str) -> None:
        """Be told that the program needs a value that nobody computes; does not return once there is a plan."""
        ...


@dataclass(slots=True)
class Program:
    """One function, compiled.

    Args:
        name: for records and errors.
        plan: of this rank.
        arguments: the numbers of all arguments, also of those that only another stage holds.
        parameters: the Parameters of the program.
        rebuild: puts results into the function's own nest.
        guards: what the function asked while it was traced, and the answers it got.
        options: the context's options it was compiled under.
        settings: of each Parameter when it was compiled.
        queued: the arguments that come from queues.
        executor: runs the plan; None if only planned.
        watch: records the values of its slices, if they are wanted.
    """

    name: str
    plan: Plan
    arguments: tuple[int, ...]
    parameters: tuple[Any, ...]
    rebuild: Rebuild
    guards: tuple[tuple[Callable[[], object], object], ...]
    options: object
    settings: tuple[object, ...]
    queued: Mapping[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])
    executor: Executor | None = None
    step_place: int | None = None
    steps: int = 0
    watch: Watch | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the answers are still the same, and the Parameters are set as they were."""
        return (
            self.options is current().parallel
            and all(ask() == answer for ask, answer in self.guards)
            and all(p.settings is s for p, s in zip(self.parameters, self.settings, strict=True))
        )

    def run(self, tensors: Sequence[Tensor], context: Context) -> Any:
        """Run one step and return the results in the function's own nest."""
        if self.executor is None:
            return self.rebuild([_planned(context.planner, self.plan, v) for v in self.plan.outputs])
        arrays = self._arrays(tensors, context.count("step") if self.step_place is not None else 0)
        start = perf_counter()
        made = self.executor.run(arrays)
        left = iter(made)
        results = [_delivered(self.plan, v, left) for v in self.plan.outputs]
        self.steps += 1
        if context.recorder is not None:
            loss = float(made[0]) if made and made[0].ndim == 0 and as_dtype(made[0].dtype).is_float else None
            context.recorder.emit(StepFinished(self.name, self.steps, start, perf_counter(), loss, self.executor.times))
            measure_seldom(context, self.steps, self.executor)
            if self.watch is not None:
                self.watch.after_step(self.steps)
        return self.rebuild(results)

    def ask(self, tensors: Sequence[Tensor]) -> int:
        """Return the one result, a condition or size, which all ranks find alike; no step is counted."""
        assert self.executor is not None, "conditions are looked at where programs run"
        context = current()
        made = self.executor.run(self._arrays(tensors, context.counters.get("step", 0)))
        return agreed(made[0], context.world or solo_world())

    def _arrays(self, tensors: Sequence[Tensor], step: int) -> list[Any]:
        given: list[Any] = list(tensors)
        if self.step_place is not None:
            before = sum(place < self.step_place for place in self.queued)
            given.insert(self.step_place - before, Tensor.wrap(np.asarray(step)))
        if self.queued:
            from simpar.compile.queued import merged  # which most programs do without

            given = merged(iter(given), self.arguments, self.queued, self.plan)
        numbered = zip(self.arguments, given, strict=True)
        return [t.asnumpy() for v, t in numbered if v not in self.plan.elsewhere]


def _delivered(plan: Plan, number: int, arrays: Iterator[Any]) -> Tensor:
    """Return a result as a Tensor that knows how it is cut, if it is, or that another stage has it."""
    if number in plan.elsewhere:
        other = plan.elsewhere[number]
        return Elsewhere(other.shape, other.dtype, other.layout)
    made = Tensor.wrap(next(arrays))
    planned = plan.values[number]
    if planned.slice_shape != planned.shape or planned.layout.size < plan.device_num:
        made.layout, made.full_shape_of_slice = planned.layout, planned.shape
    return made


def _planned(planner: Planner, plan: Plan, number: int) -> Tensor:
    planned = plan.elsewhere.get(number) or plan.values[number]
    made = planner.result(planned.slice_shape, planned.dtype)
    if planned.slice_shape != planned.shape:
        made.layout, made.full_shape_of_slice = planned.layout, planned.shape
    return made
