"""A GPT under many strategies, against the same program on one device."""

import pytest

from tests.parity.runs import assert_equal_to_one_device, one_device, run_gpt
from tests.parity.strategies import STRATEGIES

STEPS = 5


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_gpt_is_equal_to_one_device(name: str) -> None:
    way = STRATEGIES[name]
    assert_equal_to_one_device(run_gpt(way, STEPS), one_device(way.shape, STEPS))
