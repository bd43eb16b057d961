"""How many messages a step sends, and of what: ``comm_fusion``, ``comm_recompute`` and the context's options."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.context import current
from simpar.execute.buffers import allocate_buffers
from simpar.partition import Plan
from simpar.recorder import CollectiveSpec, MemoryRecorder, ProgramCompiled, StepFinished
from tests.compile.planning import Build, plan_of, semi_auto
from tests.parity.strategies import zero


class Sums(nn.Cell):
    """Many small weights, each used once in a product cut by rows."""

    def __init__(self, count: int, n: int, fusion: Callable[[int], int] = lambda i: 1, side: int = 4) -> None:
        super().__init__()
        self.weights = [Parameter(Tensor(np.ones((side, side), np.float32)), name=f"w{i}") for i in range(count)]
        for i, w in enumerate(self.weights):
            w.comm_fusion = fusion(i)
            setattr(self, w.name, w)
        self.product = ops.MatMul().shard(((n, 1), (1, 1)))

    def construct(self, x: Tensor) -> Tensor:
        for w in self.weights:
            x = self.product(x, w) * 0.25
        return x.mean()


def gradients_of(count: int, fusion: Callable[[int], int] = lambda i: 1, n: int = 4) -> Build:
    def build() -> Any:
        net = Sums(count, n, fusion)
        return ms.value_and_grad(net, None, net.weights), [Tensor(np.ones((8, 4), np.float32))]

    return build


def messages(plan: Plan, phase: str = "backward") -> Counter[str]:
    return Counter(i.op for i in plan.instructions if i.collective is not None and i.phase == phase)


def test_two_hundred_small_gradients_are_one_message() -> None:
    plan = plan_of(gradients_of(200), **semi_auto(4))
    assert messages(plan) == {"all_reduce": 1}
    (message,) = (i.collective for i in plan.instructions if i.collective is not None and i.phase == "backward")
    assert message.message_bytes == 200 * 4 * 4 * 4
    assert len(message.parameters) == 200


def test_fusion_0_never_fuses() -> None:
    assert messages(plan_of(gradients_of(10, lambda i: 0), **semi_auto(4))) == {"all_reduce": 10}


def test_different_numbers_are_different_messages() -> None:
    plan = plan_of(gradients_of(12, lambda i: 1 + i % 3), **semi_auto(4))
    assert messages(plan) == {"all_reduce": 3}
    groups = [set(c.parameters) for c in plan.collectives if c.parameters]
    assert {"w0", "w3", "w6", "w9"} in groups


@pytest.mark.parametrize(("fusion", "count"), [(lambda i: 1, 1), (lambda i: 0, 6), (lambda i: 1 + i % 2, 2)])
def test_gathers_and_scatters_of_a_parallel_optimizer_are_grouped_alike(fusion: Any, count: int) -> None:
    plan = plan_of(gradients_of(6, fusion), **semi_auto(4, **zero()))
    assert messages(plan, "forward")["all_gather"] == count
    assert messages(plan) == {"reduce_scatter": count}


def fusion_options(name: str, **settings: Any) -> dict[str, Any]:
    return {"comm_fusion": {name: settings}}


def test_openstate_false_fuses_nothing() -> None:
    options = semi_auto(4, comm_fusion={"openstate": False})
    assert messages(plan_of(gradients_of(10), **options)) == {"all_reduce": 10}


def test_index_mode_starts_a_message_at_each_position() -> None:
    options = semi_auto(4, **fusion_options("allreduce", mode="index", config=[3, 7]))
    plan = plan_of(gradients_of(10), **options)
    assert [len(c.parameters) for c in plan.collectives if c.parameters] == [3, 4, 3]


def test_all_reduce_fusion_config_starts_a_message_at_each_position() -> None:
    plan = plan_of(gradients_of(10), **semi_auto(4, all_reduce_fusion_config=[4]))
    assert [len(c.parameters) for c in plan.collectives if c.parameters] == [4, 6]


def test_size_mode_closes_a_message_at_a_size() -> None:
    def build() -> Any:
        weights = [Parameter(Tensor(np.ones((512, 512), np.float32)), name=f"w{i}") for i in range(4)]  # 1 MB each
        product = ops.MatMul().shard(((4, 1), (1, 1)))

        def loss(x: Tensor) -> Any:
            for w in weights:
                x = product(x, w)
            return x.mean()

        return ms.grad(loss, None, weights), [Tensor(np.ones((8, 512), np.float32))]

    options = semi_auto(4, **fusion_options("allreduce", mode="size", config=2))
    assert [len(c.parameters) for c in plan_of(build, **options).collectives if c.parameters] == [2, 2]


# --- in the record ---


def record(n: int, fusion: Callable[[int], int], steps: int) -> list[Any]:
    """Train on this rank and return what was recorded."""
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    recorder = current().recorder = MemoryRecorder()
    function, args = gradients_of(20, fusion, n)()
    step = ms.jit(function)
    for _ in range(steps):
        step(*args)
    return recorder.events


def specs_of(events: list[Any]) -> tuple[CollectiveSpec, ...]:
    (compiled,) = (e for e in events if isinstance(e, ProgramCompiled))
    return tuple(s for s in compiled.collectives if s.parameters)


def test_the_record_shows_one_message_for_one_number_and_many_for_zero() -> None:
    assert [len(specs_of(e)) for e in run_threads(4, record, 4, lambda i: 1, 2)] == [1] * 4
    assert [len(specs_of(e)) for e in run_threads(4, record, 4, lambda i: 0, 2)] == [20] * 4


def test_each_step_records_when_each_message_began_and_ended() -> None:
    for events in run_threads(2, record, 2, lambda i: i % 2, 3):
        steps = [e for e in events if isinstance(e, StepFinished)]
        assert [s.step for s in steps] == [1, 2, 3]
        for s in steps:
            begins, ends = s.times[:, 0], s.times[:, 1]
            assert (s.start_s <= begins).all()
            assert (begins <= ends).all()
            assert (ends <= s.end_s).all()
            assert s.loss is not None


# --- gathering again ---


def recomputed(again: bool) -> Build:
    """Build the gradients of a chain of weights that are gathered once, or again for the backward pass."""

    def build() -> Any:
        net = Sums(6, 4, lambda i: 0, side=64)
        for w in net.weights:
            w.parallel_optimizer_comm_recompute = again
        return ms.value_and_grad(net, None, net.weights), [Tensor(np.ones((4, 64), np.float32))]

    return build


def arena_bytes(plan: Plan) -> int:
    state = {p.value.id: np.zeros(p.value.slice_shape, p.value.dtype.numpy) for p in plan.parameters}
    constants = {number: np.asarray(array) for number, array in plan.constants}
    return allocate_buffers(plan, state, constants, lambda n: np.zeros(n, np.uint8)).arena_bytes


def test_gathering_again_moves_more_and_holds_less() -> None:
    kept, again = (plan_of(recomputed(flag), **semi_auto(4, **zero())) for flag in (False, True))
    assert messages(kept)["all_gather"] == 0
    assert messages(kept, "forward")["all_gather"] == messages(again, "forward")["all_gather"] == 6
    assert messages(again)["all_gather"] == 5, "the first weight is not needed for the gradient of the input"
    moved = [sum(c.volume_bytes for c in plan.collectives) for plan in (kept, again)]
    assert moved[1] - moved[0] == 5 * 3 * 4096, "five gathers; the others hold three slices of 16 rows"
    saved = arena_bytes(kept) - arena_bytes(again)
    assert saved >= 4 * 64 * 64, "at least one of the five whole weights that wait for the backward pass"
