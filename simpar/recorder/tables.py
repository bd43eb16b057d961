"""The tables that the terminal shows of a run: who holds what, what moves, the losses, the memory."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from simpar.layout import Layout
from simpar.recorder.events import MemoryMeasured, ParameterPlaced, SliceValues
from simpar.recorder.movement import Movement

__all__ = [
    "bytes_text",
    "held_text",
    "holding_table",
    "kinds_table",
    "losses_table",
    "memory_table",
    "movement_table",
    "parameter_table",
    "slice_table",
    "statistics_table",
]

_MOST_GROUPS = 2
_MOST_NAMES = 3
_NOTHING = "-"
_BAR = 24  # characters


def parameter_table(parameters: Sequence[ParameterPlaced]) -> Table:
    """Return a table with one row for each parameter: its shape, its layout and what a rank keeps of it.

    Args:
        parameters: parameters and optimizer states, as ``Run.parameters`` gives them.
    """
    size = max((p.storage.size for p in parameters), default=1)
    table = _table(f"{len(parameters)} parameters and optimizer states on {size} ranks", "parameter")
    for name in ("shape", "dtype", "device matrix", "tensor map", "slice", "bytes a rank", "copies"):
        table.add_column(name, justify="right", overflow="fold")
    shows_use = any(_is_gathered(p) for p in parameters)
    if shows_use:
        table.add_column("used as", justify="right")
    for p in parameters:
        used = (_shape(p.compute.slice_shape(p.shape)) if _is_gathered(p) else _NOTHING,) if shows_use else ()
        layout = (_shape(p.storage.dev_mat), _tensor_map(p.storage), p.at_most + _shape(p.slice_shape))
        held = p.at_most + bytes_text(p.slice_bytes)
        _add(table, p.name, _shape(p.shape), p.dtype, *layout, held, str(p.copies), *used)
    return table


def holding_table(parameters: Sequence[ParameterPlaced], most: int = 4) -> Table:
    """Return a table with one row for each parameter and one column for each rank: the part that the rank keeps.

    Args:
        parameters: parameters and optimizer states.
        most: ranks to show; ``slice_table`` shows all of one parameter.
    """
    size = max((p.storage.size for p in parameters), default=1)
    table = _table("Who holds what", "parameter")
    for rank in range(min(size, most)):
        table.add_column(f"rank {rank}")
    for p in parameters:
        _add(table, p.name, *(held_text(p.storage, p.shape, rank) for rank in range(min(size, most))))
    if size > most:
        table.caption = f"and {size - most} more ranks: `simpar show RUN PARAMETER` has them all"
    return table


def held_text(layout: Layout, shape: Sequence[int], rank: int) -> str:
    """Return what a rank holds the way numpy would write it; a colon is a whole axis, a dash is nothing.

    >>> held_text(Layout((2, 2), (1, -1)), (8, 4), rank=3)
    '[4:8, :]'
    """
    if rank not in layout.ranks:
        return _NOTHING
    ends = zip(layout.box(shape, rank), layout.cuts, strict=True)
    return "[" + ", ".join(":" if cuts == 1 else f"{start}:{stop}" for (start, stop), cuts in ends) + "]"


def slice_table(parameter: ParameterPlaced, most: int = 64) -> Table:
    """Return a table with one row for each rank: what it keeps of one parameter, and who keeps the same."""
    p = parameter
    title = _headline(p)
    table = _table(title)
    table.min_width = len(title)
    for name in ("rank", "slice"):
        table.add_column(name, justify="right")
    table.add_column("keeps")
    if _is_gathered(p):
        table.add_column("computes with")
    table.add_column("same on ranks")
    for rank in list(p.storage.ranks)[:most]:
        others = [str(r) for r in p.storage.replicas(rank) if r != rank]
        used = (held_text(p.compute, p.shape, rank),) if _is_gathered(p) else ()
        held = held_text(p.storage, p.shape, rank)
        _add(table, str(rank), str(p.storage.slice_index(rank)), held, *used, _some(others, most=8) or _NOTHING)
    if p.storage.size > most:
        table.caption = f"and {p.storage.size - most} more ranks: `--json` has them all"
    return table


def _headline(p: ParameterPlaced) -> str:
    cuts = [f"axis {a} {n} ways" for a, n in enumerate(p.storage.cuts) if n > 1]
    held = f"cut {' and '.join(cuts)}" if cuts else "whole on every rank"
    copies = f", {p.copies} copies of each slice" if cuts and p.copies > 1 else ""
    return f"{p.name} {_shape(p.shape)} {p.dtype}: {held}{copies}; {p.at_most}{bytes_text(p.slice_bytes)} a rank"


def movement_table(moved: Sequence[Movement]) -> Table:
    """Return a table with one row for each kind of collective in a step: why, among whom, how often, how much.

    Args:
        moved: as ``movements`` gives them.
    """
    table = _table("What moves in a step")
    for name in ("phase", "collective"):
        table.add_column(name, no_wrap=True)
    for name in ("why", "groups"):
        table.add_column(name, overflow="fold")
    for name in ("fusion", "count", "bytes a rank", "time"):
        table.add_column(name, justify="right")
    table.add_column("carries", overflow="fold")
    for m in moved:
        time = _NOTHING if m.mean_s is None else f"{m.mean_s * 1e3:.3g} ms"
        amounts = (str(m.fusion or _NOTHING), str(m.count), bytes_text(m.message_bytes), time)
        _add(table, m.phase, m.kind, m.cause, _groups(m.groups), *amounts, _some(m.parameters, _MOST_NAMES))
    return table


def losses_table(losses: Sequence[tuple[int, float]], most: int = 12) -> Table:
    """Return a table of (step, loss): the first, the last and evenly between."""
    table = _table(f"Loss over {len(losses)} steps")
    for name in ("step", "loss"):
        table.add_column(name, justify="right")
    table.add_column("")
    longest = max((abs(loss) for _, loss in losses if abs(loss) < float("inf")), default=0.0)
    for step, loss in _spread(losses, most):
        length = round(_BAR * abs(loss) / longest) if longest and abs(loss) < float("inf") else 0
        table.add_row(str(step), f"{loss:.6g}", Text("█" * length, style="cyan"))
    return table


def _spread(rows: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    if len(rows) <= most:
        return list(rows)
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def kinds_table(moved: Sequence[Movement]) -> Table:
    """Return a table with one row for each kind of collective: how often and how much, in a step and in the whole run.

    Args:
        moved: as ``movements`` gives them.
    """
    table = _table("Collectives by kind", "kind")
    for name in ("in a step", "bytes a rank", "in all", "bytes in all"):
        table.add_column(name, justify="right")
    for kind in dict.fromkeys(m.kind for m in moved):
        mine = [m for m in moved if m.kind == kind]
        counts = (str(sum(m.count for m in mine)), bytes_text(sum(m.message_bytes for m in mine)))
        over = (str(sum(m.count * m.steps for m in mine)), bytes_text(sum(m.total_bytes for m in mine)))
        _add(table, kind, *counts, *over)
    return table


def memory_table(measured: Sequence[MemoryMeasured], most: int = 16) -> Table:
    """Return a table with one row for each rank: the memory last measured, and what its plan foresaw.

    Args:
        measured: of all ranks, oldest first.
        most: ranks to show; of more, the first ones and the last.
    """
    table = _table("Memory of the ranks")
    for name in ("rank", "step", "resident", "share of it", "planned buffers"):
        table.add_column(name, justify="right")
    latest = sorted({m.rank: m for m in measured}.values(), key=lambda m: m.rank)
    for i, m in enumerate(latest):
        if most <= i + 1 < len(latest):
            continue
        share = _NOTHING if m.pss_bytes is None else bytes_text(m.pss_bytes)
        _add(table, str(m.rank), str(m.step), bytes_text(m.rss_bytes), share, bytes_text(m.planned_bytes))
    if len(latest) > most:
        table.caption = f"the first {most - 1} of {len(latest)} ranks, and the last"
    return table


def statistics_table(told: Sequence[SliceValues], most: int = 16) -> Table:
    """Return a table with one row for each rank: what was last recorded of the values of its slice.

    Args:
        told: of one parameter, oldest first.
        most: ranks to show; of more, the first ones and the last.
    """
    table = _table("Values of the slices")
    for name in ("rank", "step", "least", "most", "mean", "deviation", "not finite"):
        table.add_column(name, justify="right")
    latest = sorted({s.rank: s for s in told}.values(), key=lambda s: s.rank)
    for i, s in enumerate(latest):
        if not most <= i + 1 < len(latest):
            numbers = (f"{v:.4g}" for v in (s.minimum, s.maximum, s.mean, s.std))
            _add(table, str(s.rank), str(s.step), *numbers, str(s.nans + s.infinities or ""))
    return table


# --- words ---


def bytes_text(count: int) -> str:
    """Return a number of bytes for people to read.

    >>> bytes_text(72), bytes_text(1536), bytes_text(3 << 20)
    ('72 B', '1.5 KiB', '3 MiB')
    """
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:.0f} {unit}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold", min_width=len(name))
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row of plain text: a name such as ``layers[0]`` is no markup."""
    table.add_row(*map(Text, cells))


def _is_gathered(p: ParameterPlaced) -> bool:
    """Whether ranks keep less of it than they compute with."""
    return not p.storage.same_slices(p.compute)


def _groups(groups: Sequence[tuple[int, ...]]) -> str:
    """Write groups of ranks, the first few by name.

    >>> _groups(((0, 1), (2, 3)))
    '{0, 1} {2, 3}'
    """
    shown = " ".join("{" + _some([str(r) for r in g], most=8) + "}" for g in groups[:_MOST_GROUPS])
    left = len(groups) - _MOST_GROUPS
    return shown if left <= 0 else f"{shown} and {left} more of {len(groups[0])}"


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _tensor_map(layout: Layout) -> str:
    return "(" + ", ".join(str(e).replace(" ", "") for e in layout.tensor_map) + ")"


def _some(names: Sequence[str], most: int) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")
