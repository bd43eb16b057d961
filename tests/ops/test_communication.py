from typing import Any

import numpy as np
import pytest

from simpar import ops
from simpar.context import current
from simpar.dtype import float32
from simpar.graph import Trace, tracing
from simpar.ops.communication import ranks_of_group
from simpar.tensor import Tensor


@pytest.fixture
def four() -> None:
    current().others["groups"] = {"pair": (1, 3), "four": (0, 1, 2, 3)}


def traced(op: Any, shape: tuple[int, ...]) -> Any:
    trace = Trace()
    with tracing(trace):
        op(Tensor.wrap(trace.argument(shape, float32, "x")))
    return trace.nodes[-1]


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("op", "group", "shape"),
    [
        (ops.AllReduce, "pair", (4, 6)),
        (ops.AllGather, "pair", (8, 6)),
        (ops.ReduceScatter, "four", (1, 6)),
        (lambda group: ops.AlltoAll(2, 1, 0, group), "pair", (8, 3)),
    ],
)
def test_result_of_a_collective_has_the_shape_that_the_group_makes(op: Any, group: str, shape: tuple[int, ...]) -> None:
    node = traced(op(group=group), (4, 6))
    assert node.outputs[0].shape == shape
    assert node.attrs["group"] == ranks_of_group(group)


def test_the_world_group_has_every_name_of_mindspore() -> None:
    assert {ranks_of_group(g) for g in ("hccl_world_group", "nccl_world_group")} == {None}


@pytest.mark.usefixtures("four")
def test_an_unknown_group_is_named_beside_the_known_ones() -> None:
    with pytest.raises(RuntimeError, match=r"no group .trio.*.pair., .four."):
        ops.AllReduce(group="trio")


@pytest.mark.parametrize("bad", [{"op": 1}, {"group": 3}])
def test_collectives_refuse_what_is_not_text(bad: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        ops.AllReduce(**bad)


@pytest.mark.usefixtures("four")
def test_reduce_scatter_names_the_axis_that_does_not_divide() -> None:
    with pytest.raises(ValueError, match=r"axis 0 of shape \(6, 2\) among 4 ranks"):
        traced(ops.ReduceScatter(group="four"), (6, 2))


@pytest.mark.usefixtures("four")
def test_fusion_index_of_a_collective_stands_on_its_node() -> None:
    assert traced(ops.AllReduce(group="pair").add_prim_attr("fusion", 3), (2,)).attrs["fusion"] == 3


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("op", "shape", "names"),
    [
        (ops.AllReduce(), (4,), ["all_reduce", "all_reduce"]),
        (ops.AllReduce(ops.ReduceOp.MAX), (4,), ["all_reduce", "all_reduce", "equal", "cast", "mul"]),
        (ops.AllGather(), (4,), ["all_gather", "reduce_scatter"]),
        (ops.ReduceScatter(), (4,), ["reduce_scatter", "all_gather"]),
        (ops.Broadcast(0), (4,), ["broadcast"]),
        (ops.AlltoAll(1, 0, 1), (4, 2), ["all_to_all", "all_to_all"]),
    ],
)
def test_gradient_of_a_collective_is_the_collective_of_mindspore(op: Any, shape: Any, names: list[str]) -> None:
    from simpar.graph import lookup

    trace = Trace()
    with tracing(trace):
        x = Tensor.wrap(trace.argument(shape, float32, "x"))
        y = op((x,))[0] if isinstance(op, ops.Broadcast) else op(x)
        node = trace.nodes[-1]
        (dx,) = lookup(node.op).backward(y, [x], y, node.attrs)
    assert [n.op for n in trace.nodes] == names
    assert dx.shape == shape


def test_a_product_over_ranks_has_no_gradient() -> None:
    from simpar.graph import lookup

    x = Tensor(np.ones(2, "f4"))
    with pytest.raises(NotImplementedError, match="PROD"):
        lookup("all_reduce").backward(x, [x], x, {"op": "prod"})


@pytest.mark.parametrize(
    ("numbers", "error", "words"),
    [
        (([2], 1, 0), TypeError, r"split_count=\[2\]"),
        ((2, (1,), 0), TypeError, r"split_dim=\(1,\)"),
        ((2, 1, True), TypeError, "concat_dim=True"),
        ((2, 2, 0), IndexError, "axes from 0 to 1"),
        ((2, 0, 2), IndexError, "axes from 0 to 1"),
        ((3, 0, 1), ValueError, "one piece per rank"),
    ],
)
@pytest.mark.usefixtures("four")
def test_an_exchange_of_all_with_all_names_whole_numbers_and_axes_that_are_there(
    numbers: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        traced(ops.AlltoAll(*numbers, group="pair"), (4, 2))
