"""One program of a run as it is looked at: its graph tied to its collectives."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.programs import Cause, Role
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.dtype import as_dtype
from simpar.layout import Layout, refine
from simpar.recorder import CollectiveSpec, GraphNode, GraphValue, ProgramCompiled, Run

__all__ = [
    "SLICE",
    "ProgramView",
    "cause_of",
    "common_dev_mat",
    "item_bytes",
    "layout_item",
    "main_program",
    "program_view",
    "sent_bytes",
    "slice_bytes",
    "step_counts",
]

SLICE = "slice"
"""The op of a step of a redistribution that only cuts what a rank holds."""

HALOS = ("halo_exchange", "halo_reduce")
"""Movements between neighbours alone, of what windows need beside a slice."""

MOVING = frozenset(
    {"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "exchange", "permute", "broadcast"}
    | {"neighbor_exchange", *HALOS}
)

_CAUSES: tuple[tuple[str, Cause], ...] = (
    ("gradient", "gradient"),
    ("parallel optimizer", "optimizer"),
    ("new value of", "optimizer"),
    ("written", "written"),
    ("operand of", "mismatch"),
    ("halo of", "mismatch"),
    ("redistribution", "mismatch"),
)


@dataclass(frozen=True, slots=True)
class ProgramView:
    """A program as rank 0 told it.

    Args:
        compiled: with its graph and the collectives of rank 0.
        value_at: the place of each value by its name.
        maker: the place of the node that makes each value, by the value's name.
        readers: the places of the nodes that read it.
        collective_of: the index of the collective of each node that moves data, by the node's place.
        device_num: devices that it was compiled for.
    """

    compiled: ProgramCompiled
    value_at: dict[str, int]
    maker: dict[str, int]
    readers: dict[str, tuple[int, ...]]
    collective_of: dict[int, int]
    device_num: int

    @property
    def nodes(self) -> tuple[GraphNode, ...]:
        """The ops, in order."""
        return self.compiled.nodes

    def value(self, name: str) -> GraphValue | None:
        """Return a value by its name; None if the graph does not describe it."""
        at = self.value_at.get(name)
        return None if at is None else self.compiled.values[at]

    def spec(self, place: int) -> CollectiveSpec | None:
        """Return the collective that a node runs, if it runs one."""
        index = self.collective_of.get(place)
        return None if index is None else self.compiled.collectives[index]

    def node_of(self) -> dict[int, int]:
        """Return the place of the node of each collective, by the collective's index."""
        return {self.compiled.collectives[c].index: place for place, c in self.collective_of.items()}

    def role(self, place: int) -> Role:
        """Return what a node is for."""
        node, spec = self.nodes[place], self.spec(place)
        if node.op == SLICE:
            return "redistribution"
        if node.op not in MOVING:
            return "op"
        cause = cause_of(spec.cause if spec else "")
        if cause == "gradient":
            return "gradient"
        return "collective" if cause == "written" else "redistribution"


def cause_of(why: str) -> Cause:
    """Return the class of a cause that was recorded in words.

    >>> cause_of("gradient of w1"), cause_of("result of matmul is partial: a factor that it lacks was cut")
    ('gradient', 'partial')
    """
    for beginning, cause in _CAUSES:
        if why.startswith(beginning):
            return cause
    if "partial" in why:
        return "partial"
    return "mismatch" if why.startswith("result of") else "other"


def sent_bytes(kind: str, size: int, message_bytes: int) -> int:
    """Return what a rank sends in a collective, by the count of ring and pairwise algorithms.

    Args:
        kind: of the collective.
        size: of its group.
        message_bytes: what the rank hands to it.

    >>> sent_bytes("all_reduce", 4, 96), sent_bytes("all_gather", 4, 8)
    (144, 24)
    """
    if size <= 1:
        return 0
    if kind == "all_reduce":
        return 2 * (size - 1) * message_bytes // size
    if kind == "all_gather":
        return (size - 1) * message_bytes
    if kind in ("reduce_scatter", "all_to_all"):
        return (size - 1) * message_bytes // size
    return message_bytes


