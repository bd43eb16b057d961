"""Convolutions and poolings of images (n, h, w, c) are those of images (n, c, h, w), on one device and cut."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import NotYetError, RuleError, StrategyError

Array = NDArray[Any]
RNG = np.random.default_rng(41)
IMAGES = RNG.standard_normal((4, 4, 8, 6)).astype(np.float32)  # (n, c, h, w)
WEIGHT = RNG.standard_normal((6, 4, 3, 3)).astype(np.float32)  # (out, c, rows, columns)

OPS: list[tuple[str, Callable[[str], Any], list[Array]]] = [
    ("convolution", lambda f: ops.Conv2D(6, 3, pad_mode="same", stride=(2, 1), data_format=f), [IMAGES, WEIGHT]),
    ("largest", lambda f: ops.MaxPool((2, 3), (2, 1), "valid", f), [IMAGES]),
    ("mean", lambda f: ops.AvgPool((2, 3), (2, 1), "same", f), [IMAGES]),
    ("largest with places", lambda f: ops.MaxPoolWithArgmax((2, 3), (2, 1), "same", f), [IMAGES]),
]
MAKERS = [pytest.param(make, arrays, id=name) for name, make, arrays in OPS]


def last(x: Array) -> Array:
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def results(op: Any, arrays: list[Array]) -> list[Array]:
    """Return what the op makes, and the gradients of a sum of squares of its first result."""
    held = [Parameter(Tensor(a), name=f"p{i}") for i, a in enumerate(arrays)]

    def first() -> Tensor:
        made = op(*held)
        return made[0] if isinstance(made, tuple) else made

    made = ms.jit(lambda: op(*held))()
    gradients = ms.grad(lambda: ops.square(first()).sum(), None, held)()
    tensors = [*(made if isinstance(made, tuple) else (made,)), *gradients]
    return [ms.parallel.full_tensor(t).asnumpy().copy() for t in tensors]


@pytest.mark.parametrize(("make", "arrays"), MAKERS)
def test_values_and_gradients_are_those_of_channels_first(make: Callable[[str], Any], arrays: list[Array]) -> None:
    made = results(make("NHWC"), [last(a) for a in arrays])
    for got, wanted in zip(made, results(make("NCHW"), arrays), strict=True):
        np.testing.assert_allclose(got, last(wanted), rtol=1e-5, atol=1e-4)  # sums of some hundreds, in another order


BY_AXES = [(2, 1, 1, 2), (1, 1, 1, 4), (4, 1, 1, 1), (2, 2, 1, 1)]  # of (n, h, w, c)
CUTS = [
    pytest.param(make, arrays, cut, id=f"{name} {cut}")
    for name, make, arrays in OPS
    for cut in BY_AXES
    if name != "largest with places" or cut[1] == 1
]


@pytest.mark.parametrize(("make", "arrays", "cut"), CUTS)
def test_a_cut_names_the_axes_that_the_user_means(make: Callable[[str], Any], arrays: list[Array], cut: Any) -> None:
    expected = results(make("NHWC"), [last(a) for a in arrays])
    weights = [(1, 1, 1, cut[3])] * (len(arrays) - 1)

    def on_rank() -> list[Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return results(make("NHWC").shard((cut, *weights)), [last(a) for a in arrays])

    for made in run_threads(4, on_rank):
        for got, wanted in zip(made, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_out_strategy_names_them_too() -> None:
    op = ops.Conv2D(6, 3, data_format="NHWC").shard(((2, 1, 1, 2), (1, 1, 1, 2)), ((4, 1, 1, 1),))
    assert op.in_strategy == ((2, 2, 1, 1), (1, 2, 1, 1))
    assert op.out_strategy == ((4, 1, 1, 1),)
    expected = results(ops.Conv2D(6, 3), [IMAGES, WEIGHT])

    def on_rank() -> list[Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return results(op, [last(IMAGES), last(WEIGHT)])

    for made in run_threads(4, on_rank):
        for got, wanted in zip(made, expected, strict=True):
            np.testing.assert_allclose(got, last(wanted), rtol=1e-4, atol=1e-4)


def test_layouts_name_the_axes_that_the_user_means() -> None:
    def on_rank() -> list[Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        axes = ms.parallel.Layout((2, 2), ("dp", "mp"))
        pool = ops.MaxPool(2, 2, data_format="NHWC").shard((axes("dp", "None", "None", "mp"),))
        assert pool.in_strategy is not None
        assert pool.in_strategy[0].tensor_map == (1, 0, -1, -1)  # type: ignore[union-attr]
        return results(pool, [last(IMAGES)])

    expected = results(ops.MaxPool(2, 2), [IMAGES])
    for made in run_threads(4, on_rank):
        for got, wanted in zip(made, expected, strict=True):
            np.testing.assert_array_equal(got, last(wanted))


def test_poolings_as_cells_take_the_format() -> None:
    for cell in (nn.MaxPool2d, nn.AvgPool2d):
        wanted = cell(2, 2)(Tensor(IMAGES)).asnumpy()
        np.testing.assert_array_equal(cell(2, 2, data_format="NHWC")(Tensor(last(IMAGES))).asnumpy(), last(wanted))


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(NotYetError, match="'NCHW' and 'NHWC'"):
        ops.MaxPool(2, 2, data_format="CHWN")
    with pytest.raises(RuleError, match=r"return_indices.*'NHWC'"):
        nn.MaxPool2d(2, 2, "pad", return_indices=True, data_format="NHWC")
    with pytest.raises(NotYetError, match="'NCHW' only"):
        ops.Conv2DTranspose(4, 3, data_format="NHWC")

    def on_rank() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        with pytest.raises(StrategyError, match="must not be cut"):
            results(ops.MaxPoolWithArgmax(2, 2, data_format="NHWC").shard(((1, 2, 2, 1),)), [last(IMAGES)])

    run_threads(4, on_rank)
