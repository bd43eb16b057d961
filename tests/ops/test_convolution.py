from typing import Any

import numpy as np
import pytest

from simpar import ops
from simpar.graph import lookup
from simpar.layout import assign_by_strategy
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(4)
CASES = [
    {"stride": (1, 1), "pads": (0, 0, 0, 0), "dilation": (1, 1), "group": 1},
    {"stride": (2, 1), "pads": (1, 1, 2, 2), "dilation": (1, 2), "group": 1},
    {"stride": (1, 2), "pads": (0, 0, 1, 1), "dilation": (1, 1), "group": 2},
]


@pytest.mark.parametrize("attrs", CASES)
@pytest.mark.parametrize("kernel", [(3, 2), (1, 1)])
def test_convolution_and_its_gradients_agree_with_pytorch(attrs: dict[str, Any], kernel: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    x = RNG.standard_normal((3, 4, 7, 6)).astype("f4")
    w = RNG.standard_normal((6, 4 // attrs["group"], *kernel)).astype("f4")
    tx, tw = (torch.tensor(a, requires_grad=True) for a in (x, w))
    padding = attrs["pads"][0], attrs["pads"][2]
    expected = torch.nn.functional.conv2d(tx, tw, None, attrs["stride"], padding, attrs["dilation"], attrs["group"])
    g = RNG.standard_normal(tuple(expected.shape)).astype("f4")
    expected.backward(torch.tensor(g))
    made = lookup("conv2d").kernel
    assert made is not None
    y = made(x, w, **attrs)
    np.testing.assert_allclose(y, expected.detach(), rtol=1e-4, atol=1e-5)
    dx, dw = lookup("conv2d").backward(Tensor(g), [Tensor(x), Tensor(w)], Tensor(y), attrs)
    np.testing.assert_allclose(dx.asnumpy(), tx.grad, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dw.asnumpy(), tw.grad, rtol=1e-4, atol=1e-5)


def test_second_gradients_of_convolution_agree_with_differences() -> None:
    attrs = CASES[2]
    x, w, g = (RNG.standard_normal(s) for s in ((1, 2, 3, 4), (2, 1, 2, 2), (1, 2, 2, 3)))
    check_gradient("conv2d_grad_input", [g, w], size=(3, 4), **attrs)
    check_gradient("conv2d_grad_weight", [g, x], kernel=(2, 2), **attrs)


@pytest.mark.parametrize(("size", "stride", "windows"), [((5, 6), 1, (5, 6)), ((5, 6), 2, (3, 3)), ((5, 6), 3, (2, 2))])
def test_same_padding_gives_as_many_windows_as_pixels_per_stride(
    size: tuple[int, int], stride: int, windows: tuple[int, int]
) -> None:
    x, w = Tensor(np.ones((1, 1, *size), "f4")), Tensor(np.ones((1, 1, 3, 3), "f4"))
    assert ops.conv2d(x, w, stride=stride, pad_mode="same").shape == (1, 1, *windows)


def test_conv2d_object_adds_what_the_function_does() -> None:
    x, w = (
        Tensor(RNG.standard_normal((2, 3, 5, 5)).astype("f4")),
        Tensor(RNG.standard_normal((4, 3, 3, 3)).astype("f4")),
    )
    bias = Tensor(np.arange(4, dtype="f4"))
    made = ops.Conv2D(4, 3, pad_mode="pad", pad=1, stride=2)(x, w)
    both = ops.conv2d(x, w, bias, 2, "pad", 1)
    np.testing.assert_allclose(
        both.asnumpy() - made.asnumpy(), np.arange(4).reshape(1, 4, 1, 1) + 0 * made.asnumpy(), atol=1e-5
    )


def test_a_cut_of_the_input_channels_leaves_a_partial_result() -> None:
    rule = lookup("conv2d").bind(((4, 8, 5, 5), (6, 8, 3, 3)), CASES[0])
    made = assign_by_strategy(rule, ((2, 4, 1, 1), (3, 4, 1, 1)), 24)
    assert made.dev_mat == (2, 4, 3)
    assert made.result(rule, 0).partial == (1,)
    with pytest.raises(RuntimeError, match="must not be cut"):
        assign_by_strategy(rule, ((1, 1, 1, 1), (1, 1, 3, 1)), 3)


def test_convolution_names_the_channels_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="must have 4 input channels"):
        ops.conv2d(Tensor(np.ones((1, 4, 5, 5))), Tensor(np.ones((2, 3, 3, 3))))


def test_convolution_names_the_window_that_is_too_large() -> None:
    with pytest.raises(ValueError, match="7 x 7 pixels does not fit an image of 5 x 5"):
        ops.conv2d(Tensor(np.ones((1, 1, 5, 5))), Tensor(np.ones((1, 1, 7, 7))))


def test_padding_that_the_mode_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="needs pad_mode 'pad'"):
        ops.conv2d(Tensor(np.ones((1, 1, 5, 5))), Tensor(np.ones((1, 1, 3, 3))), padding=1)


def test_a_stride_for_all_axes_stands_still_on_images_and_channels() -> None:
    x, w = Tensor(np.ones((2, 3, 6, 6), "f4")), Tensor(np.ones((4, 3, 2, 2), "f4"))
    assert ops.Conv2D(4, 2, stride=(1, 1, 2, 3))(x, w).shape == (2, 4, 3, 2)
    with pytest.raises(RuntimeError, match=r"stride \(2, 2, 1, 1\), whose first two numbers"):
        ops.Conv2D(4, 2, stride=(2, 2, 1, 1))(x, w)
