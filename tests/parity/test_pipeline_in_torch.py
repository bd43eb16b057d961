"""A pipeline in PyTorch, as an independent reference: a shared table, stages that take turns, recomputation."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn
from tests.pipeline.nets import Knot, X, Y, trained

torch = pytest.importorskip("torch")
STAGES = (0, 1, 0, 1)


def in_torch(first: dict[str, Any], steps: int, rate: float) -> tuple[list[float], dict[str, Any]]:
    """Train the network of ``Knot`` by SGD; return the losses and the weights."""
    torch.set_num_threads(1)
    w = {name: torch.tensor(array, requires_grad=True) for name, array in first.items()}
    optimizer, losses = torch.optim.SGD(w.values(), rate, momentum=0.9), list[float]()
    for _ in range(steps):
        h = torch.tanh(torch.tensor(X) @ w["table"])
        for i in range(len(STAGES)):
            h = torch.tanh(h @ w[f"chain.blocks.{i}.w"] + w[f"chain.blocks.{i}.b"]) + h
        loss = torch.nn.functional.mse_loss(torch.tanh(h @ w["table"]), torch.tensor(Y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {name: value.detach().numpy() for name, value in w.items()}


@pytest.mark.parametrize("scheduler", ["1f1b", "gpipe"])
def test_losses_and_weights_are_those_of_torch(scheduler: str) -> None:
    ms.set_seed(3)
    first = {p.name: p.asnumpy().copy() for p in Knot(STAGES).trainable_params()}
    losses, weights = in_torch(first, 8, 1.0)
    assert losses[-1] < 0.95 * losses[0], "there is something to learn"
    config = {"pipeline_interleave": True, "pipeline_scheduler": scheduler}
    got = trained(
        8,
        partial(Knot, STAGES, (2, 2)),
        4,
        8,
        optimizer=partial(nn.Momentum, learning_rate=1.0, momentum=0.9),
        pipeline_stages=2,
        pipeline_config=config,
        enable_parallel_optimizer=True,
        parallel_optimizer_config={"parallel_optimizer_threshold": 0},
    )
    np.testing.assert_allclose(got[0], losses, rtol=1e-5)
    for name, whole in weights.items():
        np.testing.assert_allclose(got[1][name], whole, rtol=1e-4, atol=1e-6, err_msg=name)
