"""``simpar demo`` as a user meets it. Training on four ranks happens once for all tests of this file."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simpar.cli import main
from simpar.demo import split
from tests.launch.needing import needs_mpi

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "simpar", "demo", *map(str, arguments)]


def environment(runs: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "SIMPAR_RUNS": str(runs)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    """Run the demo in a folder of its own, with no terminal."""
    folder = tmp_path_factory.mktemp("demo")
    return subprocess.run(
        command(), capture_output=True, text=True, timeout=120, cwd=folder, env=environment(folder), check=False
    )


@needs_mpi
def test_the_demo_ends_well_with_no_terminal(finished: "subprocess.CompletedProcess[str]") -> None:
    assert finished.stderr == ""
    assert finished.returncode == 0, finished.stdout


@needs_mpi
def test_the_demo_shows_progress_to_the_last_step(finished: "subprocess.CompletedProcess[str]") -> None:
    losses = [float(loss) for loss in re.findall(r"step +\d+ of 200 +loss ([0-9.]+)", finished.stdout)]
    assert len(losses) == 11
    assert losses[-1] < losses[0] / 10


@needs_mpi
def test_the_demo_reads_most_test_images_rightly(finished: "subprocess.CompletedProcess[str]") -> None:
    found = re.search(r"Test accuracy ([0-9.]+)% \(at least 95%\) ✓", finished.stdout)
    assert found is not None
    assert float(found[1]) >= 95


@needs_mpi
def test_the_demo_finds_its_losses_on_one_rank_again(finished: "subprocess.CompletedProcess[str]") -> None:
    found = re.search(r"over 200 steps: (\S+) \(at most 1e-04\) ✓", finished.stdout)
    assert found is not None
    assert float(found[1]) <= 1e-4


@needs_mpi
def test_the_demo_says_what_each_rank_holds(finished: "subprocess.CompletedProcess[str]") -> None:
    # (256, 64) is cut two ways by mp, and by the parallel optimizer two ways more: 64 x 64 float32 a rank, 16 KiB
    row = next(line for line in finished.stdout.splitlines() if line.startswith(" hidden.weight"))
    said = " ".join(row.split())
    assert said == "hidden.weight (256, 64) float32 (2, 2) ((0,1), -1) (64, 64) 16 KiB 1 (128, 64)"
    held = [line for line in finished.stdout.splitlines() if line.startswith(" output.weight")][1]
    for part in ("[0:5, 0:128]", "[0:5, 128:256]", "[5:10, 0:128]", "[5:10, 128:256]"):
        assert part in held


@needs_mpi
def test_the_demo_says_what_each_rank_moved(finished: "subprocess.CompletedProcess[str]") -> None:
    moved = finished.stdout[finished.stdout.index("What moves in a step") :]
    for collective in ("all_gather", "all_reduce", "reduce_scatter"):
        assert collective in moved
    # logits (128, 10) of which a rank has the rows of its dp: 64 * 10 * 4 bytes
    assert "2.5 KiB" in moved
    assert "{0, 1} {2, 3}" in moved
    assert "{0, 2} {1, 3}" in moved


@needs_mpi
def test_the_demo_ends_with_the_command_that_shows_its_run_in_a_browser(
    finished: "subprocess.CompletedProcess[str]",
) -> None:
    assert re.search(r"\nIn a browser: simpar dashboard \S+-demo\n$", finished.stdout)


@needs_mpi
def test_a_demo_that_learns_too_little_fails(tmp_path: Path) -> None:
    ended = subprocess.run(
        command("--steps", 2), capture_output=True, text=True, timeout=120, env=environment(tmp_path), check=False
    )
    assert ended.returncode == 1
    assert "(at least 95%) ✗" in ended.stdout
    assert "(at most 1e-04) ✓" in ended.stdout


@needs_mpi
def test_ctrl_c_stops_the_demo_in_one_line(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("--steps", 1_000_000),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step"):
            break
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - start < 20
    assert process.returncode == 130
    assert errors == "simpar run: interrupted.\n"


def test_the_help_of_the_demo_says_what_it_trains(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["demo", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert end.value.code in (0, None)
    for words in ("handwritten digits on 4 MPI ranks", "2 x 2 device matrix", "The exit code is 0 if", "--steps"):
        assert words in said


def test_no_image_of_the_test_is_trained_with() -> None:
    train, test = split(seed=3)
    assert len(train.labels) + len(test.labels) == 1797
    assert set(test.labels.tolist()) == set(range(10))
    assert float(train.images.max()) == 1.0
