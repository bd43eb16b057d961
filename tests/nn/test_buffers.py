"""Buffers: values that a Cell keeps and updates, and that no optimizer trains."""

from typing import Any

import pytest

from simpar import nn
from simpar.context import GRAPH_MODE, PYNATIVE_MODE, Context
from simpar.parameter import Parameter
from simpar.tensor import Tensor


class Counted(nn.Cell):
    """Adds up what it was given; a second buffer is not part of its state."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor([2.0]))
        self.register_buffer("total", Tensor([0.0]))
        self.register_buffer("scratch", Tensor([1]), persistent=False)

    def construct(self, x: Tensor) -> Tensor:
        self.total = self.total + x
        return self.total * self.w


@pytest.mark.parametrize("mode", [GRAPH_MODE, PYNATIVE_MODE])
def test_construct_updates_a_buffer_in_both_modes(own_context: Context, mode: int) -> None:
    own_context.mode = mode
    net = Counted()
    assert [net(Tensor([x])).tolist() for x in (1.0, 2.0)] == [[2], [6]]
    net.total = Tensor([10.0])
    assert net(Tensor([1.0])).tolist() == [22]
    assert net.total.asnumpy().tolist() == [11]


def test_buffers_are_no_parameters_of_the_network() -> None:
    net = nn.SequentialCell(Counted(), Counted())
    assert [p.name for p in net.get_parameters()] == ["0.w", "1.w"]
    assert [p.name for p in net.trainable_params()] == ["0.w", "1.w"]
    assert [name for name, _ in net.named_buffers("net")] == [
        "net.0.total",
        "net.0.scratch",
        "net.1.total",
        "net.1.scratch",
    ]
    assert len(list(net.buffers())) == 4
    assert not list(net.buffers(recurse=False))
    assert net.get_buffer("1.total") is net[1].total
    with pytest.raises(AttributeError, match=r"no buffer at 'total'; it has \['0.total'"):
        net.get_buffer("total")


def test_the_state_of_a_cell_has_its_persistent_buffers() -> None:
    one, other = Counted(), Counted()
    one.total = Tensor([5.0])
    assert list(one.state_dict()) == ["w", "total"]
    assert other.load_state_dict(one.state_dict()) == ([], [])
    assert other.total.asnumpy().tolist() == [5]


def test_a_buffer_may_be_empty_filled_and_deleted() -> None:
    net = nn.ReLU()
    net.register_buffer("seen", None)
    assert (net.seen, list(net.buffers())) == (None, [])
    net.seen = Tensor([1, 2])
    assert net.get_buffer("seen").tolist() == [1, 2]
    del net.seen
    assert not hasattr(net, "seen")


@pytest.mark.parametrize("name", ["", "a.b", "w", "training"])
def test_a_buffer_needs_a_free_name(name: str) -> None:
    with pytest.raises(KeyError, match="cannot name a buffer here"):
        Counted().register_buffer(name, Tensor([1.0]))


def test_a_buffer_holds_a_tensor() -> None:
    net, wrong = Counted(), [1.0]
    given: Any = wrong
    with pytest.raises(TypeError, match="takes a text and a Tensor or None"):
        net.register_buffer("more", given)
    with pytest.raises(TypeError, match="buffer 'total' of Counted takes a Tensor or None"):
        net.total = given
