"""Gradients of gradients, and gradients of products with zeros, are PyTorch's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads

torch = pytest.importorskip("torch")
functional: Any = torch.nn.functional

Array = NDArray[Any]
RNG = np.random.default_rng(12)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


def with_zeros(*shape: int) -> Array:
    made = RNG.uniform(0.5, 2, shape).astype(np.float32)
    made.reshape(-1)[[1, 4, 9]] = 0  # one row with two zeros, one with one, one with none
    return made


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return ops.LayerNorm(1, 1, 1e-5)(x, gamma, beta)[0]


def rms_norm(x: Tensor, gamma: Tensor) -> Tensor:
    return ops.rms_norm(x, gamma, 0.1)[0]


def largest(x: Tensor) -> Tensor:
    return ops.square(ops.max_pool2d(x, 3, 2, 1))


X, Y = floats(4, 6), floats(4, 6)
ZEROS = with_zeros(3, 4)
CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], list[Array]]] = [
    ("gelu", lambda x: ops.gelu(x, approximate="none"), lambda x: functional.gelu(x), [X]),
    ("gelu by tanh", lambda x: ops.gelu(x, "tanh"), lambda x: functional.gelu(x, approximate="tanh"), [X]),
    ("silu", ops.silu, lambda x: functional.silu(x), [X]),
    ("softmax", lambda x: ops.softmax(x, -1), lambda x: x.softmax(-1), [X]),
    ("log softmax", lambda x: ops.log_softmax(x, -1), lambda x: x.log_softmax(-1), [X]),
    ("layer norm", layer_norm, lambda x, g, b: functional.layer_norm(x, (6,), g, b), [X, floats(6), floats(6)]),
    ("rms norm", rms_norm, lambda x, g: functional.rms_norm(x, (6,), g, 0.1), [X, floats(6)]),
    (
        "rms norm of two axes",
        rms_norm,
        lambda x, g: functional.rms_norm(x, (3, 4), g, 0.1),
        [floats(2, 3, 4), floats(3, 4)],
    ),
    ("largest of windows", largest, lambda x: functional.max_pool2d(x, 3, 2, 1) ** 2, [floats(2, 3, 6, 7)]),
    ("product", lambda x: ops.prod(x, 1), lambda x: x.prod(1), [ZEROS]),
    ("product of all", lambda x: ops.prod(x), lambda x: x.prod(), [with_zeros(2, 5) + floats(2, 5)]),
    ("running product", lambda x: ops.cumprod(x, 1), lambda x: x.cumprod(1), [ZEROS]),
    ("running product along rows", lambda x: ops.cumprod(x, 0), lambda x: x.cumprod(0), [ZEROS]),
]


@pytest.mark.parametrize(("ours", "theirs", "arrays"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_first_and_second_gradients_are_those_of_torch(
    ours: Callable[..., Any], theirs: Callable[..., Any], arrays: list[Array]
) -> None:
    shape = ours(*map(Tensor, arrays)).shape
    weight, turns = floats(*shape), [floats(*a.shape) for a in arrays]
    places = tuple(range(len(arrays)))

    def first(*tensors: Tensor) -> Any:
        return ms.grad(lambda *t: (ours(*t) * Tensor(weight)).sum(), places)(*tensors)

    def turned(*tensors: Tensor) -> Tensor:
        made = first(*tensors)
        return sum(((g * Tensor(t)).sum() for g, t in zip(made, turns, strict=True)), Tensor(0.0))

    gradients = first(*map(Tensor, arrays))
    seconds = ms.grad(turned, places)(*map(Tensor, arrays))
    given = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = torch.autograd.grad((theirs(*given) * torch.tensor(weight)).sum(), given, create_graph=True)
    total = sum((g * torch.tensor(t)).sum() for g, t in zip(expected, turns, strict=True))
    again = torch.autograd.grad(total, given, allow_unused=True)
    for made, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(made.asnumpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-5)
    for made, wanted in zip(seconds, again, strict=True):
        expected_second = np.zeros(made.shape) if wanted is None else wanted.numpy()
        np.testing.assert_allclose(made.asnumpy(), expected_second, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("way", [{"exclusive": True}, {"reverse": True}, {"exclusive": True, "reverse": True}])
def test_the_gradient_of_every_running_product_is_right_at_zeros(way: dict[str, bool]) -> None:
    x = ZEROS.astype(np.float64)
    weight = RNG.standard_normal(x.shape)

    def total(at: Array) -> float:
        return float((ops.CumProd(**way)(Tensor(at), 1).asnumpy() * weight).sum())

    made = ms.grad(lambda t: (ops.CumProd(**way)(t, 1) * Tensor(weight)).sum())(Tensor(x)).asnumpy()
    for at in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[at] = 1e-6
        assert made[at] == pytest.approx((total(x + step) - total(x - step)) / 2e-6, rel=1e-4, abs=1e-6)


def test_the_gradient_of_a_product_with_zeros_over_a_cut_axis_is_that_of_one_device() -> None:
    def program(cut: Any) -> tuple[Array, Array]:
        product = ops.ReduceProd()
        if cut is not None:
            product.shard(cut)
        value, gradient = ms.value_and_grad(lambda x: product(x, 1).sum())(Tensor(ZEROS))
        return value.asnumpy().copy(), gradient.asnumpy().copy()

    def on_rank() -> tuple[Array, Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return program(((1, 4),))

    value, gradient = program(None)
    for made, slope in run_threads(4, on_rank):
        np.testing.assert_allclose(made, value, rtol=1e-6)
        np.testing.assert_allclose(slope, gradient, rtol=1e-6)


@pytest.mark.parametrize("cut", [((2, 2, 1, 1),), ((1, 1, 2, 2),), ((1, 1, 4, 1),)])
def test_second_gradients_of_a_cut_pooling_are_those_of_one_device(cut: Any) -> None:
    x, turn = floats(2, 2, 8, 8), floats(2, 2, 8, 8)

    def second(cut: Any) -> Array:
        pool = ops.MaxPool(3, 1, "same")
        if cut is not None:
            pool.shard(cut)
        first = ms.grad(lambda t: (pool(t) ** 3).sum())
        made = ms.grad(lambda t: (first(t) * Tensor(turn)).sum())(Tensor(x))
        return ms.parallel.full_tensor(made).asnumpy().copy()

    def on_rank() -> Array:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return second(cut)

    expected = second(None)
    assert np.abs(expected).max() > 1
    for made in run_threads(4, on_rank):
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)
