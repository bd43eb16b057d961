"""Hooks of Cells, and their Parameters by paths."""

from typing import Any

import pytest

import simpar
from simpar import nn
from simpar.context import GRAPH_MODE, PYNATIVE_MODE, Context
from simpar.parameter import Parameter
from simpar.tensor import Tensor


class Scale(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor([3.0]), name="given")

    def construct(self, x: Tensor, plus: float = 0.0) -> Tensor:
        return x * self.w + plus


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


def test_hooks_before_and_after_change_inputs_and_output_until_they_are_removed() -> None:
    net, x = Scale(), Tensor([2.0])
    before = net.register_forward_pre_hook(lambda cell, inputs: (inputs[0] + 1.0,))
    after = net.register_forward_hook(lambda cell, inputs, output: output * inputs[0])
    assert net(x).asnumpy().tolist() == [27.0]
    after.remove()
    assert net(x).asnumpy().tolist() == [9.0]
    before.remove()
    before.remove()
    assert net(x).asnumpy().tolist() == [6.0]


def test_hooks_see_keyword_arguments_in_the_order_they_were_given() -> None:
    net, seen = Scale(), list[Any]()
    net.register_forward_hook(lambda cell, args, kwargs, out: seen.append(("second", kwargs)), with_kwargs=True)
    net.register_forward_hook(lambda cell, args, out: seen.append("first"), prepend=True)
    net.register_forward_pre_hook(lambda cell, args, kwargs: (args, {"plus": 5.0}), with_kwargs=True)
    assert net(Tensor([1.0]), plus=1.0).asnumpy().tolist() == [8.0]
    assert seen == ["first", ("second", {"plus": 5.0})]


def test_hooks_are_part_of_the_gradient_and_their_removal_is_seen() -> None:
    net, x = Scale(), Tensor([2.0])
    run = simpar.grad(net)
    assert run(x).asnumpy().tolist() == [3.0]
    handle = net.register_forward_hook(lambda cell, inputs, output: output * 10.0)
    assert run(x).asnumpy().tolist() == [30.0]
    handle.remove()
    assert run(x).asnumpy().tolist() == [3.0]


def test_hooks_of_the_backward_pass_change_gradients() -> None:
    net, x = Scale(), Tensor([2.0])
    shapes: list[Any] = []

    def through(cell: nn.Cell, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]) -> Any:
        shapes.append((grad_input[0].shape, grad_output[0].shape))
        return (grad_input[0] + 0.5,)

    net.register_backward_pre_hook(lambda cell, grad_output: grad_output[0] * 10.0)
    net.register_backward_hook(through)
    dx, (dw,) = simpar.grad(net, 0, net.trainable_params())(x)
    assert dx.asnumpy().tolist() == [3.0 * 10 + 0.5]
    assert dw.asnumpy().tolist() == [2.0 * 10]
    assert shapes == [((1,), (1,))]


def test_hooks_sleep_in_graph_mode(own_context: Context) -> None:
    own_context.mode = GRAPH_MODE
    net = Scale()
    net.register_forward_hook(lambda cell, inputs, output: output * 10.0)
    assert net(Tensor([2.0])).asnumpy().tolist() == [6.0]
    with pytest.raises(TypeError, match="a hook is a function"):
        net.register_forward_hook("print")  # pyright: ignore[reportArgumentType]


def test_a_state_is_loaded_by_paths() -> None:
    one, other = nn.SequentialCell(Scale(), Scale()), nn.SequentialCell(Scale(), Scale())
    assert list(one.state_dict(prefix="net.")) == ["net.0.w", "net.1.w"]
    one.state_dict()["1.w"].set_data(Tensor([7.0]))
    assert other.load_state_dict(one.state_dict()) == ([], [])
    assert other[1].w.asnumpy().tolist() == [7.0]
    assert other.get_sub_cell("1") is other[1]
    with pytest.raises(RuntimeError, match=r"misses \['0.w'\] and has no \['more'\]"):
        other.load_state_dict({"1.w": Tensor([1.0]), "more": Tensor([1.0])})
    assert other.load_state_dict({"1.w": Tensor([1.0])}, strict=False).missing_keys == ["0.w"]
    with pytest.raises(AttributeError, match=r"no Cell at '2\.inner'"):
        other.get_sub_cell("2.inner")
