"""LeNet-5, cut along the batch or the channels, against one device and against PyTorch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, nn
from simpar.collectives import run_threads
from tests.parity.runs import Run, assert_equal_to_one_device, held, piece

STEPS, BATCH, CLASSES = 4, 8, 10
RATE, MOMENTUM = 0.02, 0.9


class LeNet5(nn.Cell):
    """Two convolutions with pooling, then three dense layers, as in https://doi.org/10.1109/5.726791."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid", has_bias=True, weight_init="xavier_uniform")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True, weight_init="xavier_uniform")
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.flatten, self.relu = nn.Flatten(), nn.ReLU()
        self.fc1 = nn.Dense(16 * 4 * 4, 120, weight_init="xavier_uniform")
        self.fc2 = nn.Dense(120, 84, weight_init="xavier_uniform")
        self.fc3 = nn.Dense(84, CLASSES, weight_init="xavier_uniform")

    def construct(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.flatten(self.pool(self.relu(self.conv2(x))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


Cuts = Mapping[str, Any]
BATCH_CUT: Cuts = {"conv1": ((4, 1, 1, 1), (1, 1, 1, 1)), "conv2": ((4, 1, 1, 1), (1, 1, 1, 1))}
CHANNEL_CUT: Cuts = {"conv1": ((1, 1, 1, 1), (2, 1, 1, 1)), "conv2": ((1, 2, 1, 1), (1, 2, 1, 1))}
BOTH: Cuts = {"conv1": ((2, 1, 1, 1), (2, 1, 1, 1)), "conv2": ((2, 2, 1, 1), (2, 2, 1, 1))}
CASES: dict[str, tuple[int, Cuts]] = {
    "default on 2": (2, {}),
    "default on 4": (4, {}),
    "batch": (4, BATCH_CUT),
    "channels": (2, CHANNEL_CUT),
    "channels, repeated": (4, CHANNEL_CUT),
    "batch and channels": (8, BOTH),
}


def images() -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, CLASSES, (STEPS, BATCH)).astype(np.int32)
    patterns = rng.standard_normal((CLASSES, 1, 28, 28))
    return (patterns[labels] + 0.3 * rng.standard_normal((STEPS, BATCH, 1, 28, 28))).astype(np.float32), labels


def train(n: int, cuts: Cuts) -> Run:
    """Train on one rank."""
    ms.set_seed(3)
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = LeNet5()
    for name, strategy in cuts.items():
        getattr(net, name).conv2d.shard(strategy)
    loss_of = nn.WithLossCell(net, nn.CrossEntropyLoss())
    weights = net.trainable_params()
    optimizer = nn.Momentum(weights, RATE, MOMENTUM)
    with_gradients = ms.value_and_grad(loss_of, None, weights)

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Any:
        loss, gradients = with_gradients(x, y)
        optimizer(gradients)
        return loss, gradients

    losses, found = list[float](), {}
    for x, y in zip(*images(), strict=True):
        loss, gradients = step(Tensor(x), Tensor(y))
        found = found or {p.name: piece(g) for p, g in zip(weights, gradients, strict=True)}
        losses.append(loss.item())
    return Run(tuple(losses), held(weights), found, {})


@pytest.fixture(scope="module")
def alone() -> Run:
    return run_threads(1, train, 1, {})[0]


@pytest.mark.parametrize("case", CASES)
def test_lenet_under_a_cut_is_equal_to_one_device(case: str, alone: Run) -> None:
    n, cuts = CASES[case]
    assert_equal_to_one_device(run_threads(n, train, n, cuts), alone, first=False)


def first_weights() -> dict[str, NDArray[Any]]:
    ms.set_seed(3)
    return {p.name: np.array(p.init_data().asnumpy()) for p in LeNet5().trainable_params()}


def test_losses_and_gradients_of_lenet_are_those_of_torch(alone: Run) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    f = torch.nn.functional
    w = {name: torch.tensor(a, requires_grad=True) for name, a in run_threads(1, first_weights)[0].items()}
    optimizer = torch.optim.SGD(list(w.values()), RATE, MOMENTUM)
    losses: list[float] = []
    gradients: dict[str, NDArray[Any]] = {}
    for x, y in zip(*images(), strict=True):
        h = torch.tensor(x)
        for name in ("conv1", "conv2"):
            h = f.max_pool2d(f.relu(f.conv2d(h, w[f"{name}.weight"], w[f"{name}.bias"])), 2)
        h = h.flatten(1)
        for name in ("fc1", "fc2", "fc3"):
            h = f.linear(h if name == "fc1" else f.relu(h), w[f"{name}.weight"], w[f"{name}.bias"])
        loss = f.cross_entropy(h, torch.tensor(y, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        gradients = gradients or {name: v.grad.numpy().copy() for name, v in w.items()}
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(alone.losses, losses, rtol=1e-4)
    for name, wanted in gradients.items():
        got = alone.gradients[name].array
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max(), err_msg=name)
