"""When a run is recorded, and what a compiled program tells the recorder, once.

``simpar run`` and ``simpar demo`` ask for a record with the variable ``SIMPAR_RECORD``; a program that sets
``context.recorder`` itself keeps its own.
"""

import atexit
import os
import sys
import time
from base64 import b64encode
from dataclasses import asdict
from typing import Any

from simpar import recorder as records
from simpar.collectives import World
from simpar.context import Context
from simpar.execute import Executor
from simpar.graph import Graph
from simpar.launch import Failure, on_failure
from simpar.partition import PartitionOptions, Plan, PlannedParameter, encode_program
from simpar.recorder import (
    CollectiveSpec,
    GraphNode,
    GraphValue,
    ParameterPlaced,
    ProgramCompiled,
    RankFailed,
    RunFinished,
)

__all__ = ["RECORD", "describe_program", "measure_seldom", "open_recorder", "placed_parameter"]

MOST_DIGESTED_BYTES = 8 << 20
RECORD = "SIMPAR_RECORD"
"""The variable that, set to 1, has every run recorded."""


def open_recorder(context: Context, world: World) -> None:
    """Open the recorder of this rank if the run is to be recorded and none is open; it closes when the program ends.

    Every rank calls it at its first program.
    """
    if context.recorder is not None or os.environ.get(RECORD) != "1":
        return

    def fail(failure: Failure | None) -> None:
        told = failure and RankFailed(world.rank, failure.error, failure.message, failure.traceback)
        recorder.fail(told)

    alarm = on_failure(world.rank, fail)
    recorder = context.recorder = records.start_recording(  # loads the store, which other programs do without
        sys.argv[0],
        sys.argv[1:],
        mode=context.parallel.parallel_mode,
        device_num=context.device_num,
        rank=world.rank,
        size=world.size,
        mailbox=world.mailbox() if world.size > 1 else None,
        options={k: v for k, v in asdict(context.parallel).items() if isinstance(v, bool | int | float | str)},
        last_words=None if alarm is None else alarm.folder,
    )

    def finish() -> None:
        if alarm is not None and alarm.code:
            return  # the program ends by sys.exit, and the alarm will tell
        if world.rank == 0:
            recorder.emit(RunFinished(time.time()))
        recorder.close()

    atexit.register(finish)


def describe_program(
    recorder: Any,
    name: str,
    plan: Plan,
    planned_bytes: int,
    source: tuple[Graph, PartitionOptions] | None = None,
    *,
    is_first: bool | None = None,
) -> None:
    """Emit who holds what, and what the program moves each step.

    Args:
        recorder: of this rank.
        name: of the program.
        plan: of this rank.
        planned_bytes: of state and arena together.
        source: the program before it was cut, and the options it was cut under.
        is_first: whether this rank tells what is the same on every rank; rank 0 does if None.
    """
    is_first = plan.rank == 0 if is_first is None else is_first
    in_stage = plan.device_num // plan.stages
    if is_first or plan.rank % in_stage == 0:  # the first of each stage of a pipeline tells what only its stage holds
        for given in plan.parameters:
            if is_first or given.value.layout.size == in_stage < plan.device_num:
                recorder.emit(placed_parameter(given))
    specs = tuple(
        CollectiveSpec(i, c.kind, c.group, c.message_bytes, c.cause, c.fusion, c.parameters, _phase(plan, c))
        for i, c in enumerate(plan.collectives)
    )
    recorder.emit(
        ProgramCompiled(
            name,
            plan.text if is_first else "",
            plan.digest,
            specs,
            planned_bytes,
            _values(plan) if is_first else (),
            _nodes(plan) if is_first else (),
            b64encode(encode_program(*source)).decode() if is_first and source is not None else "",
        )
    )


def _values(plan: Plan) -> tuple[GraphValue, ...]:
    """Return every value with its layout; parameters and arguments under the names the user knows."""
    names = {p.value.id: p.spec.name for p in plan.parameters}
    return tuple(
        GraphValue(f"%{v.id}" if v.id not in names else f"%{v.id} {names[v.id]}", v.shape, v.dtype.name, v.layout)
        for v in plan.values.values()
    )


def _nodes(plan: Plan) -> tuple[GraphNode, ...]:
    """Return every instruction as a node to draw: with the cell, the strategy and the line it came from."""
    names = {p.value.id: f"%{p.value.id} {p.spec.name}" for p in plan.parameters}
    return tuple(
        GraphNode(
            str(i),
            ins.op,
            tuple(names.get(v, f"%{v}") for v in ins.inputs),
            tuple(names.get(v, f"%{v}") for v in ins.outputs),
            ins.scope,
            ins.phase,
            ins.strategy,
            ins.line,
        )
        for i, ins in enumerate(plan.instructions)
    )


def _phase(plan: Plan, collective: Any) -> str:
    return next((i.phase for i in plan.instructions if i.collective is collective), "forward")


def measure_seldom(context: Context, steps: int, executor: Executor) -> None:
    """Emit the memory of this rank after steps 1, 2, 4, 8, …, and digests of its slices after 1, 16, 256, …

    Digests are taken of up to 8 MiB, so that they cost little; only where ranks hold copies by their layouts must they
    agree, so not in modes in which each rank has a program of its own.
    """
    recorder, rank = context.recorder, executor.plan.rank
    if recorder is None or steps & (steps - 1):
        return
    recorder.emit(records.measure_memory(rank, steps, executor.planned_bytes))
    slices = {p.spec.name: executor.buffers[p.value.id] for p in executor.plan.parameters}
    is_rare = steps.bit_length() % 4 == 1
    if is_rare and context.is_partitioned and sum(a.nbytes for a in slices.values()) <= MOST_DIGESTED_BYTES:
        for name, array in slices.items():
            recorder.emit(records.measure_checksum(rank, name, steps, array))


def placed_parameter(given: PlannedParameter) -> ParameterPlaced:
    """Return how a parameter is held, as the recorder will tell it."""
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
