"""What is saved under one layout is loaded under any other, bit for bit, and each rank reads its own slice only."""

import os
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import simpar as ms
from simpar import nn, ops
from simpar.checkpoint import open_checkpoint, rank_list_for_transform, transform_checkpoints
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.context import current
from simpar.parameter import Parameter
from simpar.tensor import Tensor

X = np.random.default_rng(1).standard_normal((8, 8)).astype(np.float32)
Strategy = tuple[tuple[int, int], tuple[int, int]]


class Net(nn.Cell):
    def __init__(self, strategy: Strategy | None, fill: str = "normal") -> None:
        super().__init__()
        self.w = Parameter(initializer(fill, (8, 16)), name="w")
        self.b = Parameter(initializer(fill, (16,)), name="b")
        self.product = ops.MatMul() if strategy is None else ops.MatMul().shard(strategy)

    def construct(self, x: Tensor) -> Tensor:
        return ops.reduce_mean(self.product(x, self.w) + self.b)


def step_of(strategy: Strategy | None, fill: str = "normal", **options: Any) -> nn.Cell:
    ms.set_seed(3)
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net = Net(strategy, fill)
    return nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))


def values_of(net: nn.Cell) -> dict[str, Any]:
    return {p.name: ms.parallel.full_tensor(p).asnumpy() for p in net.get_parameters()}


def strategies(ranks: int) -> list[Strategy]:
    cuts = (1, 2, 4, 8)
    return [((a, b), (b, c)) for a in cuts for b in cuts for c in cuts if a * b * c in (1, ranks)]


@st.composite
def runs(draw: st.DrawFn) -> tuple[int, Strategy, dict[str, Any]]:
    ranks = draw(st.sampled_from([1, 2, 4, 8]))
    zero = draw(st.booleans())
    options = (
        {"enable_parallel_optimizer": True, "parallel_optimizer_config": {"parallel_optimizer_threshold": 0}}
        if zero
        else {}
    )
    return ranks, draw(st.sampled_from(strategies(ranks))), options


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    saved=runs(),
    loaded=runs(),
    ending=st.sampled_from(["ckpt", "safetensors"]),
    whole=st.booleans(),
    late=st.booleans(),
)
def test_any_layout_loads_what_any_other_saved(
    tmp_path: Path, saved: Any, loaded: Any, ending: str, whole: bool, late: bool
) -> None:
    def files(ranks: int) -> list[Path]:
        return [tmp_path / f"rank_{rank}" / f"net.{ending}" for rank in range(ranks)]

    def save(ranks: int, strategy: Strategy, options: dict[str, Any]) -> dict[str, Any]:
        step = step_of(strategy, **options)
        for _ in range(2):
            step(Tensor(X))
        ms.save_checkpoint(step, files(ranks)[current().rank], integrated_save=whole)
        return values_of(step)

    def load(ranks: int, strategy: Strategy, options: dict[str, Any]) -> dict[str, Any]:
        step = step_of(strategy, "zeros", **options)
        if late:
            step.compile(Tensor(X))
        if whole:
            left = ms.load_checkpoint(files(1)[0], step), ms.load_param_into_net(step, ms.load_checkpoint(files(1)[0]))
            assert left[1] == ([], [])
        else:
            assert ms.load_distributed_checkpoint(step, files(saved[0])) == ([], [])
        step.compile(Tensor(X))
        return values_of(step)

    expected = run_threads(saved[0], save, *saved)[0]
    for found in run_threads(loaded[0], load, *loaded):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("ending", ["ckpt", "safetensors"])
