"""Random numbers under every cut, and the same run twice: equal to the last bit."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.layout import Layout
from tests.parity.runs import run_gpt
from tests.parity.strategies import STRATEGIES

SHAPE = (8, 8)
CUTS: dict[str, tuple[int, Any]] = {
    "default": (4, None),
    "rows": (4, ((4, 1),)),
    "columns": (4, ((1, 4),)),
    "both": (8, ((2, 4),)),
    "repeated": (4, ((2, 1),)),
    "ranks in another order": (4, (Layout((2, 2), (0, 1), (3, 1, 0, 2)),)),
}


def masks(cut: Any, steps: int = 3) -> list[Any]:
    """Return what dropout leaves of ones, for some steps."""
    ms.set_seed(5)
    if ms.context.current().world.size > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    dropout = ops.Dropout(keep_prob=0.5)
    if cut is not None:
        dropout.shard(cut)

    @ms.jit
    def step(x: Tensor) -> Any:
        made: Any = dropout(x)
        return made[0] if isinstance(made, tuple) else made

    return [step(Tensor(np.ones(SHAPE, np.float32))).asnumpy() for _ in range(steps)]


@pytest.mark.parametrize("name", CUTS)
def test_a_dropout_mask_does_not_depend_on_the_cut(name: str) -> None:
    n, cut = CUTS[name]
    alone = run_threads(1, masks, None)[0]
    assert all(0 < a.mean() < 2 for a in alone)
    assert not np.array_equal(alone[0], alone[1]), "each step draws a new mask"
    for made in run_threads(n, masks, cut):
        np.testing.assert_array_equal(made, alone)


def net_masks(n: int) -> Any:
    """Return the masks of two layers of dropout in training, and what they do in evaluation."""
    ms.set_seed(5)
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = nn.SequentialCell(nn.Dropout(p=0.5), nn.Dropout(p=0.5))
    x = Tensor(np.ones(SHAPE, np.float32))
    trained = net.set_train()(x).asnumpy()
    return trained, net.set_train(False)(x).asnumpy()


def test_layers_draw_masks_of_their_own_and_none_in_evaluation() -> None:
    alone, untouched = run_threads(1, net_masks, 1)[0]
    assert 0 < (alone != 0).mean() < 0.5, "the second mask takes more away"
    np.testing.assert_array_equal(untouched, np.ones(SHAPE))
    np.testing.assert_array_equal(run_threads(4, net_masks, 4)[2][0], alone)


@pytest.mark.parametrize("name", ["dp2-tp2-optimizer", "dropout"])
def test_the_same_run_twice_gives_the_same_bits(name: str) -> None:
    one, two = (run_gpt(STRATEGIES[name], 3) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert a.losses == b.losses
        for parameter in a.last:
            np.testing.assert_array_equal(a.last[parameter].array, b.last[parameter].array)
