"""Cuts of axes that one might think must be whole: rows of a norm, numbered axes, several axes of a softmax."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, ops
from simpar.collectives import run_threads
from simpar.errors import RuleError, StrategyError
from tests.ops.test_against_torch import gradients_of

torch = pytest.importorskip("torch")

Array = NDArray[Any]
RNG = np.random.default_rng(31)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


X, GAMMA, ROWS = floats(4, 6, 4), floats(6, 4), floats(5, 4)
PAIRS = np.array([[0, 1], [3, 5], [0, 1], [2, 3], [1, 0]], np.int32)


def norm(cut: Any) -> Callable[..., Tensor]:
    made = ops.RmsNorm(1e-5).shard(cut)
    return lambda x, gamma: made(x, gamma)[0]


def put(cut: Any) -> Callable[..., Tensor]:
    made = ops.TensorScatterAdd().shard(cut)
    return lambda x, rows: made(x, Tensor(PAIRS), rows)


def pick(cut: Any) -> Callable[..., Tensor]:
    made = ops.Index().shard(cut)
    return lambda x: made(x, (Tensor(PAIRS[:, 0]), Tensor(PAIRS[:, 1] - 6)))


def soft(cut: Any) -> Callable[..., Tensor]:
    return ops.Softmax((1, 2)).shard(cut)


CASES = [
    pytest.param(norm, [X, GAMMA], ((2, 2, 1), (2, 1)), id="a norm whose rows are cut"),
    pytest.param(norm, [X, GAMMA], ((1, 2, 2), (2, 2)), id="a norm whose rows are cut twice"),
    pytest.param(put, [X, ROWS], ((2, 2, 1), (1, 1), (1, 1)), id="rows put where two axes are numbered and cut"),
    pytest.param(put, [X, ROWS], ((1, 2, 2), (1, 1), (1, 2)), id="rows put where the second numbered axis is cut"),
    pytest.param(pick, [X], ((2, 2, 1), ((1,), (1,))), id="elements named by two tensors along two cut axes"),
    pytest.param(soft, [X], ((4, 1, 1),), id="a softmax over two axes"),
]


def results(make: Callable[[Any], Callable[..., Tensor]], arrays: list[Array], cut: Any) -> list[Array]:
    function = make(cut)
    weights = [Parameter(Tensor(a), name=f"p{i}") for i, a in enumerate(arrays)]
    value, gradients = ms.value_and_grad(lambda: ops.square(function(*weights) + 1.0).sum(), None, weights)()
    return [value.asnumpy().copy(), *(ms.parallel.full_tensor(g).asnumpy().copy() for g in gradients)]


@pytest.mark.parametrize(("make", "arrays", "cut"), CASES)
def test_values_and_gradients_are_those_of_one_device(
    make: Callable[[Any], Callable[..., Tensor]], arrays: list[Array], cut: Any
) -> None:
    def on_rank() -> list[Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return results(make, arrays, cut)

    expected = results(make, arrays, None)
    for made in run_threads(4, on_rank):
        for got, wanted in zip(made, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_a_softmax_over_two_axes_is_that_of_the_flat_tensor_in_torch() -> None:
    made, (gradient,) = gradients_of(lambda x: ops.Softmax((1, 2))(x) ** 2, [X])
    given = torch.tensor(X, requires_grad=True)
    expected = (given.flatten(1).softmax(1).reshape(given.shape)) ** 2
    expected.sum().backward()
    np.testing.assert_allclose(made, expected.detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, given.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_the_strategy_of_an_op_whose_result_nothing_needs_must_fit_all_the_same() -> None:
    def on_rank() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        transform = ops.DCT().shard(((1, 4),))
        with pytest.raises(StrategyError, match=r"op dct .*must not be cut"):
            ms.grad(lambda x: transform(x).sum())(Tensor(floats(4, 8)))

    run_threads(4, on_rank)


def test_what_is_known_of_lengths_while_a_program_is_traced() -> None:
    @ms.jit
    def traced(x: Tensor) -> tuple[Tensor, Tensor]:
        shape = ops.Concat()((Tensor([2], ms.int64), ops.dyn_shape(x)))
        return ops.DynamicBroadcastTo()(x, shape), ops.TensorToScalar()(x.sum())

    repeated, total = traced(Tensor(ROWS))
    np.testing.assert_array_equal(repeated.asnumpy(), np.stack([ROWS, ROWS]))
    assert total.asnumpy() == pytest.approx(ROWS.sum(), rel=1e-5)
    assert ops.TensorToScalar()(Tensor([2.0])) == 2.0
    assert ops.OneHotExt()(Tensor([1]), 3, Tensor(1.0), Tensor(0.0)).tolist() == [[0.0, 1.0, 0.0]]


def test_repeats_are_one_or_one_for_each_element() -> None:
    assert ops.repeat_interleave(Tensor([1.0, 2.0]), [1, 2], 0).tolist() == [1.0, 2.0, 2.0]
    for repeat in (ops.repeat_interleave, ops.RepeatInterleaveTensor().shard(((1,), (1,)))):
        with pytest.raises(RuleError, match="3 counts for 2 elements"):
            repeat(Tensor([1.0, 2.0]), [1, 2, 3], 0)


def test_a_strategy_of_pad_has_entries_for_paddings_and_value() -> None:
    padded = ops.PadV3().shard(((2, 1), (1,), ()))(Tensor(floats(2, 3)), Tensor([1, 1]), Tensor(0.5))
    assert padded.shape == (2, 5)
