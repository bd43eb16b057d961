import numpy as np
import pytest

from simpar import ops
from simpar.graph import lookup
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_is_the_share_of_each_exponential(axis: int) -> None:
    x = RNG.standard_normal((3, 4, 5)).astype("f4")
    expected = np.exp(x) / np.exp(x).sum(axis, keepdims=True)
    np.testing.assert_allclose(ops.softmax(Tensor(x), axis).asnumpy(), expected, rtol=2e-6)
    np.testing.assert_allclose(ops.log_softmax(Tensor(x), axis).asnumpy(), np.log(expected), rtol=1e-5, atol=1e-6)


def test_softmax_of_large_logits_stays_finite() -> None:
    x = np.array([[1e4, 0.0, -1e4]], "f4")
    assert ops.softmax(Tensor(x)).tolist() == [[1, 0, 0]]
    assert ops.log_softmax(Tensor(x)).tolist() == [[0, -1e4, -2e4]]


def test_softmax_of_float16_is_float16() -> None:
    made = ops.softmax(Tensor(np.zeros((2, 4), "f2")))
    assert made.asnumpy().dtype == np.float16
    assert made.tolist() == [[0.25] * 4] * 2


def test_softmax_may_overwrite_its_operand() -> None:
    x = RNG.standard_normal((700, 300)).astype("f4")
    kernel = lookup("softmax").kernel
    assert kernel is not None
    expected = kernel(x, axis=-1)
    assert kernel(x, axis=-1, out=x) is x
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_gradients_of_softmax_agree_with_differences(name: str, axis: int) -> None:
    check_gradient(name, [RNG.standard_normal((3, 4))], axis=axis)
    check_gradient(f"{name}_grad", [RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4))], axis=axis)


def test_layer_norm_gives_each_row_mean_0_and_variance_1() -> None:
    x = RNG.standard_normal((600, 32)).astype("f4") * 3 + 5
    y = ops.layer_norm(Tensor(x), (32,), Tensor(np.ones(32, "f4")), Tensor(np.zeros(32, "f4")), eps=0.0).asnumpy()
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(y.var(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "scale", "begin"), [((3, 4), (4,), 1), ((3, 2, 4), (2, 4), 1), ((3, 2, 4), (2, 4), 2)]
)
def test_gradient_of_layer_norm_agrees_with_differences(
    shape: tuple[int, ...], scale: tuple[int, ...], begin: int
) -> None:
    operands = [RNG.standard_normal(s) for s in (shape, scale, scale)]
    check_gradient("layer_norm", operands, begin_norm_axis=begin, epsilon=1e-3)


def test_layer_norm_and_its_gradient_agree_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x, gamma, beta, g = (RNG.standard_normal(s).astype("f4") for s in ((6, 5, 8), (5, 8), (5, 8), (6, 5, 8)))
    given = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    expected = torch.nn.functional.layer_norm(given[0], (5, 8), given[1], given[2])
    expected.backward(torch.tensor(g))
    y, mean, rstd = ops.LayerNorm(1, 1, 1e-5)(Tensor(x), Tensor(gamma), Tensor(beta))
    np.testing.assert_allclose(y.asnumpy(), expected.detach(), rtol=1e-4, atol=1e-5)
    kernel = lookup("layer_norm_grad").kernel
    assert kernel is not None
    made = kernel(g, x, gamma, mean.asnumpy(), rstd.asnumpy(), begin_norm_axis=1)
    for ours, theirs in zip(made, given, strict=True):
        np.testing.assert_allclose(ours, theirs.grad, rtol=1e-4, atol=1e-5)


def test_layer_norm_names_the_shape_that_gamma_must_have() -> None:
    with pytest.raises(ValueError, match=r"must have shape \(4,\)"):
        ops.LayerNorm(1, 1)(Tensor(np.ones((2, 4))), Tensor(np.ones(3)), Tensor(np.ones(3)))
