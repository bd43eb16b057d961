"""Answers about what moves: collectives, groups and buckets."""

from math import prod

import numpy as np

from simpar.dashboard.groups import Groups, device_axes_of, groups_of, run_dev_mat
from simpar.dashboard.models.moving import (
    Bucket,
    BucketList,
    BucketMember,
    CollectiveItem,
    CollectiveList,
    GroupItem,
    GroupList,
)
from simpar.dashboard.problems import RequestError
from simpar.dashboard.redistributions import hops_of
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import Timing, latest_side_by_side, timing
from simpar.dashboard.view import ProgramView, cause_of, item_bytes, program_view, sent_bytes
from simpar.recorder import CollectiveSpec

__all__ = ["bucket_list", "collective_list", "group_list"]

_MOST_GROUPS = 4096


def collective_list(opened: OpenedRun, program: str | None, rank: int = 0) -> CollectiveList:
    """Return what one rank moves in a step of a program, in order.

    Raises:
        RequestError: no rank of that number told of the program.
    """
    view = program_view(opened, program)
    name = view.compiled.program
    specs = view.compiled.collectives if rank == 0 else opened.run.collectives(name, rank)
    if not specs and rank and view.compiled.collectives:
        told = len(opened.run.peak_bytes(name))
        raise RequestError(
            404, "no_rank", f"rank {rank} told nothing of {name!r}; {told} ranks did. Ask for one below."
        )
    times, waits = timing(opened, name, rank), _mean_waits(opened, name, rank)
    groups, places, dev_mat = groups_of(opened, view), view.node_of(), run_dev_mat(opened)
    items = tuple(_item(view, s, groups.get(s.index, ()), places.get(s.index), times, waits, dev_mat) for s in specs)
    return CollectiveList(
        program=name,
        rank=rank,
        collectives=items,
        message_bytes=sum(c.message_bytes for c in items),
        sent_bytes=sum(c.sent_bytes for c in items),
        steps=0 if times is None else times.steps,
    )


def _mean_waits(opened: OpenedRun, program: str, rank: int) -> dict[int, float]:
    found = latest_side_by_side(opened, program)
    if found is None or rank not in found.ranks:
        return {}
    mine = found.wait_s[found.ranks.index(rank)]  # (steps, collectives)
    told = mine[~np.isnan(mine).any(axis=1)]
    return dict(enumerate(map(float, told.mean(axis=0).tolist()))) if len(told) else {}


def _item(
    view: ProgramView,
    spec: CollectiveSpec,
    groups: Groups,
    place: int | None,
    times: Timing | None,
    waits: dict[int, float],
    dev_mat: tuple[int, ...],
) -> CollectiveItem:
    is_timed = times is not None and spec.index < len(times.mean_s)
    timed = times if is_timed else None
    return CollectiveItem(
        index=spec.index,
        kind=spec.kind,
        group=spec.ranks,
        groups=max(1, len(groups)),
        device_axes=device_axes_of(spec.ranks, dev_mat),
        message_bytes=spec.message_bytes,
        sent_bytes=sent_bytes(spec.kind, len(spec.ranks), spec.message_bytes),
        cause=cause_of(spec.cause),
        why=spec.cause,
        fusion=spec.fusion,
        parameters=spec.parameters,
        phase=spec.phase,
        node=None if place is None else view.nodes[place].name,
        count=timed.steps if timed else 0,
        mean_s=float(timed.mean_s[spec.index]) if timed else None,
        least_s=float(timed.least_s[spec.index]) if timed else None,
        most_s=float(timed.most_s[spec.index]) if timed else None,
        mean_offset_s=float(timed.offset_s[spec.index]) if timed else None,
        wait_s=waits.get(spec.index),
    )


def group_list(opened: OpenedRun, program: str | None) -> GroupList:
    """Return every group that does a collective of a program, those that send most first."""
    view = program_view(opened, program)
    return opened.planned(("group list", view.compiled.program), lambda: _group_list(opened, view))


def _group_list(opened: OpenedRun, view: ProgramView) -> GroupList:
    groups, dev_mat = groups_of(opened, view), run_dev_mat(opened)
    done: dict[tuple[int, ...], list[CollectiveSpec]] = {}
    for spec in view.compiled.collectives:
        for group in groups.get(spec.index, ()):
            done.setdefault(group, []).append(spec)
    items = sorted(
        (_group(ranks, specs, dev_mat) for ranks, specs in done.items()), key=lambda g: (-g.sent_bytes, g.ranks)
    )
    return GroupList(program=view.compiled.program, groups=tuple(items[:_MOST_GROUPS]), total=len(items))


def _group(ranks: tuple[int, ...], specs: list[CollectiveSpec], dev_mat: tuple[int, ...]) -> GroupItem:
    kinds: dict[str, int] = {}
    for spec in specs:
        kinds[spec.kind] = kinds.get(spec.kind, 0) + 1
    return GroupItem(
        ranks=ranks,
        device_axes=device_axes_of(ranks, dev_mat),
        kinds=kinds,
        message_bytes=sum(s.message_bytes for s in specs),
        sent_bytes=sum(sent_bytes(s.kind, len(ranks), s.message_bytes) for s in specs),
    )


def bucket_list(opened: OpenedRun, program: str | None) -> BucketList:
    """Return the messages that gradients, and parameters stored cut, travel in: fused ones and single ones."""
    view = program_view(opened, program)
    times, places = timing(opened, view.compiled.program), view.node_of()
    travelling = (s for s in view.compiled.collectives if s.fusion or cause_of(s.cause) in ("gradient", "optimizer"))
    buckets = tuple(_bucket(view, spec, places.get(spec.index), times) for spec in travelling)
    return BucketList(program=view.compiled.program, buckets=buckets)


def _bucket(view: ProgramView, spec: CollectiveSpec, place: int | None, times: Timing | None) -> Bucket:
    is_timed = times is not None and spec.index < len(times.mean_s)
    return Bucket(
        collective=spec.index,
        kind=spec.kind,
        fusion=spec.fusion,
        phase=spec.phase,
        group=spec.ranks,
        message_bytes=spec.message_bytes,
        members=_members(view, spec, place),
        launched=place,
        mean_offset_s=float(times.offset_s[spec.index]) if times and is_timed else None,
        mean_s=float(times.mean_s[spec.index]) if times and is_timed else None,
    )


def _members(view: ProgramView, spec: CollectiveSpec, place: int | None) -> tuple[BucketMember, ...]:
    """Return what fills a bucket; sizes and readiness follow from the graph where each value is one parameter's."""
    hops = [] if place is None else list(hops_of(view, place))
    if len(hops) != len(spec.parameters):
        return tuple(BucketMember(parameter=p, bytes=0, ready=None) for p in spec.parameters)
    return tuple(
        BucketMember(
            parameter=name,
            bytes=prod(hop.before.slice_shape(hop.source.shape)) * item_bytes(hop.source.dtype),
            ready=view.maker.get(hop.source.name),
        )
        for name, hop in zip(spec.parameters, hops, strict=True)
    )
