"""Steps of training whose plans the tests of this room run."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import simpar as ms
from simpar import Tensor, nn
from tests.compile.planning import Build
from tests.parity.models import BATCH, GPT, SEQUENCE, Shape

__all__ = ["gpt"]


def gpt(cuts: Mapping[str, Any], shape: Shape | None = None, fusion: Callable[[int], int] = lambda i: 1) -> Build:
    """Build a step of Adam over a GPT; ``fusion`` gives each Parameter its ``comm_fusion``."""

    def build() -> tuple[Callable[..., Any], list[Tensor]]:
        net = GPT(cuts, shape)
        for i, p in enumerate(net.trainable_params()):
            p.comm_fusion = fusion(i)
        optimizer = nn.Adam(net.trainable_params(), 0.01)
        with_gradients = ms.value_and_grad(net, None, net.trainable_params())

        def step(x: Tensor, y: Tensor) -> Tensor:
            loss, gradients = with_gradients(x, y)
            optimizer(gradients)
            return loss

        return step, [Tensor(np.zeros((BATCH, SEQUENCE), np.int32))] * 2

    return build
