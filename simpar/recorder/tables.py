"""The tables that the terminal shows of a run: who holds what, what moved, and the losses."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from simpar.layout import Layout
from simpar.recorder.events import MemoryMeasured, ParameterPlaced
from simpar.recorder.movement import Movement

__all__ = [
    "bytes_text",
    "held_text",
    "losses_table",
    "memory_table",
    "movement_table",
    "parameter_table",
    "slice_table",
]

_MOST_RANKS_IN_COLUMNS = 4
_MOST_GROUPS = 2
_MOST_NAMES = 3


def parameter_table(parameters: Sequence[ParameterPlaced]) -> Table:
    """Return a table with one row for each parameter: its shape, its layout and what each rank keeps."""
    size = max((p.storage.size for p in parameters), default=1)
    table = Table(
        title=f"Who holds what: {len(parameters)} parameters and states on {size} ranks", title_justify="left"
    )
    table.add_column("parameter")
    for name in ("shape", "device matrix", "tensor map", "slice", "bytes a rank", "copies"):
        table.add_column(name, justify="right")
    shows_use = any(not p.storage.same_slices(p.compute) for p in parameters)
    if shows_use:
        table.add_column("used as", justify="right")
    ranks = range(size) if 1 < size <= _MOST_RANKS_IN_COLUMNS else ()
    for r in ranks:
        table.add_column(f"rank {r} holds", justify="right")
    for p in parameters:
        used = [_shape(p.compute.slice_shape(p.shape))] if shows_use else []
        held = [held_text(p.storage, p.shape, r) for r in ranks]
        table.add_row(*_placed(p), *used, *held)
    return table


def _placed(p: ParameterPlaced) -> tuple[str, ...]:
    tensor_map = ", ".join(str(e).replace(" ", "") for e in p.storage.tensor_map)
    return (
        p.name,
        f"{_shape(p.shape)} {p.dtype}",
        _shape(p.storage.dev_mat),
        f"({tensor_map})",
        _shape(p.slice_shape),
        bytes_text(p.slice_bytes),
        str(p.copies),
    )


def held_text(layout: Layout, shape: Sequence[int], rank: int) -> str:
    """Return what a rank holds the way numpy would write it; a colon is a whole axis, a dash is nothing.

    >>> held_text(Layout((2, 2), (1, -1)), (8, 4), rank=3)
    '[4:8, :]'
    """
    if rank not in layout.ranks:
        return "-"
    ends = zip(layout.box(shape, rank), layout.cuts, strict=True)
    return "[" + ", ".join(":" if cuts == 1 else f"{start}:{stop}" for (start, stop), cuts in ends) + "]"


def slice_table(parameter: ParameterPlaced, most: int = 64) -> Table:
    """Return a table with one row for each rank: what it keeps of one parameter, and who keeps the same."""
    p = parameter
    table = Table(title=_headline(p), title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("keeps", justify="right")
    table.add_column("slice", justify="right")
    table.add_column("same on ranks")
    shows_use = not p.storage.same_slices(p.compute)
    if shows_use:
        table.add_column("computes with", justify="right")
    for rank in list(p.storage.ranks)[:most]:
        others = [str(r) for r in p.storage.replicas(rank) if r != rank]
        used = [held_text(p.compute, p.shape, rank)] if shows_use else []
        number = str(p.storage.slice_index(rank))
        table.add_row(str(rank), held_text(p.storage, p.shape, rank), number, _some(others, most=8) or "-", *used)
    if p.storage.size > most:
        table.caption = f"{p.storage.size - most} more ranks; `--json` has them all"
    return table


def _headline(p: ParameterPlaced) -> str:
    cuts = [f"axis {a} {n} ways" for a, n in enumerate(p.storage.cuts) if n > 1]
    held = f"cut {' and '.join(cuts)}" if cuts else "whole on every rank"
    copies = f", {p.copies} copies of each slice" if cuts and p.copies > 1 else ""
    return f"{p.name} {_shape(p.shape)} {p.dtype}: {held}{copies}; {bytes_text(p.slice_bytes)} a rank"


def movement_table(moved: Sequence[Movement]) -> Table:
    """Return a table with one row for each kind of collective: why, among whom, how often and how much."""
    table = Table(title="What moves in a step", title_justify="left")
    for name in ("phase", "collective", "why"):
        table.add_column(name)
    table.add_column("groups")
    for name in ("fusion", "times a step", "bytes a rank", "over the run", "time a step"):
        table.add_column(name, justify="right")
    table.add_column("carries")
    for m in moved:
        time = "-" if m.mean_s is None else f"{m.mean_s * 1e3:.3g} ms"
        amounts = (str(m.count), bytes_text(m.message_bytes), bytes_text(m.total_bytes), time)
        carries = _some(m.parameters, _MOST_NAMES)
        table.add_row(m.phase, m.kind, m.cause, _groups(m.groups), str(m.fusion or "-"), *amounts, carries)
    return table


def _groups(groups: Sequence[tuple[int, ...]]) -> str:
    """Write groups of ranks, the first few by name.

    >>> _groups(((0, 1), (2, 3)))
    '{0, 1} {2, 3}'
    """
    shown = " ".join("{" + _some([str(r) for r in g], most=8) + "}" for g in groups[:_MOST_GROUPS])
    left = len(groups) - _MOST_GROUPS
    return shown if left <= 0 else f"{shown} and {left} more of {len(groups[0])}"


def losses_table(losses: Sequence[tuple[int, float]], most: int = 12) -> Table:
    """Return a table of losses over the steps: the first, the last and evenly between."""
    table = Table(title=f"Loss over {len(losses)} steps", title_justify="left")
    table.add_column("step", justify="right")
    table.add_column("loss", justify="right")
    table.add_column("")
    finite = [loss for _, loss in losses if abs(loss) < float("inf")]
    longest = max((abs(loss) for loss in finite), default=0.0)
    for step, loss in _spread(losses, most):
        bar = round(24 * abs(loss) / longest) if longest and abs(loss) < float("inf") else 0
        table.add_row(str(step), f"{loss:.6g}", Text("█" * bar, style="cyan"))
    return table


def _spread(rows: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    if len(rows) <= most:
        return list(rows)
    places = {round(i * (len(rows) - 1) / (most - 1)) for i in range(most)}
    return [rows[i] for i in sorted(places)]


def memory_table(measured: Sequence[MemoryMeasured]) -> Table:
    """Return a table with one row for each rank: the memory last measured, and what its plan foresaw."""
    table = Table(title="Memory of the ranks", title_justify="left")
    for name in ("rank", "step", "resident", "share of it", "planned buffers"):
        table.add_column(name, justify="right")
    for m in sorted({m.rank: m for m in measured}.values(), key=lambda m: m.rank):
        share = "-" if m.pss_bytes is None else bytes_text(m.pss_bytes)
        table.add_row(str(m.rank), str(m.step), bytes_text(m.rss_bytes), share, bytes_text(m.planned_bytes))
    return table


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


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _some(names: Sequence[str], most: int) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")
