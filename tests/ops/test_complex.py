"""Complex numbers: values and gradients are PyTorch's, on one device and cut over ranks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, mint, nn, ops
from simpar.collectives import run_threads
from simpar.errors import DTypeError
from tests.ops.test_against_torch import gradients_of

torch = pytest.importorskip("torch")

Array = NDArray[Any]
RNG = np.random.default_rng(21)


def numbers(*shape: int) -> Array:
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(np.complex64)


def reals(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


Z, W, X, Y = numbers(4, 6), numbers(4, 6), reals(4, 6), reals(6)

CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], list[Array]]] = [
    ("arithmetic", lambda z, w: (z * w - z) / w + 2j, lambda z, w: (z * w - z) / w + 2j, [Z, W]),
    ("with reals", lambda z, x: z * x + x, lambda z, x: z * x + x, [Z, X]),
    ("broadcast reals", lambda z, y: (z * y).sum(0), lambda z, y: (z * y).sum(0), [Z, Y]),
    ("power", lambda z: z**3 + z**2, lambda z: z**3 + z**2, [Z]),
    ("exp, log, sqrt", lambda z: ops.log(ops.exp(z) + ops.sqrt(z)), lambda z: (z.exp() + z.sqrt()).log(), [Z]),
    ("tanh", lambda z: ops.tanh(z), lambda z: z.tanh(), [Z]),
    ("abs", lambda z: ops.abs(z), lambda z: z.abs(), [Z]),
    ("angle", lambda z: ops.angle(z), lambda z: z.angle(), [Z]),
    ("parts", lambda z: ops.real(z) * 2 - ops.imag(z), lambda z: z.real * 2 - z.imag, [Z]),
    ("conjugate", lambda z, w: ops.conj(z) * w, lambda z, w: z.conj() * w, [Z, W]),
    ("product", lambda z, w: ops.matmul(z, w.T), lambda z, w: z @ w.T, [Z, W]),
    ("mean", lambda z: ops.abs(ops.mean(z * z, 1)), lambda z: (z * z).mean(1).abs(), [Z]),
    (
        "made of parts",
        lambda x, y: ops.Complex()(x, y) ** 2,
        lambda x, y: torch.complex(x, y.expand(4, 6)) ** 2,
        [X, Y],
    ),
    ("polar", lambda x, y: ops.polar(x, y) * 1j, lambda x, y: torch.polar(x, y.expand(4, 6)) * 1j, [abs(X), Y]),
    ("as real", lambda z: ops.view_as_real(z) ** 2, lambda z: torch.view_as_real(z) ** 2, [Z]),
    ("real part of a cast", lambda z: z.astype(ms.float32) * 2, lambda z: z.real * 2, [Z]),
]


@pytest.mark.parametrize(("ours", "theirs", "arrays"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_values_and_gradients_are_those_of_torch(
    ours: Callable[..., Any], theirs: Callable[..., Any], arrays: list[Array]
) -> None:
    def loss(*tensors: Tensor) -> Tensor:
        made = ours(*tensors)
        return ops.real(made * (2 - 1j)).sum()  # weighs both parts

    value, gradients = gradients_of(loss, arrays)
    given = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = (theirs(*given) * (2 - 1j)).real.sum()
    expected.backward()
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-4)
    for ours_, tensor, array in zip(gradients, given, arrays, strict=True):
        assert ours_.dtype == array.dtype
        np.testing.assert_allclose(ours_, tensor.grad.resolve_conj().numpy(), rtol=2e-4, atol=2e-5)


def test_a_python_complex_is_complex128_alone_and_takes_the_width_of_the_tensor_beside_it() -> None:
    assert Tensor([1j]).dtype == ms.complex128
    assert (Tensor([1.0]) * 1j).dtype == ms.complex64
    assert (Tensor([1.0], ms.float64) + 1j).dtype == ms.complex128
    assert (Tensor([1]) * 1j).dtype == ms.complex64
    assert (Tensor([1j], ms.complex64) * Tensor([2.0], ms.float64)).dtype == ms.complex128


def test_complex_numbers_have_no_order() -> None:
    with pytest.raises(DTypeError, match="complex numbers have no order"):
        _ = Tensor([1j]) > Tensor([1j])
    with pytest.raises(DTypeError, match="complex numbers have no order"):
        ops.maximum(Tensor([1j]), Tensor([1j]))


def test_questions_about_complex_numbers() -> None:
    z = Tensor([1 + 1j, 2 + 0j])
    assert ops.is_complex(z)
    assert not ops.is_complex(Tensor([1.0]))
    assert ops.isreal(z).tolist() == [False, True]
    assert ops.adjoint(Tensor([[1j, 2]])).tolist() == [[-1j], [2 - 0j]]
    assert mint.polar(Tensor([1.0]), Tensor([0.0])).tolist() == [1 + 0j]
    assert (mint.real(z).tolist(), mint.imag(z).tolist()) == ([1.0, 2.0], [1.0, 0.0])


def test_a_sens_is_the_cotangent_of_torch() -> None:
    sens = numbers(4, 6)
    made = ops.GradOperation(sens_param=True)(lambda z: z * z * 1j)(Tensor(Z), Tensor(sens))
    given = torch.tensor(Z, requires_grad=True)
    (given * given * 1j).backward(torch.tensor(sens))
    np.testing.assert_allclose(made.asnumpy(), given.grad.numpy(), rtol=1e-5)


WEIGHT, DATA = numbers(6, 4), numbers(8, 6)


def train(cut: Any) -> tuple[list[float], Array]:
    """Learn a complex matrix by gradient descent; return losses and what it became."""

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(Tensor(WEIGHT), name="w")
            self.product = ops.MatMul()
            if cut:
                self.product.shard(cut)

        def construct(self, x: Tensor) -> Tensor:
            return ops.square(ops.abs(self.product(x, self.w))).mean()

    net = Net()
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.5, 0.9))
    losses = [step(Tensor(DATA)).item() for _ in range(4)]
    return losses, ms.parallel.full_tensor(net.w).asnumpy().copy()


@pytest.mark.parametrize("cut", [((4, 1), (1, 1)), ((2, 1), (1, 2)), ((1, 2), (2, 2))])
@pytest.mark.parametrize("optimizer_shard", [False, True])
def test_a_complex_parameter_learns_the_same_on_ranks(cut: Any, optimizer_shard: bool) -> None:
    expected_losses, expected = train(None)

    def on_rank() -> tuple[list[float], Array]:
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel",
            full_batch=True,
            enable_parallel_optimizer=optimizer_shard,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )
        return train(cut)

    for losses, made in run_threads(4, on_rank):
        np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_a_complex_parameter_learns_what_it_learns_in_torch() -> None:
    w = torch.tensor(WEIGHT, requires_grad=True)
    optimizer = torch.optim.SGD([w], 0.5, momentum=0.9)
    theirs: list[float] = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = (torch.tensor(DATA) @ w).abs().square().mean()
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    losses, made = train(None)
    np.testing.assert_allclose(losses, theirs, rtol=1e-4)
    np.testing.assert_allclose(made, w.detach().numpy(), rtol=1e-3, atol=1e-5)
