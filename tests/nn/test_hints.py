"""What a Cell is told that only reads back, and the type it computes in."""

import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.errors import ContextError


def network() -> nn.SequentialCell:
    return nn.SequentialCell(nn.ReLU(), nn.SequentialCell(nn.ReLU()))


def test_flags_read_back_and_reach_cells_below() -> None:
    net = network()
    net.add_flags_recursive(fp16=True)
    net.add_flags(own=1)
    assert net.get_flags() == {"fp16": True, "own": 1}
    assert net[1][0].get_flags() == {"fp16": True}  # pyright: ignore


def test_inputs_read_back() -> None:
    net, described = network(), Tensor(shape=[None, 16])
    net.set_inputs(described)
    assert net.get_inputs() == (described,)


class TypeOf(nn.Cell):
    def construct(self, x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        return ops.relu(x), ops.relu(n)


def test_to_float_casts_floats_that_come_in_and_nothing_else() -> None:
    floats, numbers = TypeOf().to_float(ms.float16)(Tensor([1.0]), Tensor([1]))
    assert (floats.dtype, numbers.dtype) == (ms.float16, ms.int64)


def test_to_float_takes_no_other_type() -> None:
    with pytest.raises(ContextError, match="Float16 or Float32, not Int32"):
        network().to_float(ms.int32)


def test_apply_calls_inner_cells_first() -> None:
    seen: list[str] = []
    network().apply(lambda cell: seen.append(cell.cls_name))
    assert seen == ["ReLU", "ReLU", "SequentialCell", "SequentialCell"]
