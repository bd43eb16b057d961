"""Arrays for every value of a plan: state, constants, and one arena with liveness-planned reuse.

A value gets memory of its own unless it is a view (a reshape, a slice), may overwrite an operand that nobody reads any
more (an elementwise op), or is summed in place. Values that must stand side by side do: the members of a bucket, so
that a fusion group needs no packing, and the gradients of a run of updates, so that an optimizer is one loop.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.execute.memory import Block, Lifetimes, place_blocks
from simpar.graph import lookup
from simpar.partition import Instruction, Plan

__all__ = ["Buffers", "allocate_buffers", "is_view", "latest_waits", "update_runs", "view_of"]

Array = NDArray[Any]
Allocate = Callable[[int], NDArray[np.uint8]]


class Buffers:
    """The array of every value, and how much memory they take.

    Args:
        arrays: by the number of the value.
        owner: for a value in another's memory, that other value.
        arena_bytes: of the arena.
    """

    def __init__(self, arrays: dict[int, Array], owner: Mapping[int, int], arena_bytes: int) -> None:
        self.arrays, self._owner, self.arena_bytes = arrays, owner, arena_bytes

    def __getitem__(self, value: int) -> Array:
        return self.arrays[value]

    def in_place(self, result: int, operand: int) -> bool:
        """Return whether a result lives exactly where an operand is."""
        one, two = self.arrays[result], self.arrays[operand]
        same = one.__array_interface__["data"][0] == two.__array_interface__["data"][0]
        return same and one.strides == two.strides and one.shape == two.shape


def allocate_buffers(
    plan: Plan, state: Mapping[int, Array], constants: Mapping[int, Array], allocate: Allocate
) -> Buffers:
    """Return an array for every value of a plan.

    Args:
        plan: what is to run.
        state: the arrays of parameters, by number.
        constants: the arrays of constants and of what was computed from them.
        allocate: gives zeroed bytes, of a kind that collectives may use.
    """
    return _Allocator(plan, state, constants, allocate).run()


def view_of(instruction: Instruction, x: Array) -> Array:
    """Return what a view op, or a local slice, makes of an array: without a copy where numpy can."""
    if instruction.op == "slice":
        return x[tuple(slice(start, stop) for start, stop in instruction.attrs["box"])]
    kernel = lookup(instruction.op).kernel
    assert kernel is not None, "a view op has a kernel"
    return kernel(x, **instruction.attrs)


def is_view(instruction: Instruction) -> bool:
    """Return whether an instruction only looks at its operand in another way."""
    if instruction.collective is not None:
        return False
    return instruction.op == "slice" or lookup(instruction.op).view


IN_FLIGHT = 2
"""How many gathers, and how many scatters, may be on their way: each keeps its operand, a whole gradient, alive."""


def latest_waits(plan: Plan) -> dict[int, int]:
    """Return, for each gather, scatter and send, the instruction before which it is awaited at the latest.

    For gathers and scatters that is the second of its kind to come, so that a backward pass does not hold all gradients
    until the update; for a send, what comes after the other stage has received.
    """
    found: dict[int, int] = {}
    for kind in ("all_gather", "reduce_scatter"):
        places = [i for i, ins in enumerate(plan.instructions) if ins.op == kind]
        found.update(zip(places, places[IN_FLIGHT:], strict=False))
    for i, ins in enumerate(plan.instructions):
        if ins.collective is not None and ins.op == "send":
            found[i] = ins.collective.until
    return found


def _outlast_moves(plan: Plan, uses: dict[int, int]) -> None:
    """Let what a collective sends stay until it is awaited: it may be on its way until then.

    Sums are excepted: they run in place, or on a copy.
    """
    end = len(plan.instructions)
    latest = latest_waits(plan)
    first: dict[int, int] = {}
    for i, ins in enumerate(plan.instructions):
        for v in ins.inputs:
            first.setdefault(v, i)
    for i, ins in enumerate(plan.instructions):
        if ins.collective is not None and ins.op != "all_reduce":
            until = min((first.get(v, end) for v in ins.outputs), default=end)
            until = min(until, latest.get(i, end))
            uses.update((v, max(uses[v], until)) for v in ins.inputs)


class _Allocator:
    def __init__(
        self, plan: Plan, state: Mapping[int, Array], constants: Mapping[int, Array], allocate: Allocate
    ) -> None:
        self.plan, self.allocate = plan, allocate
        self.arrays: dict[int, Array] = {**state, **constants}
        self.fixed = frozenset(self.arrays)
        end = len(plan.instructions)
        made = {v: i for i, ins in enumerate(plan.instructions) for v in ins.outputs}
        birth = {v: made.get(v, -1) for v in plan.values}
        uses: dict[int, int] = {}
        for i, ins in enumerate(plan.instructions):
            uses.update(dict.fromkeys(ins.inputs, i))
        uses.update(dict.fromkeys((*plan.outputs, *plan.writes.values()), end))
        _outlast_moves(plan, uses)
        self.live = Lifetimes(birth, uses)
        self.views: dict[int, tuple[Instruction, int]] = {}
        self.written = {v: p for p, v in plan.writes.items()}
        self.together: list[list[int]] = []

    def run(self) -> Buffers:
        self._share_views()
        self._find_neighbours()
        self._share_in_place()
        arena_bytes = self._place()
        shares = self.live.shares()
        for ins in self.plan.instructions:
            for value in ins.outputs:
                if value in self.views:
                    self.arrays[value] = view_of(ins, self.arrays[ins.inputs[0]])
                elif value not in self.arrays:
                    self.arrays[value] = self.arrays[shares[value]].reshape(self.plan.values[value].slice_shape)
        return Buffers(self.arrays, shares, arena_bytes)

    # --- who shares whose memory ---

    def _share_views(self) -> None:
        """Let the results of view ops be views of their operands, where numpy can."""
        for ins in self.plan.instructions:
            if not is_view(ins) or ins.outputs[0] in self.arrays or ins.outputs[0] in self.written:
                continue
            y = ins.outputs[0]
            ghost = self._ghost(ins.inputs[0])
            if np.may_share_memory(view_of(ins, ghost), ghost):
                self.views[y] = (ins, ins.inputs[0])
                self.live.share(y, ins.inputs[0])

    def _share_in_place(self) -> None:
        """Let sums over ranks, and elementwise ops, write where an operand is read for the last time."""
        beside = {v for group in self.together for v in group}
        for i, ins in enumerate(self.plan.instructions):
            if any(v in self.arrays or v in self.views for v in ins.outputs):
                continue
            if ins.collective is not None and ins.op == "all_reduce":
                for x, y in zip(ins.inputs, ins.outputs, strict=True):
                    if y not in beside and self._is_free(x, i):
                        self.live.share(y, x)
            elif ins.collective is None and ins.op != "slice" and lookup(ins.op).elementwise:
                for place, y in enumerate(ins.outputs):
                    self._overwrite(ins, i, place, y, beside)

    def _ghost(self, value: int) -> Array:
        """Return an array of a value's shape and strides; its memory is only touched if numpy cannot make a view."""
        if value in self.views:
            ins, x = self.views[value]
            return view_of(ins, self._ghost(x))
        if value in self.arrays:
            return self.arrays[value]
        planned = self.plan.values[value]
        return np.empty(planned.slice_shape, planned.dtype.numpy)

    def _is_free(self, value: int, place: int) -> bool:
        """Return whether a value's memory may be overwritten by the instruction at ``place``."""
        owner = self.live.owner(value)
        if owner in self.fixed or owner in self.plan.arguments or value in self.views:
            return False
        return self.live.death(value) <= place

    def _overwrite(self, ins: Instruction, place: int, which: int, result: int, beside: set[int]) -> None:
        """Let a result take the memory of a parameter it updates, or of an operand read here for the last time."""
        target = self.plan.values[result]
        parameter = self.written.get(result)
        if parameter is not None:
            if parameter in ins.inputs and self.live.death(parameter) <= place:
                self.live.share(result, parameter)
            return
        if result in beside:
            return
        taken = {self.live.owner(v) for v in ins.outputs[:which]}
        for x in ins.inputs:
            planned = self.plan.values[x]
            fits = planned.slice_shape == target.slice_shape and planned.dtype == target.dtype
            if fits and self._is_free(x, place) and self.live.owner(x) not in taken and x not in beside:
                self.live.share(result, x)
                return

    # --- who stands beside whom ---

    def _find_neighbours(self) -> None:
        """Find the values that must be contiguous: gradients of runs of updates, then members of other buckets."""
        seen: set[int] = set()
        homes = self._summed_in_place()
        for run in update_runs(self.plan):
            for place in range(len(run[0].inputs)):
                values = [ins.inputs[place] for ins in run]
                self._join([homes.get(v, v) for v in values], seen)
        order = {v: i for i, ins in enumerate(self.plan.instructions) for v in ins.inputs}
        for ins in self.plan.instructions:
            if ins.collective is not None and len(ins.inputs) > 1 and ins.op in ("all_reduce", "reduce_scatter"):
                self._join([homes.get(y, y) for y in sorted(ins.outputs, key=lambda y: order.get(y, 0))], seen)

    def _summed_in_place(self) -> dict[int, int]:
        """Return, for each sum over ranks that may run in place, the operand in whose memory it will be."""
        homes: dict[int, int] = {}
        taken: set[int] = set()
        for i, ins in enumerate(self.plan.instructions):
            if ins.collective is not None and ins.op == "all_reduce":
                for x, y in zip(ins.inputs, ins.outputs, strict=True):
                    if x not in taken and self._is_free(x, i):
                        homes[y] = x
                        taken.add(x)
        return homes

    def _join(self, values: Sequence[int], seen: set[int]) -> None:
        """Ask for values to stand side by side, unless some have their place already: constants among them."""
        made = {v for ins in self.plan.instructions for v in ins.outputs} - self.fixed
        if len(set(values)) == len(values) > 1 and all(v in made and v not in seen for v in values):
            seen.update(values)
            self.together.append(list(values))

    # --- which byte ---

    def _place(self) -> int:
        beside = {v: group for group in self.together for v in group}
        blocks: list[Block] = []
        done: set[int] = set()
        for value, planned in self.plan.values.items():
            owner = self.live.owner(value)
            if owner != value or value in self.arrays or value in done:
                continue
            group = [v for v in beside.get(value, [value]) if self.live.owner(v) == v]
            parts = [(v, self.plan.values[v].nbytes) for v in group]
            birth, death = min(self.live.birth[v] for v in group), max(self.live.death(v) for v in group)
            if any(v in self.plan.arguments for v in group):
                death = len(self.plan.instructions)
            done.update(group)
            assert planned.nbytes >= 0, "a slice has a size"
            blocks.append(Block(parts, birth, death))
        total = place_blocks(blocks)
        arena = self.allocate(max(total, 1))
        for block in blocks:
            for value, start in block.starts.items():
                self.arrays[value] = _carve(arena, start, self.plan, value)
        return total


