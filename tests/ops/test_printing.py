"""Values shown while a program runs."""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads


class Shown(nn.Cell):
    """A product that shows itself and returns its sum."""

    def __init__(self, strategy: tuple[tuple[int, int], ...] | None = None) -> None:
        super().__init__()
        self.matmul, self.show = ops.MatMul().shard(strategy), ops.Print()

    def construct(self, x: Tensor) -> Tensor:
        y = self.matmul(x, x)
        self.show("y is", y, 3)
        return y.sum()


WANTED = "y is\nTensor(shape=[2, 2], dtype=Float32, value=array([[2., 2.],\n       [2., 2.]], dtype=float32))\n3\n"


def test_a_program_shows_a_value_in_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    net = Shown()
    for _ in range(2):
        assert net(Tensor(np.ones((2, 2), np.float32))).item() == 8
    assert capsys.readouterr().out == WANTED * 2


def gradient_of_shown() -> list[list[float]]:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    return ms.grad(Shown(((2, 1), (1, 1))))(Tensor(np.ones((2, 2), np.float32))).tolist()


def test_a_value_that_is_cut_is_shown_whole_by_each_rank_and_changes_no_gradient() -> None:
    with redirect_stdout(StringIO()) as shown:
        assert run_threads(2, gradient_of_shown) == [[[4, 4], [4, 4]]] * 2
    assert shown.getvalue().count("y is") == 2
    assert shown.getvalue().count("shape=[2, 2]") == 2


def test_print_shows_at_once_outside_of_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    ops.print_("loss", 0.5)
    ops.print_(Tensor([1.0]))
    assert capsys.readouterr().out == "loss\n0.5\nTensor(shape=[1], dtype=Float32, value=array([1.], dtype=float32))\n"
