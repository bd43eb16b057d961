"""A GPT under many strategies, against the same program on one device."""

from dataclasses import replace

import numpy as np
import pytest

from tests.parity.models import Shape
from tests.parity.runs import assert_equal_to_one_device, one_device, run_gpt
from tests.parity.strategies import STRATEGIES

STEPS = 5


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_gpt_is_equal_to_one_device(name: str) -> None:
    way = STRATEGIES[name]
    assert_equal_to_one_device(run_gpt(way, STEPS), one_device(way.shape, STEPS))


def test_a_hundred_losses_of_a_gpt_are_those_of_one_device() -> None:
    way = STRATEGIES["dp2-tp2-optimizer"]
    shape = Shape()
    alone = one_device(shape, 100, keep_gradients=False)
    assert alone.losses[-1] < 0.6 * alone.losses[0]
    for run in run_gpt(replace(way, shape=shape), 100, keep_gradients=False):
        np.testing.assert_allclose(run.losses, alone.losses, rtol=1e-4)
