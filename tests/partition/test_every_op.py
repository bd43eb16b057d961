"""Every op record, compiled under legal strategies and run on ranks: the results are those of one device."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor
from simpar.collectives import run_threads
from simpar.graph import OPS, OpDef
from simpar.layout import Assignment, Rule
from simpar.tensor import call
from tests.ops.cutting import Uncut, is_legal, uncut

CASES = [pytest.param(o, e, id=f"{o.name}-{i}") for o in OPS.values() if o.kernel for i, e in enumerate(o.examples)]
DEVICES, TRIES = 4, 3


def strategies(rule: Rule) -> list[tuple[tuple[int, ...], ...]]:
    """Return every strategy of numbers that the rule allows, those that cut most last."""
    found: list[tuple[tuple[int, ...], ...]] = []
    operand_factors = [f for f in rule.order if any(f in axis for axes in rule.chosen for axis in axes)]
    for cuts in product((1, 2, 4), repeat=len(operand_factors)):
        if DEVICES % prod(cuts):
            continue
        of = dict(zip(operand_factors, cuts, strict=True))
        last = len(cuts) - 1
        made = Assignment(cuts, {f: (last - i,) for i, f in enumerate(operand_factors) if of[f] > 1})
        if is_legal(rule, made):
            found.append(tuple(tuple(prod(of[f] for f in axis) for axis in axes) for axes in rule.chosen))
    return sorted(found, key=lambda s: prod(n for entry in s for n in entry))


def run(given: Uncut, chosen: list[Any]) -> list[list[Any]]:
    """Return the results under each strategy, on this rank."""
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    operands = [Tensor(a) for a in given.operands]
    noted: list[list[Any]] = []
    for strategy in chosen:

        @ms.jit
        def step(*tensors: Tensor, cut: Any = strategy) -> Any:
            return call(given.op.name, *tensors, strategy=cut, **given.attrs)

        made = step(*operands)
        noted.append([t.asnumpy() for t in (made if isinstance(made, tuple) else (made,))])
    return noted


@pytest.mark.parametrize(("op", "example"), CASES)
def test_an_op_in_a_plan_is_the_op_on_one_device(op: OpDef, example: Any) -> None:
    given = uncut(op, example)
    legal = strategies(given.rule)
    rng = np.random.default_rng(len(op.name))
    chosen: list[Any] = [None, legal[-1]]
    chosen += [legal[k] for k in rng.choice(len(legal), min(TRIES - 2, len(legal)), replace=False)]
    for noted in run_threads(DEVICES, run, given, chosen):
        for strategy, results in zip(chosen, noted, strict=True):
            for got, wanted in zip(results, given.results, strict=True):
                close(got, wanted, f"{op.name} under {strategy}")


def close(got: Any, wanted: Any, what: str) -> None:
    assert got.dtype == wanted.dtype, what
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, wanted, err_msg=what)
    else:
        atol = 1e-5 * max(float(np.abs(wanted).max(initial=0)), 1e-3)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=atol, err_msg=what)
