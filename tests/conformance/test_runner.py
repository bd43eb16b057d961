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
