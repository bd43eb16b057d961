"""Graphs: what tracing records, what the verifier refuses, what rewriting leaves out, how a graph prints."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.dtype import float32
from simpar.errors import RuleError, VerifyError
from simpar.graph import OPS, Graph, Node, OpDef, Value, drop_unused, graph_text, lookup, merge_equal, op, verify_graph
from simpar.tensor import call
from tests.compile.planning import trace_of

X = Tensor(np.ones((2, 3), np.float32))


def traced(function: Any, *args: Tensor) -> Graph:
    return trace_of(function, args or (X,))


def ops_of(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


# --- tracing ---


def test_a_node_knows_its_line_and_its_cell() -> None:
    net = nn.SequentialCell(nn.Dense(3, 4), nn.ReLU())
    graph = traced(net)
    scopes = [node.scope for node in graph.nodes]
    assert scopes[0] == "0"
    assert scopes[-1] == "1"
    (own,) = traced(lambda x: ops.exp(x)).nodes
    assert own.line.startswith("test_graph.py:")
    assert own.where == f"op exp ({own.line})"


def test_a_tensor_closed_over_is_one_constant_however_often_it_is_used() -> None:
    shift = Tensor(np.ones((2, 3), np.float32))
    graph = traced(lambda x: (x + shift) * shift + 2.0 + 2.0)
    assert len(graph.constants) == 2, "the tensor, and the number 2"


def test_what_does_not_depend_on_arguments_is_computed_at_once() -> None:
    graph = traced(lambda x: x + ops.exp(Tensor(np.zeros(3, np.float32))))
    assert ops_of(graph) == ["add"]
    np.testing.assert_array_equal(graph.constants[0].array, np.ones(3))


def test_phases_follow_one_another() -> None:
    net = nn.Dense(3, 1)
    optimizer = nn.SGD(net.trainable_params(), 0.1)

    def step(x: Tensor) -> Any:
        loss, gradients = ms.value_and_grad(lambda t: net(t).sum(), None, net.trainable_params())(x)
        optimizer(gradients)
        return loss

    phases = list(dict.fromkeys(node.phase for node in traced(step).nodes))
    assert phases == ["forward", "backward", "update"]


def test_reading_a_parameter_after_writing_it_gives_what_was_written() -> None:
    w = Parameter(Tensor(np.zeros((2, 3), np.float32)), name="w")

    def step(x: Tensor) -> Tensor:
        w.assign_value(x * 2.0)
        return w + x

    graph = traced(step)
    (entered,) = graph.writes
    assert graph.writes[entered] == graph.nodes[0].outputs[0]
    assert graph.nodes[1].inputs[0] == graph.nodes[0].outputs[0]


# --- the verifier ---


def two_steps() -> Graph:
    return traced(lambda x: ops.exp(ops.neg(x)))


def test_a_traced_graph_passes() -> None:
    graph = two_steps()
    assert verify_graph(graph, "tracing") is graph


def test_a_value_used_before_it_is_made_is_found() -> None:
    graph = two_steps()
    with pytest.raises(VerifyError, match=r"after shuffling: op exp .* uses %1 before it is made"):
        verify_graph(replace(graph, nodes=graph.nodes[::-1]), "shuffling")


def test_a_value_made_twice_is_found() -> None:
    graph = two_steps()
    again = replace(graph.nodes[1], outputs=graph.nodes[0].outputs)
    with pytest.raises(VerifyError, match="%1 is made twice"):
        verify_graph(replace(graph, nodes=(graph.nodes[0], again)), "copying")


def test_a_result_of_the_wrong_shape_is_found() -> None:
    graph = two_steps()
    wrong = replace(graph.nodes[1], outputs=(Value(9, (7,), float32),))
    with pytest.raises(VerifyError, match=r"op exp .* makes \[\(\(2, 3\)"):
        verify_graph(replace(graph, nodes=(graph.nodes[0], wrong), outputs=wrong.outputs), "reshaping")


def test_an_output_that_nothing_makes_is_found() -> None:
    with pytest.raises(VerifyError, match="%8 is a result of the graph, but nothing makes it"):
        verify_graph(replace(two_steps(), outputs=(Value(8, (2, 3), float32),)), "forgetting")


def test_a_parameter_written_in_another_shape_is_found() -> None:
    w = Parameter(Tensor(np.zeros(3, np.float32)), name="w")
    graph = traced(lambda x: x * w)
    (given,) = graph.parameters
    with pytest.raises(VerifyError, match=r"parameter of shape \(3,\) .* is written \(2, 3\)"):
        verify_graph(replace(graph, writes={given.value: graph.outputs[0]}), "writing")


# --- rewriting ---


def test_what_nothing_needs_is_dropped() -> None:
    def step(x: Tensor) -> Tensor:
        ops.exp(x)
        return ops.neg(x)

    assert ops_of(drop_unused(traced(step))) == ["neg"]


def test_what_a_written_parameter_needs_is_kept() -> None:
    w = Parameter(Tensor(np.zeros((2, 3), np.float32)), name="w")

    def step(x: Tensor) -> Tensor:
        w.assign_value(ops.exp(x))
        return x

    assert ops_of(drop_unused(traced(step))) == ["exp"]


def test_equal_nodes_of_the_backward_pass_are_made_once_and_the_users_stay() -> None:
    def square_twice(x: Tensor) -> Tensor:
        y = ops.exp(x)
        return (y * y).sum() + (y * y).sum()

    graph = drop_unused(traced(lambda x: ms.grad(square_twice)(x)))
    merged = verify_graph(merge_equal(graph), "merge_equal")
    assert [n.op for n in merged.nodes if n.phase == "forward"] == [n.op for n in graph.nodes if n.phase == "forward"]
    products = [[n for n in g.nodes if n.op == "mul" and n.phase == "backward"] for g in (graph, merged)]
    assert len(products[1]) < len(products[0]), "g * y and g * y of one square are equal"


# --- text ---


def test_a_graph_prints_one_line_a_value() -> None:
    w = Parameter(Tensor(np.ones((3, 4), np.float32)), name="w")
    text = graph_text(traced(lambda x: ops.matmul(x, w) * 0.5))
    assert text.splitlines() == [
        "%0: float32 (2, 3) = argument x0",
        "%1: float32 (3, 4) = parameter w",
        "%2: float32 () = constant 0.5",
        "# forward",
        "%3: float32 (2, 4) = matmul %0, %1",
        "%4: float32 (2, 4) = mul %3, %2",
        "return %4",
    ]


def test_the_text_does_not_depend_on_how_values_are_numbered() -> None:
    def wasteful(x: Tensor) -> Tensor:
        for _ in range(3):
            ops.exp(x)
        return ops.neg(x)

    assert graph_text(drop_unused(traced(wasteful))) == graph_text(traced(lambda x: ops.neg(x)))


# --- records ---


def test_an_op_of_the_user_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def kernel(x: Any, out: Any = None) -> Any:
        return np.multiply(x, 2, out=out)

    def double(x: Tensor) -> Tensor:
        made = call("double", x)
        assert isinstance(made, Tensor)
        return made

    monkeypatch.setitem(OPS, "double", OpDef("double", "... -> ...", kernel, bprop=lambda g, x: g * 2.0))
    assert ms.grad(lambda x: double(x).sum())(X).tolist() == [[2, 2, 2]] * 2


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(RuleError, match="op 'matmul' exists already"):
        op("matmul", rule="... -> ...")


def test_a_name_that_does_not_exist_lists_those_that_do() -> None:
    with pytest.raises(RuleError, match=r"there is no op 'matmull'. Known ops: .*matmul"):
        lookup("matmull")


def test_a_node_without_a_cell_says_only_op_and_line() -> None:
    assert Node("exp", (), ()).where == "op exp"
    assert Node("exp", (), (), scope="mlp", line="a.py:3").where == "in mlp, op exp (a.py:3)"
