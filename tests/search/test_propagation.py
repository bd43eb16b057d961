"""Propagation: strategies spread from configured ops, and what comes out computes what one device computes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.context import Context, entered
from simpar.errors import NotYetError, StrategyError
from simpar.layout import Layout, parse_rule
from simpar.search.candidates import candidates
from simpar.search.moving import Cost, moving_cost

X = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)


class Net(nn.Cell):
    """Two products with an activation between them; the first may be configured."""

    def __init__(self, strategy: Any = None) -> None:
        super().__init__()
        weights = np.linspace(-1, 1, 128, dtype=np.float32)
        self.w1 = Parameter(Tensor(weights.reshape(8, 16)), name="w1")
        self.w2 = Parameter(Tensor(weights.reshape(16, 8)), name="w2")
        self.one = ops.MatMul() if strategy is None else ops.MatMul().shard(strategy)
        self.two = ops.MatMul()

    def construct(self, x: Tensor) -> Tensor:
        return self.two(ops.relu(self.one(x, self.w1)), self.w2).sum()


def step(strategy: Any, wanted: Any = None) -> list[NDArray[Any]]:
    ms.set_auto_parallel_context(
        parallel_mode="auto_parallel", search_mode="sharding_propagation", dataset_strategy="full_batch"
    )
    net = Net(strategy)
    if wanted is not None:
        net.one.shard(strategy, wanted)
    loss, gradients = ms.value_and_grad(net, None, net.trainable_params())(Tensor(X))
    return [loss.asnumpy(), *(ms.parallel.full_tensor(g).asnumpy() for g in gradients)]


@pytest.mark.parametrize("strategy", [((2, 1), (1, 2)), ((1, 4), (4, 1)), ((1, 1), (1, 4)), ((4, 1), (1, 1)), None])
def test_a_step_computes_what_one_device_computes(strategy: Any) -> None:
    wanted = run_threads(1, lambda: step(None))[0]
    for made in run_threads(4, lambda: step(strategy)):
        for one, other in zip(made, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [(((2, 2), (2, 1)), ((4, 1),)), (((2, 2), (2, 1)), ((2, 1),)), (((1, 4), (4, 1)), ((4, 1),))],
)
def test_an_out_strategy_is_what_the_next_op_takes(strategy: Any, wanted: Any) -> None:
    alone = run_threads(1, lambda: step(None))[0]
    for made in run_threads(4, lambda: step(strategy, wanted)):
        for one, other in zip(made, alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    with entered(Context()):
        ms.set_auto_parallel_context(
            parallel_mode="auto_parallel", search_mode="sharding_propagation", full_batch=True, device_num=4
        )
        net = Net(strategy)
        net.one.shard(strategy, wanted)
        net.compile(Tensor(X))
        assert (
            net.parameter_layout_dict["w2"][2][0] == 16
        )  # rows of its other operand are cut, as the first result's are


def test_an_op_behind_a_gathering_product_takes_what_that_leaves() -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(
            parallel_mode="auto_parallel", search_mode="sharding_propagation", full_batch=True, device_num=4
        )
        net = Net()
        on = ms.parallel.Layout((2, 2), ("y", "x"))
        net.one.add_prim_attr("enable_nd_tp", True).shard((on("None", ("x", "y")), on("x", "y")))
        net.compile(Tensor(X))
        assert net.parameter_layout_dict["w1"][:3] == ([2, 2], [0, 1], [4, 8])
        assert net.parameter_layout_dict["w2"][2] == [4, 8]  # rows, as the ranks hold columns of the first result


def test_a_parameter_leads_to_the_other_ops_that_take_it() -> None:
    class Twice(nn.Cell):
        def __init__(self, strategy: Any) -> None:
            super().__init__()
            self.w = Parameter(Tensor(X), name="w")
            self.one, self.two = ops.Mul(), ops.Mul()
            if strategy is not None:
                self.one.shard(strategy)

        def construct(self, x: Tensor) -> Tensor:
            return self.two(ops.relu(self.one(x, self.w)).T, ops.cast(self.w, ms.float32)).sum()

    def gradient(strategy: Any) -> tuple[Any, Any]:
        ms.set_auto_parallel_context(
            parallel_mode="auto_parallel", search_mode="sharding_propagation", dataset_strategy="full_batch"
        )
        net = Twice(strategy)
        made = ms.value_and_grad(net, None, net.trainable_params())(Tensor(X))[1][0]
        return ms.parallel.full_tensor(made).asnumpy(), net.w.layout

    ((wanted, _),) = run_threads(1, gradient, None)
    for made, layout in run_threads(4, gradient, ((2, 2), (2, 2))):
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-6)
        assert layout.cuts == (2, 2)


def test_a_column_cut_is_followed_by_a_row_cut() -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(
            parallel_mode="auto_parallel", search_mode="sharding_propagation", full_batch=True, device_num=4
        )
        net = Net(((2, 1), (1, 2)))
        net.compile(Tensor(X))
        assert net.parameter_layout_dict["w1"][:3] == ([2, 2], [-1, 0], [8, 8])
        assert net.parameter_layout_dict["w2"][:3] == ([2, 2], [0, -1], [8, 8])


def test_searches_by_cost_say_what_to_use() -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="auto_parallel", search_mode="dynamic_programming", device_num=2)
        with pytest.raises(NotYetError, match="sharding_propagation"):
            Net().compile(Tensor(X))


def test_a_strategy_that_does_not_fit_names_its_op() -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(
            parallel_mode="auto_parallel", search_mode="sharding_propagation", full_batch=True, device_num=4
        )
        with pytest.raises(StrategyError, match="op matmul"):
            Net(((2, 2), (4, 1))).compile(Tensor(X))


def test_slices_are_free_and_moves_cost_what_reaches_a_rank() -> None:
    whole, rows, columns = Layout((4,), (-1, -1)), Layout((4,), (0, -1)), Layout((4,), (-1, 0))
    assert moving_cost(rows, rows, (8, 8)) == Cost(0, 0)
    assert moving_cost(whole, rows, (8, 8)) == Cost(0, 1)
    assert moving_cost(rows, whole, (8, 8)) == Cost(64, 1)
    assert moving_cost(rows, columns, (8, 8)) == Cost(64, 2)


def test_candidates_use_divisors_of_the_devices_that_divide_the_axes() -> None:
    rule = parse_rule("i j -> i j", ((6, 4),), whole=("j",))
    assert [cuts for cuts, _ in candidates(rule, 6)] == [((6, 1),), ((3, 1),), ((2, 1),), ((1, 1),)]
    assert [cuts for cuts, _ in candidates(rule, 6, uses_all=True)] == [((6, 1),)]
    assert len(candidates(rule, 5, uses_all=True)) == 1


def test_all_devices_are_used_where_that_is_wanted() -> None:
    class Biased(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.b = Parameter(Tensor(X), name="b")
            self.product, self.add = ops.MatMul().shard(((2, 2), (2, 1))), ops.Add()

        def construct(self, x: Tensor) -> Tensor:
            return self.add(self.product(x, x), self.b)

    for is_wanted, cut in ((False, [4, 8]), (True, [4, 4])):
        with entered(Context()):
            ms.set_auto_parallel_context(
                parallel_mode="auto_parallel", search_mode="sharding_propagation", full_batch=True, device_num=4
            )
            ms.parallel.set_algo_parameters(fully_use_devices=is_wanted)
            net = Biased()
            net.compile(Tensor(X))
            assert net.parameter_layout_dict["b"][2] == cut
