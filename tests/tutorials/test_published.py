"""Published scripts are compared with one device fairly: seen on a script of our own."""

from pathlib import Path

import pytest

from simpar.errors import LaunchError
from tests.launch.needing import needs_mpi
from tests.tutorials.published import Published, compare, losses_in, published_rows, row

SCRIPT = """
import os
import mindspore as ms
import mindspore.dataset as ds
from mindspore import nn, ops
from mindspore.communication import get_group_size, get_rank, init
from mindspore.train import LossMonitor

ms.set_auto_parallel_context(parallel_mode="{mode}", gradients_mean=True)
init()
ms.set_seed(3)
net = nn.SequentialCell(nn.Flatten(), nn.Dense(784, 16), nn.ReLU(), nn.Dense(16, 10))
net[1].matmul.shard(((2, 4), (1, 4)))
data = ds.MnistDataset(os.environ["DATA_PATH"], {shards}shuffle=True)
data = data.map([ds.vision.Rescale(1 / 255, 0), ds.vision.HWC2CHW()], "image")
data = data.map(ds.transforms.TypeCast(ms.int32), "label").batch(16)
loss = nn.CrossEntropyLoss()
model = ms.Model(net, loss, nn.SGD(net.trainable_params(), 0.1))
model.train(1, data, callbacks=[LossMonitor()])
"""
SHARDS = "num_shards=get_group_size(), shard_id=get_rank(), "


@needs_mpi
@pytest.mark.parametrize(("mode", "shards"), [("semi_auto_parallel", ""), ("data_parallel", SHARDS)])
def test_a_script_has_the_losses_of_one_device_on_8_ranks(tmp_path: Path, mode: str, shards: str) -> None:
    (tmp_path / "train.py").write_text(SCRIPT.format(mode=mode, shards=shards))
    line = row(tmp_path, Published("train.py", shares_rows=bool(shards)))
    assert "equal, all" in line, line


def test_losses_that_differ_in_one_place_are_told() -> None:
    assert compare({(0, 0): 1.0, (0, 1): 2.0}, {(0, 0): 1.0, (0, 1): 2.001}) == "**different**"
    assert compare({(0, 0): 1.0}, {}) == "not comparable: 1 and 0 losses"


def test_losses_of_several_ranks_count_as_their_mean() -> None:
    assert losses_in("epoch: 1 step: 2, loss is 1.5\nepoch: 1 step: 2, loss is 2.5\nother: 7\n") == {(1, 2): 2.0}


def test_a_folder_without_the_scripts_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="sample_code"):
        published_rows(tmp_path)
