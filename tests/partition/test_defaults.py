"""How ops without a strategy are cut: MindSpore's batch parallelism."""

import numpy as np

from simpar import Parameter, Tensor, ops
from tests.compile.planning import plan_of, semi_auto


def test_an_embedding_without_a_strategy_cuts_the_ids_and_not_the_table() -> None:
    def build():
        table = Parameter(Tensor(np.arange(64, dtype=np.float32).reshape(16, 4)), name="table")
        return (lambda x: ops.gather(table, x, 0)), (Tensor(np.zeros((8, 6), np.int32)),)

    plan = plan_of(build, **semi_auto(4))
    (held,) = plan.parameters
    assert held.value.layout.is_repeated
    assert [i.op for i in plan.instructions][:2] == ["slice", "gather"]
