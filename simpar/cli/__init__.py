"""The ``simpar`` command: a table of commands, each in a module of its own that is imported when it is used.

To add a command, write ``simpar/cli/<name>.py`` with a function of that name and one line in ``COMMANDS``. Its
arguments follow from its signature; an int that it returns is the exit code; a ``SimparError`` is shown without a
traceback.
"""

import sys
from collections.abc import Sequence

import cyclopts

from simpar.errors import SimparError

__all__ = ["COMMANDS", "main", "make_app"]

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("simpar.cli.run:run", "Run a script on several ranks."),
    "runs": ("simpar.cli.runs:runs", "List the recorded runs."),
    "show": ("simpar.cli.show:show", "Print a run: who holds what, what moved, the losses."),
    "export": ("simpar.cli.export:export", "Write a run as a Chrome trace or as CSV files."),
    "doctor": ("simpar.cli.doctor:doctor", "Find out whether ranks can run here, and how to fix it."),
}
"""Per command, where its function is and what the list of commands says about it."""


def make_app() -> cyclopts.App:
    """Make the command; nothing of a subcommand is imported yet."""
    app = cyclopts.App(name="simpar", help="MindSpore's auto-parallel training on MPI ranks, with numpy.")
    for name, (function, help_) in COMMANDS.items():
        app.command(function, name=name, help=help_)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with these arguments, the command line's by default, and exit."""
    try:
        make_app()(arguments)
    except SimparError as error:
        print(f"simpar: {error}", file=sys.stderr)
        sys.exit(1)
