"""Joining, moving axes, diagonals and differences, against PyTorch, with their gradients."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest

from simpar import Tensor, mint, ops
from simpar.errors import LayoutError, RuleError
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")

CASES: Sequence[tuple[str, Callable[[Any], Any], tuple[Any, ...]]] = [
    ("cat", lambda o: lambda x, y: o.cat((x, y), 1) ** 2, ((2, 3), (2, 1))),
    ("hstack", lambda o: lambda x, y: o.hstack((x, y)) ** 2, ((2, 3), (2, 1))),
    ("hstack of vectors", lambda o: lambda x, y: o.hstack((x, y)) ** 2, ((2,), (3,))),
    ("vstack", lambda o: lambda x, y: o.vstack((x, y)) ** 2, ((3,), (2, 3))),
    ("dstack", lambda o: lambda x, y: o.dstack((x, y)) ** 2, ((2, 3), (2, 3))),
    ("t", lambda o: lambda x: o.t(x) ** 2, ((2, 3),)),
    ("ravel", lambda o: lambda x: o.ravel(x) ** 2, ((2, 3),)),
    ("movedim", lambda o: lambda x: o.movedim(x, (0, -1), (1, 0)) ** 2, ((2, 3, 4),)),
    ("swapdims", lambda o: lambda x: o.swapdims(x, 0, -1) ** 2, ((2, 3, 4),)),
    ("diag", lambda o: lambda x: o.diag(x) ** 2, ((3,),)),
    ("diag above", lambda o: lambda x: o.diag(x, 2) ** 2, ((3,),)),
    ("diag of a matrix", lambda o: lambda x: o.diag(x, -1) ** 2, ((4, 3),)),
    ("diagonal", lambda o: lambda x: o.diagonal(x, 1, 0, 2) ** 2, ((3, 2, 4),)),
    ("diff", lambda o: lambda x: o.diff(x, 2) ** 2, ((3, 5),)),
    ("inner", lambda o: lambda x, y: o.inner(x, y) ** 2, ((2, 4, 3), (5, 3))),
    ("ger", lambda o: lambda x, y: o.ger(x, y) ** 2, ((2,), (3,))),
    ("cross", lambda o: lambda x, y: o.cross(x, y, dim=1) ** 2, ((2, 3, 4), (2, 3, 4))),
]


@pytest.mark.parametrize(("of", "shapes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_value_and_gradient_are_those_of_torch(of: Callable[[Any], Any], shapes: tuple[Any, ...]) -> None:
    arrays = random(*shapes)
    value, gradients = gradients_of(of(ops), arrays)
    expected, wanted = torch_gradients_of(of(torch), arrays)
    np.testing.assert_allclose(value, expected, rtol=2e-5, atol=1e-6)
    for own, other in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_grids_have_an_axis_for_each_vector(indexing: Literal["xy", "ij"]) -> None:
    vectors = [np.arange(n, dtype="f4") for n in (2, 3, 4)]
    made = ops.meshgrid(*map(Tensor, vectors), indexing=indexing)
    for own, wanted in zip(made, np.meshgrid(*vectors, indexing=indexing), strict=True):
        np.testing.assert_array_equal(own.asnumpy(), wanted)


def test_mint_has_torchs_arguments() -> None:
    x = Tensor(np.arange(12, dtype="f4").reshape(3, 4))
    assert mint.select(x, 1, 2).tolist() == [2.0, 6.0, 10.0]
    assert mint.diff(x, dim=0, prepend=x[:1]).tolist() == [[0.0] * 4, [4.0] * 4, [4.0] * 4]
    assert [g.shape for g in mint.meshgrid(x[0], x[:, 0])] == [(4, 3), (4, 3)]
    assert mint.clone(x).tolist() == x.tolist()
    assert ops.is_tensor(x)


def test_what_does_not_fit_is_refused() -> None:
    x = Tensor(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(LayoutError, match="t takes a matrix"):
        ops.t(x)
    with pytest.raises(LayoutError, match="as many sources as destinations"):
        ops.movedim(x, (0, 1), 1)
    with pytest.raises(LayoutError, match="an axis of length 3"):
        ops.cross(x, x)
    with pytest.raises(RuleError, match="choose 'xy' or 'ij'"):
        ops.meshgrid(x, indexing="zz")
