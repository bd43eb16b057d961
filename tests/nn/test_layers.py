"""Layers against PyTorch, and their Parameters."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import nn
from simpar.context import PYNATIVE_MODE, Context
from simpar.dtype import int32
from simpar.graph import Trace, tracing
from simpar.parameter import Parameter
from simpar.tensor import Tensor

Array = NDArray[Any]
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


def numbers(*shape: int) -> Array:
    return RANDOM.standard_normal(shape).astype(np.float32)


def close(made: Tensor, wanted: Any, rtol: float = 1e-5) -> None:
    np.testing.assert_allclose(made.asnumpy(), wanted.detach().numpy(), rtol=rtol, atol=1e-5)


def biased(layer: nn.Dense) -> Parameter:
    assert layer.bias is not None
    return layer.bias


def names(cell: nn.Cell) -> list[str]:
    return [p.name for p in cell.get_parameters()]


# --- Dense ---


@pytest.mark.parametrize("shape", [(5, 4), (2, 5, 4), (4,)])
def test_dense_is_linear(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    layer, x = nn.Dense(4, 3), numbers(*shape)
    weight, bias = torch.tensor(layer.weight.asnumpy()), torch.tensor(biased(layer).asnumpy())
    close(layer(Tensor(x)), torch.nn.functional.linear(torch.tensor(x), weight, bias))


def test_dense_has_a_weight_of_out_by_in_and_a_bias() -> None:
    layer = nn.Dense(4, 3)
    assert names(layer) == ["weight", "bias"]
    assert (layer.weight.shape, biased(layer).shape) == ((3, 4), (3,))


def test_dense_without_a_bias() -> None:
    layer = nn.Dense(4, 3, weight_init="ones", has_bias=False)
    assert names(layer) == ["weight"]
    assert layer(Tensor(np.ones((1, 4), np.float32))).tolist() == [[4, 4, 4]]


def test_dense_starts_within_the_bound_of_he_uniform() -> None:
    layer = nn.Dense(100, 50)
    for values in (layer.weight.asnumpy(), biased(layer).asnumpy()):
        assert np.abs(values).max() <= 1 / sqrt(100)
        assert np.abs(values).max() > 0.9 / sqrt(100)


@pytest.mark.parametrize("activation", ["relu", nn.ReLU(), "RELU"])
def test_dense_applies_its_activation(activation: Any) -> None:
    layer = nn.Dense(
        2, 2, weight_init=Tensor(np.array([[1, 0], [0, -1]], np.float32)), bias_init="zeros", activation=activation
    )
    assert layer(Tensor(np.array([[1, 1]], np.float32))).tolist() == [[1, 0]]


def test_dense_gives_matmul_two_axes_if_its_strategy_speaks_of_two() -> None:
    layer, x = nn.Dense(4, 3), Tensor(numbers(2, 5, 4))
    plain = layer(x)
    layer.matmul.shard(((2, 1), (1, 1)))
    assert layer(x).shape == (2, 5, 3)
    np.testing.assert_allclose(layer(x).asnumpy(), plain.asnumpy(), rtol=1e-6)
    with tracing(Trace()) as trace:
        layer(Tensor.wrap(trace.argument(x.shape, x.dtype, "x")))
    product = next(node for node in trace.nodes if node.op == "matmul")
    assert (product.inputs[0].shape, product.strategy) == ((10, 4), ((2, 1), (1, 1)))


def test_dense_refuses_lengths_and_tensors_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="in_channels=0"):
        nn.Dense(0, 3)
    with pytest.raises(ValueError, match=r"has shape \(3, 4\), but was given a Tensor of shape \(4, 3\)"):
        nn.Dense(4, 3, weight_init=Tensor(numbers(4, 3)))


def test_an_unknown_activation_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no activation 'swoosh'; choose one of elu, fast_gelu, gelu"):
        nn.Dense(4, 3, activation="swoosh")
    with pytest.raises(TypeError, match="an activation is a name"):
        nn.Dense(4, 3, activation=3)


# --- Embedding ---


@pytest.mark.parametrize("use_one_hot", [False, True])
def test_embedding_looks_up_rows(use_one_hot: bool) -> None:
    layer = nn.Embedding(7, 3, use_one_hot)
    ids = np.array([[0, 6], [2, 2]])
    np.testing.assert_array_equal(layer(Tensor(ids, int32)).asnumpy(), layer.embedding_table.asnumpy()[ids])
    assert names(layer) == ["embedding_table"]


def test_embedding_gives_gather_one_axis_of_ids_if_its_strategy_speaks_of_one() -> None:
    layer = nn.Embedding(8, 2)
    layer.gather.shard(((1, 1), (4,)))
    ids = np.array([[0, 6], [2, 2]])
    np.testing.assert_array_equal(layer(Tensor(ids, int32)).asnumpy(), layer.embedding_table.asnumpy()[ids])


def test_the_row_of_padding_starts_as_zeros() -> None:
    table = nn.Embedding(4, 2, embedding_table="ones", padding_idx=1).embedding_table.asnumpy()
    assert table.tolist() == [[1, 1], [0, 0], [1, 1], [1, 1]]
    with pytest.raises(ValueError, match="padding_idx is 4; give a row from 0 to 3"):
        nn.Embedding(4, 2, padding_idx=4)


# --- normalization, images ---


def test_layer_norm_has_mean_0_and_variance_1() -> None:
    torch = pytest.importorskip("torch")
    layer, x = nn.LayerNorm((6,), epsilon=1e-5), numbers(4, 5, 6)
    layer.gamma.set_data(Tensor(numbers(6)))
    layer.beta.set_data(Tensor(numbers(6)))
    gamma, beta = torch.tensor(layer.gamma.asnumpy()), torch.tensor(layer.beta.asnumpy())
    close(layer(Tensor(x)), torch.nn.functional.layer_norm(torch.tensor(x), (6,), gamma, beta, 1e-5), 1e-4)
    assert names(layer) == ["gamma", "beta"]


def test_layer_norm_takes_a_tuple() -> None:
    wrong: Any = 6
    with pytest.raises(TypeError, match=r"such as \(64,\), not 6"):
        nn.LayerNorm(wrong)


@pytest.mark.parametrize(
    ("options", "reference"),
    [
        ({"pad_mode": "valid", "stride": 2}, {"stride": 2}),
        ({"pad_mode": "same"}, {"padding": 1}),
        ({"pad_mode": "pad", "padding": 2, "has_bias": True}, {"padding": 2}),
        ({"pad_mode": "valid", "group": 2, "dilation": 2}, {"groups": 2, "dilation": 2}),
    ],
)
def test_conv2d_convolves(options: dict[str, Any], reference: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    layer, x = nn.Conv2d(4, 6, 3, **options), numbers(2, 4, 9, 9)
    weight = torch.tensor(layer.weight.asnumpy())
    bias = None if layer.bias is None else torch.tensor(layer.bias.asnumpy())
    close(layer(Tensor(x)), torch.nn.functional.conv2d(torch.tensor(x), weight, bias, **reference), 1e-4)


def test_conv2d_refuses_groups_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="3 groups do not divide 4 and 6 channels"):
        nn.Conv2d(4, 6, 3, group=3)
    with pytest.raises(ValueError, match="NHWC"):
        nn.Conv2d(4, 6, 3, data_format="NHWC")


@pytest.mark.parametrize(("layer", "name"), [(nn.MaxPool2d, "max_pool2d"), (nn.AvgPool2d, "avg_pool2d")])
def test_pools_slide_a_window(layer: Any, name: str) -> None:
    torch = pytest.importorskip("torch")
    x = numbers(2, 3, 8, 8)
    close(layer(3, 2)(Tensor(x)), getattr(torch.nn.functional, name)(torch.tensor(x), 3, 2))


def test_flatten_keeps_the_first_axis() -> None:
    assert nn.Flatten()(Tensor(numbers(2, 3, 4))).shape == (2, 12)


# --- activations ---


@pytest.mark.parametrize(
    ("layer", "name", "options"),
    [
        (nn.ReLU(), "relu", {}),
        (nn.Sigmoid(), "sigmoid", {}),
        (nn.Tanh(), "tanh", {}),
        (nn.SiLU(), "silu", {}),
        (nn.GELU(), "gelu", {"approximate": "tanh"}),
        (nn.GELU(approximate=False), "gelu", {"approximate": "none"}),
        (nn.Softmax(), "softmax", {"dim": -1}),
        (nn.Softmax(0), "softmax", {"dim": 0}),
        (nn.LogSoftmax(), "log_softmax", {"dim": -1}),
    ],
    ids=lambda x: str(x),
)
def test_activations(layer: nn.Cell, name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    x = numbers(3, 5)
    close(layer(Tensor(x)), getattr(torch.nn.functional, name)(torch.tensor(x), **options))


def test_identity_returns_its_input() -> None:
    x = Tensor([1.0])
    assert nn.Identity()(x) is x


# --- dropout ---


def test_dropout_acts_in_training_only() -> None:
    layer, x = nn.Dropout(keep_prob=0.25), Tensor(np.ones(4000, np.float32))
    assert layer(x) is x
    made = layer.set_train()(x).asnumpy()
    assert set(made.tolist()) == {0.0, 4.0}
    assert abs((made > 0).mean() - 0.25) < 0.03


def test_dropout_repeats_with_its_seed(own_context: Context) -> None:
    x, masks = Tensor(np.ones(64, np.float32)), list[Any]()
    for _ in range(2):
        own_context.counters.clear()
        masks.append(nn.Dropout(p=0.5).set_train()(x).tolist())
    assert masks[0] == masks[1]


@pytest.mark.parametrize("keep_prob", [0.0, 1.5])
def test_dropout_refuses_probabilities_out_of_range(keep_prob: float) -> None:
    with pytest.raises(ValueError, match="keeps elements with probability"):
        nn.Dropout(keep_prob)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("ELU", "elu"),
        ("HSigmoid", "hardsigmoid"),
        ("HSwish", "hardswish"),
        ("LogSigmoid", "logsigmoid"),
        ("Mish", "mish"),
        ("ReLU6", "relu6"),
        ("SeLU", "selu"),
        ("Softsign", "softsign"),
    ],
)
def test_an_activation_is_pytorchs(name: str, theirs: str) -> None:
    torch = pytest.importorskip("torch")
    x = np.linspace(-8, 8, 24, dtype=np.float32)
    wanted = getattr(torch.nn.functional, theirs)(torch.tensor(x)).numpy()
    np.testing.assert_allclose(getattr(nn, name)()(Tensor(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)


def test_fast_gelu_is_x_by_a_steep_sigmoid() -> None:
    x = np.linspace(-8, 8, 24, dtype=np.float32)
    np.testing.assert_allclose(nn.FastGelu()(Tensor(x)).asnumpy(), x / (1 + np.exp(-1.702 * x)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["elu", "fast_gelu", "hswish", "leakyrelu", "mish", "prelu", "relu6", "softsign"])
def test_an_activation_is_known_by_mindspores_name(name: str) -> None:
    layer = nn.Dense(3, 3, "ones", "zeros", activation=name)
    x = Tensor([[1.0, -3.0, 0.5]])
    alone = nn.get_activation(name)(nn.Dense(3, 3, "ones", "zeros")(x))
    np.testing.assert_array_equal(layer(x).asnumpy(), alone.asnumpy())


def test_steps_of_an_embedding_can_be_cut_one_by_one_as_scripts_do() -> None:
    layer = nn.Embedding(8, 2)
    ids = Tensor([[0, 3], [7, 3]], int32)
    whole = layer(ids).asnumpy()
    layer.expand.shard(((2, 1),))
    layer.reshape_flat.add_prim_attr("skip_redistribution", True)
    layer.reshape.add_prim_attr("skip_redistribution", True)
    layer.gather.shard(((1, 1), (2,)))
    np.testing.assert_array_equal(layer(ids).asnumpy(), whole)
