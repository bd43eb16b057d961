"""When the values of slices are recorded: seldom enough to cost little, and of the same steps on every rank.

Ranks never speak about it. Each records the steps that a power of two divides, and chooses the power by its own clock:
the steps of the rank that records least are recorded by all others too.
"""

import os
from time import perf_counter

from simpar import recorder as records
from simpar.errors import ContextError
from simpar.execute import Executor
from simpar.recorder import NullRecorder, Recorder

__all__ = ["VALUES", "Watch", "watch_values"]

VALUES = "SIMPAR_VALUES"
"""The variable that says how often the values of slices are recorded: off, seldom or always."""

_SHARE = 0.004
"""The share of a rank's time that recording values may take: below 1 % with what the writing thread adds."""
_TILES_BYTES = 1 << 20
"""What the tiles of one step may take on all ranks together, before tiles get fewer cells."""
_LEAST_CELLS = 16
_STEPS_BETWEEN = 32
"""One step in so many, of those so far, is recorded at most: others would be forgotten soon."""


class Watch:
    """Records the values of one program's slices.

    Args:
        recorder: of this rank.
        program: its name.
        executor: which holds the slices.
        is_always: whether every step is recorded.
    """

    def __init__(self, recorder: Recorder, program: str, executor: Executor, is_always: bool = False) -> None:
        plan = executor.plan
        self._recorder, self._program, self._rank = recorder, program, plan.rank
        self._slices = [(p.spec.name, executor.buffers[p.value.id], p.value.id in plan.writes) for p in plan.parameters]
        tiles = max(1, len(self._slices) * executor.world.size)
        self._cells = min(records.MOST_CELLS, max(_LEAST_CELLS, _TILES_BYTES // (4 * tiles)))
        self._writes = any(is_written for _, _, is_written in self._slices)
        self._is_always, self._every = is_always, 1
        self._last_step, self._step, self._cost_s = 0, 0, 0.0
        self._record(0, with_all=True)
        self._since = perf_counter()

    def after_step(self, step: int) -> None:
        """Record the values after a step, if it is one of those."""
        if not self._writes:
            return
        self._step = step
        self._recorder.before_close(self.finish)
        if step == 1 and not self._is_always:
            self._every = self._spacing(step)
        elif step % self._every == 0:
            self._record(step)
            self._every = 1 if self._is_always else self._spacing(step)
            self._last_step, self._since = step, perf_counter()

    def finish(self) -> None:
        """Record the values after the last step, unless they are."""
        if self._step > self._last_step:
            self._record(self._step)
            self._last_step = self._step

    def _record(self, step: int, with_all: bool = False) -> None:
        start = perf_counter()
        for name, array, is_written in self._slices:
            if is_written or with_all:
                self._recorder.emit(records.measure_values(self._rank, self._program, name, step, array, self._cells))
        self._cost_s = perf_counter() - start

    def _spacing(self, step: int) -> int:
        """Return the power of two that divides the steps to record: by what it costs, and by how many there were."""
        step_s = (perf_counter() - self._since) / max(1, step - self._last_step)
        wanted = max(self._cost_s / (_SHARE * max(step_s, 1e-9)), step / _STEPS_BETWEEN)
        return 1 << max(0, int(wanted) - 1).bit_length() if wanted > 1 else 1


def watch_values(recorder: Recorder | None, program: str, executor: Executor) -> Watch | None:
    """Begin to record the values of a program's slices, unless nothing is recorded or values are not wanted.

    Raises:
        ContextError: the variable says something else than off, seldom or always.
    """
    often = os.environ.get(VALUES) or "seldom"
    if often not in ("off", "seldom", "always"):
        raise ContextError(f"{VALUES} is {often!r}; it must be off, seldom or always. Set one of them, or unset it.")
    if recorder is None or isinstance(recorder, NullRecorder) or often == "off":
        return None
    return Watch(recorder, program, executor, often == "always")
