"""Compares the gradient that an op's record states with differences of its kernel, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.graph import lookup
from simpar.tensor import Tensor

Array = NDArray[Any]
STEP = 1e-6


def _results(name: str, operands: Sequence[Array], attrs: dict[str, Any]) -> tuple[Array, ...]:
    kernel = lookup(name).kernel
    assert kernel is not None
    made = kernel(*operands, **attrs)
    return made if isinstance(made, tuple) else (made,)


def check_gradient(name: str, operands: Sequence[Array], differentiable: Sequence[int] = (0,), **attrs: Any) -> None:
    """Check the cotangents of all operands for a random cotangent of the results named by ``differentiable``."""
    rng = np.random.default_rng(5)
    results = _results(name, operands, attrs)
    weights = [
        rng.standard_normal(r.shape) if i in differentiable else np.zeros(r.shape) for i, r in enumerate(results)
    ]

    def total(changed: Sequence[Array]) -> float:
        made = _results(name, changed, attrs)
        return float(sum((made[i] * weights[i]).sum() for i in differentiable))

    given = tuple(Tensor(w) for w in weights)
    out = tuple(Tensor(r) for r in results)
    several = len(results) > 1
    tensors = [Tensor(x) for x in operands]
    made = lookup(name).backward(given if several else given[0], tensors, out if several else out[0], attrs)
    assert len(made) == len(operands)
    for place, (operand, cotangent) in enumerate(zip(operands, made, strict=True)):
        if cotangent is None:
            continue
        expected = np.zeros(operand.shape)
        for at in np.ndindex(*operand.shape):
            sides: list[float] = []
            for sign in (1, -1):
                changed = [x.copy() for x in operands]
                changed[place][at] += sign * STEP
                sides.append(total(changed))
            expected[at] = (sides[0] - sides[1]) / (2 * STEP)
        np.testing.assert_allclose(cotangent.asnumpy(), expected, rtol=1e-6, atol=1e-7, err_msg=f"operand {place}")
