"""How much memory a plan will take, found without taking it: arrays are address space that nothing stands behind."""

import mmap
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.execute.buffers import allocate_buffers
from simpar.execute.executor import fold_constants
from simpar.partition import Plan

__all__ = ["PlannedMemory", "foresee_memory"]

_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000) if sys.platform == "linux" else 0


@dataclass(frozen=True, slots=True)
class PlannedMemory:
    """The memory of one rank that runs a program.

    Args:
        parameter_bytes: of its slices of parameters.
        optimizer_bytes: of its slices of the optimizer's state.
        constant_bytes: of constants, and of what is computed from constants alone.
        arena_bytes: of everything a step makes (activations, gradients, buffers of results), values that are never
            needed at the same time sharing memory.
    """

    parameter_bytes: int
    optimizer_bytes: int
    constant_bytes: int
    arena_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.parameter_bytes + self.optimizer_bytes + self.constant_bytes + self.arena_bytes


def foresee_memory(plan: Plan) -> PlannedMemory:
    """Return how much memory the executor would take for a plan, by the executor's own way of placing values.

    The copies that some collectives pack their messages in are not counted.
    """
    state = {p.value.id: _unbacked(p.value.nbytes, p.value.slice_shape, p.value.dtype.numpy) for p in plan.parameters}
    constants = fold_constants(plan)
    buffers = allocate_buffers(plan, state, constants, lambda nbytes: _unbacked(nbytes, (nbytes,), np.dtype(np.uint8)))
    return PlannedMemory(
        sum(p.value.nbytes for p in plan.parameters if p.spec.state_of is None),
        sum(p.value.nbytes for p in plan.parameters if p.spec.state_of is not None),
        sum(a.nbytes for a in constants.values()),
        buffers.arena_bytes,
    )


def _unbacked(nbytes: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of zeros that costs no memory until it is written to, however large it is."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    return np.frombuffer(mmap.mmap(-1, max(nbytes, 1), flags=flags), np.uint8, nbytes).view(dtype).reshape(shape)
