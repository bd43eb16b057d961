"""``simpar demo``: a classifier trained on four ranks, and what they held and moved."""

import json
import os
import sys
import tempfile
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter, validators
from rich.console import Console
from rich.text import Text

from simpar.cli.inspector import Open, is_interactive, serve_until_ctrl_c
from simpar.cli.output import console
from simpar.compile import RECORD
from simpar.context import Context, entered
from simpar.demo import DATA, RANKS, RESULT, Result, split, train, write
from simpar.launch import run_ranks
from simpar.recorder import (
    OPTIMIZER_STATE,
    NullRecorder,
    holding_table,
    movement_table,
    movements,
    open_run,
    parameter_table,
)

__all__ = ["demo"]

_LEAST_ACCURACY = 0.95
_MOST_DIFFERENCE = 1e-4
_FAILED = 1

Positive = Annotated[int, Parameter(validator=validators.Number(gte=1))]


def demo(
    *,
    steps: Positive = 200,
    seed: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    dashboard: bool = True,
    open_: Open = None,
) -> int:
    """Train a classifier of handwritten digits on 4 MPI ranks, and show what each rank holds and moves.

    The ranks form a 2 x 2 device matrix. One axis cuts the batch (data parallel), the other the hidden layer (tensor
    parallel); of what ranks would hold alike, each keeps only its part (the parallel optimizer). Then the same program
    runs on one rank, and the losses are compared: they are equal up to rounding.

    ```
    simpar demo                 train, compare, print the tables
    simpar show last --plan     what this run held and moved, and its plan: instruction by instruction
    simpar show last hidden.weight      who holds which slice of one parameter
    simpar dashboard            all of it as pictures, in a browser
    ```

    In a terminal it ends with the inspector of the run, served until Ctrl-C and opened in the browser where there is
    a desktop. Elsewhere, as in a script, it prints the command for that and ends.

    The exit code is 0 if at least 95 % of the test images are read rightly and no loss differs by more than 0.0001.

    Args:
        steps: How many steps to train.
        seed: What the first weights and the order of the images follow from.
        dashboard: Serve the inspector of the run at the end, if this is a terminal.
        open_: Open it in the browser; by default if this is a terminal on a desktop.
    """
    out = console()
    out.print(Text(f"{RANKS} ranks: data parallel 2 x tensor parallel 2, with the parallel optimizer", "bold"))
    out.print("1797 handwritten digits of 8 x 8 pixels; 360 of them are kept for the test.", highlight=False)
    digits = split(seed)
    with tempfile.TemporaryDirectory(prefix="simpar-demo-") as folder:
        write(Path(folder, DATA), digits)
        program = [sys.executable, "-m", "simpar.demo.rank", folder, str(steps), str(seed)]
        code = run_ranks(program, RANKS, environ=os.environ | {RECORD: "1"})
        if code:
            return code
        left = json.loads(Path(folder, RESULT).read_text(encoding="utf-8"))
    recorded = Path(left["run"])
    found, run = Result(**left["result"]), _print_run(recorded, out)
    with entered(Context(recorder=NullRecorder())):
        alone = train(1, digits, steps, seed)
    is_well = _print_verdict(out, found, alone)
    out.print(f"Look closer: simpar show {run} --plan", highlight=False)
    out.print(f"In a browser: simpar dashboard {quote(_shortest(recorded))}", highlight=False, soft_wrap=True)
    if dashboard and is_interactive():
        serve_until_ctrl_c(recorded.parent.parent, out, open_, run=run)
    return 0 if is_well else _FAILED


def _shortest(store: Path) -> str:
    """Return the folder of a run as one would type it here."""
    folder, here = store.resolve().parent, Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _print_run(path: Path, out: Console) -> str:
    """Print what a run held and moved, and return its id."""
    with open_run(path) as run:
        placed = sorted(run.parameters(), key=lambda p: ("requires_grad" not in p.flags, p.kind != OPTIMIZER_STATE))
        training = run.programs()[0]
        out.print(parameter_table(placed))
        out.print(holding_table(placed))
        out.print(movement_table([m for m in movements(run) if m.program == training]))
        return run.info().run


def _print_verdict(out: Console, found: Result, alone: Result) -> bool:
    """Print accuracy and the difference of the losses, and return whether both are as they should be."""
    difference = max(abs(a - b) for a, b in zip(found.losses, alone.losses, strict=True))
    reads, agrees = found.accuracy >= _LEAST_ACCURACY, difference <= _MOST_DIFFERENCE
    out.print(
        Text(f"Test accuracy {found.accuracy:.1%} (at least {_LEAST_ACCURACY:.0%}) {_mark(reads)}", _style(reads))
    )
    out.print(
        Text(
            f"Largest difference of a loss from the same program on one rank, over {len(alone.losses)} steps: "
            f"{difference:.1e} (at most {_MOST_DIFFERENCE:.0e}) {_mark(agrees)}",
            _style(agrees),
        )
    )
    return reads and agrees


def _mark(is_well: bool) -> str:
    return "✓" if is_well else "✗"


def _style(is_well: bool) -> str:
    return "green" if is_well else "bold red"
