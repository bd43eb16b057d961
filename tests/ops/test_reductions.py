"""Running and placed extrema, norms, deviations and losses: values and gradients against PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar import Tensor, int32, int64, mint, ops
from simpar.errors import NotYetError, RuleError
from tests.ops.test_against_torch import gradients_of, torch_gradients_of
from tests.ops.test_elementary_functions import spread

torch = pytest.importorskip("torch")
functional: Any = torch.nn.functional

Function = Callable[..., Any]


def both(name: str, *args: Any, **options: Any) -> tuple[str, Function, Function, list[Any]]:
    """Call mint's function and PyTorch's with the same arguments."""
    mine, theirs = getattr(mint, name), getattr(torch, name)
    return name, lambda x: mine(x, *args, **options), lambda x: theirs(x, *args, **options), [spread(0.5, 2)]


def loss(name: str, **options: Any) -> list[tuple[str, Function, Function, list[Any]]]:
    mine, theirs = getattr(ops, name), getattr(functional, name)
    arrays = [spread(0.1, 0.9), spread(0.1, 0.9, 4)]

    def case(how: str) -> tuple[str, Function, Function, list[Any]]:
        return (
            f"{name} {how}",
            lambda x, y: mine(x, y, reduction=how, **options),
            lambda x, y: theirs(x, y, reduction=how, **options),
            arrays,
        )

    return [case(how) for how in ("mean", "sum", "none")]


def normalized(x: Any) -> Any:
    return x / torch.sqrt((x * x).sum(1, keepdim=True))


CASES: list[tuple[str, Function, Function, list[Any]]] = [
    ("max and its place", lambda x: ops.max(x, 1)[0], lambda x: torch.max(x, 1)[0], [spread(-1, 1)]),
    ("min and its place", lambda x: ops.min(x, 0, True)[0], lambda x: torch.min(x, 0, True)[0], [spread(-1, 1)]),
    ("cummax", lambda x: ops.cummax(x, 1)[0], lambda x: torch.cummax(x, 1)[0], [spread(-1, 1)]),
    ("cummin", lambda x: ops.Cummin(0)(x)[0], lambda x: torch.cummin(x, 0)[0], [spread(-1, 1)]),
    both("cumprod", 1),
    both("cumsum", 0),
    both("std"),
    both("std", 1, keepdim=True),
    both("var", (0, 1), correction=0),
    both("logsumexp", 1),
    both("norm", 3, 1),
    both("norm", float("inf"), 1),
    both("norm", 1, 0, True),
    both("norm"),
    ("norm of all", ops.norm, torch.norm, [spread(-1, 1)]),
    ("std and mean", lambda x: ops.ReduceStd(1)(x)[0], lambda x: x.std(1), [spread(-1, 1)]),
    ("L2Normalize", lambda x: ops.L2Normalize(1)(x), normalized, [spread(-1, 1)]),
    ("normalize", lambda x: mint.nn.functional.normalize(x), functional.normalize, [spread(-1, 1)]),
    ("LpNorm", lambda x: ops.LpNorm(1, 3)(x), lambda x: torch.norm(x, 3, 1), [spread(-1, 1)]),
    ("L2Loss", lambda x: ops.L2Loss()(x), lambda x: (x * x).sum() / 2, [spread(-1, 1)]),
    (
        "RmsNorm",
        lambda x, gamma: ops.rms_norm(x, gamma, 1e-5)[0],
        lambda x, gamma: functional.rms_norm(x, (6,), gamma, 1e-5),
        [spread(-1, 1), spread(0, 1)[0]],
    ),
    (
        "cosine",
        lambda x, y: ops.cosine_similarity(x, y),
        lambda x, y: functional.cosine_similarity(x, y),
        [spread(-1, 1), spread(-1, 1, 4)],
    ),
    *loss("binary_cross_entropy"),
    *loss("binary_cross_entropy_with_logits"),
    *loss("kl_div")[1:],
    ("kl_div mean", ops.kl_div, lambda x, y: functional.kl_div(x, y, reduction="none").mean(), loss("kl_div")[0][3]),
    *loss("smooth_l1_loss", beta=0.3),
    *loss("huber_loss", delta=0.4),
    (
        "kl_div over a batch",
        lambda x, y: ops.KLDivLoss("batchmean")(x, y),
        lambda x, y: functional.kl_div(x, y, reduction="batchmean"),
        [spread(0.1, 0.9), spread(0.1, 0.9, 4)],
    ),
    (
        "triplet",
        lambda a, p, n: ops.triplet_margin_loss(a, p, n, swap=True),
        lambda a, p, n: functional.triplet_margin_loss(a, p, n, swap=True),
        [spread(-1, 1), spread(-1, 1, 4), spread(-1, 1, 5)],
    ),
]


@pytest.mark.parametrize(("mine", "theirs", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_value_and_gradient_agree_with_torch(mine: Function, theirs: Function, arrays: list[Any]) -> None:
    value, gradients = gradients_of(mine, arrays)
    expected, slopes = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(value, expected, rtol=3e-5, atol=2e-6)
    for got, wanted in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


SIGNS = Tensor(np.array([1, -1, 1, -1], np.float32))


@pytest.mark.parametrize(
    ("name", "count"),
    [("margin_ranking_loss", 2), ("hinge_embedding_loss", 1), ("soft_margin_loss", 1), ("cosine_embedding_loss", 2)],
)
def test_a_loss_of_signs_agrees_with_torch(name: str, count: int) -> None:
    shape = (4, 6) if name.startswith("cosine") else (4,)
    arrays = [np.random.default_rng(i).uniform(-1, 1, shape).astype(np.float32) for i in range(count)]
    got = getattr(ops, name)(*map(Tensor, arrays), SIGNS)
    expected = getattr(functional, name)(*map(torch.tensor, arrays), torch.tensor(SIGNS.asnumpy()))
    assert got.item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_of_what_is_true_agree_with_torch() -> None:
    x, z, w = spread(-2, 2), spread(0.1, 0.9, 4), spread(1, 2, 5)[0]
    got = ops.binary_cross_entropy_with_logits(Tensor(x), Tensor(z), Tensor(w), Tensor(2 * w))
    theirs = functional.binary_cross_entropy_with_logits
    expected = theirs(torch.tensor(x), torch.tensor(z), torch.tensor(w), pos_weight=torch.tensor(2 * w))
    assert got.item() == pytest.approx(expected.item(), rel=1e-5)


def test_places_of_extrema() -> None:
    x = Tensor(np.array([[1.0, 3.0, 3.0], [5.0, 4.0, 5.0]], np.float32))
    place, value = ops.ArgMaxWithValue(axis=1)(x)
    assert (place.tolist(), value.tolist(), place.dtype) == ([1, 0], [3.0, 5.0], int64)
    place, value = ops.ArgMinWithValue(axis=0, keep_dims=True)(x)
    assert (place.tolist(), value.tolist()) == ([[0, 0, 0]], [[1.0, 3.0, 3.0]])
    assert [t.tolist() for t in ops.MinDim()(x, 1)] == [[1.0, 4.0], [0, 1]]
    assert ops.cummax(x, 1)[1].tolist() == [[0, 1, 2], [0, 0, 2]]
    assert ops.Argmin()(x).dtype == ops.Argmax()(x).dtype == int32
    assert (ops.ArgMaxExt()(x).item(), ops.ArgMinExt()(x, 1).tolist()) == (3, [0, 1])


def test_sums_and_products_from_the_end_and_without_each_itself() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    assert ops.CumSum(exclusive=True)(x, 0).tolist() == [0.0, 1.0, 3.0]
    assert ops.CumSum(reverse=True)(x, 0).tolist() == [6.0, 5.0, 3.0]
    assert ops.CumProd(exclusive=True, reverse=True)(x, 0).tolist() == [6.0, 3.0, 1.0]


def test_reductions_of_objects_with_the_axis_as_an_argument() -> None:
    x = Tensor(np.arange(6, dtype=np.int32).reshape(2, 3))
    assert (ops.SumExt()(x).item(), ops.SumExt()(x).dtype) == (15, int64)
    assert ops.MeanExt()(x, 1, True).tolist() == [[1.0], [4.0]]
    assert ops.ProdExt()(x, 1).tolist() == [0, 60]
    assert (ops.Max()(x).item(), ops.Min()(x).item()) == (5, 0)
    assert ops.CumsumExt()(x, 1).tolist() == [[0, 1, 3], [3, 7, 12]]
    assert [t.item() for t in ops.SquareSumAll()(Tensor([1.0, 2.0]), Tensor([3.0, 0.0]))] == [5.0, 9.0]
    assert ops.count_nonzero(x).item() == 5
    assert ops.nansum(Tensor([1.0, np.nan])).item() == 1.0
    loss, weight = ops.NLLLoss()(Tensor([[-1.0, -2.0]]), Tensor([1], int32), Tensor([1.0, 3.0]))
    assert (loss.item(), weight.item()) == (2.0, 3.0)


def test_what_is_no_norm_or_loss_is_refused() -> None:
    with pytest.raises(NotYetError, match="norm of order 'nuc' of matrices"):
        ops.norm(Tensor([[1.0]]), "nuc")
    with pytest.raises(RuleError, match="LpNorm with p = 0"):
        ops.LpNorm(0, 0)
    with pytest.raises(RuleError, match="beta = 0"):
        ops.smooth_l1_loss(Tensor([1.0]), Tensor([1.0]), 0)
    with pytest.raises(RuleError, match="choose 'mean', 'sum' or 'none'"):
        ops.BinaryCrossEntropy("median")
