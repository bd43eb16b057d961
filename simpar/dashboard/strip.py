"""A stretch of the graph around one parameter: the ops that use it, what is before and after, what moves between."""

from collections.abc import Sequence
from typing import Literal

from simpar.dashboard.models.repartition import StripEdge, StripItem, StripNode
from simpar.graph import Node, Value
from simpar.layout import Layout
from simpar.partition import Partitioned
from simpar.planning import Movement, Recorded, Tally

__all__ = ["strip"]

_MOST_USERS = 2
_MOST_READERS = 3


def strip(found: Recorded, cut: Partitioned, a: Tally, b: Tally, parameter: str) -> StripItem | None:
    """Return the neighbourhood of a parameter in a program cut one way; None if no op of the forward phase uses it.

    Args:
        found: the program as it was recorded; its values are those of ``cut``.
        cut: the way that is shown.
        a: what moved before.
        b: what moves now.
        parameter: its name.
    """
    value = next((p.value for p in found.graph.parameters if p.spec.name == parameter), None)
    forward = [n for n in found.graph.nodes if n.phase == "forward"]
    users = [n for n in forward if value in n.inputs][:_MOST_USERS]
    return _Strip(found, cut, a, b).around(users, forward) if users else None


class _Strip:
    """Gathers nodes and edges, each once."""

    def __init__(self, found: Recorded, cut: Partitioned, a: Tally, b: Tally) -> None:
        self.found, self.cut = found, cut
        self.names = {p.value: p.spec.name for p in found.graph.parameters}
        self.makers = {v: n for n in found.graph.nodes for v in n.outputs}
        self.before = {(m.value, m.kind) for m in a.movements if m.phase == "forward"}
        self.moves: dict[int, list[Movement]] = {}
        for m in b.movements:
            if m.phase == "forward":
                self.moves.setdefault(m.value, []).append(m)
        self.nodes: dict[str, StripNode] = {}
        self.edges: dict[tuple[str, str], StripEdge] = {}

    def around(self, users: Sequence[Node], forward: Sequence[Node]) -> StripItem:
        for user in users:
            target = self._op(user, 1)
            for value in dict.fromkeys(user.inputs):
                if value.shape or value in self.names:
                    self._edge(self._source(value), target, value, user)
            readers = [n for n in forward if not set(user.outputs).isdisjoint(n.inputs)]
            for reader in readers[:_MOST_READERS]:
                if reader not in users:
                    self._edge(target, self._op(reader, 2), user.outputs[0], reader)
        return StripItem(nodes=tuple(self.nodes.values()), edges=tuple(self.edges.values()))

    def _op(self, node: Node, column: int) -> str:
        words = ", ".join("(" + ", ".join(map(str, lay.cuts)) + ")" for lay in self.cut.cuts[node.outputs[0]].operands)
        return self._node(f"op{node.outputs[0].id}", node.op, f"{node.scope} {words}".strip(), "op", column)

    def _source(self, value: Value) -> str:
        if value in self.makers:
            return self._op(self.makers[value], 0)
        layout = self.cut.layouts[value]
        if value in self.names:
            return self._node(f"p{value.id}", self.names[value], _map(layout), "parameter", 0)
        given = {a.value: a.name for a in self.found.graph.arguments}
        return self._node(f"x{value.id}", given.get(value, "constant"), _map(layout), "input", 0)

    def _node(self, name: str, words: str, detail: str, role: Literal["op", "parameter", "input"], column: int) -> str:
        self.nodes.setdefault(name, StripNode(id=name, words=words, detail=detail, role=role, column=column))
        return name

    def _edge(self, source: str, target: str, value: Value, reader: Node) -> None:
        """Add a value's way to a reader, with the movements that happen to it."""
        moved = [m for m in self.moves.get(value.id, []) if m.reader_id in (reader.outputs[0].id, -1) or m.is_result]
        layout = self.cut.cuts[reader.outputs[0]].operands[reader.inputs.index(value)]
        self.edges[source, target] = StripEdge(
            source=source,
            target=target,
            words=f"{value.shape} as {_map(layout)}",
            kinds=tuple(m.kind for m in moved),
            sent_bytes=sum(m.sent_bytes for m in moved),
            is_new=any((m.value, m.kind) not in self.before for m in moved),
        )


def _map(layout: Layout) -> str:
    return "[" + ", ".join(str(e).replace(" ", "") for e in layout.tensor_map) + "]"
