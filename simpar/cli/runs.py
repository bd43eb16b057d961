"""``simpar runs``: the runs there are."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich import box
from rich.table import Table
from rich.text import Text

from simpar.cli.output import console, print_json
from simpar.recorder import RunInfo, list_runs, runs_folder

__all__ = ["info_record", "runs"]

_STYLES = {"running": "green", "failed": "bold red", "killed": "yellow"}


def runs(
    *,
    folder: Annotated[Path | None, Parameter(name="--folder")] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List the recorded runs, oldest first.

    Args:
        folder: Where the runs lie; by default SIMPAR_RUNS, or ./simpar-runs.
        as_json: Print JSON instead of a table.
    """
    where = runs_folder(folder)
    found, errors = list_runs(where)
    if as_json:
        print_json({"runs": [info_record(info) for info in found], "unreadable": [str(e) for e in errors]})
        return
    out = console()
    if found:
        out.print(_table(found))
        for info in found:
            if info.cause:
                out.print(Text(f"{info.run} failed on {info.cause}", style="red"))
        out.print("`simpar show RUN` prints one: RUN is an id, the beginning of one, or `last`.")
    else:
        out.print(f"No runs in {where}. `simpar demo` makes one; --folder or SIMPAR_RUNS name another place.")
    for error in errors:
        out.print(f"not readable: {error}", style="yellow", markup=False)


def info_record(info: RunInfo) -> dict[str, object]:
    """Return what is known of a run as JSON will show it."""
    return {
        "run": info.run,
        "path": str(info.path),
        "state": info.state,
        "cause": info.cause,
        "steps": info.steps,
        "last_loss": info.last_loss,
        "ended_s": info.ended_s,
        "started": info.started,
    }


def _table(found: Sequence[RunInfo]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("run", no_wrap=True)
    table.add_column("script")
    table.add_column("ranks", justify="right")
    table.add_column("mode")
    for name in ("steps", "last loss"):
        table.add_column(name, justify="right")
    table.add_column("state")
    table.add_column("started")
    for info in found:
        started = info.started
        loss = "-" if info.last_loss is None else f"{info.last_loss:.6g}"
        when = f"{datetime.fromtimestamp(started.started_s):%Y-%m-%d %H:%M}"
        state = Text(info.state, style=_STYLES.get(info.state, ""))
        counts = (str(started.world_size), started.mode, str(info.steps), loss)
        table.add_row(Text(info.run), Text(Path(started.script).name), *counts, state, when)
    return table
