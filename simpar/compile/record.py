"""What a compiled program tells the recorder, once."""

from typing import Any

from simpar.execute import Executor
from simpar.partition import Plan, PlannedParameter
from simpar.recorder import CollectiveSpec, ParameterPlaced, ProgramCompiled

__all__ = ["describe_program"]


def describe_program(recorder: Any, name: str, plan: Plan, executor: Executor) -> None:
    """Emit who holds what, and what the program moves each step."""
    if plan.rank == 0:
        for given in plan.parameters:
            recorder.emit(_placed(given))
    specs = tuple(
        CollectiveSpec(i, c.kind, c.group, c.message_bytes, c.cause, c.fusion, c.parameters, _phase(plan, c))
        for i, c in enumerate(executor.timed)
    )
    recorder.emit(
        ProgramCompiled(name, plan.text if plan.rank == 0 else "", plan.digest, specs, executor.planned_bytes)
    )


def _phase(plan: Plan, collective: Any) -> str:
    return next((i.phase for i in plan.instructions if i.collective is collective), "forward")


def _placed(given: PlannedParameter) -> ParameterPlaced:
    spec = given.spec
    flags = tuple(
        name
        for name in ("requires_grad", "layerwise_parallel", "parallel_optimizer", "comm_recompute")
        if getattr(spec, name)
    )
    kind = "parameter" if spec.state_of is None else "optimizer state"
    value = given.value
    return ParameterPlaced(
        spec.name, value.shape, value.dtype.name, value.layout, given.compute, kind, spec.comm_fusion, flags
    )
