"""Optimizers step by step: twenty gradients, the same for simpar, PyTorch, and a definition in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import nn
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["GRADIENTS", "START", "STEPS", "close", "run", "run_steps", "run_torch", "weight"]

Array = NDArray[Any]
STEPS = 20
START = np.random.default_rng(2).standard_normal((4, 6)).astype(np.float32)
GRADIENTS = np.random.default_rng(3).standard_normal((STEPS, 4, 6)).astype(np.float32)


def weight(name: str = "w") -> Parameter:
    return Parameter(Tensor(START), name=name)


def run(make: Callable[[list[Parameter]], nn.Optimizer]) -> Array:
    w = weight()
    optimizer = make([w])
    for g in GRADIENTS:
        optimizer((Tensor(g),))
    return w.asnumpy()


def run_torch(name: str, **options: Any) -> Array:
    torch = pytest.importorskip("torch")
    w = torch.tensor(START, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **options)
    for g in GRADIENTS:
        w.grad = torch.tensor(g)
        optimizer.step()
    return w.detach().numpy()


def run_steps(step: Callable[[Array, Array, int], Array]) -> Array:
    w = START.astype(np.float64)
    for number, g in enumerate(GRADIENTS.astype(np.float64), start=1):
        w = step(w, g, number)
    return w


def close(made: Array, wanted: Array, rtol: float = 2e-5) -> None:
    np.testing.assert_allclose(made, wanted, rtol=rtol, atol=2e-6)
