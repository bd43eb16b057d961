"""``simpar plan``: the plan of a script for any number of imagined devices."""

import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, validators
from rich.console import Console
from rich.text import Text

from simpar.cli.output import console, print_json
from simpar.errors import RunStoreError, SimparError
from simpar.launch import check_script
from simpar.mindspore import installed
from simpar.planning import (
    PlannedScript,
    ProgramFacts,
    ScriptFailure,
    argument_table,
    collective_table,
    facts_of,
    keep_plans,
    line_of,
    memory_table,
    move_table,
    plan_script,
    stored_table,
)
from simpar.recorder import bytes_text, json_text

__all__ = ["plan", "plan_record"]

FORMAT = 1
"""Of the JSON; it rises when a key is renamed or goes."""

_FAILED = 1


def plan(
    script: Path,
    /,
    *arguments: Annotated[str, Parameter(show=True)],
    devices: Annotated[int, Parameter(name=["-n", "--devices"], validator=validators.Number(gte=1))],
    rank: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    json_file: Annotated[str | None, Parameter(name="--json", allow_leading_hyphen=True)] = None,
    text: Annotated[bool, Parameter(name="--text", negative="")] = False,
    strategy: Annotated[Path | None, Parameter(name="--strategy")] = None,
    record: Annotated[bool, Parameter(name="--record", negative="")] = False,
    mindspore: Annotated[bool, Parameter(name="--mindspore", negative="")] = False,
) -> int:
    """Compile a script for any number of imagined devices: who would hold what, what would move, and why.

    The script runs unchanged, in this process, as one of the devices: `get_group_size()` is their number. No MPI is
    needed, parameters that an initializer fills are never made, and nothing is trained: a compiled program is planned
    instead of run. Where the script asks for a value that only a run would have (`float(loss)`, `print(loss)`,
    `loss.asnumpy()`), it ends there, and what was planned until then is shown.

    ```
    simpar plan train.py -n 1024
    simpar plan train.py -n 64 --rank 5 --text
    simpar plan train.py -n 64 --json plan.json -- --layers 24
    ```

    Args:
        script: The Python file; `FILE::FUNCTION` calls one of its functions.
        arguments: What the script finds in `sys.argv`. Put `--` before the first that begins with a dash.
        devices: How many devices to imagine; a device_num that the script sets is not regarded.
        rank: Which of them to look at.
        json_file: Write the facts to this file as JSON, `-` for standard output instead of tables. docs/plan.md lists
            the keys.
        strategy: A strategy file that MindSpore or simpar saved, JSON or checkpoint: its strategies count more than
            those in the script, for the operators that it names.
        text: Print the plans as text as well.
        record: Keep the plans as a run, which `simpar dashboard` and `simpar show` show like one that was run.
        mindspore: Let `import mindspore` in the script resolve to simpar.
    """
    check_script(script)
    is_piped = json_file == "-"
    out = console()
    try:
        with installed() if mindspore else nullcontext():
            planned = _planned(script, arguments, devices, rank, is_piped, strategy)
    except ScriptFailure as failure:
        return _report(script, failure)
    programs = [facts_of(p) for p in planned.programs]
    if json_file is not None:
        _write(json_file, plan_record(planned, programs, text))
    if not is_piped:
        _print(planned, programs, text, out)
    if record and programs:
        kept = keep_plans(planned, arguments)
        print(f"kept as {kept.name}: simpar dashboard {kept.parent}", file=sys.stderr)
    if not programs:
        print(_nothing(script), file=sys.stderr)
    return 0 if programs else _FAILED


def _planned(
    script: Path, arguments: Sequence[str], devices: int, rank: int, is_piped: bool, strategy: Path | None
) -> PlannedScript:
    """Run the script; on a terminal a line says that it takes its time."""
    told = Console(stderr=True)
    waiting = told.status(f"compiling {script.name} for {devices} devices") if told.is_terminal else nullcontext()
    with waiting:
        return plan_script(script, arguments, devices, rank, sys.stderr if is_piped else None, str(strategy or ""))


def _nothing(script: Path) -> str:
    return (
        f"simpar: {script.name} compiled no program, so there is nothing to plan. Call a Cell in GRAPH_MODE, or a "
        "function decorated with simpar.jit."
    )


def _report(script: Path, failure: ScriptFailure) -> int:
    """Say on standard error how the script failed, and return the exit code."""
    error = failure.cause
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            print(f"simpar: {script.name} ended with exit code {error.code}.", file=sys.stderr)
            return error.code
        print(error.code, file=sys.stderr)
    elif isinstance(error, SimparError):
        line = line_of(failure.traceback)
        where = f" at {line}" if line else ""
        print(f"simpar: {script.name} fails{where}. {type(error).__name__}: {error}", file=sys.stderr)
    else:
        traceback.print_exception(type(error), error, failure.traceback)
    return _FAILED


# --- for programs ---


def plan_record(planned: PlannedScript, programs: Sequence[ProgramFacts], with_text: bool = False) -> dict[str, object]:
    """Return the facts as JSON will show them; the keys stay."""
    return {
        "format": FORMAT,
        "script": planned.script,
        "device_num": planned.device_num,
        "rank": planned.rank,
        "stopped_at": planned.stopped_at,
        "programs": [_program_record(p, with_text) for p in programs],
    }


def _program_record(program: ProgramFacts, with_text: bool) -> dict[str, Any]:
    record = asdict(program)
    for parameter, placed in zip(record["parameters"], program.parameters, strict=True):
        parameter |= {"slice_shape": placed.slice_shape, "slice_bytes": placed.slice_bytes, "copies": placed.copies}
    record["sent_bytes"] = program.sent_bytes
    record["memory"]["total_bytes"] = program.memory.total_bytes
    if not with_text:
        del record["text"]
    return record


def _write(where: str, record: dict[str, object]) -> None:
    if where == "-":
        print_json(record)
        return
    try:
        Path(where).write_text(json_text(record, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunStoreError(f"the plan cannot be written to {where}: {error.strerror}. Name another file.") from None


# --- for people ---


def _print(planned: PlannedScript, programs: Sequence[ProgramFacts], with_text: bool, out: Console) -> None:
    for p in programs:
        head = f"{p.program}: rank {planned.rank} of {planned.device_num} imagined devices, {p.parallel_mode}"
        out.print(Text(head, style="bold"))
        out.print(f"sends {bytes_text(p.sent_bytes)} in {len(p.collectives)} messages a step", highlight=False)
        if p.arguments:
            out.print(argument_table(p.arguments))
        if p.parameters:
            out.print(stored_table(p.parameters))
        if p.redistributions:
            out.print(move_table(p.redistributions))
        if p.collectives:
            out.print(collective_table(p.collectives))
        if with_text:
            out.print(p.text, markup=False, highlight=False, soft_wrap=True)
    if programs:
        out.print(memory_table(programs))
    if planned.stopped_at is not None:
        note = f"Nothing was run: the script was stopped where it asks for a value, by {planned.stopped_at}."
        out.print(note, markup=False, highlight=False)
