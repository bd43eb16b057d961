"""Which groups do a collective, also those whose ranks have told nothing, and how they stand in the device matrix."""

from collections.abc import Sequence

from simpar.dashboard.parameters import placed
from simpar.dashboard.redistributions import hops_of
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import told_groups
from simpar.dashboard.view import ProgramView, common_dev_mat
from simpar.layout import Layout, Step, axis_size, coordinates, repeated

__all__ = ["Groups", "device_axes_of", "groups_of", "run_dev_mat", "steps_of"]

Groups = tuple[tuple[int, ...], ...]


def run_dev_mat(opened: OpenedRun) -> tuple[int, ...]:
    """Return the device matrix in which all layouts of a run's parameters can be drawn."""

    def made() -> tuple[int, ...]:
        found = common_dev_mat(layout.dev_mat for p in placed(opened) for layout in (p.storage, p.compute))
        return found or (max(1, opened.info.started.device_num),)

    return opened.planned("dev_mat", made)


def groups_of(opened: OpenedRun, view: ProgramView) -> dict[int, Groups]:
    """Return every group of each collective of a program, by the collective's index.

    What the ranks told is taken as it is. Where only some of the devices are ranks that ran, the other groups follow
    from the layouts before and after.
    """
    return opened.planned(("groups", view.compiled.program), lambda: _groups_of(opened, view))


def _groups_of(opened: OpenedRun, view: ProgramView) -> dict[int, Groups]:
    known: dict[tuple[Groups, Step], Groups] = {}  # thousands of collectives share a few groups
    told = told_groups(opened, view.compiled.program)
    found: dict[int, Groups] = {}
    places = view.node_of()
    for spec in view.compiled.collectives:
        groups = told.get(spec.index, (spec.ranks,))
        missing = view.device_num - sum(map(len, groups))
        steps = steps_of(view, places[spec.index]) if missing and spec.index in places else ()
        if steps:
            key = (groups, steps[0])
            if key not in known:
                known[key] = _completed(groups, steps[0], view.device_num)
            groups = known[key]
        found[spec.index] = groups
    return found


def steps_of(view: ProgramView, place: int) -> tuple[Step, ...]:
    """Return the steps of a redistribution that a node does, one for each member; those that are known."""
    return tuple(hop.step for hop in hops_of(view, place) if hop.step is not None)


def _completed(told: Groups, step: Step, device_num: int) -> Groups:
    known = {rank for group in told for rank in group}
    groups = list(told)
    for rank in step.before.ranks:
        if rank not in known and rank < device_num:
            groups.append(step.group(rank))
            known.update(groups[-1])
    return tuple(sorted(groups))


def device_axes_of(group: Sequence[int], dev_mat: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the device axes along which a group stands, major first; None if it is no line or block of the matrix.

    >>> device_axes_of((1, 5), (2, 4)), device_axes_of((0, 1, 2, 3), (2, 4)), device_axes_of((0, 5), (2, 4))
    ((1,), (0,), None)
    """
    layout: Layout = repeated(dev_mat, 0)
    if not group or any(not 0 <= r < layout.size for r in group):
        return None
    places = [coordinates(dev_mat, r) for r in group]
    last = len(dev_mat) - 1
    axes = tuple(last - i for i, along in enumerate(zip(*places, strict=True)) if len(set(along)) > 1)
    size = 1
    for a in axes:
        size *= axis_size(dev_mat, a)
    return axes if size == len(group) == len(set(group)) else None
