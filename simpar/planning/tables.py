"""The facts of a program as tables for the terminal; rows that differ only in which layer they belong to are one."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from simpar.planning.facts import PlannedArgument, PlannedCollective, PlannedMove, ProgramFacts
from simpar.recorder import ParameterPlaced, bytes_text, parameter_table

__all__ = ["argument_table", "collective_table", "memory_table", "move_table", "stored_table"]

Row = TypeVar("Row")

_MOST_CAUSE = 90  # characters


def argument_table(arguments: Sequence[PlannedArgument]) -> Table:
    """Return a table with one row for each argument of a call."""
    table = _table(
        "Arguments of a call", "argument", "shape", "dtype", "device matrix and tensor map", "slice", "bytes a rank"
    )
    for number, a in enumerate(arguments):
        row = (_shape(a.shape), a.dtype, str(a.layout), _shape(a.slice_shape), bytes_text(a.slice_bytes))
        table.add_row(*map(Text, (str(number), *row)))
    return table


def stored_table(parameters: Sequence[ParameterPlaced]) -> Table:
    """Return a table of parameters and optimizer states; those of layers that are alike share a row."""

    def key(p: ParameterPlaced) -> tuple[object, ...]:
        return (re.sub(r"\d+", "", p.name), p.shape, p.dtype, p.storage, p.compute)

    rows = [replace(alike[0], name=_name_of(alike)) for alike in _alike(parameters, key)]
    table = parameter_table(rows)
    size = max((p.storage.size for p in parameters), default=1)
    table.title = Text(f"{len(parameters)} parameters and optimizer states on {size} ranks", style="bold")
    if len(rows) < len(parameters):
        table.caption = "bytes a rank are those of one; --json has each by itself"
    return table


def _name_of(alike: Sequence[ParameterPlaced]) -> str:
    last = alike[-1].name
    return alike[0].name if len(alike) == 1 else f"{alike[0].name} ... {last} ({len(alike)})"


def move_table(moves: Sequence[PlannedMove]) -> Table:
    """Return a table of the redistributions: what changes its layout, how, and why."""
    table = _table("Redistributions in a step", "phase", "value", "from", "to", "steps", "count", "sent a rank", "why")

    def key(m: PlannedMove) -> tuple[object, ...]:
        return (m.phase, m.shape, m.dtype, m.before, m.after, m.steps, _kind_of(m.cause))

    for alike in _alike(moves, key):
        m = alike[0]
        where = (str(m.before), str(m.after), ", ".join(m.steps))
        sent = bytes_text(sum(x.sent_bytes for x in alike))
        row = (m.phase, f"{m.dtype} {_shape(m.shape)}", *where, str(len(alike)), sent, _why(m.cause, len(alike)))
        table.add_row(*map(Text, row))
    return table


def collective_table(collectives: Sequence[PlannedCollective]) -> Table:
    """Return a table of the messages of a step: among whom, how often, how much, and why."""
    columns = (
        "phase",
        "collective",
        "groups",
        "this rank's group",
        "fusion",
        "count",
        "bytes a rank",
        "sent a rank",
        "why",
    )
    table = _table("What moves in a step", *columns)

    def key(c: PlannedCollective) -> tuple[object, ...]:
        return (c.phase, c.kind, c.group, c.fusion, _kind_of(c.cause))

    for alike in _alike(collectives, key):
        c = alike[0]
        groups = f"{'' if c.group.count is None else f'{c.group.count} '}of {c.group.size}"
        amounts = (sum(x.message_bytes for x in alike), sum(x.sent_bytes for x in alike))
        row = (groups, c.group.text, str(c.fusion or "-"), str(len(alike)), *map(bytes_text, amounts))
        table.add_row(*map(Text, (c.phase, c.kind, *row, _why(c.cause, len(alike)))))
    return table


def memory_table(programs: Sequence[ProgramFacts]) -> Table:
    """Return a table of what a rank needs for each program; parameters that programs share count in each."""
    columns = ("parameters", "optimizer state", "constants", "inputs, activations, gradients", "together")
    table = _table("Memory of a rank", "program", *columns)
    for p in programs:
        m = p.memory
        sizes = (m.parameter_bytes, m.optimizer_bytes, m.constant_bytes, m.arena_bytes, m.total_bytes)
        table.add_row(*map(Text, (p.program, *map(bytes_text, sizes))))
    return table


# --- rows that are alike ---


def _alike(rows: Iterable[Row], key: Callable[[Row], object]) -> list[list[Row]]:
    found: dict[object, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return list(found.values())


def _kind_of(cause: str) -> str:
    """Return a cause without numbers and names of parameters and layers, so that those of all layers are equal."""
    return re.sub(r"gradient of \S+|optimizer: \S+|value of \S+|in [\w.]+,|\d+", "", cause)


def _why(cause: str, count: int) -> str:
    short = re.sub(r" %\d+|: \[.*| is partial: .*", "", cause.replace("parallel optimizer: ", ""))
    short = f"{short} is partial" if " is partial: " in cause else short
    short = short if len(short) <= _MOST_CAUSE else short[: _MOST_CAUSE - 1] + "…"
    return short if count == 1 else f"{short}, and {count - 1} more"


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


_LEFT = ("phase", "why", "steps", "from", "to", "value", "collective", "program", "device matrix and tensor map")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(
            name, justify="left" if name in _LEFT else "right", overflow="fold", min_width=len(name.split()[0])
        )
    return table
