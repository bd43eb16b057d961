"""What a cut program moves and needs, counted; and what is new, gone or changed between two of them.

Two ways to cut one program share its values, so a movement of one is found again in the other by the value that moves,
the kind of the step and the phase.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from simpar.execute import PlannedMemory, foresee_memory
from simpar.graph import Node, Value
from simpar.layout import Layout, Slice, Step
from simpar.partition import Partitioned, localize, steps_of

__all__ = ["Difference", "Movement", "Tally", "compare", "starred", "tally"]

_MOST_CONSTANT = 1 << 24
"""Elements; to foresee memory, constants are computed with, which larger ones would make slow."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One step of one value: a member of a message.

    Args:
        value: the number of the value that moves, in the graph before it was cut.
        kind: of the step, e.g. ``"all_gather"``.
        phase, scope, line, cause: when it is, and why.
        maker, reader: the op that makes the value, and the one that needs it in another layout; empty for an input, or
            for a result.
        reader_id: the number of the reader's first result; -1 if there is none.
        parameter: that it serves, if any.
        shape, before, after: of the value, and its layouts.
        group_size: ranks that take part together.
        sent_bytes: what a rank sends.
        message: the place of its message among those of the step.
    """

    value: int
    kind: str
    phase: str
    scope: str
    line: str
    cause: str
    maker: str
    reader: str
    reader_id: int
    parameter: str
    shape: tuple[int, ...]
    before: Layout
    after: Layout
    group_size: int
    sent_bytes: int
    message: int

    @property
    def is_result(self) -> bool:
        """Whether the value moves as soon as it is made, so that every reader has it as it is then."""
        return self.cause.startswith("result of")


@dataclass(frozen=True, slots=True)
class Tally:
    """What a rank sends and keeps.

    Args:
        movements: the steps, in order.
        messages: how many collectives run in a step; a bucket is one.
        memory: None if it was not asked for, or takes too long to find.
    """

    movements: tuple[Movement, ...]
    messages: int
    memory: PlannedMemory | None

    @property
    def sent_bytes(self) -> int:
        """What a rank sends in one step of the program."""
        return sum(m.sent_bytes for m in self.movements)

    @property
    def largest_group(self) -> int:
        """The most ranks that take part in one collective."""
        return max((m.group_size for m in self.movements), default=1)


def tally(cut: Partitioned, *, with_memory: bool = True) -> Tally:
    """Return what a cut program moves and needs, as rank 0 sees it."""
    graph = cut.graph
    origin: dict[Value, Value] = {}
    makers = {v: node for node in graph.nodes if not steps_of(node) for v in node.outputs}
    readers = _readers(graph.nodes)
    movements: list[Movement] = []
    messages = 0
    for node in graph.nodes:
        steps = steps_of(node)
        for place, (step, value) in enumerate(zip(steps, node.inputs, strict=bool(steps))):
            origin[node.outputs[place]] = source = origin.get(value, value)
            if not isinstance(step, Slice):
                reader = readers.get(node.outputs[place])
                movements.append(_movement(node, place, step, source, makers.get(source), reader, messages))
        messages += bool(steps) and not isinstance(steps[0], Slice)
    has_memory = with_memory and all(prod(c.value.shape) <= _MOST_CONSTANT for c in graph.constants)
    return Tally(tuple(movements), messages, foresee_memory(localize(cut, 0)) if has_memory else None)


def _readers(nodes: Sequence[Node]) -> dict[Value, Node]:
    """Return the first op that reads each value, or what a later step makes of it."""
    found: dict[Value, Node] = {}
    for node in reversed(nodes):
        if steps_of(node):
            found.update((v, found[w]) for v, w in zip(node.inputs, node.outputs, strict=True) if w in found)
        else:
            found.update((v, node) for v in node.inputs)
    return found


def _movement(
    node: Node, place: int, step: Step, source: Value, maker: Node | None, reader: Node | None, message: int
) -> Movement:
    names: Sequence[str] = node.attrs.get("parameters") or (str(node.attrs.get("parameter") or ""),)
    name = names[place] if place < len(names) else ""
    cause = str(node.attrs.get("cause", ""))
    if len(names) > 1:
        cause = f"gradient of {name}" if cause.startswith("gradient") else f"parallel optimizer: {name} is stored cut"
    return Movement(
        source.id,
        step.kind,
        node.phase,
        node.scope,
        node.line,
        cause,
        "" if maker is None else maker.label,
        "" if reader is None else reader.label,
        -1 if reader is None else reader.outputs[0].id,
        name,
        source.shape,
        step.before,
        step.after,
        step.group_size,
        step.volume_bytes(source.shape, source.dtype.itemsize, 0),
        message,
    )


# --- two of them ---


@dataclass(frozen=True, slots=True)
class Difference:
    """Movements that are alike, of layers that repeat say, and how they differ between A and B.

    Args:
        change: ``"new"``, ``"gone"``, ``"changed"`` or ``"same"``.
        a, b: one of them as an example; None where there is none.
        count: how many there are.
        sent_a, sent_b: what a rank sends for all of them.
    """

    change: Literal["new", "gone", "changed", "same"]
    a: Movement | None
    b: Movement | None
    count: int
    sent_a: int
    sent_b: int


def compare(a: Tally, b: Tally) -> tuple[Difference, ...]:
    """Return what moves under A and under B, alike movements together, those that send most first."""
    ours, theirs = _keyed(a.movements), _keyed(b.movements)
    groups: dict[object, list[tuple[Movement | None, Movement | None]]] = {}
    for key in dict.fromkeys((*ours, *theirs)):
        pair = ours.get(key), theirs.get(key)
        groups.setdefault((_alike(pair[0]), _alike(pair[1])), []).append(pair)
    found = [_difference(pairs) for pairs in groups.values()]
    return tuple(sorted(found, key=lambda d: -max(d.sent_a, d.sent_b)))


def _keyed(movements: Iterable[Movement]) -> dict[tuple[object, ...], Movement]:
    found: dict[tuple[object, ...], Movement] = {}
    for m in movements:
        times = 0
        while (key := (m.value, m.kind, m.phase, times)) in found:
            times += 1
        found[key] = m
    return found


def _alike(m: Movement | None) -> object:
    if m is None:
        return None
    return (m.kind, m.phase, starred(m.maker), starred(m.reader), starred(m.parameter), m.group_size, m.sent_bytes)


def starred(name: str) -> str:
    """Return a name with a star for each number in it, so that those of all layers are equal.

    >>> starred("blocks.3.w1"), starred("matmul in blocks.3 (gpt.py:12)")
    ('blocks.*.w1', 'matmul in blocks.* (gpt.py:12)')
    """
    return re.sub(r"(?<=[. ])\d+(?=$|[. ])|^\d+(?=[.])", "*", name)


def _difference(pairs: list[tuple[Movement | None, Movement | None]]) -> Difference:
    a, b = pairs[0]
    sent_a, sent_b = (sum(m.sent_bytes for m in side if m is not None) for side in zip(*pairs, strict=True))
    if a is None or b is None:
        return Difference("new" if a is None else "gone", a, b, len(pairs), sent_a, sent_b)
    is_same = (a.group_size, sent_a) == (b.group_size, sent_b)
    return Difference("same" if is_same else "changed", a, b, len(pairs), sent_a, sent_b)
