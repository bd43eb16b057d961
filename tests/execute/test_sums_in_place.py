"""Gradients are summed over the ranks where they were made and where their update reads them."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn
from simpar.collectives import run_threads
from simpar.compile import Program, compile_function
from simpar.execute.moves import side_by_side


def sums_of(comm_fusion: dict[str, Any] | None) -> list[tuple[bool, bool]]:
    """Return, for each bucket of gradients, whether it is summed in place and whether its members leave no gap."""
    ms.set_seed(1)
    options: dict[str, Any] = {} if comm_fusion is None else {"comm_fusion": comm_fusion}
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=False, **options)
    net = nn.SequentialCell(nn.Dense(8, 512, activation="relu"), nn.Dense(512, 512), nn.Dense(512, 4))
    optimizer = nn.Adam(net.trainable_params(), 0.01)
    with_gradients = ms.value_and_grad(lambda x: (net(x) * net(x)).mean(), None, net.trainable_params())

    @ms.jit
    def step(x: Tensor) -> Any:
        loss, gradients = with_gradients(x)
        optimizer(gradients)
        return loss

    program: Program = compile_function(step.__wrapped__, (Tensor(np.ones((4, 8), np.float32)),), step)  # type: ignore[attr-defined]
    assert program.executor is not None
    buffers = program.executor.buffers
    return [
        (
            all(buffers.in_place(y, x) for x, y in zip(ins.inputs, ins.outputs, strict=True)),
            side_by_side([buffers[y] for y in ins.outputs]) is not None,
        )
        for ins in program.plan.instructions
        if ins.op == "all_reduce" and ins.collective is not None and len(ins.inputs) > 1
    ]


@pytest.mark.parametrize(
    ("comm_fusion", "count"),
    [(None, 1), ({"allreduce": {"mode": "index", "config": [2, 4]}}, 3)],
    ids=["one bucket", "three buckets"],
)
def test_buckets_of_gradients_need_no_copy(comm_fusion: dict[str, Any] | None, count: int) -> None:
    for found in run_threads(2, sums_of, comm_fusion):
        assert found == [(True, True)] * count
