"""Cells: the tree, the options that reach Parameters, and how a call runs."""

import copy
from typing import Any

import numpy as np
import pytest

import simpar
from simpar import context, nn
from simpar.context import Context, current, set_auto_parallel_context
from simpar.errors import CellAttributeError, DTypeError, LayoutError, ModeError
from simpar.graph import Trace, tracing
from simpar.parameter import Parameter
from simpar.tensor import Tensor


class Scale(nn.Cell):
    """Multiplies by a Parameter."""

    def __init__(self, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = Parameter(Tensor([factor]))

    def construct(self, x: Tensor) -> Tensor:
        return x * self.factor


class Twice(nn.Cell):
    """Has two of them, one frozen, and asks whether it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.one = Scale()
        self.two = Scale(3.0)
        self.two.factor.requires_grad = False

    def construct(self, x: Tensor) -> Tensor:
        y = self.two(self.one(x))
        return y if self.training else -y


def test_a_cell_computes_at_once_where_nothing_compiles(own_context: Context) -> None:
    own_context.mode = context.PYNATIVE_MODE
    assert Twice()(Tensor([1.0])).tolist() == [-6.0]
    assert Twice().set_train()(Tensor([1.0])).tolist() == [6.0]


def test_graph_mode_gives_construct_arguments_and_cell_to_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr("simpar.nn.cell.runner", lambda: lambda *given: calls.append(given))
    cell, x = Scale(), Tensor([1.0])
    cell(x=x)
    assert calls == [(cell.construct, (x,), cell, {})]


def test_a_call_inside_a_trace_records_nodes_under_the_path_of_the_cell() -> None:
    with tracing(Trace()) as trace:
        Twice()(Tensor.wrap(trace.argument((1,), Tensor([1.0]).dtype, "x")))
    assert [node.scope for node in trace.nodes] == ["one", "two", ""]


def test_a_cell_that_asks_whether_it_trains_leaves_a_guard() -> None:
    cell = Twice()
    with tracing(Trace()) as trace:
        cell(Tensor.wrap(trace.argument((1,), Tensor([1.0]).dtype, "x")))
    before = [guard() for guard in trace.guards]
    cell.set_train()
    assert [guard() for guard in trace.guards] != before


def test_assigning_a_traced_value_to_a_parameter_is_an_output_of_the_graph() -> None:
    class Count(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.total = Parameter(Tensor([0.0]))

        def construct(self, x: Tensor) -> Tensor:
            self.total = self.total + x
            return self.total * 1.0

    cell = Count()
    with tracing(Trace()) as trace:
        cell(Tensor.wrap(trace.argument((1,), Tensor([1.0]).dtype, "x")))
        graph = trace.graph(())
    assert graph.writes == {graph.parameters[0].value: trace.nodes[0].outputs[0]}


class Keyed(nn.Cell):
    def construct(self, x: Tensor, *rest: Tensor, scale: float, **others: Tensor) -> Tensor:
        return (x + sum(rest, Tensor(0.0))) * scale - others["less"]


@pytest.mark.parametrize("mode", [simpar.GRAPH_MODE, simpar.PYNATIVE_MODE])
def test_keyword_only_and_free_keyword_arguments_arrive(mode: int) -> None:
    simpar.set_context(mode=mode)
    net, one, less = Keyed(), Tensor([1.0]), Tensor([0.5])
    assert net(one, scale=2.0, less=less).asnumpy().tolist() == [1.5]
    assert net(one, one, scale=2.0, less=less).asnumpy().tolist() == [3.5]
    assert net(one, scale=4.0, less=less).asnumpy().tolist() == [3.5]
    assert net(one, scale=4.0, less=one).asnumpy().tolist() == [3.0]


def test_inner_cells_and_jit_functions_take_keyword_only_arguments() -> None:
    class Outer(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Keyed()

        def construct(self, x: Tensor) -> Tensor:
            return self.inner(x, scale=3.0, less=x)

    @simpar.jit
    def scaled(x: Tensor, *, by: Tensor) -> Tensor:
        return x * by

    assert Outer()(Tensor([1.0])).asnumpy().tolist() == [2.0]
    assert scaled(Tensor([2.0]), by=Tensor([3.0])).asnumpy().tolist() == [6.0]
    assert scaled(Tensor([2.0]), by=Tensor([4.0])).asnumpy().tolist() == [8.0]


def test_a_cell_whose_init_forgot_super_says_so() -> None:
    class Forgetful(nn.Cell):
        def __init__(self) -> None:
            pass

    with pytest.raises(AttributeError, match=r"does not call super\(\).__init__\(\)"):
        Forgetful()(Tensor([1.0]))


def test_a_cell_without_construct_says_so() -> None:
    with pytest.raises(CellAttributeError, match="does not define construct"):
        nn.Cell()(Tensor([1.0]))


# --- the tree ---


def test_trainable_and_untrainable_parameters() -> None:
    net = Twice()
    assert [p.name for p in net.trainable_params()] == ["one.factor"]
    assert [p.name for p in net.untrainable_params()] == ["two.factor"]
    assert net.trainable_params(recurse=False) == []
    assert list(net.parameters_dict()) == ["one.factor", "two.factor"]


def test_cells_are_walked_outer_first() -> None:
    net = Twice()
    assert [name for name, _ in net.cells_and_names()] == ["", "one", "two"]
    assert net.cells() == [net.one, net.two]
    assert list(net.name_cells()) == ["one", "two"]


def test_a_deep_copy_has_parameters_of_its_own() -> None:
    net = Twice()
    other = copy.deepcopy(net)
    other.one.factor.set_data(Tensor([9.0]))
    assert net.one.factor.tolist() == [2.0]
    assert [p.name for p in other.get_parameters()] == ["one.factor", "two.factor"]


def test_the_text_of_a_cell_shows_what_is_below() -> None:
    assert repr(Twice()) == "Twice<\n  (one): Scale<>\n  (two): Scale<>\n  >"


# --- options ---


def test_set_train_reaches_every_cell() -> None:
    net = Twice().set_train()
    assert all(cell.training for _, cell in net.cells_and_names())
    assert net.phase == "train"
    assert net.set_train(False).phase == "predict"


def test_set_grad_is_remembered() -> None:
    assert Twice().set_grad().requires_grad


def test_set_comm_fusion_reaches_trainable_parameters() -> None:
    net = Twice().set_comm_fusion(3)
    assert (net.one.factor.comm_fusion, net.two.factor.comm_fusion) == (3, 1)


@pytest.mark.parametrize(("wrong", "kind"), [(-1, ValueError), (True, TypeError), (1.5, TypeError), ("1", TypeError)])
def test_set_comm_fusion_takes_whole_numbers_from_0(wrong: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="fusion_type"):
        Twice().set_comm_fusion(wrong)


def test_recompute_sets_the_flag_of_the_parameters_below() -> None:
    net = Twice()
    net.recompute(parallel_optimizer_comm_recompute=True)
    assert net.one.factor.parallel_optimizer_comm_recompute


def test_recompute_refuses_options_that_do_not_exist() -> None:
    with pytest.raises(TypeError, match="recompute"):
        Twice().recompute(everything=True)


@pytest.mark.parametrize(("wrong", "kind"), [(-1, ValueError), (True, TypeError), (1.5, TypeError), ("1", TypeError)])
def test_pipeline_stage_is_a_whole_number_from_0(wrong: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="pipeline_stage"):
        Twice().pipeline_stage = wrong


def test_pipeline_stage_reads_back() -> None:
    net = Twice()
    assert net.pipeline_stage is None
    net.pipeline_stage = 1
    assert net.pipeline_stage == 1


def test_shard_marks_inputs_and_results_with_their_cut() -> None:
    net = Twice()
    with tracing(Trace()) as trace:
        net.shard(((2,),), ((4,),))(Tensor.wrap(trace.argument((8,), Tensor([1.0]).dtype, "x")))
    first, last = trace.nodes[0], trace.nodes[-1]
    assert (first.op, first.strategy) == ("identity", ((2,),))
    assert (last.op, last.strategy) == ("identity", ((4,),))


def test_shard_takes_tuples() -> None:
    wrong: Any = [(2,)]
    with pytest.raises(TypeError, match="in_strategy is a tuple"):
        Twice().shard(wrong)
    with pytest.raises(TypeError, match="parameter_plan"):
        Twice().shard(((2,),), parameter_plan={"one.factor": None})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([2, 1], r"'in_strategy' should be a tuple\(tuple\(int\)\) .* but got list \[2, 1\]"),
        ("dp", "but got str 'dp'"),
        ((2, [1]), r"should be tuple\(int\), but 'in_strategy' has \(2, \[1\]\)"),
        ((2, True), r"has \(2, True\)"),
    ],
)
def test_shard_takes_whole_numbers_layouts_and_none_alone(entry: Any, message: str) -> None:
    with pytest.raises(DTypeError, match=message):
        nn.ReLU().shard((entry,))


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ((1, 1, 1), "length of param_strategy: 3, is not equal to param_shape len: 2"),
        ((2, 4), r"param_shape\[1\]: 10 cannot be divisible by param_strategy\[1\]: 4"),
    ],
)
def test_a_parameter_plan_fits_its_parameters(cuts: tuple[int, ...], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        nn.Dense(10, 8).shard(((1, 1),), parameter_plan={"weight": cuts})


def test_a_cell_is_sharded_in_no_search_by_cost() -> None:
    set_auto_parallel_context(parallel_mode="auto_parallel", search_mode="recursive_programming", device_num=8)
    current().mode = context.PYNATIVE_MODE
    with pytest.raises(ModeError, match="'search_mode' must be 'sharding_propagation' for 'Shard'"):
        nn.ReLU().shard(((8, 1),))(Tensor(np.ones((8, 2), np.float32)))


def test_shard_refuses_more_layouts_than_inputs() -> None:
    current().mode = context.PYNATIVE_MODE
    with pytest.raises(RuntimeError, match="2 layouts for 1 input"):
        Twice().shard(((1,), (1,)))(Tensor([1.0]))


# --- containers ---


def test_a_sequential_cell_runs_its_cells_in_order() -> None:
    cells = nn.SequentialCell([Scale(2.0), Scale(5.0)])
    assert cells(Tensor(np.ones(1, np.float32))).tolist() == [10.0]
    assert cells[1:](Tensor(np.ones(1, np.float32))).tolist() == [5.0]


def test_a_sequential_cell_takes_names_of_an_ordered_dictionary() -> None:
    cells = nn.SequentialCell({"first": Scale()})
    assert list(cells.name_cells()) == ["first"]


def test_a_cell_list_changes_like_a_list() -> None:
    one, two, three = Scale(1.0), Scale(2.0), Scale(3.0)
    cells = nn.CellList([one])
    cells.extend([three]).insert(1, two)
    assert list(cells) == [one, two, three]
    del cells[0]
    assert list(cells) == [two, three]
    assert list(cells.name_cells()) == ["0", "1"]
    cells[0] = one
    assert cells[0] is one
    assert len(cells) == 2


def test_containers_hold_cells_only() -> None:
    with pytest.raises(TypeError, match="SequentialCell holds Cells, not int"):
        nn.SequentialCell(3)
