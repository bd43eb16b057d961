"""From files of one cut to files of another, by manifests and by strategy files; MindSpore's helpers around them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import checkpoint, nn, ops
from simpar.checkpoint.strategies import box_of
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.context import current
from simpar.errors import CheckpointError
from simpar.layout import ParameterStrategy
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.checkpoint.plain import without_manifest

X = np.random.default_rng(2).standard_normal((16, 16)).astype(np.float32)


class Net(nn.Cell):
    def __init__(self, strategy: Any) -> None:
        super().__init__()
        self.w = Parameter(initializer("normal", (16, 32)), name="w")
        self.product = ops.MatMul().shard(strategy)

    def construct(self, x: Tensor) -> Tensor:
        return ops.reduce_mean(self.product(x, self.w))


def trained(strategy: Any, file: Path, zero: bool = False, size: int = -1) -> nn.Cell:
    """Train two steps, with a strategy file; return the step."""
    ms.set_seed(4)
    ms.set_auto_parallel_context(
        parallel_mode="semi_auto_parallel", full_batch=True, strategy_ckpt_save_file=str(file),
        enable_parallel_optimizer=zero,
        parallel_optimizer_config={"parallel_optimizer_threshold": 0, "optimizer_weight_shard_size": size},
    )  # fmt: skip
    net = Net(strategy)
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))
    for _ in range(2):
        step(Tensor(X))
    return step


def save(folder: Path, ranks: int, strategy: Any, plain: bool, **options: Any) -> dict[str, Any]:
    """Save the slices of ranks, and return the whole values."""

    def on_ranks() -> dict[str, Any]:
        step = trained(strategy, folder / "strategy.ckpt", **options)
        path = folder / f"rank_{current().rank}" / "net-1_2.ckpt"
        ms.save_checkpoint(step, path, integrated_save=False)
        if plain:
            without_manifest(path)
        return {p.name: ms.parallel.full_tensor(p).asnumpy() for p in step.get_parameters()}

    return run_threads(ranks, on_ranks)[0]


CUTS: list[Any] = [
    (8, ((2, 1), (1, 4)), {}),
    (8, ((1, 4), (4, 2)), {}),
    (4, ((2, 2), (2, 1)), {"zero": True}),
    (8, ((4, 1), (1, 2)), {"zero": True, "size": 2}),
    (1, ((1, 1), (1, 1)), {}),
]


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(("source", "target"), [(0, 1), (2, 0), (3, 2), (1, 4), (4, 3)])
def test_transformed_files_are_those_that_the_other_cut_saves(
    tmp_path: Path, source: int, target: int, plain: bool
) -> None:
    (ranks, strategy, options), (new_ranks, new_strategy, new_options) = CUTS[source], CUTS[target]
    values = save(tmp_path / "a", ranks, strategy, plain, **options)
    save(tmp_path / "b", new_ranks, new_strategy, plain, **new_options)
    files = (tmp_path / "a" / "strategy.ckpt", tmp_path / "b" / "strategy.ckpt")
    checkpoint.transform_checkpoints(tmp_path / "a", tmp_path / "c", "new", *files)
    for rank in range(new_ranks):
        expected = ms.load_checkpoint(tmp_path / "b" / f"rank_{rank}" / "net-1_2.ckpt")
        made = ms.load_checkpoint(tmp_path / "c" / f"rank_{rank}" / f"new{rank}.ckpt")
        assert made["w"].shape == expected["w"].shape
        needed = checkpoint.rank_list_for_transform(rank, *files)
        some = {r: tmp_path / "a" / f"rank_{r}" / "net-1_2.ckpt" for r in needed}
        checkpoint.transform_checkpoint_by_rank(rank, some, tmp_path / "one.ckpt", *files)
        alone = ms.load_checkpoint(tmp_path / "one.ckpt")
        for name in ("w", "moments.w"):
            np.testing.assert_array_equal(made[name].asnumpy(), alone[name].asnumpy())
    checkpoint.transform_checkpoints(tmp_path / "c", tmp_path / "d", "whole", files[1])
    whole = ms.load_checkpoint(tmp_path / "d" / "rank_0" / "whole0.ckpt")
    for name, value in values.items():
        np.testing.assert_array_equal(whole[name].asnumpy(), value)


def test_files_without_a_manifest_load_by_the_strategy_file_of_their_training(tmp_path: Path) -> None:
    values = save(tmp_path, 4, ((1, 2), (2, 2)), True)
    files = [tmp_path / f"rank_{rank}" / "net-1_2.ckpt" for rank in range(4)]
    net = Net(((1, 1), (1, 1)))
    ms.load_distributed_checkpoint(net, files, train_strategy_filename=tmp_path / "strategy.ckpt")
    np.testing.assert_array_equal(net.w.asnumpy(), values["w"])


def test_slices_are_merged_by_a_searched_strategy_or_along_the_first_axis(tmp_path: Path) -> None:
    values = save(tmp_path, 4, ((1, 2), (2, 2)), True)
    parts = [ms.load_checkpoint(tmp_path / f"rank_{rank}" / "net-1_2.ckpt")["w"] for rank in range(4)]
    strategy = checkpoint.build_searched_strategy(tmp_path / "strategy.ckpt")
    assert (strategy["w"].dev_matrix[0].dim, strategy["w"].tensor_map[0].dim) == ([2, 2], [1, 0])
    np.testing.assert_array_equal(checkpoint.merge_sliced_parameter(parts, strategy).asnumpy(), values["w"])
    assert checkpoint.merge_sliced_parameter(parts[:2]).shape == (16, 16)
    with pytest.raises(CheckpointError, match="over 4 ranks, but 2 slices"):
        checkpoint.merge_sliced_parameter(parts[:2], strategy)


def test_a_cut_of_the_optimizer_comes_after_that_of_the_op() -> None:
    every = ParameterStrategy((4, 2), (-1, 0), None, 0, 2, -1)  # repeated over 4, two ranks apart
    pairs = ParameterStrategy((4, 2), (-1, 0), None, 0, 4, 2)  # shared by ranks four apart
    assert [box_of(every, (8, 2), rank)[0] for rank in (0, 2, 4, 6)] == [
        (0, 2), (2, 4), (4, 6), (6, 8)
    ]  # fmt: skip
    assert [box_of(pairs, (8, 2), rank)[0] for rank in (0, 2, 4, 6)] == [
        (0, 4), (0, 4), (4, 8), (4, 8)
    ]  # fmt: skip


def test_one_file_of_whole_parameters_and_other_formats(tmp_path: Path) -> None:
    values = save(tmp_path / "a", 2, ((1, 2), (2, 1)), False)
    (tmp_path / "a" / "strategy.ckpt").unlink()
    checkpoint.ckpt_to_safetensors(tmp_path / "a", tmp_path / "b")
    checkpoint.unified_safetensors(tmp_path / "b", None, tmp_path / "c")
    np.testing.assert_array_equal(ms.load_checkpoint(tmp_path / "c" / "part0.safetensors")["w"].asnumpy(), values["w"])
    net = Net(((1, 1), (1, 1)))
    ms.load_distributed_checkpoint(net, unified_safetensors_dir=tmp_path / "c")
    np.testing.assert_array_equal(net.w.asnumpy(), values["w"])
    checkpoint.safetensors_to_ckpt(tmp_path / "c" / "part0.safetensors")
    assert checkpoint.load_segmented_checkpoints(tmp_path / "c")["w"].shape == (16, 32)


def test_ranks_that_hold_the_same_are_written_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUP_INFO_FILE", str(tmp_path / "group.pb"))

    def on_ranks() -> list[int]:
        own = tmp_path / "own" / f"{ms.communication.get_rank()}.pb"
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, group_ckpt_save_file=str(own))
        Net(((4, 1), (1, 2)))(Tensor(X))
        return checkpoint.restore_group_info_list(own)

    # also by AutoParallel.set_group_ckpt_save_file, which sets the same option
    assert run_threads(8, on_ranks) == [[0, 2, 4, 6], [1, 3, 5, 7]] * 4
    assert checkpoint.restore_group_info_list(tmp_path / "group.pb") in ([0, 2, 4, 6], [1, 3, 5, 7])
    (tmp_path / "group.pb").write_bytes(b"what")
    with pytest.raises(CheckpointError, match="names no ranks"):
        checkpoint.restore_group_info_list(tmp_path / "group.pb")


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no folders rank_0"):
        checkpoint.transform_checkpoints(tmp_path, tmp_path / "b", "new")
    with pytest.raises(CheckpointError, match=r"strategy file .* cannot be read"):
        checkpoint.build_searched_strategy(tmp_path / "none.ckpt")
    with pytest.raises(CheckpointError, match="no strategy files"):
        checkpoint.merge_pipeline_strategys(tmp_path, tmp_path / "all.ckpt")


def test_strategy_files_of_stages_become_one(tmp_path: Path) -> None:
    for stage in (0, 1):
        file = tmp_path / "stages" / f"{stage}.ckpt"
        run_threads(2, lambda file=file: trained(((1, 2), (2, 1)), file) and None)
    checkpoint.merge_pipeline_strategys(tmp_path / "stages", tmp_path / "all.ckpt")
    assert list(checkpoint.build_searched_strategy(tmp_path / "all.ckpt")) == ["w"]


def test_newer_names_mean_the_same() -> None:
    assert checkpoint.convert_checkpoints is checkpoint.transform_checkpoints
    assert checkpoint.convert_checkpoint_by_rank is checkpoint.transform_checkpoint_by_rank
    assert checkpoint.rank_list_for_convert is checkpoint.rank_list_for_transform