def test_a_rank_reads_the_bytes_of_its_slice_and_no_more(tmp_path: Path, ending: str) -> None:
    values = np.arange(128, dtype=np.float32).reshape(8, 16)
    ms.save_checkpoint({"w": Tensor(values), "b": Tensor(values[0])}, tmp_path / f"net.{ending}")

    def read_bytes() -> int:
        step = step_of(((2, 1), (1, 4)))
        given = ms.load_checkpoint(tmp_path / f"net.{ending}")
        ms.load_param_into_net(step, given)
        step.compile(Tensor(X))
        np.testing.assert_array_equal(values_of(step)["w"], values)
        return sum(piece.file.values_bytes for piece in given["w"].pieces)

    assert run_threads(8, read_bytes) == [(128 // 4 + 16) * 4] * 8  # a quarter of w, and b, which is not cut


def test_stopped_and_resumed_training_is_that_which_went_on(tmp_path: Path) -> None:
    strategy: Strategy = ((2, 1), (1, 2))

    def losses(steps: int, resume: bool) -> list[float]:
        step = step_of(strategy, "zeros" if resume else "normal")
        if resume:
            ms.load_checkpoint(tmp_path / "net.ckpt", step)
        found = [float(step(Tensor(X)).asnumpy()) for _ in range(steps)]
        ms.save_checkpoint(step, tmp_path / "net.ckpt")
        current().world.communicator.barrier()
        return found

    went_on = run_threads(4, losses, 6, False)[0]
    assert run_threads(4, losses, 3, False)[0] + run_threads(4, losses, 3, True)[0] == went_on


def test_slices_are_loaded_by_the_ranks_that_saved_them_and_refused_by_others(tmp_path: Path) -> None:
    def save_and_load() -> str:
        step = step_of(((1, 2), (2, 1)))
        step(Tensor(X))
        rank = current().rank
        ms.save_checkpoint(step, tmp_path / f"{rank}.ckpt", integrated_save=False)
        assert open_checkpoint(tmp_path / f"{rank}.ckpt").pieces["w"].box == ((4 * rank, 4 * rank + 4), (0, 16))
        before = values_of(step)
        step(Tensor(X))
        ms.load_checkpoint(tmp_path / f"{rank}.ckpt", step)
        np.testing.assert_array_equal(values_of(step)["w"], before["w"])
        current().world.communicator.barrier()
        try:
            ms.load_checkpoint(tmp_path / f"{1 - rank}.ckpt", step)
        except ValueError as error:
            return str(error)
        return ""

    assert "holds box ((4, 8), (0, 16)) of Parameter 'w', but rank 0 holds" in run_threads(2, save_and_load)[0]


def test_a_missing_file_of_slices_is_named_by_what_it_lacks(tmp_path: Path) -> None:
    def save() -> None:
        step = step_of(((1, 4), (4, 1)))
        step(Tensor(X))
        ms.save_checkpoint(step, tmp_path / f"{current().rank}.safetensors", integrated_save=False)

    run_threads(4, save)
    step = step_of(None)
    ms.load_distributed_checkpoint(step, [tmp_path / f"{rank}.safetensors" for rank in range(3)])
    with pytest.raises(ValueError, match="Give the files of all ranks"):
        values_of(step)


def test_the_file_that_is_loaded_may_be_replaced_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    ms.save_checkpoint({"w": Tensor(np.ones((8, 16), np.float32))}, path)
    step = step_of(None)
    ms.load_param_into_net(step, ms.load_checkpoint(path))
    ms.save_checkpoint({"w": Tensor(np.zeros((8, 16), np.float32))}, path)
    os.remove(path)
    assert values_of(step)["w"].sum() == prod((8, 16))


FIELDS = (10, 20, 30, 4)
BY_FIELD = np.array([[0, 9, 10, 29, 30, 59, 60, 63]] * 2, np.int32)


class Table(nn.Cell):
    """Looks up rows of a table whose fields are not equally long."""

    def __init__(self, strategy: Any, fill: str) -> None:
        super().__init__()
        self.w = Parameter(initializer(fill, (64, 8)), name="w")
        self.gather = ops.Gather()
        if strategy is not None:
            self.gather.shard(strategy).add_prim_attr("manual_split", FIELDS)

    def construct(self, x: Tensor) -> Tensor:
        return ops.reduce_mean(ops.square(self.gather(self.w, x, 0)))


def table_step(strategy: Any, fill: str, **options: Any) -> nn.Cell:
    ms.set_seed(3)
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net = Table(strategy, fill)
    return nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))


CUTS: dict[int, Any] = {1: None, 2: ((2, 1), (1, 2)), 4: ((4, 1), (1, 4)), 8: ((4, 2), (1, 4))}


@pytest.mark.parametrize(("saved", "loaded"), [(4, 2), (4, 8), (8, 4), (1, 4), (4, 1)])
def test_slices_of_unequal_fields_are_saved_and_loaded(saved: int, loaded: int, tmp_path: Path) -> None:
    def file(rank: int) -> str:
        return f"{tmp_path}/rank_{rank}.ckpt"

    def save() -> Any:
        step = table_step(CUTS[saved], "normal")
        step(Tensor(BY_FIELD))
        ms.save_checkpoint(step, file(current().rank), integrated_save=False)
        return values_of(step)

    def load() -> Any:
        step = table_step(CUTS[loaded], "zeros")
        step.compile(Tensor(BY_FIELD))
        ms.load_distributed_checkpoint(step, [file(r) for r in range(saved)])
        return values_of(step)

    kept, *_ = run_threads(saved, save)
    for name, value in run_threads(loaded, load)[-1].items():
        np.testing.assert_array_equal(value, kept[name], err_msg=name)


def test_files_of_unequal_fields_are_transformed_by_their_strategy_files(tmp_path: Path) -> None:
    def save(ranks: int) -> Any:
        own = {"save_file": f"{tmp_path}/{ranks}.{'json' if ranks == 4 else 'ckpt'}"}
        step = table_step(CUTS[ranks], "normal", strategy_ckpt_config=own)
        step.compile(Tensor(BY_FIELD))
        folder = tmp_path / str(ranks) / f"rank_{current().rank}"
        folder.mkdir(parents=True)
        ms.save_checkpoint(step, str(folder / "c.ckpt"), integrated_save=False)

    for ranks in (4, 8):
        run_threads(ranks, save, ranks)
    four, eight = f"{tmp_path}/4.json", f"{tmp_path}/8.ckpt"
    transform_checkpoints(f"{tmp_path}/4", f"{tmp_path}/made", "t", four, eight)
    for rank in range(8):
        made = ms.load_checkpoint(f"{tmp_path}/made/rank_{rank}/t{rank}.ckpt")["w"].asnumpy()
        wanted = ms.load_checkpoint(f"{tmp_path}/8/rank_{rank}/c.ckpt")["w"].asnumpy()
        np.testing.assert_array_equal(made, wanted)
    assert rank_list_for_transform(3, eight, four) == [6, 7]
