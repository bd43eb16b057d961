"""Metrics against their definitions, batch by batch."""

import numpy as np
import pytest

from simpar import train
from simpar.errors import ContextError
from simpar.tensor import Tensor

RNG = np.random.default_rng(1)
SCORES = RNG.random((30, 6)).astype(np.float32)
CLASSES = RNG.integers(0, 6, 30)


def judged(metric: train.Metric, *columns: object) -> float:
    arrays = [np.asarray(c) for c in columns]
    for start in (0, 11, 22):
        stop = {0: 11, 11: 22, 22: 30}[start]
        metric.update(*(Tensor(a[start:stop]) for a in arrays))
    return metric.eval()


def test_accuracy_counts_what_is_right() -> None:
    expected = float((SCORES.argmax(1) == CLASSES).mean())
    assert judged(train.Accuracy(), SCORES, CLASSES) == pytest.approx(expected)
    assert judged(train.Accuracy(), SCORES, np.eye(6)[CLASSES]) == pytest.approx(expected)
    several = (RNG.random((30, 6)) > 0.5).astype(np.float32)
    assert judged(train.Accuracy("multilabel"), several, several) == 1.0


@pytest.mark.parametrize("k", [1, 3, 5])
def test_top_k_counts_labels_among_the_best(k: int) -> None:
    rank = (SCORES[np.arange(30), CLASSES][:, None] < SCORES).sum(1)
    assert judged(train.TopKCategoricalAccuracy(k), SCORES, CLASSES) == pytest.approx(float((rank < k).mean()))


def test_errors_are_means_over_elements() -> None:
    other = RNG.random((30, 6)).astype(np.float32)
    assert judged(train.MAE(), SCORES, other) == pytest.approx(float(np.abs(SCORES - other).mean()), rel=1e-6)
    assert judged(train.MSE(), SCORES, other) == pytest.approx(float(((SCORES - other) ** 2).mean()), rel=1e-6)


def test_perplexity_leaves_out_what_is_ignored() -> None:
    shares = SCORES / SCORES.sum(1, keepdims=True)
    kept = CLASSES != 2
    expected = np.exp(-np.log(shares[np.arange(30), CLASSES][kept]).mean())
    assert judged(train.Perplexity(2), shares, CLASSES) == pytest.approx(float(expected), rel=1e-5)


def test_a_metric_without_a_batch_says_so() -> None:
    with pytest.raises(ContextError, match="was given no batch"):
        train.Loss().eval()
