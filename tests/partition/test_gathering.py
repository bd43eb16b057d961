"""Products that gather their operands and scatter their terms: what moves, and that the numbers are one device's."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.errors import StrategyError
from simpar.parallel import Layout
from tests.parity.runs import held, together

RNG = np.random.default_rng(3)
X = RNG.standard_normal((8, 16)).astype(np.float32)
STACK = RNG.standard_normal((4, 8, 16)).astype(np.float32)
FLAT, CUBE = Layout((2, 4), ("x", "y")), Layout((2, 2, 2), ("z", "x", "y"))
Way = Callable[["Net"], object]


class Net(nn.Cell):
    """Two products with a rectifier between; each may be given its operands transposed."""

    def __init__(self, way: Way | None, turned: bool = False, batch: bool = False) -> None:
        super().__init__()
        kind = ops.BatchMatMul if batch else ops.MatMul
        lead = (4,) if batch else ()
        rng = np.random.default_rng(5)
        shapes = ((32, 16), (16, 32)) if turned else ((16, 32), (32, 16))
        first, second = (Tensor(rng.standard_normal((*lead, *s)).astype(np.float32)) for s in shapes)
        self.w1, self.w2 = Parameter(first, name="w1"), Parameter(second, name="w2")
        self.first, self.second, self.relu = kind(transpose_b=turned), kind(transpose_b=turned), ops.ReLU()
        if way is not None:
            way(self)

    def construct(self, x: Tensor) -> Tensor:
        return self.second(self.relu(self.first(x, self.w1)), self.w2)

    def by_nd_tp(self) -> None:
        self.first.add_prim_attr("enable_nd_tp", True)
        self.second.add_prim_attr("enable_nd_tp", True)


def flat(net: Net) -> None:
    net.by_nd_tp()
    net.first.shard((FLAT("None", ("x", "y")), FLAT("x", "y")))
    net.relu.shard((FLAT("None", ("y", "x")),))
    net.second.shard((FLAT("None", ("y", "x")), FLAT("y", "x")))


def cube(net: Net) -> None:
    net.by_nd_tp()
    net.first.shard((CUBE(("z", "y"), "x"), CUBE(("x", "z"), "y")))
    net.relu.shard((CUBE(("z", "x"), "y"),))
    net.second.shard((CUBE(("z", "x"), "y"), CUBE(("y", "z"), "x")))


def turned_cube(net: Net) -> None:
    net.by_nd_tp()
    net.first.shard((CUBE(("z", "y"), "x"), CUBE("y", ("x", "z"))))
    net.second.shard((CUBE(("z", "x"), "y"), CUBE("x", ("y", "z"))))


def cube_over_columns(net: Net) -> None:
    cube(net)
    net.first.add_prim_attr("ndtp_reduce_scatter_axis", 1)


def stack(net: Net) -> None:
    layout = Layout((2, 2, 2), ("b", "x", "y"))
    net.by_nd_tp()
    net.first.shard((layout("b", "None", ("x", "y")), layout("b", "x", "y")))
    net.second.shard((layout("b", "None", ("y", "x")), layout("b", "y", "x")))


def stack_of_cubes(net: Net) -> None:
    net.by_nd_tp()
    net.first.shard((CUBE("None", ("z", "y"), "x"), CUBE("None", ("x", "z"), "y")))
    net.first.add_prim_attr("ndtp_reduce_scatter_axis", 0)
    net.second.shard((CUBE("None", ("z", "x"), "y"), CUBE("None", ("y", "z"), "x")))


def alike(net: Net) -> None:
    net.first.shard(((2, 4), (2, 4)))
    net.second.shard(((4, 2), (4, 2)))


def rows_alike(net: Net) -> None:
    net.first.shard(((8, 1), (8, 1)))
    net.second.shard(((1, 8), (1, 8)))


def trained(way: Way | None, turned: bool, data: Any, **options: Any) -> dict[str, Any]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net = Net(way, turned, data.ndim == 3)
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    gradients_of = ms.value_and_grad(lambda x: ops.mean(ops.square(net(x))), None, net.trainable_params())

    @ms.jit
    def step(x: Tensor) -> Any:
        loss, gradients = gradients_of(x)
        optimizer(gradients)
        return loss

    losses = [step(Tensor(data)).item() for _ in range(3)]
    plan: Any = compile_function(cast("Any", step).__wrapped__, (Tensor(data),), step).plan
    moves = [
        (i.op, i.collective.group) for i in plan.instructions if i.collective and "result for" not in i.collective.cause
    ]
    return {"losses": losses, "weights": held([net.w1, net.w2]), "moves": moves}


@pytest.mark.parametrize(
    ("way", "turned", "data"),
    [
        pytest.param(flat, False, X, id="2d"),
        pytest.param(cube, False, X, id="3d"),
        pytest.param(turned_cube, True, X, id="3d-transposed"),
        pytest.param(cube_over_columns, False, X, id="3d-over-columns"),
        pytest.param(stack, False, STACK, id="2d-batched"),
        pytest.param(stack_of_cubes, False, STACK, id="3d-batched"),
        pytest.param(alike, False, X, id="both-alike"),
        pytest.param(rows_alike, False, X, id="rows-alike"),
    ],
)
def test_eight_ranks_train_as_one(way: Way, turned: bool, data: Any) -> None:
    (alone,) = run_threads(1, trained, None, turned, data)
    ranks = run_threads(8, trained, way, turned, data)
    np.testing.assert_allclose(ranks[0]["losses"], alone["losses"], rtol=1e-5)
    for name, given in alone["weights"].items():
        whole = together([r["weights"][name] for r in ranks])
        np.testing.assert_allclose(whole, given.array, rtol=1e-4, atol=1e-5)
        assert all(r["weights"][name].array.size * 8 == given.array.size for r in ranks), "a rank keeps its share only"


def test_the_parallel_optimizer_cuts_what_is_left_whole() -> None:
    def way(net: Net) -> None:
        layout = Layout((2, 2, 2), ("m", "x", "y"))
        net.by_nd_tp()
        net.first.shard((layout("m", ("x", "y")), layout("x", "y")))
        net.second.shard((layout("m", ("y", "x")), layout("y", "x")))

    options: dict[str, Any] = {
        "enable_parallel_optimizer": True,
        "parallel_optimizer_config": {"parallel_optimizer_threshold": 0},
    }
    (alone,) = run_threads(1, trained, None, False, X)
    for rank in run_threads(8, partial(trained, **options), way, False, X):
        np.testing.assert_allclose(rank["losses"], alone["losses"], rtol=1e-5)
        assert rank["weights"]["w1"].array.size == 16 * 32 // 8


def test_operands_are_gathered_and_terms_scattered_along_one_device_axis_each() -> None:
    z, y, x = (0, 4), (0, 1), (0, 2)  # rank 0's groups
    moves = run_threads(8, trained, cube, False, X)[0]["moves"]
    forward = [("all_gather", z), ("reduce_scatter", x), ("all_gather", x), ("all_gather", z), ("reduce_scatter", y)]
    assert moves[: len(forward)] == forward  # the input is there whole
    backward = [("all_gather", y), ("reduce_scatter", x), ("all_gather", x), ("reduce_scatter", z)]
    assert moves[-len(backward) :] == backward  # both gradients are one message


@pytest.mark.parametrize(
    ("x", "w"),
    list(pairwise([FLAT("None", ("y", "x")), FLAT("x", "y"), FLAT("None", ("x", "y")), FLAT("x", "None")])),
)
def test_other_layouts_are_refused(x: Any, w: Any) -> None:
    def program() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, full_batch=True)
        net = Net(lambda n: n.first.add_prim_attr("enable_nd_tp", True).shard((x, w)))
        net.compile(Tensor(X))

    with pytest.raises(StrategyError, match="enable_nd_tp takes x"):
        program()


def test_nd_tp_without_layouts_is_refused() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, full_batch=True)
    net = Net(lambda n: n.first.add_prim_attr("enable_nd_tp", True).shard(((2, 4), (4, 1))))
    with pytest.raises(StrategyError, match="a Layout for each operand"):
        net.compile(Tensor(X))
