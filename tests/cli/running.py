"""The ``simpar`` command in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["command", "environment", "simpar"]

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "simpar", *map(str, arguments)]


def environment(**changes: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | changes


def simpar(*arguments: object, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=60, env=environment(**changes), check=False
    )
