"""Strategies are saved to a file and taken from one: by the op's type and its Parameter, or by its place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.context import Context, entered
from simpar.layout import read_strategy_file
from simpar.parallel.auto_parallel import AutoParallel

X = Tensor(np.ones((64, 64), np.float32))


class Net(nn.Cell):
    """A product, a bias, a product with a weight that is not trained, and one of two elements."""

    def __init__(self, is_configured: bool = True) -> None:
        super().__init__()
        self.w, self.b, self.z, self.e = (
            Parameter(Tensor(np.ones(shape, np.float32)), name=name, requires_grad=name != "z")
            for name, shape in (("w", (64, 64)), ("b", (64,)), ("z", (64, 64)), ("e", (64, 64)))
        )
        self.one, self.add, self.two, self.mul = ops.MatMul(), ops.Add(), ops.MatMul(), ops.Mul()
        if is_configured:
            self.one.shard(((2, 1), (1, 2)))
            self.mul.shard(((2, 4), (2, 4)))

    def construct(self, x: Tensor) -> Tensor:
        y = self.two(ops.relu(self.add(self.one(x, self.w), self.b)), self.z)
        return self.mul(self.e, y)


def compiled(net: Net, **options: Any) -> Net:
    with entered(Context(mindspore=True)):
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel", device_num=8, global_rank=0, full_batch=True, **options
        )
        net.compile(X)
    return net


# what MindSpore 2.10 wrote for this net
STRATEGIES = {
    "Add_b": {"parallel_strategy": [[8, 1], [1]], "stage": 0},
    "MatMul_w": {"parallel_strategy": [[2, 1], [1, 2]], "stage": 0},
    "Mul_e": {"parallel_strategy": [[2, 4], [2, 4]], "stage": 0},
}


def item(dev_mat: list[int], tensor_map: list[int], shape: list[int], size: int = 0, step: int = 0) -> dict[str, Any]:
    return {
        "dev_matrix": dev_mat,
        "field": 0,
        "opt_weight_shard_size": size,
        "opt_weight_shard_step": step,
        "tensor_map": tensor_map,
        "tensor_shape": shape,
    }


def test_the_file_has_what_mindspore_writes(tmp_path: Path) -> None:
    compiled(Net(), strategy_ckpt_config={"save_file": str(tmp_path / "s.json")})
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["parallel_strategy_item"] == STRATEGIES
    assert written["parallel_layout_item"] == {
        "w": item([2, 2, 2], [-1, 1], [64, 64]),
        "b": item([8], [-1], [64]),
        "e": item([2, 4], [1, 0], [64, 64]),
    }


def test_the_parallel_optimizer_and_untrained_weights_stand_in_the_file(tmp_path: Path) -> None:
    compiled(
        Net(),
        strategy_ckpt_config={"save_file": str(tmp_path / "s.json"), "only_trainable_params": False},
        enable_parallel_optimizer=True,
        parallel_optimizer_config={"parallel_optimizer_threshold": 0},
    )
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["parallel_strategy_item"] == STRATEGIES | {
        "MatMul_z": {"parallel_strategy": [[8, 1], [1, 1]], "stage": 0}
    }
    assert written["parallel_layout_item"] == {
        "w": item([2, 2, 2], [-1, 1], [64, 64], -1, 1),
        "b": item([8], [-1], [64], -1, 1),
        "z": item([8], [-1, -1], [64, 64], -1, 1),
        "e": item([2, 4], [1, 0], [64, 64]),
    }


@pytest.mark.parametrize("name", ["s.json", "s.ckpt"])
def test_what_was_saved_is_taken(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    saved = compiled(Net(), strategy_ckpt_save_file=path).parameter_layout_dict
    assert read_strategy_file((tmp_path / name).read_bytes()).operators
    other = compiled(Net(is_configured=False), strategy_ckpt_load_file=path).parameter_layout_dict
    assert {n: other[n] for n in "wbe"} == {n: saved[n] for n in "wbe"}
    assert compiled(Net(is_configured=False)).parameter_layout_dict["w"] != saved["w"]


def test_a_missing_file_says_which_is_meant(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"none\.json.*AutoParallel\.save_param_strategy_file"):
        compiled(Net(), strategy_ckpt_load_file=str(tmp_path / "none.json"))


def test_the_strategies_of_all_ops_go_by_their_places(tmp_path: Path) -> None:
    path = str(tmp_path / "ops.json")

    def run(is_configured: bool, save: bool) -> Net:
        with entered(Context(mindspore=True)):
            ms.set_auto_parallel_context(device_num=8, global_rank=0)
            net = Net(is_configured)
            parallel = AutoParallel(net)
            parallel.dataset_strategy("full_batch")
            (parallel.save_operator_strategy_file if save else parallel.load_operator_strategy_file)(path)
            parallel.compile(X)
        return net

    saved, loaded = run(True, True), run(False, False)
    operators = json.loads(Path(path).read_text())["parallel_strategy_item"]
    assert operators["MatMul-0"]["parallel_strategy"] == [[2, 1], [1, 2]]
    assert operators["ReLU-0"]["parallel_strategy"] == [[8, 1]]
    assert loaded.parameter_layout_dict == saved.parameter_layout_dict


def test_the_strategies_of_all_ops_are_also_written_for_a_whole_program(tmp_path: Path) -> None:
    path = str(tmp_path / "ops.json")

    def run(mode: str, is_configured: bool) -> Any:
        with entered(Context(mindspore=True)):
            ms.set_auto_parallel_context(
                parallel_mode="semi_auto_parallel", device_num=8, global_rank=0, full_batch=True
            )
            ms.parallel.set_op_strategy_config(mode, path)
            net = Net(is_configured)
            net.compile(X)
        return net.parameter_layout_dict

    saved = run("SAVE", True)
    assert run("LOAD", False) == saved
    assert compiled(Net(False)).parameter_layout_dict != saved
    for mode, name in (("READ", path), ("SAVE", "ops.json"), ("LOAD", "/ops.yaml")):
        with pytest.raises(KeyError, match=r"SAVE|absolute path"):
            ms.parallel.set_op_strategy_config(mode, name)


@pytest.mark.parametrize("path", ["ops.json", "/ops.ckpt"])
def test_the_file_of_all_ops_has_an_absolute_json_path(path: str) -> None:
    with pytest.raises(KeyError, match="absolute path"):
        AutoParallel(Net()).save_operator_strategy_file(path)