def _carve(arena: NDArray[np.uint8], start: int, plan: Plan, value: int) -> Array:
    planned = plan.values[value]
    return arena[start : start + planned.nbytes].view(planned.dtype.numpy).reshape(planned.slice_shape)


def update_runs(plan: Plan) -> list[list[Instruction]]:
    """Return the runs of updates that differ only in the arrays they work on: an optimizer's pass over its weights."""
    runs: list[list[Instruction]] = []
    for ins in plan.instructions:
        if ins.phase != "update" or ins.collective is not None or ins.op == "slice" or not ins.inputs:
            continue
        if not lookup(ins.op).elementwise or len(plan.values[ins.inputs[0]].slice_shape) == 0:
            continue
        if runs and _alike(plan, runs[-1][-1], ins):
            runs[-1].append(ins)
        else:
            runs.append([ins])
    return [run for run in runs if len(run) > 1]


def _alike(plan: Plan, one: Instruction, two: Instruction) -> bool:
    """Return whether two updates are the same op with the same scalars."""
    if one.op != two.op or dict(one.attrs) != dict(two.attrs) or len(one.inputs) != len(two.inputs):
        return False
    for x, y in zip(one.inputs, two.inputs, strict=True):
        a, b = plan.values[x], plan.values[y]
        is_scalar = not a.slice_shape
        if is_scalar != (not b.slice_shape) or a.dtype != b.dtype or (is_scalar and x != y):
            return False
    return True
