from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn, ops
from simpar.collectives import run_threads
from simpar.errors import DTypeError, NotYetError, RuleError, StrategyError
from simpar.graph import lookup
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0))])
@pytest.mark.parametrize("kind", ["max", "avg", "avg without pads"])
def test_pooling_and_its_gradient_agree_with_pytorch(kind: str, kernel: Any, stride: Any, padding: Any) -> None:
    torch = pytest.importorskip("torch")
    x = RNG.integers(0, 3, (2, 3, 6, 7)).astype("f4")  # few values, so that windows have equal ones
    given = torch.tensor(x, requires_grad=True)
    options: dict[str, Any] = {} if kind == "max" else {"count_include_pad": kind == "avg"}
    theirs = torch.nn.functional.max_pool2d if kind == "max" else torch.nn.functional.avg_pool2d
    expected = theirs(given, kernel, stride, padding, **options)
    g = RNG.standard_normal(tuple(expected.shape)).astype("f4")
    expected.backward(torch.tensor(g))
    ours = ops.max_pool2d if kind == "max" else ops.avg_pool2d
    y = ours(Tensor(x), kernel, stride, padding, **options)
    np.testing.assert_allclose(y.asnumpy(), expected.detach(), rtol=1e-6)
    pads = (padding,) * 4 if isinstance(padding, int) else (padding[0], padding[0], padding[1], padding[1])
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    steps = (stride, stride) if isinstance(stride, int) else stride
    attrs: dict[str, Any] = {"kernel": size, "stride": steps, "pads": pads}
    if kind != "max":
        attrs["count_pads"] = kind == "avg"
    (dx,) = lookup("max_pool" if kind == "max" else "avg_pool").backward(Tensor(g), [Tensor(x)], y, attrs)
    np.testing.assert_allclose(dx.asnumpy(), given.grad, rtol=1e-5, atol=1e-6)


def test_gradient_of_avg_pool_has_a_gradient() -> None:
    attrs: dict[str, Any] = {"kernel": (2, 2), "stride": (1, 2), "pads": (1, 0, 0, 1), "count_pads": False}
    check_gradient("avg_pool_grad", [RNG.standard_normal((1, 2, 4, 2))], size=(4, 4), **attrs)


def test_average_in_mode_same_does_not_count_the_padding() -> None:
    x = Tensor(np.ones((1, 1, 3, 3), "f4"))
    assert ops.AvgPool(2, 2, "same")(x).tolist() == [[[[1, 1], [1, 1]]]]
    assert ops.MaxPool(2, 2, "valid")(x).tolist() == [[[[1]]]]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0))])
def test_the_largest_and_where_they_stand_agree_with_pytorch(kernel: Any, stride: Any, padding: Any) -> None:
    torch = pytest.importorskip("torch")
    x = -RNG.integers(0, 3, (2, 3, 6, 7)).astype("f4")  # windows have equal ones, and pads would be larger
    given = torch.tensor(x, requires_grad=True)
    value, place = torch.nn.functional.max_pool2d(given, kernel, stride, padding, return_indices=True)
    g = RNG.standard_normal(tuple(value.shape)).astype("f4")
    value.backward(torch.tensor(g))
    made = ops.max_pool2d(Tensor(x), kernel, stride, padding, return_indices=True)
    layer = nn.MaxPool2d(kernel, kernel if stride is None else stride, "pad", padding, return_indices=True)
    for ours in (made, ms.mint.nn.functional.max_pool2d(Tensor(x), kernel, stride, padding, return_indices=True)):
        np.testing.assert_array_equal(ours[0].asnumpy(), value.detach())
        np.testing.assert_array_equal(ours[1].asnumpy(), place)
    np.testing.assert_array_equal(layer(Tensor(x))[1].asnumpy(), place)
    dx = ms.grad(lambda t: (ops.MaxPoolWithArgmaxV2(kernel, stride, padding)(t)[0] * Tensor(g)).sum())(Tensor(x))
    np.testing.assert_allclose(dx.asnumpy(), given.grad, rtol=1e-5, atol=1e-6)


def test_places_of_what_is_no_number_and_of_the_lowest_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x = np.array([[[[np.nan, 1, -np.inf, -np.inf], [np.nan, 2, -np.inf, -np.inf]]]], "f4")
    value, place = torch.nn.functional.max_pool2d(torch.tensor(x), 2, 2, 1, return_indices=True)
    made = ops.max_pool2d(Tensor(x), 2, 2, 1, return_indices=True)
    np.testing.assert_array_equal(made[0].asnumpy(), value)
    np.testing.assert_array_equal(made[1].asnumpy(), place)


X = RNG.standard_normal((4, 4, 4, 6)).astype("f4")


def placed(cut: Any) -> list[Any]:
    pool = ops.MaxPoolWithArgmax(2, 2)
    if cut is not None:
        pool.shard(cut)
    value, place = ms.jit(lambda x: pool(x))(Tensor(X))
    slope = ms.grad(lambda x: ops.square(pool(x)[0]).sum())(Tensor(X))
    return [ms.parallel.full_tensor(t).asnumpy().copy() for t in (value, place, slope)]


@pytest.mark.parametrize("cut", [((2, 2, 1, 1),), ((4, 1, 1, 1),), ((1, 4, 1, 1),)])
def test_values_places_and_gradients_of_cut_images_are_those_of_one_device(cut: Any) -> None:
    expected = placed(None)
    assert expected[1].dtype == np.int32

    def on_rank() -> list[Any]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return placed(cut)

    for made in run_threads(4, on_rank):
        for got, wanted in zip(made, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_what_a_pooling_with_places_does_not_take_is_refused() -> None:
    with pytest.raises(NotYetError, match="dilation=2"):
        ops.max_pool2d(Tensor(X), 2, dilation=2)
    with pytest.raises(NotYetError, match="ceil_mode=True"):
        ops.MaxPoolWithArgmaxV2(2, ceil_mode=True)
    with pytest.raises(DTypeError, match="argmax_type"):
        ops.MaxPoolWithArgmaxV2(2, argmax_type=ms.float32)
    with pytest.raises(RuleError, match=r"pad_mode 'pad' .*, not 'valid'"):
        nn.MaxPool2d(2, return_indices=True)

    def on_rank() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        with pytest.raises(StrategyError, match="must not be cut"):
            placed(((1, 1, 2, 2),))

    run_threads(4, on_rank)
