"""How commands print: tables for people, JSON for programs."""

import sys
from typing import Any

from rich.console import Console

from simpar.recorder import json_text

__all__ = ["console", "print_json"]

_WIDTH_OF_A_FILE = 160


def console() -> Console:
    """Return the console of standard output; into a pipe or a file tables are wide, so that no cell is cut."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)


def print_json(value: Any) -> None:
    """Print dataclasses and plain values as one JSON document, readable by every JSON reader."""
    sys.stdout.write(json_text(value, indent=2) + "\n")
