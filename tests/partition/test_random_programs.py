"""Random programs under random strategies: what ranks compute together is what one device computes eagerly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor
from simpar.collectives import run_threads
from tests.parity.runs import held, piece, together
from tests.parity.strategies import zero
from tests.partition.programs import SIDE, Program, parameters, programs

Array = NDArray[Any]
STEPS = 2


def arguments() -> list[Tensor]:
    rng = np.random.default_rng(4)
    return [Tensor(rng.uniform(-1, 1, (SIDE, SIDE)).astype(np.float32)) for _ in range(2)]


def eager(program: Program) -> tuple[list[list[Array]], list[Array]]:
    """Run a program op by op, and return the results of each step and the parameters after the last."""
    pair = parameters()
    steps = [[t.asnumpy().copy() for t in program(pair, *arguments())] for _ in range(STEPS)]
    return steps, [np.array(p.asnumpy()) for p in pair]


def compiled(program: Program, options: dict[str, Any] | None) -> tuple[list[list[Array]], Any]:
    """Run a program compiled, on this rank."""
    if options is not None:
        ms.set_auto_parallel_context(**{"parallel_mode": "semi_auto_parallel", "full_batch": True, **options})
    pair = parameters()
    step = ms.jit(lambda *given: program(pair, *given))
    steps = [[t.asnumpy().copy() for t in step(*arguments())] for _ in range(STEPS)]
    return steps, held(pair)


def gradients(program: Program, options: dict[str, Any] | None) -> list[Any]:
    """Return the gradients of the sum of a program's results."""
    if options is not None:
        ms.set_auto_parallel_context(**{"parallel_mode": "semi_auto_parallel", "full_batch": True, **options})
    pair = parameters()

    def loss(*given: Tensor) -> Any:
        total: Any = 0.0
        for k, t in enumerate(program(pair, *given), start=1):
            total = total + (t * (0.3 * k)).sum()
        return total

    by_argument, by_weight = ms.grad(loss, (0, 1), pair)(*arguments())
    return [piece(g) for g in (*by_argument, *by_weight)]


def close(got: Array, wanted: Array) -> None:
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5 * max(1.0, float(np.abs(wanted).max())))


def check(program: Program, n: int, options: dict[str, Any] | None) -> None:
    wanted, last = eager(program)
    ran = run_threads(n, compiled, program, options)
    for steps, _ in ran:
        for got, expected in zip(steps, wanted, strict=True):
            for a, b in zip(got, expected, strict=True):
                close(a, b)
    for i, expected in enumerate(last):
        close(together([state.get(f"p{i}") for _, state in ran]), expected)


PROPAGATED = {"parallel_mode": "auto_parallel", "search_mode": "sharding_propagation"}
OPTIONS: Sequence[dict[str, Any]] = ({}, zero(), zero(2), PROPAGATED, {**PROPAGATED, **zero()})


@given(programs(1))
def test_a_compiled_program_is_the_eager_one(program: Program) -> None:
    check(program, 1, None)


@given(programs(4), st.sampled_from(OPTIONS))
def test_a_cut_program_is_the_eager_one(program: Program, options: dict[str, Any]) -> None:
    check(program, 4, options)


@given(programs(4), st.sampled_from(OPTIONS))
@settings(max_examples=25)
def test_gradients_of_a_cut_program_are_those_of_one_device(program: Program, options: dict[str, Any]) -> None:
    alone = run_threads(1, gradients, program, None)[0]
    ran = run_threads(4, gradients, program, options)
    for k, expected in enumerate(alone):
        close(together([pieces[k] for pieces in ran]), expected.array)
