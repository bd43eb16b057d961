"""What a program that is recorded tells now and then: its memory, and digests of its slices."""

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn
from simpar.context import Context
from simpar.recorder import Checksum, MemoryMeasured, MemoryRecorder


class _Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones((4, 2), np.float32)), name="w")

    def construct(self, x: Tensor) -> Tensor:
        return (x @ self.w).sum()


def _record(context: Context, steps: int, mode: str) -> MemoryRecorder:
    recorder = context.recorder = MemoryRecorder()
    ms.set_auto_parallel_context(parallel_mode=mode, full_batch=True)
    step = ms.jit(_Net())
    for _ in range(steps):
        step(Tensor(np.ones((3, 4), np.float32)))
    return recorder


def test_memory_is_measured_after_steps_that_double(own_context: Context) -> None:
    recorder = _record(own_context, 9, "semi_auto_parallel")
    assert [e.step for e in recorder.events if isinstance(e, MemoryMeasured)] == [1, 2, 4, 8]


def test_slices_are_digested_where_copies_must_agree(own_context: Context) -> None:
    recorder = _record(own_context, 9, "semi_auto_parallel")
    assert [(e.parameter, e.step) for e in recorder.events if isinstance(e, Checksum)] == [("w", 1)]


def test_slices_are_not_digested_where_ranks_differ_by_definition(own_context: Context) -> None:
    recorder = _record(own_context, 2, "hybrid_parallel")
    assert not [e for e in recorder.events if isinstance(e, Checksum)]
