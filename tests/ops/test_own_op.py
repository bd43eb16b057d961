"""A user's own op is one record, and gets everything."""

from collections.abc import Iterator

import numpy as np
import pytest

from simpar import ops
from simpar.errors import RuleError
from simpar.graph import OPS, Example, OpDef, Trace, graph_text, op, tracing
from simpar.layout import Layout
from simpar.tensor import Tensor, call
from tests.ops.cutting import Array, check_every_cut
from tests.ops.test_gradients import check_gradient

SHAPES = ((4, 6), (4, 6))


def _distance(x: Array, y: Array, out: Array | None = None) -> Array:
    return np.sum((x - y) ** 2, axis=-1, out=out)


def _distance_grad(g: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    dx = ops.expand_dims(g, -1) * (x - y) * 2
    return dx, -dx


@pytest.fixture
def distance() -> Iterator[OpDef]:
    """The squared distance of rows: a rule, a kernel and a gradient."""
    yield op(
        "distance", rule="... c, ... c -> ...", kernel=_distance, bprop=_distance_grad, examples=(Example(SHAPES),)
    )
    del OPS["distance"]


def test_it_computes_at_once(distance: OpDef) -> None:
    made = call("distance", Tensor([[1.0, 2.0]]), Tensor([[4.0, 6.0]]))
    assert isinstance(made, Tensor)
    assert made.tolist() == [25.0]


def test_it_is_right_under_every_cut(distance: OpDef) -> None:
    assert check_every_cut(distance, distance.examples[0]) > 20


def test_its_gradient_is_checked(distance: OpDef) -> None:
    check_gradient(distance, distance.examples[0])


def test_it_becomes_a_node_with_the_users_strategy(distance: OpDef) -> None:
    with tracing(Trace()) as trace:
        x = Tensor.wrap(trace.argument((4, 6), Tensor(1.0).dtype, "x"))
        call("distance", x, x, strategy=((2, 1), (2, 1)))
    assert trace.nodes[0].outputs[0].shape == (4,)
    assert trace.nodes[0].strategy == ((2, 1), (2, 1))
    assert "distance" in graph_text(trace.graph([trace.nodes[0].outputs[0]]))


def test_it_has_a_face(distance: OpDef) -> None:
    class Distance(ops.Primitive, op="distance"):
        def __call__(self, x: Tensor, y: Tensor) -> Tensor:
            return self.apply_one(x, y)

    layout = Layout((2,), (0, -1))
    assert Distance().shard((layout, layout))(Tensor([[3.0]]), Tensor([[5.0]])).tolist() == [4.0]


def test_a_name_can_be_taken_once(distance: OpDef) -> None:
    with pytest.raises(RuleError, match="'distance' exists already"):
        op("distance", rule="... -> ...")
