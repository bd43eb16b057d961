"""The executor against a naive one: views, reuse of memory, early starts and in-place updates change no result."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar.collectives import run_threads
from simpar.context import current
from simpar.execute import Executor
from simpar.layout import Layout
from simpar.partition import Plan
from tests.compile.planning import plans_of, semi_auto
from tests.execute.naive import run_plans, slice_of, whole_of
from tests.execute.programs import gpt
from tests.golden.programs import COLUMN_ROW, DATA_PARALLEL, mlp
from tests.parity.models import BATCH, SEQUENCE, VOCABULARY
from tests.parity.strategies import STRATEGIES, zero

Array = NDArray[Any]


class Slice:
    """What the executor knows of a Parameter: a slice in an array that it is given."""

    def __init__(self, whole: Array) -> None:
        self.whole, self.placed = whole, None

    def place(self, layout: Layout, rank: int, array: Array | None = None) -> None:
        assert array is not None
        array[...] = slice_of(self.whole, layout, rank)
        self.placed = array


def first_state(plan: Plan) -> dict[int, Array]:
    rng = np.random.default_rng(1)
    made = {p.value.id: rng.uniform(0.1, 0.5, p.value.shape).astype(p.value.dtype.numpy) for p in plan.parameters}
    return {v: np.asarray(a) for v, a in made.items()}


def execute(plans: list[Plan], steps: list[list[Array]]) -> list[tuple[list[Array], list[Array]]]:
    """Run steps on this rank and return, for each, its outputs and what its parameters hold after it."""
    rank = current().rank
    plan, state = plans[rank], first_state(plans[0])
    held = [Slice(state[p.value.id]) for p in plan.parameters]
    executor = Executor(plan, held, current().world)
    noted: list[tuple[list[Array], list[Array]]] = []
    for arguments in steps:
        given = [slice_of(a, plan.values[v].layout, rank) for v, a in zip(plan.arguments, arguments, strict=True)]
        noted.append((executor.run(given), [np.array(h.placed) for h in held]))
    return noted


def check(plans: list[Plan], steps: list[list[Array]]) -> None:
    """Compare the executor with the naive one, step by step and rank by rank."""
    ran = run_threads(len(plans), execute, plans, steps)
    state: Mapping[int, Array] = first_state(plans[0])
    numbers = [p.value.id for p in plans[0].parameters]
    for number, arguments in enumerate(steps):
        ranks = run_plans(plans, arguments, state)
        for plan, values, noted in zip(plans, ranks, ran, strict=True):
            outputs, parameters = noted[number]
            for v, got in zip(plan.outputs, outputs, strict=True):
                close(got, values[v], f"output {v} of rank {plan.rank} in step {number}")
            for v, got in zip(numbers, parameters, strict=True):
                close(got, values[plan.writes.get(v, v)], f"parameter {v} of rank {plan.rank} after step {number}")
        state = {v: whole_of(plans, ranks, plans[0].writes.get(v, v)) for v in numbers}


def close(got: Array, wanted: Array, what: str) -> None:
    assert got.dtype == wanted.dtype
    scale = float(np.abs(wanted).max()) if wanted.size else 0.0
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=2e-6 * scale, err_msg=what)


@pytest.mark.parametrize("sharding", [{}, zero(), zero(2)], ids=["whole", "zero", "zero 2"])
@pytest.mark.parametrize("cuts", [DATA_PARALLEL, COLUMN_ROW, {}], ids=["data", "column-row", "default"])
def test_an_mlp_runs_as_its_plan_says(cuts: Mapping[str, Any], sharding: Mapping[str, Any]) -> None:
    rng = np.random.default_rng(2)
    steps = [[rng.standard_normal((8, 8)).astype(np.float32) for _ in range(2)] for _ in range(3)]
    check(plans_of(mlp(cuts), **semi_auto(4, **sharding)), steps)


FUSIONS: Mapping[str, Callable[[int], int]] = {
    "equal": lambda i: 1,
    "none": lambda i: 0,
    "different": lambda i: 1 + i % 3,
}


@pytest.mark.parametrize("name", ["dp2-tp2", "dp2-tp2-optimizer", "sequence", "vocabulary-tied", "fusion-groups"])
def test_a_gpt_runs_as_its_plan_says(name: str) -> None:
    way, rng = STRATEGIES[name], np.random.default_rng(2)
    tokens = [[rng.integers(0, VOCABULARY, (BATCH, SEQUENCE), np.int32) for _ in range(2)] for _ in range(2)]
    build = gpt(way.cuts, way.shape, FUSIONS[way.fusion])
    check(plans_of(build, **semi_auto(way.n, **way.options)), tokens)
