"""The training wrappers: what they compute and what they record."""

from typing import Any

import numpy as np
import pytest

from simpar import nn
from simpar.context import DATA_PARALLEL, Context, ParallelOptions
from simpar.graph import Graph, Trace, tracing
from simpar.parameter import Parameter
from simpar.tensor import Tensor

X = np.random.default_rng(4).standard_normal((6, 3)).astype(np.float32)
Y = np.random.default_rng(5).standard_normal((6, 2)).astype(np.float32)


def network() -> nn.WithLossCell:
    return nn.WithLossCell(nn.SequentialCell(nn.Dense(3, 4, activation="tanh"), nn.Dense(4, 2)), nn.MSELoss())


def traced(cell: nn.Cell, *inputs: Any) -> tuple[Graph, Any]:
    with tracing(Trace()) as trace:
        given = [Tensor.wrap(trace.argument(x.shape, Tensor(x).dtype, f"x{i}")) for i, x in enumerate(inputs)]
        out = cell(*given)
        return trace.graph(()), out


def test_with_loss_cell_names_nothing_and_computes_the_loss() -> None:
    net = network()
    assert [p.name for p in net.get_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    distance = net.backbone_network(Tensor(X)).asnumpy() - Y
    np.testing.assert_allclose(net(Tensor(X), Tensor(Y)).item(), (distance**2).mean(), rtol=1e-6)


@pytest.mark.parametrize("as_float32", [False, True])
def test_with_eval_cell_returns_loss_predictions_and_labels(as_float32: bool) -> None:
    net = network()
    loss, predictions, labels = nn.WithEvalCell(net.backbone_network, nn.MSELoss(), as_float32)(Tensor(X), Tensor(Y))
    assert predictions.shape == labels.shape == (6, 2)
    np.testing.assert_allclose(loss.item(), net(Tensor(X), Tensor(Y)).item(), rtol=1e-6)


def test_a_step_records_forward_backward_and_update() -> None:
    net = network()
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))
    graph, loss = traced(step, X, Y)
    assert loss.shape == ()
    phases = [node.phase for node in graph.nodes]
    assert [p for i, p in enumerate(phases) if i == 0 or phases[i - 1] != p] == ["forward", "backward", "update"]
    names = {p.value: p.spec.name for p in graph.parameters}
    assert {"0.weight", "moments.1.bias", "global_step"} <= {names[v] for v in graph.writes}
    assert len(graph.gradients) == 4


def test_a_step_of_one_device_reduces_nothing() -> None:
    net = network()
    step = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params()))
    assert "all_reduce" not in {node.op for node in traced(step, X, Y)[0].nodes}


def test_a_data_parallel_step_sums_each_gradient_over_all_ranks(own_context: Context) -> None:
    own_context.parallel = ParallelOptions(parallel_mode=DATA_PARALLEL, device_num=4, gradients_mean=True)
    net = network()
    net.set_comm_fusion(2)
    step = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params()))
    graph, _ = traced(step, X, Y)
    sums = [node.attrs for node in graph.nodes if node.op == "all_reduce"]
    assert [s["parameter"] for s in sums] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert {(s["op"], s["group"], s["group_size"], s["fusion"]) for s in sums} == {("sum", None, 4, 2)}


def test_gradients_are_scaled_by_sens() -> None:
    net = network()
    for sens in (1.0, 8.0):
        graph, gradients = traced(nn.WithGradCell(net, sens=sens), X, Y)
        assert [g.shape for g in gradients] == [(4, 3), (4,), (2, 4), (2,)]
        assert graph.nodes


@pytest.mark.parametrize("sens_param", [False, True])
def test_forward_value_and_grad_by_inputs_and_weights(sens_param: bool) -> None:
    net = network()
    both = nn.ForwardValueAndGrad(net, net.trainable_params(), get_all=True, get_by_list=True, sens_param=sens_param)
    inputs = (X, Y, np.float32(2)) if sens_param else (X, Y)
    _, (value, (by_input, by_weight)) = traced(both, *inputs)
    assert value.shape == ()
    assert [g.shape for g in by_input] == [(6, 3), (6, 2)]
    assert [g.shape for g in by_weight] == [(4, 3), (4,), (2, 4), (2,)]


# --- the reducer ---


def parameters() -> tuple[Parameter, Parameter]:
    own = Parameter(Tensor(np.ones(2, np.float32)), "own", layerwise_parallel=True)
    return Parameter(Tensor(np.ones(2, np.float32)), "w"), own


def reduced(reducer: nn.DistributedGradReducer, dtype: Any = np.float32) -> list[Any]:
    with tracing(Trace()) as trace:
        given = [Tensor.wrap(trace.argument((2,), Tensor(dtype(0)).dtype, n)) for n in "gh"]
        out = reducer(given)
        assert out[1] is given[1], "the gradient of a layerwise_parallel Parameter is left alone"
    return [node.op for node in trace.nodes]


def test_layerwise_parallel_gradients_are_neither_summed_nor_averaged() -> None:
    assert reduced(nn.DistributedGradReducer(parameters(), mean=True, degree=4)) == ["all_reduce", "mul"]


def test_the_mean_follows_the_context(own_context: Context) -> None:
    assert reduced(nn.DistributedGradReducer(parameters())) == ["all_reduce"]
    own_context.parallel = ParallelOptions(gradients_mean=True)
    assert reduced(nn.DistributedGradReducer(parameters())) == ["all_reduce", "mul"]


def test_gradients_travel_as_float32_if_the_context_says_so(own_context: Context) -> None:
    assert reduced(nn.DistributedGradReducer(parameters()), np.float16) == ["cast", "all_reduce", "cast"]
    own_context.parallel = ParallelOptions(gradient_fp32_sync=False)
    assert reduced(nn.DistributedGradReducer(parameters()), np.float16) == ["all_reduce"]


@pytest.mark.parametrize("degree", [0, -1, 1.5, True])
def test_the_degree_is_a_positive_whole_number(degree: Any) -> None:
    with pytest.raises(ValueError, match="degree is"):
        nn.DistributedGradReducer(parameters(), degree=degree)


def test_a_reducer_needs_a_gradient_for_each_parameter() -> None:
    with pytest.raises(ValueError, match="1 gradients for 2 Parameters"):
        nn.DistributedGradReducer(parameters())((Tensor([1.0]),))
