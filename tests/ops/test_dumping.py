"""What a program saves while it runs, and rows from a queue that nobody passes."""

from pathlib import Path

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import DatasetError, RuleError
from simpar.parallel import full_tensor

X = np.arange(32, dtype=np.float32).reshape(8, 4)


def squares(folder: Path, cut: object) -> None:
    double, square = ops.Mul(), ops.Square()
    if cut is not None:
        double.shard(cut)

    def total(x: Tensor) -> Tensor:
        doubled = double(x, Tensor(np.full((8, 4), 2, np.float32)))
        ops.TensorDump()(str(folder / "doubled"), doubled)
        return square(ops.DumpGradient()(str(folder / "slope.npy"), doubled)).sum()

    gradient = ms.grad(total)
    gradient(Tensor(X))
    gradient(Tensor(X + 1))


def test_values_and_gradients_are_saved_at_each_run(tmp_path: Path) -> None:
    squares(tmp_path, None)
    names = ("doubled_float32_0", "doubled_float32_1", "slope_float32_0", "slope_float32_1")
    assert sorted(p.stem for p in tmp_path.iterdir()) == list(names)
    np.testing.assert_array_equal(np.load(tmp_path / "doubled_float32_1.npy"), 2 * X + 2)
    np.testing.assert_array_equal(np.load(tmp_path / "slope_float32_0.npy"), 4 * X)


def test_each_rank_saves_its_slice(tmp_path: Path) -> None:
    def on_rank() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        squares(tmp_path, ((2, 2), (2, 2)))

    run_threads(4, on_rank)
    np.testing.assert_array_equal(np.load(tmp_path / "rank_1" / "doubled_float32_0.npy"), 2 * X[:4, 2:])
    np.testing.assert_array_equal(np.load(tmp_path / "rank_2" / "slope_float32_0.npy"), 4 * X[4:, :2])


def test_a_rank_saves_its_slice_as_the_next_op_takes_it(tmp_path: Path) -> None:
    def on_rank() -> None:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        double, square = ops.Mul().shard(((4, 1), ())), ops.Square().shard(((1, 4),))

        def total(x: Tensor) -> Tensor:
            doubled = double(x, Tensor(2.0))
            for mode in ("out", "in"):
                ops.tensordump(str(tmp_path / "doubled"), doubled, mode)
            return square(doubled).sum()

        ms.grad(total)(Tensor(X))

    run_threads(4, on_rank)
    for rank in range(4):
        folder = tmp_path / f"rank_{rank}"
        np.testing.assert_array_equal(np.load(folder / "doubled_float32_0.npy"), 2 * X[2 * rank : 2 * rank + 2])
        np.testing.assert_array_equal(np.load(folder / "doubled_in_float32_0.npy"), 2 * X[:, rank : rank + 1])


def test_what_is_saved_last_is_saved_as_it_is(tmp_path: Path) -> None:
    ms.jit(lambda x: ops.tensordump(str(tmp_path / "x"), x, "in"))(Tensor(X))
    np.testing.assert_array_equal(np.load(tmp_path / "x_in_float32_0.npy"), X)


def test_a_dump_is_of_what_goes_in_or_out() -> None:
    with pytest.raises(RuleError, match="out"):
        ops.TensorDump("all")
    with pytest.raises(RuleError, match="out"):
        ops.DumpGradient()("file", Tensor(X), "in")


class Fed(nn.Cell):
    """Takes its rows from a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.next = ops.GetNext([ms.float32, ms.float32], [[8, 4], [8, 4]], 2, "queue")
        self.product = ops.Mul().shard(((4, 1), (4, 1)))

    def construct(self) -> Tensor:
        x, y = self.next()
        return self.product(x, y).sum()


def test_a_program_that_takes_rows_from_a_queue_is_planned_without_one() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, global_rank=1, full_batch=True)
    net = Fed()
    net.compile()
    ms.reset_auto_parallel_context()
    with pytest.raises(DatasetError, match="which no dataset fills"):
        net()
    with pytest.raises(DatasetError, match="which no dataset fills"):
        net.next()


def test_columns_of_a_queue_agree_in_number() -> None:
    with pytest.raises(RuleError, match="one of each"):
        ops.GetNext([ms.float32], [[8, 4]], 2, "queue")


def halved(gradient: Tensor) -> Tensor:
    return gradient * 0.5


def test_a_function_changes_the_gradient_on_its_way() -> None:
    def on_rank(cut: object) -> list[float]:
        if cut is not None:
            ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        passed = ops.InsertGradientOf(halved).shard(cut)
        made = ms.grad(lambda x: ops.square(passed(x)).sum())(Tensor(X))
        return full_tensor(made).tolist()

    assert on_rank(None) == X.tolist()
    assert run_threads(4, on_rank, ((2, 2),)) == [X.tolist()] * 4
    with pytest.raises(RuleError, match=r"returned a Tensor of shape \(\). Return a Tensor of that shape"):
        ms.grad(lambda x: ops.InsertGradientOf(lambda g: g.sum())(x).sum())(Tensor(X))
