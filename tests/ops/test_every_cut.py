"""Every op, under every legal cut of its factors over small device matrices, equals the uncut op."""

import numpy as np
import pytest

import simpar.ops  # noqa: F401 - makes the records known
from simpar.graph import OPS, Example, OpDef
from tests.ops.cutting import DEV_MATS, check_every_cut, garbage, operands_of, results_of, run_into

WITH_KERNEL = [op for op in OPS.values() if op.kernel is not None and op.rule is not None]
CASES = [
    pytest.param(op, example, id=f"{op.name}-{number}")
    for op in WITH_KERNEL
    for number, example in enumerate(op.examples)
]
ELEMENTWISE = [
    pytest.param(op, example, id=f"{op.name}-{number}")
    for op in WITH_KERNEL
    if op.elementwise
    for number, example in enumerate(op.examples)
]


@pytest.mark.parametrize(("op", "example"), CASES)
def test_every_legal_cut_equals_the_uncut_op(op: OpDef, example: Example) -> None:
    assert check_every_cut(op, example) >= len(DEV_MATS)


@pytest.mark.parametrize("op", WITH_KERNEL, ids=lambda op: op.name)
def test_every_op_has_examples(op: OpDef) -> None:
    assert len(op.examples) >= 2, f"op {op.name} needs two examples or more, so that the suites can try it"


@pytest.mark.parametrize(("op", "example"), CASES)
def test_a_kernel_writes_its_result_into_out(op: OpDef, example: Example) -> None:
    operands = operands_of(example)
    expected = results_of(op, operands, example.attrs)
    kept = [a.copy() for a in operands]
    out = tuple(garbage(e.shape, e.dtype) for e in expected)
    run_into(op, operands, out, example.attrs)
    for got, e in zip(out, expected, strict=True):
        np.testing.assert_allclose(got, e, rtol=1e-6, atol=1e-7)
    for after, before in zip(operands, kept, strict=True):
        np.testing.assert_array_equal(after, before, err_msg=f"{op.name} changed an operand")


@pytest.mark.parametrize(("op", "example"), ELEMENTWISE)
def test_an_elementwise_op_may_write_over_an_operand(op: OpDef, example: Example) -> None:
    given = operands_of(example)
    expected = results_of(op, given, example.attrs)
    for place, operand in enumerate(given):
        if (operand.shape, operand.dtype) == (expected[0].shape, expected[0].dtype):
            operands = [a.copy() for a in given]
            out = (operands[place], *(garbage(e.shape, e.dtype) for e in expected[1:]))
            run_into(op, operands, out, example.attrs)
            np.testing.assert_array_equal(operands[place], expected[0], err_msg=f"written over operand {place}")
