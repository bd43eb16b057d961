"""Layers that call functions of ``ops``: padding and activations against PyTorch; the sum that keeps weights small."""

from typing import Any

import numpy as np
import pytest

from simpar import nn
from simpar.context import PYNATIVE_MODE, Context
from simpar.tensor import Tensor

NUMBERS = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 6)).astype(np.float32)


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ConstantPad1d", ((1, 2), 0.5)),
        ("ConstantPad2d", (1, 0.5)),
        ("ConstantPad3d", ((1, 0, 2, 1, 0, 3), -1)),
        ("ZeroPad2d", ((0, 1, 2, 3),)),
        ("ReflectionPad1d", (2,)),
        ("ReflectionPad2d", ((1, 2, 0, 3),)),
        ("ReflectionPad3d", (1,)),
        ("ReplicationPad1d", ((3, 1),)),
        ("ReplicationPad2d", (2,)),
        ("ReplicationPad3d", ((1, 2, 3, 0, 1, 1),)),
    ],
)
def test_the_last_axes_are_padded_as_by_pytorch(name: str, given: tuple[Any, ...]) -> None:
    torch = pytest.importorskip("torch")
    x = NUMBERS[(0,) * (3 - int(name[-2]))] if name[-2] != "3" else NUMBERS
    wanted = getattr(torch.nn, name)(*given)(torch.tensor(x)).numpy()
    np.testing.assert_array_equal(getattr(nn, name)(*given)(Tensor(x)).asnumpy(), wanted)


def test_a_shorter_tuple_pads_fewer_axes() -> None:
    assert nn.ConstantPad2d((0, 1), 7)(Tensor([[1.0], [2.0]])).tolist() == [[1, 7], [2, 7]]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("CONSTANT", [[0, 0, 0], [0, 1, 2], [0, 3, 4]]),
        ("REFLECT", [[4, 3, 4], [2, 1, 2], [4, 3, 4]]),
        ("SYMMETRIC", [[1, 1, 2], [1, 1, 2], [3, 3, 4]]),
    ],
)
def test_every_axis_is_padded_first_axis_first(mode: str, wanted: list[list[int]]) -> None:
    assert nn.Pad(((1, 0), (1, 0)), mode)(Tensor([[1.0, 2.0], [3.0, 4.0]])).tolist() == wanted


@pytest.mark.parametrize("padding", ["-1", ("2", 2), [1, 1]])
def test_padding_by_other_things_than_ints_is_refused(padding: Any) -> None:
    with pytest.raises(TypeError, match="give an int or a tuple of ints"):
        nn.ReflectionPad1d(padding)


@pytest.mark.parametrize("padding", [(1, 2, 2), (-1, 2), (1, 1, 1, 1), -1])
def test_padding_that_is_negative_or_does_not_fit_is_refused(padding: Any) -> None:
    with pytest.raises(ValueError, match="low and high for up to 1 axes"):
        nn.ReflectionPad1d(padding)


def test_pad_names_what_it_takes() -> None:
    with pytest.raises(ValueError, match="give a pair for each axis, and the mode"):
        nn.Pad(((1, 0),), "constant")
    wrong: Any = [(1, 0)]
    with pytest.raises(TypeError, match="give a tuple with a pair"):
        nn.Pad(wrong)
    wrong = "0"
    with pytest.raises(TypeError, match="value='0'"):
        nn.ConstantPad1d(1, wrong)


@pytest.mark.parametrize(
    ("name", "theirs", "given"),
    [
        ("CELU", "CELU", (0.7,)),
        ("GLU", "GLU", (-1,)),
        ("HShrink", "Hardshrink", (0.4,)),
        ("Hardtanh", "Hardtanh", (-0.5, 0.8)),
        ("SoftShrink", "Softshrink", (0.4,)),
        ("Softmax2d", "Softmax2d", ()),
        ("Softmin", "Softmin", (1,)),
        ("Tanhshrink", "Tanhshrink", ()),
        ("Threshold", "Threshold", (0.1, 20.0)),
    ],
)
def test_an_activation_is_that_of_pytorch(name: str, theirs: str, given: tuple[float, ...]) -> None:
    torch = pytest.importorskip("torch")
    wanted = getattr(torch.nn, theirs)(*given)(torch.tensor(NUMBERS[0])).numpy()
    made = getattr(nn, name)(*given)(Tensor(NUMBERS[0])).asnumpy()
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-6)


