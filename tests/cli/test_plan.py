"""``simpar plan``: what it says of a two-layer network is what follows from the definitions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simpar.cli import main
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.layout import OperatorStrategy, StrategyFile, write_strategy_file
from simpar.planning import ProgramFacts, facts_of, keep_plans, plan_script
from simpar.recorder import open_run
from tests.cli.running import simpar

ROOT = Path(__file__).resolve().parents[2]

# dp = n / 4 rows of devices cut the batch, mp = 4 columns cut the hidden layer; each rank stores 1/dp of its weights
SCRIPT = """
import sys
import numpy as np
import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import initializer
from simpar.communication import get_group_size, get_rank, init

init()
n, mp = get_group_size(), 4
dp = n // mp
ms.set_seed(1)
ms.set_auto_parallel_context(
    parallel_mode="semi_auto_parallel", full_batch=True, enable_parallel_optimizer=True,
    parallel_optimizer_config={"parallel_optimizer_threshold": 0},
)

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w1 = Parameter(initializer("normal", (64, 256), ms.float32), name="w1")
        self.w2 = Parameter(initializer("normal", (256, 16), ms.float32), name="w2")
        self.m1 = ops.MatMul().shard(((dp, 1), (1, mp)))
        self.m2 = ops.MatMul().shard(((dp, mp), (mp, 1)))
        self.relu = ops.ReLU().shard(((dp, mp),))

    def construct(self, x):
        z = self.m2(self.relu(self.m1(x, self.w1)), self.w2)
        return (z * z).mean()

net = Net()
optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
gradients = ms.value_and_grad(net, None, net.trainable_params())

@ms.jit
def step(x):
    loss, grads = gradients(x)
    optimizer(grads)
    return loss

x = Tensor(np.ones((8 * dp, 64), np.float32))
"""
LOOP = """
for epoch in range(3):
    loss = step(x)
    print("loss", float(loss))
    reached = True
