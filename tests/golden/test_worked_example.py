"""The worked example of simpar's design, statement by statement: two products on (2, 2) devices."""

import pytest

from simpar.partition import Instruction, Plan, PlannedParameter
from tests.compile.planning import plans_of, semi_auto
from tests.golden.programs import worked_example
from tests.parity.strategies import zero

PLANS = plans_of(worked_example, **semi_auto(4))
SHARDED = plans_of(worked_example, **semi_auto(4, **zero()))


def products(plan: Plan) -> list[Instruction]:
    return [i for i in plan.instructions if i.op == "matmul"]


def moves(plan: Plan, phase: str) -> list[tuple[str, tuple[int, ...], int]]:
    return [
        (i.collective.kind, i.collective.group, i.collective.message_bytes)
        for i in plan.instructions
        if i.collective is not None and i.phase == phase
    ]


def parameter(plan: Plan, name: str) -> PlannedParameter:
    return next(p for p in plan.parameters if p.spec.name == name)


# (value, tensor map, slice shape, rank 3's box), the table of the design
TABLE = {
    "x": ((1, -1), (4, 4), ((4, 8), (0, 4))),
    "w1": ((-1, 0), (4, 3), ((0, 4), (3, 6))),
    "y": ((1, 0), (4, 3), ((4, 8), (3, 6))),
    "w2": ((0, -1), (3, 2), ((3, 6), (0, 2))),
    "z": ((1, -1), (4, 2), ((4, 8), (0, 2))),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_value_is_cut_as_the_table_says(name: str) -> None:
    plan = PLANS[3]
    first, second = products(plan)[:2]
    numbers = dict(zip(TABLE, (*first.inputs, *first.outputs, second.inputs[1], *second.outputs), strict=True))
    held = plan.values[numbers[name]]
    assert held.layout.dev_mat == (2, 2)
    assert (held.layout.tensor_map, held.slice_shape, held.layout.box(held.shape, 3)) == TABLE[name]


def test_z_is_partial_over_device_axis_0_and_the_products_need_nothing_between_them() -> None:
    first, second = products(PLANS[0])[:2]
    assert second.inputs[0] == first.outputs[0]
    assert PLANS[0].values[second.outputs[0]].layout.partial == (0,)


def test_forward_sums_z_along_rows_and_the_mean_along_columns() -> None:
    assert [moves(plan, "forward") for plan in PLANS] == [
        [("all_reduce", (0, 1), 32), ("all_reduce", (0, 2), 4)],
        [("all_reduce", (0, 1), 32), ("all_reduce", (1, 3), 4)],
        [("all_reduce", (2, 3), 32), ("all_reduce", (0, 2), 4)],
        [("all_reduce", (2, 3), 32), ("all_reduce", (1, 3), 4)],
    ]


def test_backward_is_one_message_of_72_bytes() -> None:
    for rank, plan in enumerate(PLANS):
        assert moves(plan, "backward") == [("all_reduce", (rank % 2, rank % 2 + 2), 24 + 48)]


def test_the_parallel_optimizer_stores_w1_in_rows_and_leaves_w2_whole() -> None:
    w1, w2 = parameter(SHARDED[3], "w1"), parameter(SHARDED[3], "w2")
    assert (w1.value.layout.tensor_map, w1.value.slice_shape) == ((1, 0), (2, 3))
    assert (w1.compute.tensor_map, w1.compute.slice_shape((4, 6))) == ((-1, 0), (4, 3))
    assert (w2.value.layout.tensor_map, w2.value.slice_shape) == ((0, -1), (3, 2))


def test_the_parallel_optimizer_gathers_w1_before_its_use_and_scatters_its_gradient() -> None:
    for rank, plan in enumerate(SHARDED):
        column = (rank % 2, rank % 2 + 2)
        assert moves(plan, "forward")[0] == ("all_gather", column, 24)
        assert sorted(moves(plan, "backward")) == [("all_reduce", column, 24), ("reduce_scatter", column, 48)]
