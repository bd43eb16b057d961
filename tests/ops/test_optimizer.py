"""Each update against its definition, and 20 steps against PyTorch where PyTorch has it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar.graph import lookup
from simpar.ops import optimizer
from simpar.tensor import Tensor

Array = NDArray[Any]
RNG = np.random.default_rng(3)
GRADIENTS = [RNG.standard_normal((3, 5)).astype("f4") for _ in range(20)]
WEIGHT = RNG.standard_normal((3, 5)).astype("f4")


def scalar(number: float) -> Tensor:
    return Tensor(np.asarray(number, "f4"))


def torch_result(kind: str, **options: Any) -> Array:
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.tensor(WEIGHT))
    stepper = getattr(torch.optim, kind)([weight], **options)
    for g in GRADIENTS:
        weight.grad = torch.tensor(g)
        stepper.step()
    result: Array = weight.detach().numpy()
    return result


def test_20_steps_of_sgd_agree_with_pytorch() -> None:
    p = Tensor(WEIGHT)
    for g in GRADIENTS:
        p = optimizer.sgd(p, Tensor(g), scalar(0.1), weight_decay=0.01)
    np.testing.assert_allclose(p.asnumpy(), torch_result("SGD", lr=0.1, weight_decay=0.01), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dampening", "nesterov"), [(0.0, False), (0.0, True), (0.5, False)])
def test_20_steps_of_momentum_agree_with_pytorch(dampening: float, nesterov: bool) -> None:
    p, v = Tensor(WEIGHT), Tensor(np.zeros_like(WEIGHT))
    options: Any = {"momentum": 0.9, "dampening": dampening, "nesterov": nesterov, "weight_decay": 0.01}
    for step, g in enumerate(GRADIENTS):
        p, v = optimizer.momentum(p, v, Tensor(g), scalar(0.1), Tensor(np.int64(step)), **options)
    np.testing.assert_allclose(p.asnumpy(), torch_result("SGD", lr=0.1, **options), rtol=1e-5, atol=1e-6)


def test_momentum_without_a_step_is_apply_momentum() -> None:
    p, v, g = Tensor([2.0]), Tensor([3.0]), Tensor([5.0])
    made = optimizer.momentum(p, v, g, scalar(0.5), momentum=0.5)
    assert [t.tolist() for t in made] == [[2.0 - 0.5 * 6.5], [6.5]]


def test_20_steps_of_adam_agree_with_pytorch() -> None:
    """PyTorch corrects the second moment before it adds epsilon; a tiny epsilon hides the difference."""
    p, m, v = Tensor(WEIGHT), Tensor(np.zeros_like(WEIGHT)), Tensor(np.zeros_like(WEIGHT))
    for step, g in enumerate(GRADIENTS, 1):
        one, two = Tensor(np.float64(0.9**step)), Tensor(np.float64(0.99**step))
        p, m, v = optimizer.adam(p, m, v, Tensor(g), scalar(0.1), one, two, beta2=0.99, epsilon=1e-20, weight_decay=0.1)
    expected = torch_result("Adam", lr=0.1, betas=(0.9, 0.99), eps=1e-20, weight_decay=0.1)
    np.testing.assert_allclose(p.asnumpy(), expected, rtol=1e-4, atol=1e-5)
    assert p.asnumpy().dtype == np.float32


def test_nesterov_adam_looks_one_gradient_ahead() -> None:
    p, m, v, g = (Tensor(np.array([x])) for x in (1.0, 2.0, 4.0, 3.0))
    made = optimizer.adam(
        p,
        m,
        v,
        g,
        scalar(0.5),
        scalar(0.5),
        scalar(0.75),
        beta1=0.5,
        beta2=0.75,
        epsilon=1.0,
        nesterov=True,
    )
    m2, v2 = 0.5 * 2 + 0.5 * 3, 0.75 * 4 + 0.25 * 9
    rate = 0.5 * np.sqrt(1 - 0.75) / (1 - 0.5)
    np.testing.assert_allclose(made[0].asnumpy(), 1 - rate * (0.5 * m2 + 0.5 * 3) / (np.sqrt(v2) + 1))
    np.testing.assert_allclose([t.item() for t in made[1:]], [m2, v2])


def test_adam_weight_decay_decays_apart_from_the_gradient() -> None:
    p, m, v, g = (Tensor(np.array([x])) for x in (1.0, 2.0, 4.0, 3.0))
    made = optimizer.adam_weight_decay(p, m, v, g, scalar(0.5), beta1=0.5, beta2=0.75, epsilon=1.0, weight_decay=0.125)
    m2, v2 = 0.5 * 2 + 0.5 * 3, 0.75 * 4 + 0.25 * 9
    np.testing.assert_allclose(made[0].asnumpy(), 1 - 0.5 * (m2 / (np.sqrt(v2) + 1) + 0.125))


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adam_weight_decay"])
@pytest.mark.parametrize("contiguous", [True, False])
def test_updates_may_overwrite_weight_and_state(name: str, contiguous: bool) -> None:
    definition = lookup(name)
    kernel, example = definition.kernel, definition.examples[0]
    assert kernel is not None
    wide = [RNG.random((300, 2 * 400)).astype("f4")[:, :: 1 if contiguous else 2] for s in example.shapes if s]
    operands = [*wide, *(np.asarray(0.25, "f4") for s in example.shapes if not s)]
    expected = kernel(*operands, **example.attrs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    out: tuple[Array, ...] = tuple(operands[: len(expected)])
    kernel(*operands, out=out if len(expected) > 1 else out[0], **example.attrs)
    for made, wanted in zip(out, expected, strict=True):
        assert np.array_equal(made, wanted)