"""


def script(folder: Path, text: str) -> Path:
    made = folder / "train.py"
    made.write_text(text, encoding="utf-8")
    return made


def facts(folder: Path, n: int, rank: int = 0, text: str = SCRIPT + LOOP) -> ProgramFacts:
    (program,) = plan_script(script(folder, text), (), n, rank).programs
    return facts_of(program)


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return int(end.value.code or 0)


# --- the numbers ---


@pytest.mark.parametrize(
    ("n", "slice1", "map1", "slice2", "map2", "copies"),
    [
        (8, (32, 64), (1, 0), (32, 16), ((0, 1), -1), 1),
        (64, (4, 64), (1, 0), (4, 16), ((0, 1), -1), 1),
        (1024, (64, 64), (-1, 0), (64, 16), (0, -1), 256),  # 256 does not divide the 64 rows: not cut
    ],
)
def test_who_holds_what(
    tmp_path: Path,
    n: int,
    slice1: tuple[int, ...],
    map1: tuple[Any, ...],
    slice2: tuple[int, ...],
    map2: tuple[Any, ...],
    copies: int,
) -> None:
    by_name = {p.name: p for p in facts(tmp_path, n).parameters}
    w1, w2 = by_name["w1"], by_name["w2"]
    assert (w1.shape, w1.storage.dev_mat, w1.storage.tensor_map) == ((64, 256), (n // 4, 4), map1)
    assert (w1.slice_shape, w1.slice_bytes, w1.copies) == (slice1, 4 * slice1[0] * slice1[1], copies)
    assert (w2.slice_shape, w2.storage.tensor_map, w2.copies) == (slice2, map2, copies)
    assert w1.compute.slice_shape(w1.shape) == (64, 64)
    assert w2.compute.slice_shape(w2.shape) == (64, 16)
    assert by_name["moments.w1"].storage == w1.storage
    assert by_name["moments.w1"].kind == "optimizer state"


@pytest.mark.parametrize("n", [8, 64])
def test_what_moves_with_the_parallel_optimizer(tmp_path: Path, n: int) -> None:
    dp = n // 4
    gather, products, loss, scatter = facts(tmp_path, n).collectives
    weights = (64 * 64 + 64 * 16) * 4  # bytes of both slices as they are computed with
    assert (gather.kind, gather.parameters, gather.fusion) == ("all_gather", ("w1", "w2"), 1)
    assert (gather.group.size, gather.group.count) == (dp, 4)
    assert (gather.message_bytes, gather.sent_bytes) == (weights // dp, (dp - 1) * weights // dp)
    assert (products.kind, products.group.ranks, products.group.count) == ("all_reduce", (0, 1, 2, 3), dp)
    assert (products.message_bytes, products.sent_bytes) == (8 * 16 * 4, 2 * 3 * 8 * 16 * 4 // 4)
    assert (loss.kind, loss.message_bytes, loss.group.ranks) == ("all_reduce", 4, tuple(range(0, n, 4)))
    assert (scatter.kind, set(scatter.parameters), scatter.phase) == ("reduce_scatter", {"w1", "w2"}, "backward")
    assert (scatter.message_bytes, scatter.sent_bytes) == (weights, (dp - 1) * weights // dp)


def test_what_moves_among_1024_devices(tmp_path: Path) -> None:
    products, loss, gradients = facts(tmp_path, 1024, rank=7).collectives
    assert (products.group.ranks, products.group.count) == ((4, 5, 6, 7), 256)
    assert (loss.group.ranks, loss.group.text) == (None, "3, 7, 11, ..., 1023")
    assert (gradients.kind, gradients.group.size, gradients.group.count) == ("all_reduce", 256, 4)
    assert gradients.sent_bytes == 2 * 255 * (64 * 64 + 64 * 16) * 4 // 256


def test_every_layout_that_changes_is_told_with_its_cause(tmp_path: Path) -> None:
    moves = facts(tmp_path, 8).redistributions
    assert [(m.steps, m.sent_bytes > 0) for m in moves] == [
        (("slice",), False),  # the batch: each rank has all of it
        (("all_gather",), True),
        (("all_gather",), True),
        (("all_reduce",), True),
        (("all_reduce",), True),
        (("reduce_scatter",), True),
        (("reduce_scatter",), True),
    ]
    assert moves[1].cause == "parallel optimizer: w1 is stored cut"
    assert moves[1].before.cuts == (2, 4)
    assert moves[1].after.cuts == (1, 4)
    assert {m.cause for m in moves[-2:]} == {"gradient of w1", "gradient of w2"}


def test_memory_counts_slices(tmp_path: Path) -> None:
    memory = facts(tmp_path, 8).memory
    weights = (32 * 64 + 32 * 16) * 4
    assert memory.optimizer_bytes == weights
    assert memory.parameter_bytes == weights + 4 + 4  # learning rate and step
    at_once = 16 * 64 + 8 * 64 + 64 * 64 + 64 * 16 + 8 * 64  # batch, its slice, both weights, the hidden layer
    assert memory.arena_bytes >= 4 * at_once
    assert memory.total_bytes == memory.parameter_bytes + weights + memory.constant_bytes + memory.arena_bytes


def trained(text: str) -> tuple[str, int]:
    values: dict[str, Any] = {"__name__": "train"}
    exec(text, values)
    step, x = values["step"], values["x"]
    float(step(x))
    program = compile_function(step.__wrapped__, (x,), step.__wrapped__)
    assert program.executor is not None
    return program.plan.text, program.executor.planned_bytes


def test_the_plan_of_imagined_devices_is_the_plan_of_real_ones(tmp_path: Path) -> None:
    imagined = [facts(tmp_path, 4, rank) for rank in range(4)]
    for rank, (text, planned_bytes) in enumerate(run_threads(4, trained, SCRIPT)):
        memory = imagined[rank].memory
        assert imagined[rank].text == text
        assert memory.total_bytes - memory.constant_bytes == planned_bytes


# --- the script ---


def test_a_script_ends_where_it_asks_for_a_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asks in ("float(loss)", "print(loss)", "loss.asnumpy()", "loss + 1", "f'{loss:.3f}'", "net.w1.asnumpy()"):
        path = script(tmp_path, f"{SCRIPT}loss = step(x)\ntry:\n    {asks}\nexcept Exception: pass\nprint('on')\n")
        planned = plan_script(path, (), 8)
        assert planned.stopped_at is not None, asks
        assert f"train.py:{len(SCRIPT.splitlines()) + 3}" in planned.stopped_at
        assert len(planned.programs) == 1
    assert "on" not in capsys.readouterr().out


def test_a_script_that_asks_for_nothing_runs_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned = plan_script(script(tmp_path, SCRIPT + "for _ in range(3): step(x)\nprint(get_rank(), n)"), (), 64, 5)
    assert planned.stopped_at is None
    assert capsys.readouterr().out == "5 64\n"


def test_parameters_are_never_made(tmp_path: Path) -> None:
    huge = SCRIPT.replace("(64, 256)", "(1 << 20, 1 << 22)").replace("(256, 16)", "(1 << 22, 16)")
    huge = huge.replace("(8 * dp, 64)", "(dp, 1 << 20)")
    (w1,) = (p for p in facts(tmp_path, 1024, text=huge + "step(x)").parameters if p.name == "w1")
    assert w1.slice_bytes == (1 << 20) * (1 << 22) * 4 // 1024  # 16 TiB in all


def test_a_second_program_finds_parameters_as_the_first_stored_them(tmp_path: Path) -> None:
    text = SCRIPT + "step(x)\nevaluate = ms.jit(lambda y: net.m1(y, net.w1).sum())\nevaluate(x)"
    first, second = plan_script(script(tmp_path, text), (), 8).programs
    (w1,) = facts_of(second).parameters
    assert w1.storage == next(p for p in facts_of(first).parameters if p.name == "w1").storage


def test_device_num_of_the_script_is_not_regarded(tmp_path: Path) -> None:
    text = SCRIPT + "ms.set_auto_parallel_context(device_num=4, global_rank=1)\nstep(x)"
    assert plan_script(script(tmp_path, text), (), 8).programs[0].plan.device_num == 8


def test_data_parallel_scripts_have_plans_too(tmp_path: Path) -> None:
    text = SCRIPT.replace("semi_auto_parallel", "data_parallel").replace("enable_parallel_optimizer=True", "")
    text = text.replace("full_batch=True, ,", "gradients_mean=True,")
    text = text.replace("loss, grads = gradients(x)", "loss, grads = gradients(x); grads = reducer(grads)")
    text += "reducer = nn.DistributedGradReducer(net.trainable_params())\nstep(x)\n"
    (collective,) = facts(tmp_path, 1024, text=text).collectives
    assert (collective.kind, collective.group.size, collective.group.count) == ("all_reduce", 1024, 1)
    assert collective.message_bytes == (64 * 256 + 256 * 16) * 4


# --- the command ---


def test_tables_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, SCRIPT + LOOP), "-n", 1024) == 0
    printed = capsys.readouterr().out
    for words in ("rank 0 of 1024", "w1", "(256, 4)", "4 of 256", "0, 4, 8, ..., 1020", "Memory of a rank", "float("):
        assert words in printed
    assert "loss" not in printed.replace("loss (", "")


def test_json_has_the_keys_of_the_documentation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(tmp_path, "print('a word')\n" + SCRIPT + LOOP)
    assert command("plan", path, "-n", 64, "--rank", 3, "--json", "-", "--text") == 0
    written = capsys.readouterr()
    record = json.loads(written.out)
    assert written.err == "a word\n"
    assert (record["format"], record["device_num"], record["rank"]) == (1, 64, 3)
    (program,) = record["programs"]
    documented = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    lists = ("parameters", "collectives", "redistributions", "arguments")
    objects = [record, program, program["memory"], program["collectives"][0]["group"], *(program[x][0] for x in lists)]
    for key in (key for keys in objects for key in keys):
        assert f"`{key}`" in documented, f"docs/plan.md does not name {key}"
    assert program["sent_bytes"] == sum(c["sent_bytes"] for c in program["collectives"])
    assert program["text"].startswith("%0: float32 (128, 64)")


def test_json_goes_into_a_file_beside_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plan.json"
    assert command("plan", script(tmp_path, SCRIPT + LOOP), "-n", 8, "--json", target) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["stopped_at"].startswith("float(tensor) at train.py:")
    assert "What moves" in capsys.readouterr().out
    assert "text" not in json.loads(target.read_text(encoding="utf-8"))["programs"][0]


def test_a_strategy_that_does_not_fit_names_the_users_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SCRIPT.replace("((dp, 1), (1, mp))", "((dp, 1), (1, 3 * mp))")
    assert command("plan", script(tmp_path, wrong + LOOP), "-n", 8) == 1
    said = capsys.readouterr().err
    line = len(SCRIPT.splitlines()) + 3
    assert said.startswith(f"simpar: train.py fails at train.py:{line}. ")
    assert "matmul" in said
    assert "Traceback" not in said


def test_a_strategy_file_counts_more_than_the_script(tmp_path: Path) -> None:
    rows = {"MatMul_w1": OperatorStrategy(((1, 8), (8, 1)))}  # the contracted axis is cut, the script cuts the others
    file = tmp_path / "found.json"
    file.write_bytes(write_strategy_file(StrategyFile(rows, {}, 1), is_json=True))
    (program,) = plan_script(script(tmp_path, SCRIPT + LOOP), (), 8, strategy_file=str(file)).programs
    w1 = next(p for p in facts_of(program).parameters if p.name == "w1")
    assert w1.slice_shape == (8, 256)


def test_a_strategy_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, SCRIPT + LOOP), "-n", 8, "--strategy", tmp_path / "none.ckpt") == 1
    assert "none.ckpt' cannot be read" in capsys.readouterr().err


def test_a_strategy_file_needs_a_mode_that_cuts_operators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty.json"
    file.write_bytes(write_strategy_file(StrategyFile({}, {}, 1), is_json=True))
    plain = SCRIPT.replace("semi_auto_parallel", "data_parallel").replace("optimizer=True", "optimizer=False")
    assert command("plan", script(tmp_path, plain + LOOP), "-n", 8, "--strategy", file) == 1
    assert "set parallel_mode=" in capsys.readouterr().err


def test_an_error_of_the_script_is_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, "x = 1\nraise KeyError('no data')\n"), "-n", 8) == 1
    said = capsys.readouterr().err
    assert said.count("Traceback") == 1
    assert "train.py" in said
    assert "line 2" in said
    assert "runpy" not in said
    assert "planning" not in said


def test_an_exit_code_of_the_script_is_that_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, "import sys; sys.exit(3)"), "-n", 8) == 3
    assert "exit code 3" in capsys.readouterr().err


def test_a_script_without_a_program_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, "print('nothing')"), "-n", 8) == 1
    assert "compiled no program" in capsys.readouterr().err


def test_a_script_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", tmp_path / "none.py", "-n", 8) == 1
    said = capsys.readouterr().err
    assert "none.py' does not exist. Give the path of a Python file" in said
    assert "Traceback" not in said


def test_arguments_reach_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(tmp_path, "import sys; print(sys.argv[1:])")
    command("plan", path, "-n", 8, "--", "--epochs", "3")
    assert capsys.readouterr().out == "['--epochs', '3']\n"


def test_a_rank_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", script(tmp_path, SCRIPT), "-n", 8, "--rank", 8) == 1
    assert "rank 8 of 8" in capsys.readouterr().err


def test_no_mpi_is_imported(tmp_path: Path) -> None:
    path = script(tmp_path, SCRIPT + "step(x)\nassert 'mpi4py' not in sys.modules\n")
    ran = subprocess.run(
        [sys.executable, "-m", "simpar", "plan", str(path), "-n", "64"],
        capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_a_plan_can_be_kept_as_a_run_that_nobody_ran(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    planned = plan_script(script(tmp_path, SCRIPT + LOOP), (), 1024)
    (program,) = planned.programs
    run = open_run(keep_plans(planned, folder=runs))
    assert (run.info().started.device_num, run.info().started.world_size, run.info().steps) == (1024, 1, 0)
    held = {p.name: p for p in run.parameters()}
    assert held["w1"].slice_shape == (64, 256 // 4), "64 rows are not cut over the 256 ranks that repeat them"
    assert {p.spec.name for p in program.plan.parameters} == set(held)
    assert len(run.collectives(program.name)) == len(program.plan.collectives)


def test_a_function_of_a_script_is_planned(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(
        "import simpar as ms\n"
        "def test_net():\n"
        "    ms.set_auto_parallel_context(parallel_mode='semi_auto_parallel', full_batch=True)\n"
        "    ms.nn.Dense(8, 8)(ms.Tensor([[1.0] * 8]))\n",
        "utf-8",
    )
    done = simpar("plan", f"{script}::test_net", "-n", 8)
    assert done.returncode == 0, done.stderr
    assert "rank 0 of 8 imagined devices" in done.stdout
    missing = simpar("plan", f"{script}::test_other", "-n", 8)
    assert "has no function 'test_other'. Those that begin with test_: test_net." in missing.stderr
