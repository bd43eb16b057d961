"""Functions of functions: HyperMap, Map, MultitypeFuncGraph, partial."""

import pytest

from simpar import Tensor, ops
from simpar.errors import DTypeError


def test_hyper_map_reaches_every_leaf() -> None:
    assert ops.HyperMap(lambda x, y: x * y)([1, (2, 3)], [10, (20, 30)]) == (10, (40, 90))
    assert ops.HyperMap()(lambda x: -x, (1, 2)) == (-1, -2)


def test_hyper_map_refuses_lists_of_different_lengths() -> None:
    with pytest.raises(DTypeError, match=r"of one form, not of lengths \[2, 1\]"):
        ops.HyperMap(lambda x, y: x)((1, 2), (1,))


def test_multitype_func_graph_chooses_by_type() -> None:
    scale = ops.MultitypeFuncGraph("scale")

    @scale.register("Tensor", "Number")
    def _(x: Tensor, factor: float) -> str:
        return "tensor"

    @scale.register("Number", "Number")
    def _(x: float, factor: float) -> str:
        return "number"

    assert scale(Tensor([1.0]), 2) == "tensor"
    assert scale(1, 2) == "number"
    with pytest.raises(DTypeError, match="scale has no function for \\(str, int\\)"):
        scale("x", 2)


def test_partial_gives_first_arguments() -> None:
    assert ops.partial(ops.HyperMap(), len)((["a", "b"],)) == ((1, 1),)
