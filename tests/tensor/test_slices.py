"""Slices outside of compiled functions: what one rank may compute alone, and how to see the whole."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import LayoutError
from simpar.parallel import full_tensor

WHOLE = np.arange(16, dtype=np.float32).reshape(4, 4)


def cut_in_two() -> tuple[Parameter, Tensor]:
    """Return a Parameter whose columns are cut, and its gradient: that of the mean of its squares times 8."""
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    w = Parameter(Tensor(WHOLE), name="w")
    square = ops.Square().shard(((1, 2),))
    _, (gradient,) = ms.value_and_grad(lambda x: (square(w) * x).mean() * 8, None, [w])(Tensor(1.0))
    assert w.shape == gradient.shape == (4, 2)
    return w, gradient


def test_the_whole_is_put_together_from_slices() -> None:
    def run() -> Any:
        w, gradient = cut_in_two()
        return full_tensor(w).asnumpy(), full_tensor(gradient).asnumpy(), full_tensor(Tensor([1.0])).tolist()

    for whole, gradient, other in run_threads(2, run):
        np.testing.assert_array_equal(whole, WHOLE)
        np.testing.assert_allclose(gradient, WHOLE)
        assert other == [1.0]


def test_elementwise_ops_keep_the_layout_so_that_an_optimizer_takes_their_results() -> None:
    def run() -> Any:
        w, gradient = cut_in_two()
        half = gradient * 0.5
        assert half.layout == gradient.layout
        nn.SGD([w], 1.0)((half,))
        ops.assign_sub(w, gradient * 0.25)
        return full_tensor(w).asnumpy()

    for whole in run_threads(2, run):
        np.testing.assert_allclose(whole, WHOLE * 0.25)


@pytest.mark.parametrize("compute", [ops.sum, lambda w: w + Tensor(WHOLE[:, :2]), lambda w: w @ w.T, ops.softmax])
def test_what_one_rank_cannot_compute_alone_is_refused(compute: Any) -> None:
    def run() -> str:
        w, _ = cut_in_two()
        with pytest.raises(LayoutError) as caught:
            compute(w)
        return str(caught.value)

    for said in run_threads(2, run):
        assert "was given a slice of shape (4, 2) of a value of shape (4, 4)" in said or "(2, 4)" in said
        assert "simpar.parallel.full_tensor(x)" in said
