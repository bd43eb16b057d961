"""Layouts are those that MindSpore's own compiler gives: facts measured on it, compared one by one.

Facts of ops that simpar does not have wait until it has them. A fact that ``differs`` says why, and must still differ.
"""

from typing import Any

import pytest

from simpar.layout import Layout
from tests.parallel.measured import Fact, compiled, facts, is_known, text_of

FILES = ("strategies", "propagation", "contexts", "products", "results", "refusals")
KNOWN = [f for name in FILES for f in facts(name) if is_known(f)]
TAKEN = [f for f in KNOWN if "refused" not in f and "differs" not in f]
REFUSED = [f for f in KNOWN if "refused" in f and "differs" not in f]
DIFFERENT = [f for f in KNOWN if "differs" in f]


@pytest.mark.parametrize("fact", TAKEN, ids=text_of)
def test_layouts_are_mindspores(fact: Fact) -> None:
    assert compiled(fact) == fact["layouts"]


@pytest.mark.parametrize("fact", REFUSED, ids=text_of)
def test_what_mindspore_refuses_is_refused(fact: Fact) -> None:
    with pytest.raises(RuntimeError):
        compiled(fact)


@pytest.mark.parametrize("fact", DIFFERENT, ids=text_of)
def test_what_is_said_to_differ_still_does(fact: Fact) -> None:
    try:
        made = compiled(fact)
    except RuntimeError:
        assert "layouts" in fact
    else:
        assert "refused" in fact or _held(made) != _held(fact["layouts"])


def _held(answers: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what each rank holds, whatever the device matrix that says so."""
    held: dict[str, Any] = {}
    for name, (dev_mat, tensor_map, slice_shape, shards) in answers.items():
        layout = Layout(tuple(dev_mat), tuple(tensor_map))
        held[name] = slice_shape, shards, [layout.slice_index(r) for r in range(layout.size)]
    return held
