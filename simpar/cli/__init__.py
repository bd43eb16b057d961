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
    "demo": ("simpar.cli.demo:demo", "Train a classifier on four ranks and see what they hold and move."),
    "run": ("simpar.cli.run:run", "Run a script on several ranks."),
    "plan": ("simpar.cli.plan:plan", "Compile a script for any number of imagined devices, without MPI."),
    "runs": ("simpar.cli.runs:runs", "List the recorded runs."),
    "show": ("simpar.cli.show:show", "Print a run: who holds what, what moved, the losses."),
    "export": ("simpar.cli.export:export", "Write a run as a Chrome trace or as CSV files."),
    "dashboard": ("simpar.cli.dashboard:dashboard", "Serve the inspector of recorded runs to a browser."),
    "checkpoint": ("simpar.cli.checkpoint:checkpoint", "List, verify or convert files of saved Parameters."),
    "layout": ("simpar.cli.layout:layout", "Draw who holds which slice of a tensor."),
    "doctor": ("simpar.cli.doctor:doctor", "Find out whether ranks can run here, and how to fix it."),
}
"""Per command, where its function is and what the list of commands says about it."""


def make_app(used: str | None = None) -> cyclopts.App:
    """Make the command.

    Args:
        used: the subcommand that will run; its help is its docstring, while those of the others are not imported.
    """
    app = cyclopts.App(name="simpar", help="MindSpore's auto-parallel training on MPI ranks, with numpy.")
    for name, (function, help_) in COMMANDS.items():
        app.command(function, name=name, help=None if name == used else help_)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with these arguments, the command line's by default, and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    used = given[0] if given else None
    try:
        make_app(used)(given, exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell counts it: 128 and the signal's number
    except SimparError as error:
        print(f"simpar: {error}", file=sys.stderr)
        sys.exit(1)
    except cyclopts.CycloptsError as error:
        print(f"simpar: {error} {_advice(used, error)}", file=sys.stderr)
        sys.exit(2)


def _advice(used: str | None, error: cyclopts.CycloptsError) -> str:
    if used in ("run", "plan") and isinstance(error, cyclopts.UnknownOptionError):
        return f"What is for the script goes behind `--`: simpar {used} SCRIPT -n 4 -- --epochs 3"
    return f"See: simpar {used} --help" if used in COMMANDS else "See: simpar --help"
