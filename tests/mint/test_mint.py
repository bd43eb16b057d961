"""``simpar.mint``: the arguments and defaults of PyTorch, and its values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar import Tensor, float32, mint

torch = pytest.importorskip("torch")

TABLE = np.array([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]], np.float32)
CASES: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("add with alpha", lambda m, x: m.add(x, x, alpha=2)),
    ("sub with alpha", lambda m, x: m.sub(x, x, alpha=0.5)),
    ("div trunc", lambda m, x: m.div(x, -2, rounding_mode="trunc")),
    ("div floor", lambda m, x: m.div(x, 2, rounding_mode="floor")),
    ("sum", lambda m, x: m.sum(x)),
    ("sum along", lambda m, x: m.sum(x, 1, True)),
    ("mean along", lambda m, x: m.mean(x, dim=0)),
    ("prod", lambda m, x: m.prod(x, 0)),
    ("max", lambda m, x: m.max(x)),
    ("max along", lambda m, x: m.max(x, 1)),
    ("min along", lambda m, x: m.min(x, 0, True)),
    ("cumsum", lambda m, x: m.cumsum(x, 1)),
    ("cat", lambda m, x: m.cat((x, x), 1)),
    ("stack", lambda m, x: m.stack((x, x), dim=1)),
    ("transpose", lambda m, x: m.transpose(x, 0, 1)),
    ("linear", lambda m, x: m.nn.functional.linear(x, x, x[:, 0])),
    ("softmax", lambda m, x: m.nn.functional.softmax(x, dim=0)),
]


@pytest.mark.parametrize("function", [f for _, f in CASES], ids=[name for name, _ in CASES])
def test_mint_agrees_with_torch(function: Callable[[Any, Any], Any]) -> None:
    got, expected = function(mint, Tensor(TABLE)), function(torch, torch.tensor(TABLE))
    several = isinstance(got, tuple)
    for mine, its in zip(got if several else (got,), expected if several else (expected,), strict=True):
        np.testing.assert_allclose(mine.asnumpy(), its.numpy(), rtol=1e-6)


def test_whole_numbers_are_summed_as_int64_unless_a_type_is_given() -> None:
    assert mint.sum(Tensor(np.ones(3, np.int32))).dtype.name == "int64"
    assert mint.sum(Tensor(np.ones(3, np.int32)), dtype=float32).dtype == float32
