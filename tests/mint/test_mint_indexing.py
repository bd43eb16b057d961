"""Functions by number with PyTorch's arguments, against PyTorch."""

from typing import Any

import numpy as np
import pytest

from simpar import mint
from simpar.tensor import Tensor

torch = pytest.importorskip("torch")

X = np.random.default_rng(2).standard_normal((3, 4)).astype(np.float32)
IDS = np.array([[2, 0], [1, 1], [0, 3]])


@pytest.mark.parametrize(
    ("name", "arguments", "keywords"),
    [
        ("gather", (1, IDS), {}),
        ("index_select", (1, np.array([3, 0])), {}),
        ("index_add", (0, np.array([1, 1]), X[:2]), {"alpha": 2}),
        ("scatter", (1, IDS, X[:, :2]), {}),
        ("scatter_add", (1, IDS, X[:, :2]), {}),
        ("narrow", (1, 1, 2), {}),
        ("repeat_interleave", (2,), {"dim": 1}),
        ("topk", (2,), {"dim": 0, "largest": False}),
        ("sort", (), {"dim": 0, "descending": True}),
        ("argsort", (), {"dim": 0}),
        ("flip", ((0,),), {}),
        ("roll", (1, 1), {}),
        ("unbind", (1,), {}),
    ],
)
def test_results_and_types_equal_torch(name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    ours = getattr(mint, name)(*_each(Tensor, (X, *arguments)), **keywords)
    theirs = getattr(torch, name)(*_each(torch.tensor, (X, *arguments)), **keywords)
    for made, expected in zip(_several(ours), _several(theirs), strict=True):
        np.testing.assert_allclose(made.asnumpy(), expected.numpy(), rtol=1e-6)
        assert made.asnumpy().dtype == expected.numpy().dtype


def _each(kind: Any, given: tuple[Any, ...]) -> list[Any]:
    return [kind(x) if isinstance(x, np.ndarray) else x for x in given]


def _several(made: Any) -> tuple[Any, ...]:
    return tuple(made) if isinstance(made, tuple | list) else (made,)
