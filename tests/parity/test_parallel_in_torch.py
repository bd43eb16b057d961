"""Levels of the parallel optimizer, micro-batches whose gradients add up, and products that gather, against PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, nn
from simpar.collectives import run_threads
from simpar.parallel import full_tensor
from tests.partition.test_gathering import Net, cube, flat
from tests.partition.test_gathering import X as ROWS
from tests.pipeline.nets import Chain, X, Y
from tests.pipeline.test_accumulators import MICRO, sharded, trained

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
STEPS = 4
Weights = Mapping[str, NDArray[Any]]


def chain(w: Mapping[str, Any], x: Any) -> Any:
    for block in ("blocks.0", "blocks.1"):
        x = torch.tanh(x @ w[f"{block}.w"] + w[f"{block}.b"]) + x
    return x


def in_torch(first: Weights, losses_of: Callable[[Mapping[str, Any]], Sequence[Any]]) -> tuple[list[float], Weights]:
    """Return the sums of the losses of each step, whose gradients add up, and the last weights."""
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in first.items()}
    optimizer, found = torch.optim.SGD(list(weights.values()), 0.01, momentum=0.9), list[float]()
    for _ in range(STEPS):
        optimizer.zero_grad()
        parts = losses_of(weights)
        for loss in parts:
            loss.backward()
        optimizer.step()
        found.append(sum(loss.item() for loss in parts))
    return found, {name: w.detach().numpy() for name, w in weights.items()}


def assert_alike(found: tuple[Any, Weights], expected: tuple[Any, Weights]) -> None:
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    for name, whole in expected[1].items():
        np.testing.assert_allclose(found[1][name], whole, rtol=1e-4, atol=1e-6, err_msg=name)


WAYS: dict[str, tuple[int, bool, dict[str, Any]]] = {
    "one device": (1, True, {}),
    "accu_grads": (4, True, {"device_num": 4}),
    **{
        f"accu_grads, {name}": (4, True, {"device_num": 4, **sharded(optimizer_level=name)})
        for name in ("level1", "level2")
    },
    **{name: (4, False, {"device_num": 4, **sharded(optimizer_level=name)}) for name in ("level1", "level2", "level3")},
}


@pytest.mark.parametrize("way", WAYS)
def test_gradients_of_micro_batches_add_up_as_in_torch(way: str) -> None:
    n, by_totals, options = WAYS[way]
    ms.set_seed(3)
    first = {p.name: p.init_data().asnumpy().copy() for p in Chain((0, 0), (1, 1)).trainable_params()}
    parts = list(zip(torch.tensor(X).chunk(MICRO), torch.tensor(Y).chunk(MICRO), strict=True))
    error = torch.nn.functional.mse_loss
    expected = in_torch(first, lambda w: [error(chain(w, x), y) for x, y in parts])
    cut = (2, 2) if n > 1 else (1, 1)
    run = partial(trained, nn.GradAccumulationCell, (0, 0), cut, by_totals, **options)
    for losses, weights in run_threads(n, run):
        assert_alike((losses, weights), expected)


def gathered(way: Callable[[Net], object]) -> tuple[list[float], Weights]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = Net(way)
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    with_gradients = ms.value_and_grad(lambda x: (net(x) ** 2).mean(), None, optimizer.parameters)

    @ms.jit
    def step(x: Tensor) -> Tensor:
        loss, gradients = with_gradients(x)
        optimizer(gradients)
        return loss

    losses = [step(Tensor(ROWS)).item() for _ in range(STEPS)]
    return losses, {p.name: full_tensor(p).asnumpy() for p in net.trainable_params()}


@pytest.mark.parametrize("way", [flat, cube])
def test_tensor_parallel_products_in_two_and_three_dimensions_train_as_in_torch(way: Callable[[Net], object]) -> None:
    first = {p.name: p.asnumpy().copy() for p in Net(None).trainable_params()}
    x = torch.tensor(ROWS)
    expected = in_torch(first, lambda w: [((torch.relu(x @ w["w1"]) @ w["w2"]) ** 2).mean()])
    for found in run_threads(8, gathered, way):
        assert_alike(found, expected)
