"""Products by an equation, distances and linear algebra, against PyTorch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from simpar import ops
from simpar.errors import RuleError
from simpar.ops import operations as P
from simpar.tensor import Tensor
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")

SPREAD = (np.eye(3) * 2).astype(np.float32)

CASES: Sequence[tuple[str, Callable[..., Any], Callable[..., Any], Sequence[Any]]] = [
    (
        f"einsum {text}",
        lambda *x, text=text: ops.einsum(text, *x) ** 2,
        lambda *x, text=text: torch.einsum(text, *x) ** 2,
        random(*shapes),
    )
    for text, *shapes in (
        ("ij,jk->ki", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
        ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 2, 5)),
        ("i,ij->", (2,), (2, 3)),
    )
] + [
    (
        "addmm",
        lambda x, a, b: ops.addmm(x, a, b, beta=2, alpha=0.5) ** 2,
        lambda x, a, b: torch.addmm(x, a, b, beta=2, alpha=0.5) ** 2,
        random((4,), (2, 3), (3, 4)),
    ),
    (
        "baddbmm",
        lambda x, a, b: ops.baddbmm(x, a, b) ** 2,
        lambda x, a, b: torch.baddbmm(x, a, b) ** 2,
        random((2, 1, 4), (2, 2, 3), (2, 3, 4)),
    ),
    (
        "dense",
        lambda x, w, b: ops.dense(x, w, b) ** 2,
        lambda x, w, b: torch.nn.functional.linear(x, w, b) ** 2,
        random((2, 3), (4, 3), (4,)),
    ),
    ("mv", lambda a, v: ops.mv(a, v) ** 2, lambda a, v: torch.mv(a, v) ** 2, random((2, 3), (3,))),
    ("trace", lambda x: ops.trace(x) ** 2, lambda x: torch.trace(x) ** 2, random((3, 3))),
    (
        "inverse",
        lambda x: ops.inverse(x + Tensor(SPREAD)),
        lambda x: torch.inverse(x + torch.tensor(SPREAD)),
        random((2, 3, 3)),
    ),
    (
        "cholesky",
        lambda x: ops.cholesky(x @ x.mT + Tensor(SPREAD)) ** 2,
        lambda x: torch.linalg.cholesky(x @ x.mT + torch.tensor(SPREAD)) ** 2,
        random((2, 3, 3)),
    ),
    *(
        (
            f"cdist {p}",
            lambda x, y, p=p: ops.cdist(x, y, p),
            lambda x, y, p=p: torch.cdist(x, y, p),
            random((4, 3), (2, 3)),
        )
        for p in (1.0, 2.0, 3.0)
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_values_and_gradients_equal_torch(ours: Any, theirs: Any, arrays: list[Any]) -> None:
    out, gradients = gradients_of(ours, arrays)
    expected, wanted = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=1e-5)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("trans", [0, 1])
def test_a_triangular_system_is_solved(lower: bool, trans: int) -> None:
    a, b = random((3, 3), (3, 2))
    a += 2 * np.eye(3, dtype=np.float32)
    part = np.tril(a) if lower else np.triu(a)
    x = P.SolveTriangular()(Tensor(a), Tensor(b), trans, lower).asnumpy()
    np.testing.assert_allclose((part.T if trans else part) @ x, b, rtol=1e-5, atol=1e-5)


def test_a_diagonal_of_two_chosen_axes_is_summed() -> None:
    x = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    made = P.TraceV2()(Tensor(x), 1, 2, 0)
    np.testing.assert_array_equal(made.asnumpy(), np.trace(x, 1, 2, 0))


def test_an_equation_that_does_not_fit_is_named() -> None:
    with pytest.raises(RuleError, match="'iij' must name each axis"):
        ops.einsum("iij->j", Tensor(np.ones((2, 2, 3))))
    with pytest.raises(RuleError, match="has 2 operands, but 1"):
        ops.einsum("ij,jk->ik", Tensor(np.ones((2, 2))))


@pytest.mark.parametrize("shapes", [((3, 5, 2), (3, 5, 4)), ((2, 4), (2, 3)), ((5, 3), (5,))], ids=str)
def test_least_squares_are_those_of_torch(shapes: Any) -> None:
    a, b = random(*shapes)
    vector = b.ndim < a.ndim

    def theirs(x: Any, y: Any) -> Any:
        made = torch.linalg.pinv(x) @ (y[..., None] if vector else y)
        return made[..., 0] if vector else made

    value, gradients = gradients_of(lambda x, y: P.LstsqV2()(x, y)[0] ** 2, [a, b])
    expected, wanted = torch_gradients_of(lambda x, y: theirs(x, y) ** 2, [a, b])
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)
    for own, other in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-3, atol=2e-3)
    _, left, rank, values = P.LstsqV2()(Tensor(a), Tensor(b))
    spread = torch.linalg.svdvals(torch.tensor(a))
    np.testing.assert_allclose(values.asnumpy(), spread, rtol=1e-4)
    assert (rank.asnumpy() == min(a.shape[-2:])).all()
    assert (left.asnumpy() >= 0).all()
