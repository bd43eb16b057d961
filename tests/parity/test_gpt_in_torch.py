"""The same GPT in PyTorch, as an independent reference: same weights, same data, same rule of update."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.parity.models import BATCH, HEADS, ROWS, SEQUENCE, VOCABULARY, WIDTH, Shape
from tests.parity.runs import one_device, run_gpt, tokens
from tests.parity.strategies import Way, megatron, zero

torch = pytest.importorskip("torch")
STEPS = 25


def heads(y: Any) -> Any:
    return y.reshape(BATCH, SEQUENCE, HEADS, WIDTH // HEADS).transpose(1, 2)


def attend(y: Any, w: Mapping[str, Any], block: str) -> Any:
    q, k, v = (heads(y @ w[f"{block}.{name}"]) for name in ("wq", "wk", "wv"))
    mask = torch.full((SEQUENCE, SEQUENCE), -1e9).triu(1)
    mixed = ((q @ k.mT) * (HEADS / WIDTH) ** 0.5 + mask).softmax(-1) @ v
    return mixed.transpose(1, 2).reshape(ROWS, WIDTH) @ w[f"{block}.wo"]


def loss_of(w: Mapping[str, Any], layers: int, x: Any, y: Any) -> Any:
    f = torch.nn.functional
    h = (w["table"][x] + w["places"]).reshape(ROWS, WIDTH)
    for b in (f"blocks.{i}" for i in range(layers)):
        h = h + attend(f.layer_norm(h, (WIDTH,), w[f"{b}.gain1"], w[f"{b}.shift1"]), w, b)
        inner = f.layer_norm(h, (WIDTH,), w[f"{b}.gain2"], w[f"{b}.shift2"]) @ w[f"{b}.up"] + w[f"{b}.up_bias"]
        h = h + f.gelu(inner, approximate="tanh") @ w[f"{b}.down"]
    logits = f.layer_norm(h, (WIDTH,), w["gain"], w["shift"]) @ w.get("out", w["table"].mT)
    return f.cross_entropy(logits.reshape(ROWS, VOCABULARY), y.reshape(ROWS))


class Adam:
    """Adam as MindSpore defines it: epsilon is added before the second moment is corrected, in torch after it."""

    def __init__(self, weights: Mapping[str, Any], rate: float) -> None:
        self.weights, self.rate, self.steps = list(weights.values()), rate, 0
        self.means = [torch.zeros_like(w) for w in self.weights]
        self.squares = [torch.zeros_like(w) for w in self.weights]

    def step(self, gradients: Sequence[Any]) -> None:
        self.steps += 1
        rate = self.rate * (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for w, m, v, g in zip(self.weights, self.means, self.squares, gradients, strict=True):
            m.lerp_(g, 0.1)
            v.lerp_(g * g, 0.001)
            w.data -= rate * m / (v.sqrt() + 1e-8)


def losses_in_torch(layers: int, first: Mapping[str, NDArray[Any]]) -> list[float]:
    torch.set_num_threads(1)
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in first.items()}
    optimizer, losses = Adam(weights, 0.01), list[float]()
    for step in tokens(STEPS):
        batch = torch.tensor(step, dtype=torch.long)
        loss = loss_of(weights, layers, batch[:, :-1], batch[:, 1:])
        optimizer.step(torch.autograd.grad(loss, list(weights.values())))
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("tied", [False, True], ids=["head", "tied"])
def test_losses_are_those_of_torch(tied: bool) -> None:
    shape = Shape(tied=tied)
    alone = one_device(shape, STEPS, keep_gradients=False)
    first = {name: np.array(p.array) for name, p in alone.first.items()}
    expected = losses_in_torch(shape.layers, first)
    assert expected[-1] < 0.8 * expected[0], "the data has something to learn in it"
    np.testing.assert_allclose(alone.losses, expected, rtol=1e-5)
    cut = run_gpt(Way(4, megatron(2, 2), zero(), shape), STEPS, keep_gradients=False)
    np.testing.assert_allclose(cut[3].losses, expected, rtol=1e-5)