class _Counted:
    """Counts steps as they arrive: those that were counted before are not read again."""

    def __init__(self) -> None:
        self._lock, self._newest = threading.Lock(), 0
        self._counts: dict[tuple[int, str], int] = {}

    def now(self, run: Run) -> dict[tuple[int, str], int]:
        """Return how many steps of each program each rank has finished by now."""
        with self._lock:
            which = "steps NOT INDEXED WHERE id > ? GROUP BY rank, program"  # in the order in which they arrived
            for rank, program, count, newest in run.rows(
                f"SELECT rank, program, count(*), max(id) FROM {which}", self._newest
            ):
                self._counts[rank, program] = self._counts.get((rank, program), 0) + count
                self._newest = max(self._newest, newest)
            return dict(self._counts)


def step_counts(opened: OpenedRun) -> dict[tuple[int, str], int]:
    """Return how many steps of each program each rank has finished."""
    counted = opened.planned("steps counted", _Counted)
    return opened.cached("step counts", lambda: counted.now(opened.run))


def main_program(opened: OpenedRun) -> str | None:
    """Return the program that ran most steps on rank 0, the first of several; None if none was compiled."""
    counts = step_counts(opened)
    return max(opened.run.programs(), key=lambda p: counts.get((0, p), 0), default=None)


def program_view(opened: OpenedRun, program: str | None) -> ProgramView:
    """Return a program of a run, by default the main one.

    Raises:
        RequestError: the run has no such program.
    """
    name = program or main_program(opened)
    compiled = None if name is None else opened.planned(("compiled", name), lambda: opened.run.program(name))
    if compiled is None:
        known = ", ".join(opened.run.programs()[:5])
        there = f"It has {known}." if known else "It has compiled none yet."
        asked = "no program" if program is None else f"no program {program[:200]!r}"
        raise RequestError(404, "no_program", f"the run {opened.name!r} has {asked}. {there}")
    return opened.planned(("view", name), lambda: _view(compiled, opened.info.started.device_num))


def _view(compiled: ProgramCompiled, device_num: int) -> ProgramView:
    maker = {name: place for place, node in enumerate(compiled.nodes) for name in node.outputs}
    readers: dict[str, list[int]] = {}
    for place, node in enumerate(compiled.nodes):
        for name in dict.fromkeys(node.inputs):
            readers.setdefault(name, []).append(place)
    return ProgramView(
        compiled,
        {v.name: at for at, v in enumerate(compiled.values)},
        maker,
        {name: tuple(places) for name, places in readers.items()},
        _tied(compiled),
        device_num,
    )


def _tied(compiled: ProgramCompiled) -> dict[int, int]:
    """Tie nodes to collectives: both stand in the order in which they run."""
    tied: dict[int, int] = {}
    moving = [place for place, node in enumerate(compiled.nodes) if node.op in MOVING]
    begin = 0
    for at, spec in enumerate(compiled.collectives):
        found = next((i for i in range(begin, len(moving)) if compiled.nodes[moving[i]].op == spec.kind), None)
        if found is not None:
            tied[moving[found]], begin = at, found + 1
    return tied


def layout_item(layout: Layout | None) -> LayoutItem | None:
    """Return a layout as answers write it, if there is one."""
    return None if layout is None else LayoutItem.of(layout)


def item_bytes(dtype: str) -> int:
    """Return the bytes of an element."""
    return as_dtype(dtype).itemsize


def slice_bytes(value: GraphValue) -> int | None:
    """Return what each rank holds of a value; None if its layout is not known."""
    if value.layout is None:
        return None
    return prod(value.layout.slice_shape(value.shape)) * item_bytes(value.dtype)


def common_dev_mat(dev_mats: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the coarsest device matrix that all can be merged from; the first, if there is none.

    >>> common_dev_mat([(2, 4), (8,)]), common_dev_mat([(2, 3), (3, 2)]), common_dev_mat([])
    ((2, 4), (2, 3), ())
    """
    given = list(dict.fromkeys(dev_mats))
    found = given[0] if given else ()
    for other in given[1:]:
        refined = refine(found, other)
        if refined is None:
            return given[0]
        found = refined
    return found
