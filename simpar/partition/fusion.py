"""Fusion: collectives of the same kind, group, element type and fusion index become one message.

Members of a *bucket* must wait for each other: a bucket stands where its last member is ready, and a member that is
needed before that starts a bucket of its own. Parameters are ready from the start, so a bucket that gathers them stands
where the first of them is needed.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from simpar.graph import Graph, Node, Value
from simpar.layout import Layout, Step, axis_size, strides
from simpar.partition.insert import Partitioned
from simpar.partition.strategy import BucketOptions, PartitionOptions

__all__ = ["fuse_collectives", "members"]

FUSED = ("all_reduce", "reduce_scatter", "all_gather")


@dataclass(slots=True)
class _Bucket:
    places: list[int] = field(default_factory=list[int])
    volume: int = 0
    is_ready: bool = False
    """Whether its members are parameters, ready before anything runs."""

    @property
    def place(self) -> int:
        """Where the bucket stands among the nodes."""
        return self.places[0] if self.is_ready else self.places[-1]


def members(node: Node) -> tuple[Step, ...]:
    """Return the steps that a redistribution's node takes, several if it is a bucket; none for another node."""
    found = node.attrs.get("steps") or ((node.attrs["step"],) if "step" in node.attrs else ())
    return tuple(found)


def fuse_collectives(partitioned: Partitioned, options: PartitionOptions) -> Partitioned:
    """Return the graph with buckets in place of collectives that belong together."""
    nodes = partitioned.graph.nodes
    first_use = _first_uses(partitioned.graph)
    parameters = {p.value for p in partitioned.graph.parameters}
    done: list[_Bucket] = []
    open_buckets: dict[Hashable, _Bucket] = {}
    seen: dict[Hashable, int] = {}
    for place, node in enumerate(nodes):
        key = _key(partitioned, node, parameters)
        if key is None or not options.bucket(node.op).is_open:
            continue
        bucket = open_buckets.get(key)
        position = seen[key] = seen.get(key, -1) + 1
        nbytes = _held_bytes(partitioned, node)
        if bucket is None or _must_close(bucket, nbytes, place, position, options.bucket(node.op), first_use, nodes):
            bucket = open_buckets[key] = _Bucket(is_ready=node.inputs[0] in parameters)
            done.append(bucket)
        bucket.places.append(place)
        bucket.volume += nbytes
    fused = _rebuilt(nodes, [b for b in done if len(b.places) > 1])
    return replace(partitioned, graph=replace(partitioned.graph, nodes=fused))


def _must_close(
    bucket: _Bucket,
    nbytes: int,
    place: int,
    position: int,
    options: BucketOptions,
    first_use: dict[Value, int],
    nodes: Sequence[Node],
) -> bool:
    """Return whether the next member has to begin a new bucket."""
    if options.limit_bytes is not None and bucket.volume + nbytes > options.limit_bytes:
        return True
    if position in options.starts:
        return True
    return not bucket.is_ready and any(first_use.get(nodes[p].outputs[0], len(nodes)) <= place for p in bucket.places)


def _first_uses(graph: Graph) -> dict[Value, int]:
    found: dict[Value, int] = {}
    for place, node in enumerate(graph.nodes):
        for v in node.inputs:
            found.setdefault(v, place)
    return found


def _key(partitioned: Partitioned, node: Node, parameters: set[Value]) -> Hashable | None:
    """Return what must be equal for two collectives to become one message; None if the node is never fused."""
    fusion = node.attrs.get("fusion", 0)
    if node.op not in FUSED or not fusion:
        return None
    value = node.inputs[0]
    if "step" not in node.attrs:  # written by the user, or by the gradient reducer
        return (node.op, "own", node.attrs.get("op", "sum"), node.attrs.get("group"), value.dtype, fusion, node.stage)
    step: Step = node.attrs["step"]
    if node.op != "all_reduce" and getattr(step, "tensor_axis", 0) != 0:
        return None  # its blocks are not contiguous
    combine = partitioned.layouts[value].combine
    return (node.op, combine, groups_of(step), value.dtype, fusion, node.phase, value in parameters, node.stage)


def groups_of(step: Step) -> Hashable:
    """Return a value that two steps share exactly if their groups are the same, whatever their device matrices."""
    layout: Layout = step.before
    jumps = strides(layout.dev_mat)
    last = len(layout.dev_mat) - 1
    lines: list[tuple[int, int]] = []  # (stride, ranks), merged where one line continues another
    for a in step.device_axes:
        stride, size = jumps[last - a], axis_size(layout.dev_mat, a)
        if lines and lines[-1][0] == stride * size:
            lines[-1] = (stride, lines[-1][1] * size)
        elif size > 1:
            lines.append((stride, size))
    return (tuple(lines), layout.rank_list)


def _held_bytes(partitioned: Partitioned, node: Node) -> int:
    value = node.inputs[0]
    layout = partitioned.layouts.get(value)
    shape = value.shape if layout is None else layout.slice_shape(value.shape)
    return prod(shape) * value.dtype.itemsize


def _rebuilt(nodes: Sequence[Node], buckets: list[_Bucket]) -> tuple[Node, ...]:
    """Replace the members of each bucket by one node where the bucket stands."""
    gone = {p for b in buckets for p in b.places}
    at = {b.place: b.places for b in buckets}
    out: list[Node] = []
    for place, node in enumerate(nodes):
        if place in at:
            out.append(_joined([nodes[p] for p in at[place]]))
        elif place not in gone:
            out.append(node)
    return tuple(out)


def _joined(parts: list[Node]) -> Node:
    first = parts[0]
    attrs = {k: v for k, v in first.attrs.items() if k not in ("step", "parameter", "cause")}
    attrs["steps"] = tuple(s for n in parts for s in members(n))
    attrs["parameters"] = tuple(n.attrs.get("parameter", "") for n in parts)
    attrs["cause"] = _common_cause([str(n.attrs.get("cause", "")) for n in parts])
    inputs = tuple(n.inputs[0] for n in parts)
    return replace(parts[-1], inputs=inputs, outputs=tuple(n.outputs[0] for n in parts), attrs=attrs)


def _common_cause(causes: list[str]) -> str:
    head = causes[0].split(" ")[0]
    return f"{head}s of {len(causes)} parameters" if head == "gradient" else f"{causes[0]} and {len(causes) - 1} more"
