"""Losses against PyTorch and the definition."""

from typing import Any

import numpy as np
import pytest

from simpar import nn
from simpar.context import PYNATIVE_MODE, Context
from simpar.dtype import int32
from simpar.tensor import Tensor

RANDOM = np.random.default_rng(1)
LOGITS = RANDOM.standard_normal((6, 4)).astype(np.float32)
LABELS = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4, dtype=np.float32)[LABELS]
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


def reduced(losses: Any, reduction: str) -> Any:
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


@REDUCTIONS
def test_mse_and_l1_reduce_the_losses_of_elements(reduction: str) -> None:
    x, y = LOGITS, ONE_HOT
    squares, distances = reduced((x - y) ** 2, reduction), reduced(np.abs(x - y), reduction)
    np.testing.assert_allclose(nn.MSELoss(reduction)(Tensor(x), Tensor(y)).asnumpy(), squares, rtol=1e-6)
    np.testing.assert_allclose(nn.L1Loss(reduction)(Tensor(x), Tensor(y)).asnumpy(), distances, rtol=1e-6)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction is 'median'; choose 'mean', 'sum' or 'none'"):
        nn.MSELoss("median")


def test_a_loss_of_the_user_weighs_and_reduces() -> None:
    class Half(nn.LossBase):
        def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
            return self.get_loss(logits - labels, 0.5)

    assert Half("sum")(Tensor([4.0, 2.0]), Tensor([0.0, 0.0])).item() == 3.0
    assert Half().get_axis(Tensor(LOGITS)) == (0, 1)


@REDUCTIONS
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("with_strategy", [True, False])
def test_softmax_cross_entropy(reduction: str, sparse: bool, with_strategy: bool) -> None:
    torch = pytest.importorskip("torch")
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse, reduction)
    if with_strategy:
        loss.softmax_cross_entropy.shard(((2, 1), (2, 1)))
    labels = Tensor(LABELS, int32) if sparse else Tensor(ONE_HOT)
    wanted = torch.nn.functional.cross_entropy(torch.tensor(LOGITS), torch.tensor(LABELS), reduction=reduction)
    np.testing.assert_allclose(loss(Tensor(LOGITS), labels).asnumpy(), wanted.numpy(), rtol=1e-5)


@REDUCTIONS
def test_cross_entropy_with_weights_ignored_classes_and_smoothing(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    weight = np.array([1, 2, 0.5, 1], np.float32)
    loss = nn.CrossEntropyLoss(Tensor(weight), ignore_index=3, reduction=reduction, label_smoothing=0.1)
    wanted = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS),
        torch.tensor(LABELS),
        torch.tensor(weight),
        ignore_index=3,
        reduction=reduction,
        label_smoothing=0.1,
    )
    np.testing.assert_allclose(loss(Tensor(LOGITS), Tensor(LABELS, int32)).asnumpy(), wanted.numpy(), rtol=1e-5)


def test_label_smoothing_is_a_part() -> None:
    with pytest.raises(ValueError, match="label_smoothing is 2"):
        nn.CrossEntropyLoss(label_smoothing=2)


POSITIVE = RANDOM.uniform(0.1, 0.9, (6, 4)).astype(np.float32)
SIGNS = np.where(RANDOM.uniform(size=(6, 4)) > 0.5, 1, -1).astype(np.float32)
COUNTS = RANDOM.integers(0, 5, (6, 4)).astype(np.float32)
SHARES = (POSITIVE / POSITIVE.sum(1, keepdims=True)).astype(np.float32)
LOGS = np.log(SHARES)
SCALE = np.array([1, 2, 3, 0.5], np.float32)
AS_TORCH: list[tuple[str, dict[str, Any], dict[str, Any], tuple[Any, ...]]] = [
    ("HuberLoss", {"delta": 0.5}, {}, (LOGITS, ONE_HOT)),
    ("SmoothL1Loss", {"beta": 0.7}, {}, (LOGITS, ONE_HOT)),
    ("SoftMarginLoss", {}, {}, (LOGITS * 30, SIGNS)),
    ("BCELoss", {}, {"weight": SCALE}, (POSITIVE, ONE_HOT)),
    ("BCEWithLogitsLoss", {}, {"weight": SCALE, "pos_weight": SCALE}, (LOGITS * 60, SHARES)),
    ("NLLLoss", {}, {"weight": SCALE}, (LOGS, LABELS)),
    ("KLDivLoss", {}, {}, (LOGS, ONE_HOT)),
    ("PoissonNLLLoss", {"full": True}, {}, (LOGITS, COUNTS)),
    ("PoissonNLLLoss", {"log_input": False}, {}, (POSITIVE, COUNTS)),
    ("GaussianNLLLoss", {"full": True}, {}, (LOGITS, COUNTS, POSITIVE)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, {}, (LOGITS, SIGNS)),
    ("MarginRankingLoss", {"margin": 0.5}, {}, (LOGITS, POSITIVE, SIGNS)),
    ("CosineEmbeddingLoss", {"margin": 0.1}, {}, (LOGITS, POSITIVE, SIGNS[:, 0])),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@REDUCTIONS
@pytest.mark.parametrize(("name", "options", "weights", "given"), AS_TORCH)
def test_a_loss_is_pytorchs(
    name: str, options: dict[str, Any], weights: dict[str, Any], given: tuple[Any, ...], reduction: str
) -> None:
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(reduction=reduction, **options, **{k: Tensor(v) for k, v in weights.items()})
    theirs = getattr(torch.nn, name)(reduction=reduction, **options, **{k: torch.tensor(v) for k, v in weights.items()})
    made = ours(*(Tensor(a, int32) if a is LABELS else Tensor(a) for a in given))
    np.testing.assert_allclose(made.asnumpy(), theirs(*map(torch.tensor, given)).numpy(), rtol=2e-5, atol=1e-6)


def test_losses_without_a_counterpart_in_pytorch_are_their_formula() -> None:
    x, y = Tensor(POSITIVE), Tensor(ONE_HOT)
    overlap = 2 * (POSITIVE * ONE_HOT).sum() / ((POSITIVE**2).sum() + (ONE_HOT**2).sum() + 1e-5)
    assert nn.DiceLoss()(x, y).item() == pytest.approx(1 - overlap, rel=1e-5)
    assert nn.RMSELoss()(x, y).item() == pytest.approx(np.sqrt(((POSITIVE - ONE_HOT) ** 2).mean()), rel=1e-5)
    assert nn.MAELoss()(x, y).item() == pytest.approx(np.abs(POSITIVE - ONE_HOT).mean(), rel=1e-5)
    rows = (ONE_HOT * (np.log(np.maximum(ONE_HOT, 1e-12)) - LOGS)).sum() / 6
    assert nn.KLDivLoss("batchmean")(Tensor(LOGS), y).item() == pytest.approx(rows, rel=1e-5)


def test_a_bend_needs_a_distance_above_zero() -> None:
    with pytest.raises(ValueError, match="HuberLoss is given the distance 0; give one above 0"):
        nn.HuberLoss(delta=0)
