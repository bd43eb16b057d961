"""What MindSpore's tutorials teach, on 8 ranks: the losses are those of one device."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simpar.collectives import run_threads
from tests.cli.running import simpar
from tests.launch.needing import needs_mpi
from tests.tutorials.__main__ import ALL

SCRIPT = """
import mindspore as ms
import numpy as np
from mindspore import nn, ops
from mindspore.common.initializer import initializer
from mindspore.communication import get_group_size, init
from mindspore.nn.utils import no_init_parameters
from mindspore.parallel import Layout
from mindspore.parallel.auto_parallel import AutoParallel

ms.set_context(mode=ms.GRAPH_MODE)
init()
ms.set_seed(1)
ranks = get_group_size()


class Network(nn.Cell):
    def __init__(self):
        super().__init__()
        layout = Layout((1, ranks), ("x", "y"))
        self.weight1 = ms.Parameter(initializer("normal", [32, 16], ms.float32))
        self.weight2 = ms.Parameter(initializer("normal", [16, 8], ms.float32))
        self.matmul1 = ops.MatMul().shard((layout("x", "None"), layout("None", "y")))
        self.relu = ops.ReLU().shard(((1, ranks),))
        self.matmul2 = ops.MatMul().shard(((1, ranks), (ranks, 1)))

    def construct(self, x):
        return self.matmul2(self.relu(self.matmul1(x, self.weight1)), self.weight2)


with no_init_parameters():
    net = Network()
    optimizer = nn.SGD(net.trainable_params(), 1e-1)
loss_fn = nn.CrossEntropyLoss()
grad_fn = ms.value_and_grad(lambda x, y: loss_fn(net(x), y), None, net.trainable_params())


def train_step(inputs, targets):
    loss, grads = grad_fn(inputs, targets)
    optimizer(grads)
    return loss


train = AutoParallel(train_step, parallel_mode="semi_auto")
train.dataset_strategy("full_batch")
data = np.random.default_rng(0).standard_normal((16, 32)).astype(np.float32)
label = (np.arange(16) % 8).astype(np.int32)
print(" ".join(str(float(train(ms.Tensor(data), ms.Tensor(label)).asnumpy())) for _ in range(3)))
"""


PAGE = Path(__file__).parents[2] / "docs" / "tutorials.md"


def losses_on_page() -> dict[str, list[list[float]]]:
    """Return the losses that the page shows, by the program's name."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d. ]+) \| ([\d. ]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: [[float(x) for x in cell.split()] for cell in cells] for name, *cells in rows}


def test_the_page_shows_every_program() -> None:
    assert list(losses_on_page()) == [program.__name__ for program in ALL]


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.__name__)
def test_eight_ranks_train_as_one_device(program: Callable[[bool], list[float]]) -> None:
    (alone,) = run_threads(1, program, False)
    assert alone[-1] < alone[0]
    for losses in run_threads(8, program, True):
        np.testing.assert_allclose(losses, alone, rtol=1e-5)
    for shown in losses_on_page()[program.__name__]:
        np.testing.assert_allclose(shown, alone, rtol=1e-4)


@needs_mpi
def test_a_script_for_mindspore_runs_unchanged_on_ranks(tmp_path: Path) -> None:
    script = tmp_path / "operator_parallel.py"
    script.write_text(SCRIPT, encoding="utf-8")
    (alone,) = simpar("run", script, "-n", 1, "--mindspore", "--no-record").stdout.splitlines()
    together = simpar("run", script, "-n", 4, "--mindspore", "--no-record").stdout.splitlines()
    assert len(together) == 4
    for line in together:
        np.testing.assert_allclose([float(loss) for loss in line.split()], [float(x) for x in alone.split()], rtol=1e-5)


STARTED = """
import os

import mindspore as ms
from mindspore import ops
from mindspore.communication import get_group_size, get_rank, init

rank, size = int(os.environ["RANK_ID"]), int(os.environ["RANK_SIZE"])
ms.set_device("CPU", int(os.environ["DEVICE_ID"]))
init()
assert (get_rank(), get_group_size()) == (rank, size)
assert (os.environ["MS_ROLE"], os.environ["MS_WORKER_NUM"]) == ("MS_WORKER", str(size))
print(float(ops.AllReduce()(ms.Tensor([float(rank)]))[0]))
"""


@needs_mpi
def test_a_script_finds_the_variables_that_msrun_sets(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(STARTED, encoding="utf-8")
    assert simpar("run", script, "-n", 3, "--mindspore", "--no-record").stdout.split() == ["3.0"] * 3
