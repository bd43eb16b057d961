"""The conformance runner, on a checkout of one small file: what passes, what fails, and which layouts are reported."""

import json
from pathlib import Path

from tests.conformance.__main__ import main

FILE = """
import numpy as np
import mindspore as ms
from mindspore import Parameter, Tensor, context, nn
from mindspore.common.api import _cell_graph_executor
from mindspore.ops import operations as P


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor(np.ones((8, 4)), ms.float32), name="w")
        self.product = P.MatMul().shard(((1, 2), (2, 4)))

    def construct(self, x):
        return self.product(x, self.w)


def test_slice():
    context.set_auto_parallel_context(device_num=8, global_rank=3, parallel_mode="semi_auto_parallel", full_batch=True)
    net = Net()
    _cell_graph_executor.compile(net, Tensor(np.ones((2, 8)), ms.float32))
    assert net.parameter_layout_dict["w"][2] == [4, 1]


def test_wrong():
    assert P.MatMul().name == "a product"
"""


def test_files_of_a_checkout_are_run_through_the_alias_for_imagined_devices(tmp_path: Path) -> None:
    folder = tmp_path / "tests/ut/python/parallel"
    folder.mkdir(parents=True)
    (folder / "test_net.py").write_text(FILE, encoding="utf-8")
    report = tmp_path / "results.json"
    assert main([str(folder), "--json", str(report)]) == 0
    by_test = {result["test"]: result for result in json.loads(report.read_text("utf-8"))}
    assert {name: result["outcome"] for name, result in by_test.items()} == {
        "test_slice": "passed",
        "test_wrong": "failed",
    }
    device_matrix, tensor_map, slice_shape, *_ = by_test["test_slice"]["layouts"][0]["w"]
    assert (device_matrix, tensor_map, slice_shape) == ([2, 4], [1, 0], [4, 1])


CELLS = """
import mindspore as ms
from mindspore import Parameter, nn
from mindspore.nn import NoSuchLayer
from mindspore.no_such_module import no_such_function


class Scale(nn.Cell):
    def __init__(self):
        super().__init__()
        self.factor = Parameter(ms.Tensor([2.0]))

    def construct(self, x):
        return x * self.factor


def test_value():
    assert Scale()(ms.Tensor([3.0])).asnumpy().tolist() == [6.0]


def test_layer():
    NoSuchLayer(3)


def test_function():
    no_such_function()


def test_sparse():
    nn.probability.Normal()
"""


def test_files_of_other_folders_run_on_one_device_and_missing_names_fail_where_they_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "tests/ut/python/nn"
    folder.mkdir(parents=True)
    (folder / "test_cells.py").write_text(CELLS, encoding="utf-8")
    (folder / "test_about_something_else.py").write_text("def test_other():\n    assert False\n", encoding="utf-8")
    report, written = tmp_path / "results.json", tmp_path / "page.md"
    assert main([str(folder), "--json", str(report), "--page", str(written)]) == 0
    by_test = {result["test"]: result for result in json.loads(report.read_text("utf-8"))}
    assert {name: result["outcome"] for name, result in by_test.items()} == {
        "test_value": "passed",
        "test_layer": "failed",
        "test_function": "failed",
        "test_sparse": "out of scope",
    }
    assert "mindspore.nn.NoSuchLayer is not in simpar" in by_test["test_layer"]["message"]
    assert "| `nn`: Cells, layers, optimizers and schedules | 4 | 1 | 2 | 0 | 1 | 0 |" in written.read_text("utf-8")
