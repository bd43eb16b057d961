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
