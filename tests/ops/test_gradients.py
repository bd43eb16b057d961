"""The gradient of every op agrees with finite differences, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar.ops  # noqa: F401 - makes the records known
from simpar.graph import OPS, Example, OpDef
from simpar.tensor import Tensor
from tests.ops.cutting import operands_of, results_of

Array = NDArray[Any]
STEP = 1e-6
KEEP_RESIDUALS = {
    "flash_attention", "layer_norm", "lstsq", "rms_norm", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
}  # fmt: skip
"""Ops whose further results only serve their own gradient or pass none on: no cotangent arrives there."""
NO_GRADIENT = {
    ("softmax_cross_entropy", 1),
    ("sparse_softmax_cross_entropy", 1),
    ("igamma", 0),
    ("igammac", 0),
    ("zeta", 0),
    ("betainc", 0),
    ("betainc", 1),
}
"""Operands that are data by definition: labels, and parameters of special functions."""


CASES = [
    pytest.param(op, example, id=f"{op.name}-{number}")
    for op in OPS.values()
    if op.kernel is not None and op.bprop is not None and op.rule is not None
    for number, example in enumerate(op.examples)
    if example.grad
]


def check_gradient(op: OpDef, example: Example) -> None:
    """Compare the slope along random directions with the one that the gradient tells."""
    rng = np.random.default_rng(11)
    arrays = operands_of(example, "float64")
    results = results_of(op, arrays, example.attrs)
    seeds = [random(rng, r) if r.dtype.kind in "fc" else np.zeros(r.shape) for r in results]
    if op.name in KEEP_RESIDUALS:
        seeds[1:] = [np.zeros(r.shape) for r in results[1:]]
    gradients = backward(op, example, arrays, results, seeds)
    floats = [i for i, a in enumerate(arrays) if a.dtype.kind in "fc" and (op.name, i) not in NO_GRADIENT]
    assert any(gradients[i] is not None for i in floats), "no operand has a gradient: say grad=False in the example"
    for place in floats:
        direction = random(rng, arrays[place])
        given = gradients[place]
        told = 0.0 if given is None else float(np.sum(given.asnumpy() * direction).real)
        high, low = (moved(op, example, arrays, place, sign * STEP * direction, seeds) for sign in (1, -1))
        assert told == pytest.approx((high - low) / (2 * STEP), rel=2e-5, abs=2e-6), f"operand {place}"
        assert given is None or given.shape == arrays[place].shape


def backward(
    op: OpDef, example: Example, arrays: Sequence[Array], results: Sequence[Array], seeds: Sequence[Array]
) -> tuple[Tensor | None, ...]:
    several = len(results) > 1
    g = tuple(map(Tensor.wrap, seeds)) if several else Tensor.wrap(seeds[0])
    out = tuple(map(Tensor.wrap, results)) if several else Tensor.wrap(results[0])
    return op.backward(g, [Tensor.wrap(a) for a in arrays], out, example.attrs)


def moved(op: OpDef, example: Example, arrays: Sequence[Array], place: int, by: Array, seeds: Sequence[Array]) -> float:
    """Return the sum of the results times their cotangents, with one operand moved."""
    at = [a + by if i == place else a for i, a in enumerate(arrays)]
    results = results_of(op, at, example.attrs)
    return float(sum(np.sum(r * s).real for r, s in zip(results, seeds, strict=True) if r.dtype.kind in "fc"))


def random(rng: np.random.Generator, like: Array) -> Array:
    """Return random numbers, complex ones for complex ones."""
    made = rng.standard_normal(like.shape)
    return made + 1j * rng.standard_normal(like.shape) if like.dtype.kind == "c" else made


@pytest.mark.parametrize(("op", "example"), CASES)
def test_the_gradient_agrees_with_finite_differences(op: OpDef, example: Example) -> None:
    check_gradient(op, example)
