"""``import mindspore`` resolves to simpar: paths, names, and names that do not exist."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import simpar
from simpar.cli import main
from simpar.context import Context, entered
from simpar.errors import MissingImportError, MissingNameError, ModeError
from simpar.mindspore import install, is_installed, uninstall
from simpar.mindspore.names import DOORS
from tests.launch.needing import has_mpi

NAMES = [
    ("mindspore", "Tensor"),
    ("mindspore", "set_auto_parallel_context"),
    ("mindspore.context", "ParallelMode"),
    ("mindspore.common.dtype", "float32"),
    ("mindspore.common.initializer", "initializer"),
    ("mindspore.common.parameter", "Parameter"),
    ("mindspore.common.api", "_cell_graph_executor"),
    ("mindspore.communication.management", "get_rank"),
    ("mindspore.nn.cell", "Cell"),
    ("mindspore.nn.optim.momentum", "Momentum"),
    ("mindspore.nn.utils", "no_init_parameters"),
    ("mindspore.nn.wrap.cell_wrapper", "TrainOneStepCell"),
    ("mindspore.ops", "matmul"),
    ("mindspore.ops.composite", "GradOperation"),
    ("mindspore.ops.functional", "relu"),
    ("mindspore.ops.operations", "MatMul"),
    ("mindspore.ops.operations.nn_ops", "Softmax"),
    ("mindspore.ops.auto_generate.gen_ops_prim", "Gather"),
    ("mindspore.parallel.shard", "Layout"),
    ("mindspore.parallel.auto_parallel", "AutoParallel"),
    ("mindspore.parallel._auto_parallel_context", "auto_parallel_context"),
    ("mindspore.parallel._utils", "_reset_op_id"),
]


@pytest.mark.parametrize(("path", "name"), NAMES)
def test_a_name_is_found_under_mindspores_path(path: str, name: str) -> None:
    assert getattr(importlib.import_module(path), name) is not None


@pytest.mark.parametrize("path", sorted(DOORS))
def test_every_path_of_the_table_is_a_module_whose_names_can_be_read(path: str) -> None:
    module = importlib.import_module(path)
    for name in dir(module):
        assert getattr(module, name) is not None


@pytest.mark.parametrize("path", sorted(DOORS))
def test_every_path_lies_in_one_of_the_table(path: str) -> None:
    parent = path.rpartition(".")[0]
    assert not parent or parent in DOORS


def test_names_are_simpars_own() -> None:
    import mindspore  # pyright: ignore

    ms: Any = mindspore

    assert ms.Tensor is simpar.Tensor
    assert ms.ops.matmul is simpar.ops.matmul
    assert ms.set_context is simpar.set_context is ms.context.set_context.__wrapped__


def test_submodules_are_mindspores_paths_not_simpars_modules() -> None:
    import mindspore  # pyright: ignore

    ms: Any = mindspore

    assert ms.nn.__name__ == "mindspore.nn"
    assert isinstance(ms.ops.operations, ModuleType)
    assert ms.ops.operations.__name__ == "mindspore.ops.operations"


def test_a_function_stays_one_when_the_module_of_its_name_is_imported() -> None:
    from mindspore import parallel  # pyright: ignore
    from mindspore.parallel.shard import Layout  # pyright: ignore

    assert Layout is simpar.Layout
    assert parallel.shard is simpar.parallel.shard


def test_a_star_import_brings_public_names() -> None:
    names: dict[str, object] = {}
    exec("from mindspore.ops.operations import *", names)
    assert names["MatMul"] is simpar.ops.MatMul


def test_a_name_that_does_not_exist_is_refused_with_the_nearest() -> None:
    import mindspore  # pyright: ignore

    ms: Any = mindspore

    with pytest.raises(MissingNameError, match=r"mindspore\.ops\.Softmx is not in simpar.*nearest.*Softmax"):
        _ = ms.ops.Softmx
    assert not hasattr(ms, "no_such_name")


def test_a_name_of_another_module_is_refused_with_its_place() -> None:
    import mindspore  # pyright: ignore

    ms: Any = mindspore

    with pytest.raises(MissingNameError, match=r"mindspore.nn.MatMul is not in simpar. It is in mindspore.ops"):
        _ = ms.nn.MatMul


def test_an_import_of_a_name_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(MissingImportError, match=r"mindspore\.nn\.Dens is not in simpar.*Dense"):
        exec("from mindspore.nn import Dens")
    with pytest.raises(MissingImportError, match=r"mindspore\.nowhere is not in simpar"):
        exec("import mindspore.nowhere")


def test_uninstalling_leaves_nothing_behind() -> None:
    importlib.import_module("mindspore.nn")
    uninstall()
    try:
        assert not is_installed()
        assert not [m for m in sys.modules if m.partition(".")[0] == "mindspore"]
    finally:
        install()


def test_mindspore_itself_and_the_alias_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall()
    monkeypatch.setitem(sys.modules, "mindspore", ModuleType("mindspore"))
    with pytest.raises(ModeError, match="MindSpore itself was imported already"):
        install()


def test_nothing_is_installed_by_importing_simpar() -> None:
    asked = "import simpar, sys; print(any('simpar' in type(f).__module__ for f in sys.meta_path))"
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout == "False\n"


SCRIPT = """
import sys
import numpy as np
import mindspore as ms
from mindspore import nn, ops, Tensor, context
from mindspore.communication import init, get_rank, get_group_size

context.set_context(mode=context.GRAPH_MODE)
init()
context.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy="full_batch")

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.matmul = ops.MatMul().shard(((1, get_group_size()), (get_group_size(), 1)))
        self.w = ms.Parameter(ms.common.initializer.initializer("ones", (8, 4)), name="w")

    def construct(self, x):
        return self.matmul(x, self.w)

y = Net()(Tensor(np.ones((2, 8), np.float32)))
print(get_rank(), sys.argv[1:], float(y.asnumpy().sum()))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_python_runs_a_script_under_the_alias(script: Path) -> None:
    command = [sys.executable, "-m", "simpar.mindspore", str(script), "--lr", "1"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout == "0 ['--lr', '1'] 64.0\n"


@pytest.mark.skipif(not has_mpi(), reason="needs MPI")
def test_simpar_run_gives_ranks_the_alias(script: Path) -> None:
    command = [sys.executable, "-m", "simpar", "run", str(script), "-n", "2", "--mindspore", "--no-record"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert sorted(shown.stdout.split("\n")) == ["", "0 [] 64.0", "1 [] 64.0"]


def test_simpar_plan_gives_the_script_the_alias(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uninstall()
    with entered(Context()), pytest.raises(SystemExit) as end:
        main(["plan", str(script), "-n", "4", "--mindspore"])
    assert end.value.code in (None, 0)
    assert "4 imagined devices" in capsys.readouterr().out
    assert not is_installed()
