"""The executor: a plan becomes a list of calls, and a step runs them in order."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import World
from simpar.dtype import as_dtype
from simpar.errors import SimparError
from simpar.execute.buffers import Buffers, allocate_buffers, is_view, latest_waits, update_runs, view_of
from simpar.execute.moves import Move, plan_move, side_by_side
from simpar.graph import kernel_of, lookup
from simpar.layout import Layout
from simpar.partition import Collective, Instruction, Plan

__all__ = ["Executor", "Held", "fold_constants", "run_collective"]

Array = NDArray[Any]
Call = Callable[[], object]


class Held(Protocol):
    """A Parameter as the executor sees it."""

    @property
    def placed(self) -> Array | None:
        """The array that holds its slice, once a program has placed it."""
        ...

    def place(self, layout: Layout, rank: int, array: Array | None = None) -> None:
        """Hold the slice of a layout in ``array``."""
        ...


class Executor:
    """One rank's plan, ready to run.

    Args:
        plan: what to run.
        parameters: the Parameters of the plan, in its order; those without a place are given one here.
        world: the ranks.
    """

    def __init__(self, plan: Plan, parameters: Sequence[Held], world: World) -> None:
        self.plan, self.world = plan, world
        state = place_parameters(plan, parameters)
        constants = fold_constants(plan)
        self.buffers: Buffers = allocate_buffers(plan, state, constants, world.communicator.allocate)
        self.timed: list[Collective] = []
        self._state, self._constants = state, constants
        self._merged, self._skipped = _merge_updates(plan, self.buffers)
        self._calls: list[Call] = self._compile()
        self.times: NDArray[np.float64] = np.zeros((len(self.timed), 2))

    @property
    def planned_bytes(self) -> int:
        """Bytes of state and arena together."""
        return self.buffers.arena_bytes + sum(a.nbytes for a in self._state.values())

    def run(self, arguments: Sequence[Array]) -> list[Array]:
        """Run one step.

        Args:
            arguments: this rank's slice of each argument.

        Returns:
            The outputs that this rank holds, in memory of their own.
        """
        for number, given in zip(self.plan.arguments, arguments, strict=True):
            np.copyto(self.buffers[number], given)
        for call in self._calls:
            call()
        return [self.buffers[v].copy() for v in self.plan.outputs if v not in self.plan.elsewhere]

    # --- from instructions to calls ---

    def _compile(self) -> list[Call]:
        calls: list[Call] = []
        awaited: dict[int, list[Call]] = {}
        readers, latest = self._first_touch(), latest_waits(self.plan)
        end = len(self.plan.instructions)
        for i, ins in enumerate(self.plan.instructions):
            calls += awaited.pop(i, [])
            if ins.outputs and all(v in self._constants for v in ins.outputs):
                continue
            if ins.collective is None:
                call = self._merged.get(i) or (None if i in self._skipped else self._compute(ins))
                calls += [] if call is None else [call]
                continue
            until = min((latest.get(i, end), *(readers.get(v, end) for v in ins.outputs)))
            first, last = self._timed(
                plan_move(ins, self.plan, *self._arrays(ins), self.world), ins.collective, until > i + 1
            )
            calls.append(first)
            if last is not None:
                awaited.setdefault(until, []).append(last)
        for late in awaited.values():
            calls += late
        return calls + self._final_writes()

    def _arrays(self, ins: Instruction) -> tuple[list[Array], list[Array]]:
        return [self.buffers[v] for v in ins.inputs], [self.buffers[v] for v in ins.outputs]

    def _first_touch(self) -> dict[int, int]:
        """Return the first instruction that reads each value, or anything in its memory, after it was made."""
        found: dict[int, int] = {}
        for i, ins in enumerate(self.plan.instructions):
            at = min((place for place in (i, *self._run_start(i))), default=i)
            for v in ins.inputs:
                found.setdefault(v, at)
        return found

    def _run_start(self, place: int) -> tuple[int, ...]:
        """Return where a merged update runs, if the instruction at ``place`` is part of one."""
        start = self._skipped.get(place)
        return () if start is None else (start,)

    def _timed(self, move: Move, what: Collective, may_overlap: bool) -> tuple[Call, Call | None]:
        """Return the call that runs a move, or starts it, and then the one that awaits it."""
        row = len(self.timed)
        self.timed.append(what)
        times = lambda: self.times[row]  # noqa: E731 - the array is made after the calls
        if not (may_overlap and move.can_start):

            def run() -> None:
                at = times()
                at[0] = perf_counter()
                move.run()
                at[1] = perf_counter()

            return run, None

        def start() -> None:
            times()[0] = perf_counter()
            move.start()

        def wait() -> None:
            move.wait()
            times()[1] = perf_counter()

        return start, wait

    def _compute(self, ins: Instruction) -> Call | None:
        """Return the call of one op; None for a view, which is there already."""
        inputs, outputs = self._arrays(ins)
        if is_view(ins) and _shows(outputs[0], inputs[0]):
            return None
        if is_view(ins):
            source = inputs[0]
            return lambda: np.copyto(outputs[0], view_of(ins, source))
        out = outputs[0] if len(outputs) == 1 else tuple(outputs)
        return partial(_kernel(self.plan, ins), *inputs, out=out, **ins.attrs)

    def _final_writes(self) -> list[Call]:
        """Copy what parameters hold after the step to where they live, unless it was made there.

        All are read before any is written, so that two parameters can change places.
        """
        moved = [(p, v) for p, v in self.plan.writes.items() if not self.buffers.in_place(v, p)]
        scratch = [np.empty_like(self.buffers[v]) for _, v in moved]
        reads = [partial(np.copyto, s, self.buffers[v]) for s, (_, v) in zip(scratch, moved, strict=True)]
        writes = [partial(np.copyto, self.buffers[p], s) for s, (p, _) in zip(scratch, moved, strict=True)]
        return [*reads, *writes]


def _shows(view: Array, base: Array) -> bool:
    return view.size == 0 or np.may_share_memory(view, base)


def _merge_updates(plan: Plan, buffers: Buffers) -> tuple[dict[int, Call], dict[int, int]]:
    """Join a run of updates over neighbouring arrays into one call over all of them.

    Returns:
        The joined calls by the place of the run's first instruction, and for each later instruction of the run the
        place at which it is done with.
    """
    places = {id(ins): i for i, ins in enumerate(plan.instructions)}
    calls: dict[int, Call] = {}
    skipped: dict[int, int] = {}
    for run in update_runs(plan):
        inputs = [_joined([buffers[ins.inputs[k]] for ins in run]) for k in range(len(run[0].inputs))]
        outputs = [_joined([buffers[ins.outputs[k]] for ins in run]) for k in range(len(run[0].outputs))]
        if lookup(run[0].op).kernel is None or any(a is None for a in (*inputs, *outputs)):
            continue
        start = places[id(run[0])]
        between = plan.instructions[start : places[id(run[-1])] + 1]
        if len(between) != len(run):
            continue
        out = outputs[0] if len(outputs) == 1 else tuple(outputs)
        calls[start] = partial(_kernel(plan, run[0]), *inputs, out=out, **run[0].attrs)
        skipped.update((places[id(ins)], start) for ins in run[1:])
    return calls, skipped


def _joined(arrays: list[Array]) -> Array | None:
    """Return one flat array over neighbours, in their order; a shared scalar as it is; None if they are apart."""
    if arrays[0].ndim == 0:
        return arrays[0]
    at = [a.__array_interface__["data"][0] for a in arrays]
    return side_by_side(arrays) if at == sorted(at) else None


# --- state and constants ---


def place_parameters(plan: Plan, parameters: Sequence[Held]) -> dict[int, Array]:
    """Give every parameter of a plan its slice, as views of one flat buffer per element type; return their arrays.

    Parameters that an optimizer passes over together stand side by side, each family in the order of its pass.
    """
    held = {p.value.id: h for p, h in zip(plan.parameters, parameters, strict=True)}
    planned = {p.value.id: p for p in plan.parameters}
    order = dict.fromkeys(
        v for run in update_runs(plan) for k in range(len(run[0].inputs)) for v in (i.inputs[k] for i in run)
    )
    new = [v for v in dict.fromkeys((*order, *planned)) if v in planned and held[v].placed is None]
    for dtype in dict.fromkeys(planned[v].value.dtype for v in new):
        mine = [planned[v].value for v in new if planned[v].value.dtype == dtype]
        flat = np.empty(sum(v.nbytes for v in mine) // dtype.itemsize, dtype.numpy)
        at = 0
        for value in mine:
            size = value.nbytes // dtype.itemsize
            held[value.id].place(value.layout, plan.rank, flat[at : at + size].reshape(value.slice_shape))
            at += size
    arrays = {number: h.placed for number, h in held.items()}
    return {number: a for number, a in arrays.items() if a is not None}


def fold_constants(plan: Plan) -> dict[int, Array]:
    """Return the arrays of constants, and of all that is computed from constants alone, computed once."""
    known: dict[int, Array] = {number: np.asarray(array) for number, array in plan.constants}
    for ins in plan.instructions:
        if ins.collective is not None or not ins.inputs or not all(v in known for v in ins.inputs):
            continue
        arrays = [known[v] for v in ins.inputs]
        made: Any = view_of(ins, arrays[0]) if ins.op == "slice" else _kernel(plan, ins)(*arrays, **ins.attrs)
        results = cast("tuple[Any, ...]", made if isinstance(made, tuple) else (made,))
        for v, array in zip(ins.outputs, results, strict=True):
            known[v] = np.asarray(array, dtype=plan.values[v].dtype.numpy)
    return known


def _kernel(plan: Plan, ins: Instruction) -> Callable[..., Any]:
    return kernel_of(lookup(ins.op), (plan.values[v].dtype for v in (*ins.inputs, *ins.outputs)))


# --- outside of a plan ---


def run_collective(world: World, op: str, arrays: Sequence[Array], attrs: Mapping[str, Any]) -> tuple[Array, ...]:
    """Run a hand-written collective at once, outside of a graph.

    Args:
        world: the ranks.
        op: the collective's record, e.g. ``"all_gather"``.
        arrays: this rank's operands.
        attrs: of the record: ``group`` holds world ranks, None for all of them.

    Returns:
        This rank's results, in memory of their own.

    Raises:
        SimparError: the op is not a collective, or its group does not fit the world.
    """
    definition = lookup(op)
    if definition.infer_shape is None:
        raise SimparError(f"op {op} has no kernel and is not a collective.")
    _, results = definition.infer([a.shape for a in arrays], [as_dtype(a.dtype) for a in arrays], attrs)
    outputs = [np.empty(shape, dtype.numpy) for shape, dtype in results]
    group = tuple(attrs.get("group") or range(world.size))
    moved = Collective(op, group, 0, 0, combine=str(attrs.get("op") or "sum"))
    ins = Instruction(op, tuple(range(len(arrays))), tuple(range(len(outputs))), attrs, moved)
    empty = Plan(world.rank, world.size, {}, (), (), (), (), (), {}, "", "")
    plan_move(ins, empty, [np.ascontiguousarray(a) for a in arrays], outputs, world).run()
    return tuple(outputs)
