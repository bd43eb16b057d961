"""What a program that is recorded tells now and then: its memory, digests of its slices, and what they hold."""

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn
from simpar.compile import VALUES
from simpar.compile.watch import Watch
from simpar.context import Context
from simpar.errors import ContextError
from simpar.recorder import Checksum, MemoryMeasured, MemoryRecorder, SliceValues


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


def _train(context: Context, steps: int) -> MemoryRecorder:
    recorder = context.recorder = MemoryRecorder()
    net = _Net()
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.25, 0.5))
    for _ in range(steps):
        step(Tensor(np.ones((3, 4), np.float32)))
    return recorder


def _values(recorder: MemoryRecorder) -> dict[tuple[str, int], SliceValues]:
    return {(e.parameter, e.step): e for e in recorder.events if isinstance(e, SliceValues)}


def test_values_before_the_first_and_after_the_last_step_are_always_recorded(
    own_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watch, "_spacing", lambda *_: 1 << 20)
    recorder = _train(own_context, 3)
    recorder.close()
    recorder.close()
    told = _values(recorder)
    assert [step for name, step in told if name == "w"] == [0, 3]
    assert told["w", 0].mean == 1.0
    # the gradient of every weight is 3; momentum 0.5 makes it 3, 4.5, 5.25 of which 0.25 is taken away each time
    assert told["w", 3].mean == 1.0 - 0.25 * (3 + 4.5 + 5.25)
    assert told["moments.w", 3].tile.tolist() == [[5.25, 5.25]] * 4


def test_values_after_every_step_are_recorded_if_asked(own_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VALUES, "always")
    recorder = _train(own_context, 5)
    recorder.close()
    told = _values(recorder)
    assert [step for name, step in told if name == "w"] == [0, 1, 2, 3, 4, 5]
    assert not [step for name, step in told if name == "learning_rate" and step > 0]  # nobody writes it


def test_values_are_not_recorded_if_not_wanted(own_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VALUES, "off")
    recorder = _train(own_context, 2)
    recorder.close()
    assert _values(recorder) == {}


def test_a_program_that_only_reads_is_recorded_once(own_context: Context) -> None:
    recorder = _record(own_context, 3, "semi_auto_parallel")
    recorder.close()
    assert list(_values(recorder)) == [("w", 0)]


def test_another_word_for_how_often_is_refused(own_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VALUES, "sometimes")
    with pytest.raises(ContextError, match=r"SIMPAR_VALUES is 'sometimes'; it must be off, seldom or always"):
        _train(own_context, 1)


def test_steps_that_are_recorded_lie_as_far_apart_as_their_cost_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes 1 ms and recording 0.1 ms: 0.4 % of the time allow every 25th step, so every 32nd."""
    watch = object.__new__(Watch)
    watch._cost_s, watch._since, watch._last_step = 1e-4, 0.0, 0
    monkeypatch.setattr("simpar.compile.watch.perf_counter", lambda: 0.064)
    assert watch._spacing(64) == 32
    watch._cost_s = 1e-7
    assert watch._spacing(64) == 2  # no more than 32 so far
    assert watch._spacing(8) == 1
