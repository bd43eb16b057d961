"""Layouts are those that MindSpore's own compiler gives: facts measured on it, compared one by one."""

from typing import Any

import pytest

from simpar.layout import Layout
from tests.parallel.measured import Fact, compiled, facts, is_known, text_of

KNOWN = [f for f in facts("strategies") if is_known(f)]
TAKEN = [f for f in KNOWN if "refused" not in f]
REFUSED = [f for f in KNOWN if "refused" in f]


@pytest.mark.parametrize("fact", TAKEN, ids=text_of)
def test_every_rank_holds_what_mindspore_gives_it(fact: Fact) -> None:
    made = compiled(fact)
    for name, wanted in fact["layouts"].items():
        assert _held(made[name]) == _held(wanted), f"{name}: {made[name]} for {wanted}"


@pytest.mark.parametrize("fact", REFUSED, ids=text_of)
def test_what_mindspore_refuses_is_refused(fact: Fact) -> None:
    with pytest.raises(RuntimeError):
        compiled(fact)


def _held(answer: list[Any]) -> tuple[Any, ...]:
    """Return what each rank holds, whatever the device matrix that says so."""
    dev_mat, tensor_map, slice_shape, shards = answer
    layout = Layout(tuple(dev_mat), tuple(tensor_map))
    return slice_shape, shards, [layout.slice_index(r) for r in range(layout.size)]
