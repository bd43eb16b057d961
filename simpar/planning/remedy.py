"""The cheapest change of one op's strategy that makes a collective needless, found by trying.

Of the two ops between which a value moves, every way to cut their indices over the device axes is tried, each op alone:
the program is cut again and what a rank sends is counted. Ops that one line of the user's makes, in layers that repeat
say, change together, since that is what the user would edit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from time import monotonic

from simpar.errors import SimparError
from simpar.graph import Node, Strategy, lookup
from simpar.layout import Layout, Rule, axis_size
from simpar.partition import Partitioned
from simpar.planning.imagine import Change, Recorded, cut_again, imagine
from simpar.planning.tally import Movement, Tally, starred, tally

__all__ = ["Remedy", "find_remedy"]

_MOST_CANDIDATES = 160


@dataclass(frozen=True, slots=True)
class Remedy:
    """What came out of trying.

    Args:
        node: the op as it would be cut; None if nothing removes the collective and makes the step cheaper.
        cut: the program then.
        strategy: of its operands; None for the default.
        alike: the ops that change together, by the numbers of their first results.
        sent_before, sent_after: what a rank sends in a step.
        work: how many times as much of the op a rank computes then.
        tried, candidates: how many changes were tried, of how many.
        removes: whether any change removed the collective at all.
    """

    node: Node | None
    cut: Partitioned | None
    strategy: tuple[Layout, ...] | None
    alike: tuple[int, ...]
    sent_before: int
    sent_after: int
    work: float
    tried: int
    candidates: int
    removes: bool


def find_remedy(
    recorded: Recorded, of: Tally, message: int, limit_s: float = 5.0, clock: Callable[[], float] = monotonic
) -> Remedy:
    """Return the cheapest change of strategy that removes a collective.

    Args:
        recorded: the program.
        of: what it moves.
        message: the place of the collective among those of the step.
        limit_s: no further change is tried after so many seconds.
        clock: says how late it is.
    """
    members = [m for m in of.movements if m.message == message]
    gone = {(m.value, m.phase) for m in members}
    nodes = _ops_of(recorded, members[0]) if members else []
    candidates = [(node, s) for node in nodes for s in _strategies(recorded, node)][:_MOST_CANDIDATES]
    until, tried, removes = clock() + limit_s, 0, False
    best: Remedy | None = None
    for node, strategy in candidates:
        if clock() > until:
            break
        tried += 1
        alike = _alike(recorded, node)
        cut = _cut(recorded, {n.outputs[0].id: strategy for n in alike})
        after = None if cut is None else tally(cut, with_memory=False)
        if cut is None or after is None or any((m.value, m.phase) in gone for m in after.movements):
            continue
        removes = True
        if after.sent_bytes < (of.sent_bytes if best is None else best.sent_after):
            changed = next(n for n in cut.graph.nodes if n.outputs and n.outputs[0] == node.outputs[0])
            places = tuple(n.outputs[0].id for n in alike)
            sent = (of.sent_bytes, after.sent_bytes, _work(recorded, cut, node))
            best = Remedy(changed, cut, strategy, places, *sent, tried, len(candidates), removes=True)
    if best is None:
        return Remedy(None, None, None, (), of.sent_bytes, of.sent_bytes, 1.0, tried, len(candidates), removes)
    return replace(best, tried=tried)


def _cut(recorded: Recorded, strategies: dict[int, Strategy | None]) -> Partitioned | None:
    try:
        graph, options, problems = imagine(recorded, Change(strategies=strategies))
        return None if problems else cut_again(graph, options)
    except SimparError:
        return None  # not a way to cut this op


def _ops_of(recorded: Recorded, moved: Movement) -> list[Node]:
    """Return the ops of the forward phase between which a value moves, or whose gradients it belongs to."""
    makers = {v.id: node for node in recorded.graph.nodes for v in node.outputs}
    found: dict[int, Node] = {}
    for value in (moved.value, moved.reader_id):
        node = makers.get(value)
        if node is not None and node.adjoint_of is not None:
            node = makers.get(node.adjoint_of.id)
        if node is not None and node.phase == "forward":
            found.setdefault(node.outputs[0].id, node)
    return list(found.values())


def _alike(recorded: Recorded, node: Node) -> list[Node]:
    """Return the ops that the same line of the user's makes, cut alike and of the same shapes."""

    def key(n: Node) -> object:
        return (n.op, starred(n.scope), n.line, n.strategy, tuple(v.shape for v in n.inputs))

    wanted = key(node)
    return [n for n in recorded.graph.nodes if n.phase == "forward" and n.op == node.op and key(n) == wanted]


def _strategies(recorded: Recorded, node: Node) -> Iterator[tuple[Layout, ...] | None]:
    """Yield the ways to cut an op: every device axis cuts one of its indices, or none; and the default."""
    if node.strategy is not None:
        yield None
    rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
    dev_mat = recorded.dev_mat
    factors = [f for f in rule.order if f not in rule.whole and rule.sizes[f] > 1]
    axes = [a for a in reversed(range(len(dev_mat))) if axis_size(dev_mat, a) > 1]
    now = recorded.partitioned.cuts[node.outputs[0]].operands
    for chosen in product((*factors, ""), repeat=len(axes)):
        cuts = {f: tuple(a for a, g in zip(axes, chosen, strict=True) if g == f) for f in factors}
        if any(rule.sizes[f] % prod(axis_size(dev_mat, a) for a in cut) for f, cut in cuts.items()):
            continue
        strategy = tuple(Layout(dev_mat, tuple(_axes(axis, cuts) for axis in operand)) for operand in rule.operands)
        if not all(a.same_slices(b) for a, b in zip(strategy, now, strict=True)):
            yield strategy


def _axes(axis: tuple[str, ...], cuts: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(a for f in axis for a in cuts.get(f, ()))


def _work(recorded: Recorded, cut: Partitioned, node: Node) -> float:
    """Return how many times as much of an op a rank computes under another cut."""
    rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
    before, after = (_parts(rule, c.cuts[node.outputs[0]].operands) for c in (recorded.partitioned, cut))
    return before / after


def _parts(rule: Rule, operands: tuple[Layout, ...]) -> int:
    """Return into how many parts the work of an op is cut."""
    parts: dict[str, int] = {}
    for axes, layout in zip(rule.operands, operands, strict=True):
        for axis, cut in zip(axes, layout.cuts, strict=True):
            if axis:
                parts[axis[0]] = max(parts.get(axis[0], 1), cut)
    return prod(parts.values())
