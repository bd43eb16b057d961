"""Who sends how much to whom in a step of a program, as a matrix: senders down, receivers to the right."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simpar.dashboard.groups import Groups, groups_of, steps_of
from simpar.dashboard.models.moving import Matrix
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import Timing, timing
from simpar.dashboard.view import HALOS, ProgramView, item_bytes, program_view, sent_bytes
from simpar.layout import Step
from simpar.recorder import CollectiveSpec

__all__ = ["MATRIX_ASSUMPTIONS", "Metric", "dense_matrix", "matrix"]

Metric = Literal["bytes", "messages", "seconds"]
Dense = NDArray[np.float64]

_MOST_RANKS = 2048
_MOST_ENTRIES = 200_000
_MOST_EXACT = 128  # ranks up to which the boxes of an exchange are counted pair by pair

MATRIX_ASSUMPTIONS = (
    "all_reduce, all_gather and reduce_scatter run round a ring in the order of the group",
    "all_to_all sends each pair an equal part; broadcast passes the message on from rank to rank",
    "neighbours in a group send each other as much of a halo as rank 0 sends; those across a corner are left out",
    "MPI may choose another algorithm: it sends at least as much",
    "seconds are those of rank 0, given to each pair that the collective joins",
)
"""How the entries are found."""


def matrix(opened: OpenedRun, program: str | None, metric: Metric, with_entries: bool = True) -> Matrix:
    """Return the entries of the matrix that are not zero, and its sums.

    Raises:
        RequestError: there are too many ranks, or too many entries for JSON.
    """
    view, whole = dense_matrix(opened, program, metric)
    senders, receivers = np.nonzero(whole if with_entries else whole[:0])
    if len(senders) > _MOST_ENTRIES:
        words = (
            f"the matrix has {len(senders)} entries, more than {_MOST_ENTRIES}. Ask for them with form=float64, for "
            "the sums alone with entries=false."
        )
        raise RequestError(413, "too_large", words)
    return Matrix(
        program=view.compiled.program,
        metric=metric,
        size=len(whole),
        senders=tuple(senders.tolist()),
        receivers=tuple(receivers.tolist()),
        values=tuple(whole[senders, receivers].tolist()),
        sent=tuple(whole.sum(axis=1).tolist()),
        received=tuple(whole.sum(axis=0).tolist()),
        assumptions=MATRIX_ASSUMPTIONS,
    )


def dense_matrix(opened: OpenedRun, program: str | None, metric: Metric) -> tuple[ProgramView, Dense]:
    """Return the whole matrix, (ranks, ranks).

    Raises:
        RequestError: there are too many ranks.
    """
    view = program_view(opened, program)
    size = max(1, view.device_num)
    if size > _MOST_RANKS:
        words = (
            f"{size} ranks are too many for a matrix; at most {_MOST_RANKS} can be asked for. See the groups instead."
        )
        raise RequestError(413, "too_large", words)
    return view, opened.cached(("matrix", view.compiled.program, metric), lambda: _sum(opened, view, metric, size))


def _sum(opened: OpenedRun, view: ProgramView, metric: Metric, size: int) -> Dense:
    whole = np.zeros((size, size))
    groups, places, times = groups_of(opened, view), view.node_of(), timing(opened, view.compiled.program)
    for spec in view.compiled.collectives:
        steps = steps_of(view, places[spec.index]) if spec.index in places else ()
        which = tuple(g for g in groups.get(spec.index, ()) if all(0 <= r < size for r in g))
        if spec.kind in ("exchange", "permute") and steps and size <= _MOST_EXACT:
            _add_boxes(whole, view, places[spec.index], steps, metric, _seconds(times, spec))
        else:
            _add(whole, spec, which, metric, _seconds(times, spec))
    return whole


def _seconds(times: Timing | None, spec: CollectiveSpec) -> float:
    return float(times.mean_s[spec.index]) if times is not None and spec.index < len(times.mean_s) else 0.0


def _add(whole: Dense, spec: CollectiveSpec, groups: Groups, metric: Metric, seconds: float) -> None:
    for group in groups:
        n = len(group)
        if n < 2:
            continue
        if spec.kind in ("all_reduce", "all_gather", "reduce_scatter"):
            messages = (2 if spec.kind == "all_reduce" else 1) * (n - 1)
            entry = _entry(metric, sent_bytes(spec.kind, n, spec.message_bytes), messages, seconds)
            whole[list(group), [*group[1:], group[0]]] += entry
        elif spec.kind in ("send", "receive"):  # both sides tell of the same message, and one of them is rank 0's
            whole[group[0], group[1]] += _entry(metric, spec.message_bytes, 1, seconds)
        elif spec.kind == "broadcast":
            whole[list(group[:-1]), list(group[1:])] += _entry(metric, spec.message_bytes, 1, seconds)
        elif spec.kind in HALOS:
            for one, other in pairwise(group):
                whole[[one, other], [other, one]] += _entry(metric, spec.message_bytes, 1, seconds)
        else:
            pairs = sent_bytes(spec.kind, n, spec.message_bytes) / (n - 1)
            block = np.full((n, n), _entry(metric, pairs, 1, seconds))
            np.fill_diagonal(block, 0.0)
            whole[np.ix_(group, group)] += block


def _add_boxes(
    whole: Dense, view: ProgramView, place: int, steps: Sequence[Step], metric: Metric, seconds: float
) -> None:
    """Add an exchange, box by box."""
    values = [v for v in map(view.value, view.nodes[place].inputs) if v is not None]
    for step, value in zip(steps, values, strict=False):
        for rank in step.before.ranks:
            for peer, box in step.transfers(value.shape, rank)[0]:
                if peer != rank and max(peer, rank) < len(whole):
                    volume = prod(stop - start for start, stop in box) * item_bytes(value.dtype)
                    whole[rank, peer] += _entry(metric, volume, 1, seconds)


def _entry(metric: Metric, volume_bytes: float, messages: int, seconds: float) -> float:
    return {"bytes": float(volume_bytes), "messages": float(messages), "seconds": seconds}[metric]
