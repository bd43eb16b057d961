"""Answers about parameters: their layouts, what each rank keeps of them."""

from collections.abc import Sequence
from math import prod

from simpar.dashboard.agreement import checks
from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.runs import ParameterDetail, ParameterList, ParameterRow, SliceHeld
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.view import item_bytes
from simpar.recorder import OPTIMIZER_STATE, ParameterPlaced

__all__ = ["MOST_DRAWN", "find_parameter", "parameter_detail", "parameter_list", "placed", "sentence"]

MOST_DRAWN = 64
"""Ranks up to which an answer lists what each of them holds; above, it follows from the layout."""


def placed(opened: OpenedRun) -> tuple[ParameterPlaced, ...]:
    """Return all parameters and optimizer states of a run."""
    return opened.planned("parameters", opened.run.parameters)


def parameter_list(
    opened: OpenedRun, offset: int = 0, limit: int = 10_000, search: str = "", kind: str | None = None
) -> ParameterList:
    """Return parameters in the order in which they were placed.

    Args:
        opened: the run.
        offset: how many of those that fit to leave out.
        limit: no more than so many.
        search: a part of the name, in any case.
        kind: ``parameter`` or ``optimizer state``; both if None.
    """
    wanted = search.casefold()
    rows = opened.planned("parameter rows", lambda: tuple(map(parameter_row, placed(opened))))
    fitting = [r for r in rows if wanted in r.name.casefold() and kind in (None, r.kind)]
    return ParameterList(total=len(fitting), offset=offset, rows=tuple(fitting[offset : offset + limit]))


def parameter_row(p: ParameterPlaced) -> ParameterRow:
    """Return one parameter as answers write it."""
    slice_shape = p.slice_shape
    return ParameterRow(
        name=p.name,
        kind=p.kind,
        shape=p.shape,
        dtype=p.dtype,
        storage=LayoutItem.of(p.storage),
        compute=None if p.compute == p.storage else LayoutItem.of(p.compute),
        slice_shape=slice_shape,
        slice_bytes=prod(slice_shape) * item_bytes(p.dtype),
        whole_bytes=whole_bytes(p),
        copies=p.copies,
        comm_fusion=p.comm_fusion,
        flags=p.flags,
    )


def whole_bytes(p: ParameterPlaced) -> int:
    """Return the bytes of the whole tensor."""
    return prod(p.shape) * item_bytes(p.dtype)


def find_parameter(opened: OpenedRun, name: str) -> ParameterPlaced:
    """Return a parameter or an optimizer state by its name.

    Raises:
        RequestError: the run has none of that name.
    """
    everyone = placed(opened)
    found = next((p for p in everyone if p.name == name), None)
    if found is None:
        words = f"the run {opened.name!r} has no parameter {name[:200]!r} among its {len(everyone)}."
        raise RequestError(404, "no_parameter", f"{words} GET …/parameters lists them.")
    return found


def parameter_detail(opened: OpenedRun, name: str) -> ParameterDetail:
    """Return one parameter with what each rank keeps of it.

    Raises:
        RequestError: the run has none of that name.
    """
    found = find_parameter(opened, name)
    return ParameterDetail(
        row=parameter_row(found),
        sentence=sentence(found),
        slices=_slices(found),
        states=_states(found, placed(opened)),
        checksums=len(opened.run.checksums(name)),
        disagreements=checks(opened, name).disagreements,
    )


def sentence(p: ParameterPlaced) -> str:
    """Return the storage layout of a parameter in words.

    >>> from simpar.layout import Layout
    >>> here = Layout((2, 4), (-1, 0))
    >>> sentence(ParameterPlaced("w", (8, 16), "float32", here, here))
    'cut 4 ways along axis 1 over device axis 0; 8 ranks keep 4 distinct slices, 2 copies of each'
    """
    layout, pieces = p.storage, prod(p.storage.cuts)
    cuts = [
        f"{n} ways along axis {axis} over device {_numbered(axes)}"
        for axis, (n, axes) in enumerate(zip(layout.cuts, layout.cutting_axes, strict=True))
        if n > 1
    ]
    if not cuts:
        return "whole on " + ("the only rank" if layout.size == 1 else f"each of {layout.size} ranks")
    held = f"{layout.size} ranks keep {pieces} distinct slices"
    return f"cut {' and '.join(cuts)}; {held}, {p.copies} {'copies' if p.copies > 1 else 'copy'} of each"


def _numbered(axes: Sequence[int]) -> str:
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))


def _slices(p: ParameterPlaced) -> tuple[SliceHeld, ...]:
    layout = p.storage
    if layout.size > MOST_DRAWN:
        return ()
    return tuple(
        SliceHeld(
            rank=rank,
            slice=layout.slice_index(rank),
            box=layout.box(p.shape, rank),
            copy_number=layout.replicas(rank).index(rank),
        )
        for rank in layout.ranks
    )


def _states(p: ParameterPlaced, everyone: Sequence[ParameterPlaced]) -> tuple[str, ...]:
    """Return the states of the optimizer that are named after a parameter, as ``moments.<name>``."""
    return tuple(s.name for s in everyone if s.kind == OPTIMIZER_STATE and s.name.partition(".")[2] == p.name)
