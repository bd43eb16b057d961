"""Writing to Parameters from programs, and clipping gradients by their common norm."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.context import Context, entered
from simpar.errors import DTypeError, RuleError, TraceError


def test_assign_writes_at_once_outside_of_a_program() -> None:
    w = Parameter(Tensor([1.0, 2.0]), name="w")
    assert ops.assign(w, Tensor([3.0, 4.0])).tolist() == [3.0, 4.0]
    assert ops.AssignAdd()(w, Tensor([1.0, 1.0])).tolist() == [4.0, 5.0]
    assert ops.AssignSub()(w, Tensor([2.0, 2.0])).tolist() == [2.0, 3.0]


def test_a_program_reads_what_it_wrote_and_keeps_it() -> None:
    count = Parameter(Tensor([1.0]), name="count")

    @ms.jit
    def step() -> Any:
        first = ops.assign_add(count, ops.ones((1,)))
        second = ops.Assign()(count, count * 10)
        return first, second, count * 1

    first, second, last = step()
    assert (first.tolist(), second.tolist(), last.tolist()) == ([2.0], [20.0], [20.0])
    assert count.tolist() == [20.0]


def test_assign_casts_up_and_refuses_what_does_not_fit() -> None:
    w = Parameter(Tensor([1.0, 2.0]), name="w")
    assert ops.assign(w, Tensor([3, 4])).tolist() == [3.0, 4.0]
    whole = Parameter(Tensor([1, 2]), name="whole")
    with pytest.raises(DTypeError, match="'whole' holds Int64, but the new data is Float32"):
        ops.assign(whole, Tensor([0.5, 0.5]))
    with pytest.raises(TraceError, match="'whole' has shape"):
        ms.jit(lambda: ops.assign(whole, Tensor([0.5, 0.5])))()
    with pytest.raises(DTypeError, match="writes to a Parameter, not to"):
        ops.assign(Tensor([1.0]), Tensor([2.0]))  # type: ignore[arg-type]


def test_depend_passes_its_value() -> None:
    assert ops.depend(Tensor([1.0]), None).tolist() == ops.Depend()(Tensor([1.0]), None).tolist() == [1.0]
    assert ops.depend((Tensor([1.0]), 2), None)[1] == 2


def test_depend_is_a_node_that_its_gradient_passes() -> None:
    def twice(x: Tensor) -> Tensor:
        return (ops.depend(x * x, x + 1) * 3).sum()

    x = Tensor([1.0, 2.0])
    assert ms.grad(twice)(x).tolist() == [6.0, 12.0]
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=2, full_batch=True)
        plan = compile_function(twice, (x,)).plan
    assert [i.op for i in plan.instructions if i.phase == "forward"].count("depend") == 1


def accumulate(n: int) -> list[Any]:
    """Add up gradients of four small batches in Parameters, then clip them and train; return what is left."""
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    matmul = ops.MatMul().shard(((1, 1), (1, n)))
    w = Parameter(Tensor(np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)), name="w")
    total = w.clone("zeros")
    total.name = "total"
    gradients_of = ms.value_and_grad(lambda x: ops.mean(ops.square(matmul(x, w))), None, [w])

    @ms.jit
    def add(x: Tensor) -> Any:
        loss, gradients = gradients_of(x)
        ops.assign_add(total, gradients[0] / 4)
        return loss

    @ms.jit
    def update() -> Any:
        (clipped,) = ops.clip_by_global_norm((total,), 0.1)
        ops.assign_sub(w, clipped)
        ops.assign(total, ops.zeros_like(total))
        return w * 1, total * 1

    x = np.arange(32, dtype=np.float32).reshape(8, 4) / 32
    losses = [add(Tensor(x[i : i + 2])).item() for i in range(0, 8, 2)]
    return [np.array(losses), *(t.asnumpy() for t in update())]


@pytest.mark.parametrize("n", [2, 3])
def test_gradients_added_up_and_clipped_by_hand_are_those_of_one_device(n: int) -> None:
    alone = run_threads(1, accumulate, 1)[0]
    for rank in run_threads(n, accumulate, n):
        for got, wanted in zip(rank, alone, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_a_small_norm_clips_nothing_and_a_given_norm_is_used() -> None:
    assert ops.clip_by_global_norm((Tensor([0.3]), Tensor([0.4])), 1.0)[1].item() == pytest.approx(0.4)
    assert ops.clip_by_global_norm((Tensor([3.0]),), 1.0, use_norm=6.0)[0].item() == pytest.approx(0.5)


def test_a_value_is_copied_into_a_tensor_or_a_parameter() -> None:
    w = Parameter(Tensor([[1.0, 2.0], [3.0, 4.0]]), name="w")
    assert ops.InplaceCopy()(w, Tensor([5, 6])).tolist() == [[5.0, 6.0]] * 2 == w.asnumpy().tolist()
    by_x, by_y = ms.grad(lambda x, y: (ops.InplaceCopy()(x, y) ** 2).sum(), (0, 1))(
        Tensor([[1.0], [2.0]]), Tensor([3.0])
    )
    assert (by_x.tolist(), by_y.tolist()) == ([[0.0], [0.0]], [12.0])
    with pytest.raises(RuleError, match=r"shape \(2,\) cannot be copied into one of shape \(1,\)"):
        ops.InplaceCopy()(Tensor([1.0]), Tensor([1.0, 2.0]))
