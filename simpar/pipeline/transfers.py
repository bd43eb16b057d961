"""Transfers: where a node needs a value of another stage, a ``send`` there and a ``receive`` here.

A value goes to a stage once, however many nodes need it there. Results are given to the ranks of every stage, and so is
what a parameter that every stage holds is written with: by a ``share``, a broadcast from the stage that made it.
Gradients stay on the stage of their parameter.
"""

from dataclasses import replace

from simpar.graph import EVERY_STAGE, Graph, Node, Value

__all__ = ["insert_transfers"]


def insert_transfers(graph: Graph) -> Graph:
    """Return the graph in which each node takes only values of its own stage, or of every stage."""
    return _Inserter(graph).run()


class _Inserter:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.stage = graph, graph.stages
        self.maker = {v: node for node in graph.nodes for v in node.outputs}
        self.names = {p.value: p.spec.name for p in graph.parameters}
        self.parameter_of = graph.parameter_of
        self.next_id = graph.next_id
        self.arrived: dict[tuple[Value, int], Value] = {}
        self.sends: dict[Value, list[Node]] = {}
        self.nodes: list[Node] = []

    def run(self) -> Graph:
        for node in self.graph.nodes:
            if node.stage == EVERY_STAGE:
                self.nodes.append(replace(node, inputs=tuple(self._shared(v) for v in node.inputs)))
            else:
                self.nodes.append(replace(node, inputs=tuple(self._fetched(v, node) for v in node.inputs)))
        kept = {*self.graph.gradients.values(), *self.names}
        outputs = tuple(v if v in kept else self._shared(v) for v in self.graph.outputs)
        writes = {p: self._written(p, v) for p, v in self.graph.writes.items()}
        return replace(self.graph, nodes=self._in_place(), outputs=outputs, writes=writes)

    def _in_place(self) -> tuple[Node, ...]:
        """Return the nodes, each send behind the node that makes what it sends; those of inputs at the end.

        There ``order`` finds them when they are needed, so that an op of their own stage decides on their layout first.
        """
        out: list[Node] = []
        for node in self.nodes:
            out.append(node)
            out += [send for v in node.outputs for send in self.sends.get(v, ())]
        return (*out, *(send for v in self.graph.inputs for send in self.sends.get(v, ())))

    def _new(self, like: Value) -> Value:
        made = Value(self.next_id, like.shape, like.dtype)
        self.next_id += 1
        return made

    def _fetched(self, value: Value, node: Node) -> Value:
        """Return a value on the stage of the node that needs it."""
        source = self.stage[value]
        if source in (EVERY_STAGE, node.stage):
            return value
        key = (value, node.stage)
        if key not in self.arrived:
            under_way, here = self._new(value), self._new(value)
            cause = f"{self._what(value, node)}, stage {source} to {node.stage}"
            attrs = {"tag": len(self.arrived), "cause": cause, "source": source, "target": node.stage}
            maker = self.maker.get(value, Node("parameter", (), ()))
            made = replace(maker, strategy=None, out_strategy=None, adjoint_of=None, recompute=None, attrs=attrs)
            send = replace(made, op="send", inputs=(value,), outputs=(under_way,), stage=source)
            self.sends.setdefault(value, []).append(send)
            when = {"phase": node.phase, "micro": node.micro, "stage": node.stage}
            self.nodes.append(replace(made, op="receive", inputs=(under_way,), outputs=(here,), **when))
            self.arrived[key] = here
        return self.arrived[key]

    def _what(self, value: Value, user: Node | None = None) -> str:
        """Return what a value is, in words."""
        if value in self.names:
            return f"parameter {self.names[value]}"
        node = self.maker.get(value)
        if node is None:
            return "argument"
        sums = [v for v in (value, *(user.outputs if user is not None else ())) if v in self.parameter_of]
        if sums:
            return f"gradient of {self.names[self.parameter_of[sums[0]]]}"
        what = "activation" if node.phase == "forward" else "gradient" if node.phase == "backward" else "value"
        return f"{what} of micro-batch {node.micro}" if node.micro >= 0 else f"{what} of {node.op}"

    def _shared(self, value: Value) -> Value:
        """Return a value on every stage."""
        source = self.stage[value]
        if source == EVERY_STAGE:
            return value
        key = (value, EVERY_STAGE)
        if key not in self.arrived:
            here = self._new(value)
            maker = self.maker.get(value, Node("parameter", (), ()))
            attrs = {"source": source, "cause": f"{self._what(value)}, from stage {source} to all"}
            node = Node("share", (value,), (here,), attrs, phase=maker.phase, scope=maker.scope, line=maker.line)
            self.nodes.append(node)
            self.arrived[key] = here
        return self.arrived[key]

    def _written(self, parameter: Value, value: Value) -> Value:
        stage = self.stage[parameter]
        if stage == EVERY_STAGE:
            return self._shared(value)
        return self._fetched(value, Node("assign", (value,), (), phase="update", stage=stage))
