"""``simpar show``: one run, or one parameter of it."""

from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simpar.cli.output import console, print_json
from simpar.cli.runs import info_record
from simpar.errors import RunStoreError
from simpar.layout import LayoutPicture
from simpar.recorder import (
    ParameterPlaced,
    Run,
    bytes_text,
    disagreements,
    find_run,
    holding_table,
    kinds_table,
    losses_table,
    memory_table,
    movement_table,
    movements,
    open_run,
    parameter_table,
    runs_folder,
    slice_table,
    slice_values,
    statistics_table,
    value_steps,
)
from simpar.runs import rank_blocks

__all__ = ["show"]


def show(
    run: str = "last",
    parameter: str | None = None,
    /,
    *,
    rank: int | None = None,
    plan: Annotated[bool, Parameter(name="--plan", negative="")] = False,
    folder: Annotated[Path | None, Parameter(name="--folder")] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Print a run: its programs, what each rank holds, what moved, the losses, the memory.

    ```
    simpar show                         the latest run
    simpar show last hidden.weight      one parameter of it: its slices, and what each rank holds of them
    simpar show 2026-01-02 w --rank 5   of another run, the slice of rank 5 marked
    ```

    Args:
        run: An id, the beginning of one, a path, or `last`.
        parameter: The name of a parameter: draw who holds which slice of it.
        rank: Mark the slice of this rank.
        plan: Print the plans as text as well.
        folder: Where the runs lie; by default SIMPAR_RUNS, or ./simpar-runs.
        as_json: Print JSON instead of tables.
    """
    with open_run(find_run(run, runs_folder(folder))) as opened:
        if parameter is not None:
            chosen = _find_parameter(opened, parameter)
            if as_json:
                print_json(_parameter_record(opened, chosen))
            else:
                _print_parameter(opened, chosen, rank, console())
        elif as_json:
            print_json(_run_record(opened, plan))
        else:
            _print_run(opened, plan, console())


def _find_parameter(run: Run, name: str) -> ParameterPlaced:
    by_name = {p.name: p for p in run.parameters()}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, n=3, cutoff=0.4) or list(by_name)[:3]
    raise RunStoreError(
        f"run {run.info().run} has no parameter {name!r} among its {len(by_name)}."
        + (f" Did you mean {' or '.join(near)}?" if near else " It recorded none.")
    )


# --- for people ---


def _print_run(run: Run, with_plan: bool, out: Console) -> None:
    _print_head(run, out)
    parameters, moved, losses, memory = run.parameters(), movements(run), run.losses(), run.memory()
    if run.programs():
        out.print(_programs_table(run))
    if parameters:
        out.print(parameter_table(parameters))
        out.print(holding_table(parameters))
    if moved:
        out.print(movement_table(moved))
        out.print(kinds_table(moved))
    if losses:
        out.print(losses_table(losses))
    if memory:
        out.print(memory_table(memory))
    for program in run.programs() if with_plan else ():
        compiled = run.program(program)
        if compiled is not None:
            out.print(Text(f"plan of {program}, digest {compiled.digest}", style="bold"))
            out.print(compiled.plan, markup=False, highlight=False)
    for parted in disagreements(run):
        out.print(Text(str(parted), style="bold red"))
    for failure in run.failures():
        out.print(Text(f"rank {failure.rank} failed: {failure.error}: {failure.message}", style="bold red"))
        out.print(failure.traceback, markup=False, highlight=False)


def _print_parameter(run: Run, p: ParameterPlaced, rank: int | None, out: Console) -> None:
    """Draw the cuts of a parameter and what each rank holds, and print the same rank by rank."""
    out.print(LayoutPicture(p.storage, p.shape, rank))
    out.print()
    out.print(rank_blocks(p.storage, p.shape, rank))
    out.print()
    out.print(slice_table(p))
    if written := value_steps(run, p.name):
        program = max(written, key=lambda name: len(written[name]))
        out.print(statistics_table(slice_values(run, p.name, program, with_tiles=False)))
    for parted in disagreements(run):
        if parted.parameter == p.name:
            out.print(Text(str(parted), style="bold red"))


def _programs_table(run: Run) -> Table:
    table = Table(title=Text("Programs", style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("program")
    for name in ("steps", "collectives in a step", "most memory planned"):
        table.add_column(name, justify="right")
    counts = run.step_counts()
    for name in run.programs():
        most = max(run.peak_bytes(name).values(), default=0)
        row = (str(counts.get((0, name), 0)), str(len(run.collectives(name))), bytes_text(most))
        table.add_row(Text(name), *row)
    return table


def _print_head(run: Run, out: Console) -> None:
    info = run.info()
    started = info.started
    out.print(Text(f"{info.run}: {info.state}", style="bold"))
    command = " ".join((started.script, *started.argv))
    out.print(
        f"{command} on {started.world_size} ranks, {started.mode} for {started.device_num} devices, {info.steps} steps",
        markup=False,
    )


# --- for programs ---


def _run_record(run: Run, with_plan: bool) -> dict[str, object]:
    programs = [p for p in (run.program(name) for name in run.programs()) if p is not None]
    return {
        **info_record(run.info()),
        "parameters": [_placed_record(p) for p in run.parameters()],
        "movements": movements(run),
        "losses": run.losses(),
        "memory": run.memory(),
        "programs": [
            {"program": p.program, "digest": p.digest, "peak_bytes": p.peak_bytes}
            | ({"plan": p.plan} if with_plan else {})
            for p in programs
        ],
        "disagreements": disagreements(run),
        "failures": run.failures(),
    }


def _placed_record(p: ParameterPlaced) -> dict[str, object]:
    return {
        "name": p.name,
        "kind": p.kind,
        "shape": p.shape,
        "dtype": p.dtype,
        "storage": p.storage,
        "compute": p.compute,
        "slice_shape": p.slice_shape,
        "slice_bytes": p.slice_bytes,
        "copies": p.copies,
        "comm_fusion": p.comm_fusion,
        "flags": p.flags,
    }


def _parameter_record(run: Run, p: ParameterPlaced) -> dict[str, object]:
    slices = [
        {
            "rank": rank,
            "box": p.storage.box(p.shape, rank),
            "slice": p.storage.slice_index(rank),
            "same_on": p.storage.replicas(rank),
        }
        for rank in p.storage.ranks
    ]
    measured = {"values": _values(run, p.name), "checksums": run.checksums(p.name)}
    return {"run": run.info().run, **_placed_record(p), "slices": slices, **measured}


def _values(run: Run, parameter: str) -> list[dict[str, object]]:
    """Return what was measured of a parameter's slices, but for their tiles."""
    told = [v for program in value_steps(run, parameter) for v in slice_values(run, parameter, program)]
    return [{f.name: getattr(v, f.name) for f in fields(v) if f.name != "tile"} for v in told]