def test_random_slopes_lie_between_their_bounds() -> None:
    made = nn.RReLU(0.25, 0.5)(Tensor(NUMBERS)).asnumpy()
    slopes = (made / NUMBERS)[NUMBERS < 0]
    np.testing.assert_array_equal(made[NUMBERS > 0], NUMBERS[NUMBERS > 0])
    assert 0.25 <= slopes.min() < 0.26
    assert 0.49 < slopes.max() <= 0.500001


def test_activations_refuse_what_they_cannot_use() -> None:
    with pytest.raises(ValueError, match="lower must be at most upper"):
        nn.RReLU(0.9, 0.1)
    wrong: Any = "-1"
    with pytest.raises(TypeError, match="lower='-1'"):
        nn.RReLU(wrong)
    with pytest.raises(ValueError, match="min_val must be below max_val"):
        nn.Hardtanh(1.0, 1.0)
    with pytest.raises(ValueError, match="not a tensor of shape"):
        nn.Softmax2d()(Tensor([1.0]))


def test_the_l1_regularizer_sums_absolute_weights() -> None:
    assert float(nn.L1Regularizer(0.5)(Tensor([[1.0, -2.0], [-3.0, 4.0]]))) == 5


@pytest.mark.parametrize("scale", [0.0, -0.5, float("inf"), float("nan")])
def test_the_l1_regularizer_takes_a_finite_scale_above_zero(scale: float) -> None:
    with pytest.raises(ValueError, match="give a finite number above 0"):
        nn.L1Regularizer(scale)


def test_the_l1_regularizer_takes_numbers_only() -> None:
    wrong: Any = "1"
    with pytest.raises(TypeError, match="give a number"):
        nn.L1Regularizer(wrong)
    with pytest.raises(TypeError, match="takes a Tensor of numbers"):
        nn.L1Regularizer(1.0)(Tensor([True]))


@pytest.mark.parametrize(("name", "axes"), [("Dropout1d", 1), ("Dropout2d", 2), ("Dropout3d", 3)])
def test_whole_channels_are_dropped_in_training_only(name: str, axes: int) -> None:
    layer, x = getattr(nn, name)(0.75), np.ones((20, 50, *(2,) * axes), np.float32)
    np.testing.assert_array_equal(layer(Tensor(x)).asnumpy(), x)
    made = layer.set_train()(Tensor(x)).asnumpy().reshape(1000, -1)
    assert set(made[:, 0]) == {0, 4}
    assert (made == made[:, :1]).all()
    assert 650 < (made[:, 0] == 0).sum() < 850


def test_dropout_of_channels_takes_a_float_from_0_to_1() -> None:
    wrong: Any = 1
    with pytest.raises(TypeError, match=r"Dropout2d\(p=1\): give a float"):
        nn.Dropout2d(wrong)
    with pytest.raises(ValueError, match="from 0 to 1"):
        nn.Dropout2d(1.5)


@pytest.mark.parametrize("given", [{"kernel_size": -1}, {"stride": 0}, {"dilation": (1, -1)}, {"group": -1}])
def test_a_convolution_refuses_numbers_below_1(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"Conv2d\\({next(iter(given))}=.*whole number of at least 1"):
        nn.Conv2d(**{"in_channels": 3, "out_channels": 1, "kernel_size": 4, **given})


def test_a_convolution_refuses_an_unknown_pad_mode() -> None:
    with pytest.raises(ValueError, match="pad_mode is 'sane'; choose 'valid', 'same' or 'pad'"):
        nn.Conv2d(3, 1, 4, pad_mode="sane")
