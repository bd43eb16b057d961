"""The README is true: its commands, its files, its table of modes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simpar.cli import COMMANDS as SUBCOMMANDS
from simpar.context import ParallelMode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = README.split("```python\n", 1)[1].split("```", 1)[0]
PRINTED = README.split("```text\n", 1)[1].split("```", 1)[0]
COMMANDS = README.split("```sh\n", 1)[1].split("\n```", 1)[0].splitlines()


def test_two_commands_come_first() -> None:
    assert len(COMMANDS) == 2
    assert COMMANDS[0].endswith("simpar demo")
    assert COMMANDS[1].endswith("-m pytest")


def test_commands_need_only_a_python() -> None:
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install ") for command in COMMANDS)


def test_ci_runs_these_commands() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert ci.index("$(readme_command 1)") < ci.index("$(readme_command 2)")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:simpar|tests|docker|docs|\.ci)/[\w/.]+)`", README))))
def test_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("mode", ParallelMode.MODE_LIST)
def test_every_mode_has_a_row(mode: str) -> None:
    assert f"\n| `{mode}` |" in README


def test_example_prints_on_four_ranks_what_the_readme_shows(tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(EXAMPLE, "utf-8")
    command = [sys.executable, "-m", "simpar", "run", str(script), "-n", "4"]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert run.stdout == PRINTED, run.stderr


def test_example_prints_the_losses_of_one_device() -> None:
    w1, w2, x = np.full((4, 6), 0.1), np.full((6, 2), 0.1), np.arange(32).reshape(8, 4) / 32
    losses: list[float] = []
    for _ in range(3):
        y = x @ w1
        z = y @ w2
        losses.append(float(np.mean(z * z)))
        dz = 2 * z / z.size
        w1, w2 = w1 - x.T @ (dz @ w2.T), w2 - y.T @ dz
    assert PRINTED.startswith("losses " + " ".join(f"{loss:.4f}" for loss in losses))


def test_commands_that_are_told_are_those_there_are() -> None:
    table = README.split("## The command\n", 1)[1].split("\n## ", 1)[0]
    told = {word for row in table.splitlines() for cell in row.split("|")[1:2] for word in re.findall("[a-z]+", cell)}
    assert told - {"simpar", "n"} == set(SUBCOMMANDS)
