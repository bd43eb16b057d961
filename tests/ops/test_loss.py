import numpy as np
import pytest

from simpar import ops
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(2)


def test_loss_of_equal_logits_is_the_logarithm_of_the_number_of_classes() -> None:
    loss, gradient = ops.SoftmaxCrossEntropyWithLogits()(Tensor(np.zeros((1, 4), "f4")), Tensor([[0.0, 1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(loss.asnumpy(), [np.log(4)], rtol=1e-6)
    assert gradient.tolist() == [[0.25, -0.75, 0.25, 0.25]]


def test_gradients_of_cross_entropy_agree_with_differences() -> None:
    check_gradient("softmax_cross_entropy", [RNG.standard_normal((3, 4)), RNG.random((3, 4))])
    check_gradient(
        "sparse_softmax_cross_entropy", [RNG.standard_normal((4, 3)), np.array([0, 2, 1, 2])], ignore_index=1
    )


def test_loss_of_rows_takes_the_mean_over_all_rows() -> None:
    logits, labels = RNG.standard_normal((700, 300)).astype("f4"), RNG.integers(0, 300, 700).astype("i4")
    x = logits.astype("f8")
    expected = np.log(np.exp(x).sum(1)) - x[np.arange(700), labels]
    op = ops.SparseSoftmaxCrossEntropyWithLogits
    np.testing.assert_allclose(op()(Tensor(logits), Tensor(labels)).item(), expected.mean(), rtol=1e-5)
    share = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    share[np.arange(700), labels] -= 1
    np.testing.assert_allclose(op(is_grad=True)(Tensor(logits), Tensor(labels)).asnumpy(), share / 700, atol=1e-8)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(6, 5), (3, 5, 2), (5,)])
def test_cross_entropy_agrees_with_pytorch(
    reduction: str, weighted: bool, smoothing: float, shape: tuple[int, ...]
) -> None:
    torch = pytest.importorskip("torch")
    logits = RNG.standard_normal(shape).astype("f4")
    classes = 5
    rows = shape[:1] + shape[2:] if len(shape) > 1 else ()
    labels = np.asarray(RNG.integers(0, classes, rows))
    if labels.ndim:
        labels.reshape(-1)[0] = -100
    weight = RNG.random(classes).astype("f4") if weighted else None
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits),
        torch.tensor(labels),
        None if weight is None else torch.tensor(weight),
        reduction=reduction,
        label_smoothing=smoothing,
    )
    given = None if weight is None else Tensor(weight)
    made = ops.cross_entropy(Tensor(logits), Tensor(labels), given, reduction=reduction, label_smoothing=smoothing)
    np.testing.assert_allclose(made.asnumpy(), expected, rtol=2e-5, atol=1e-6)


def test_cross_entropy_of_probabilities_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    logits, target = RNG.standard_normal((2, 6, 5)).astype("f4")
    target = np.exp(target) / np.exp(target).sum(1, keepdims=True)
    expected = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(target), label_smoothing=0.2)
    made = ops.cross_entropy(Tensor(logits), Tensor(target), label_smoothing=0.2)
    np.testing.assert_allclose(made.item(), expected.item(), rtol=1e-5)


def test_cross_entropy_names_the_target_it_wants() -> None:
    with pytest.raises(ValueError, match="one number for each row"):
        ops.cross_entropy(Tensor(np.zeros((2, 3), "f4")), Tensor([[0, 1]]))
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        ops.cross_entropy(Tensor(np.zeros((2, 3), "f4")), Tensor([0, 1]), reduction="average")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_plain_losses_agree_with_pytorch(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    x, y = RNG.standard_normal((2, 4, 5)).astype("f4")
    for name in ("mse_loss", "l1_loss"):
        expected = getattr(torch.nn.functional, name)(torch.tensor(x), torch.tensor(y), reduction=reduction)
        made = getattr(ops, name)(Tensor(x), Tensor(y), reduction=reduction)
        np.testing.assert_allclose(made.asnumpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_negative_log_likelihood_agrees_with_pytorch(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    log_p, weight = RNG.standard_normal((3, 5, 2)).astype("f4"), RNG.random(5).astype("f4")
    labels = np.array([[0, 4], [-100, 2], [1, 1]])
    expected = torch.nn.functional.nll_loss(
        torch.tensor(log_p), torch.tensor(labels), torch.tensor(weight), reduction=reduction
    )
    made = ops.nll_loss(Tensor(log_p), Tensor(labels), Tensor(weight), reduction=reduction)
    np.testing.assert_allclose(made.asnumpy(), expected, rtol=1e-5)


def test_losses_of_float16_are_computed_in_float32() -> None:
    logits = np.full((1, 4), 12.0, "f2")  # exp(12) is out of float16's range
    loss, gradient = ops.SoftmaxCrossEntropyWithLogits()(Tensor(logits), Tensor(np.eye(4, dtype="f2")[:1]))
    assert loss.asnumpy().dtype == gradient.asnumpy().dtype == np.float16
    np.testing.assert_allclose(loss.asnumpy(), [np.log(4)], rtol=1e-3)
