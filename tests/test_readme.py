"""The README is true: its commands, its files, its table of modes."""

import re
from pathlib import Path

import pytest

from simpar.context import ParallelMode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
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
