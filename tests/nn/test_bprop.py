"""Cells with a gradient of their own: ``bprop`` stands in place of what follows from ``construct``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar
from simpar import nn, ops
from simpar.parameter import Parameter
from simpar.tensor import Tensor


class Doubled(nn.Cell):
    """Computes x * y, and says that the gradients are 10 dout and 100 dout x."""

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y

    def bprop(self, x: Tensor, y: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        return dout * 10.0, dout * x * 100.0


@pytest.fixture(params=[simpar.GRAPH_MODE, simpar.PYNATIVE_MODE], autouse=True)
def mode(request: pytest.FixtureRequest) -> None:
    simpar.set_context(mode=request.param)


def test_gradients_are_those_of_bprop_and_values_those_of_construct() -> None:
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    value, (dx, dy) = simpar.value_and_grad(Doubled(), (0, 1))(x, y)
    assert value.asnumpy().tolist() == [3.0, 8.0]
    assert dx.asnumpy().tolist() == [10.0, 10.0]
    assert dy.asnumpy().tolist() == [100.0, 200.0]


def test_gradients_go_through_bprop_inside_of_a_network() -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(Tensor([2.0]), name="w")
            self.inner = Doubled()

        def construct(self, x: Tensor) -> Tensor:
            return self.inner(x * self.w, x) * 3.0

    net = Net()
    dx, (dw,) = simpar.grad(net, 0, net.trainable_params())(Tensor([5.0]))
    # the inner Cell hands back 10 * 3 for x * w, and 100 * (x * w) * 3 for x
    assert dx.asnumpy().tolist() == [30 * 2 + 100 * 10 * 3]
    assert dw.asnumpy().tolist() == [30 * 5]


def test_several_results_have_a_cotangent_each_and_one_that_nothing_needs_has_zeros() -> None:
    seen: list[Any] = []

    class Two(nn.Cell):
        def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x + 1.0, x * 2.0

        def bprop(self, x: Tensor, out: Any, dout: Any) -> tuple[Tensor]:
            seen.append((len(out), len(dout)))
            return (dout[0] + dout[1] * 5.0,)

    two = Two()
    assert simpar.grad(lambda x: two(x)[0])(Tensor([1.0])).asnumpy().tolist() == [1.0]
    assert simpar.grad(lambda x: two(x)[1])(Tensor([1.0])).asnumpy().tolist() == [5.0]
    assert simpar.grad(lambda x: ops.sin(x))(Tensor([0.0])).asnumpy().tolist() == [1.0]
    assert set(seen) == {(2, 2)}


def test_an_argument_may_have_no_gradient() -> None:
    class Picked(nn.Cell):
        def construct(self, x: Tensor, place: Tensor, scale: float) -> Tensor:
            return ops.gather(x, place, 0) * scale

        def bprop(self, x: Tensor, place: Tensor, scale: float, out: Tensor, dout: Tensor) -> tuple[Any, ...]:
            return ops.ones_like(x) * 7.0, None, None

    made = simpar.grad(Picked())(Tensor([1.0, 2.0, 3.0]), Tensor([1]), 2.0)
    assert made.asnumpy().tolist() == [7.0, 7.0, 7.0]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda x: x, TypeError, "should be a tuple"),
        (lambda x: (x, x), TypeError, "2 gradients for 1 inputs"),
        (lambda x: (x.sum(),), ValueError, r"gradient of shape \(\) for an input of shape \(2,\)"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    answer: Callable[[Tensor], Any], kind: type[Exception], words: str
) -> None:
    class Wrong(nn.Cell):
        def construct(self, x: Tensor) -> Tensor:
            return x * 2.0

        def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> Any:
            return answer(dout)

    with pytest.raises(kind, match=words):
        simpar.grad(Wrong())(Tensor([1.0, 2.0]))


def test_without_a_list_all_that_a_cell_trains_is_differentiated_by() -> None:
    net = nn.Dense(2, 1, weight_init="ones", has_bias=False)
    inputs, weights = simpar.ops.GradOperation(get_all=True, get_by_list=True)(net)(Tensor([[2.0, 3.0]]))
    assert inputs[0].asnumpy().tolist() == [[1.0, 1.0]]
    assert np.array_equal(weights[0].asnumpy(), [[2.0, 3.0]])
