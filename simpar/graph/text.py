"""A graph as text: one line a value, the same on every rank, fit to be compared with a golden file.

    %5: float32 (8, 6) [2,2] [1,0] = matmul %0, %1  # mlp.dense1

The numbers of values are those of the text, counted from 0, so that the text does not depend on how a graph was made.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from simpar.graph.ir import NO_MICRO, Graph, Node, Value
from simpar.layout import EVERY_STAGE, Layout, Step

__all__ = ["graph_text"]

_HIDDEN = frozenset({"step", "steps", "cause", "parameter", "parameters"})


def graph_text(graph: Graph, layouts: Mapping[Value, Layout] | None = None) -> str:
    """Return a graph as text.

    Args:
        graph: any graph.
        layouts: of each value; left out of the text if None.
    """
    return "\n".join(_Printer(graph, layouts or {}).lines()) + "\n"


class _Printer:
    def __init__(self, graph: Graph, layouts: Mapping[Value, Layout]) -> None:
        self.graph, self.layouts = graph, layouts
        self.numbers: dict[Value, int] = {}
        for value in graph.values:
            self.numbers.setdefault(value, len(self.numbers))

    def lines(self) -> Iterable[str]:
        for argument in self.graph.arguments:
            yield f"{self.typed(argument.value)} = argument {argument.name}"
        for given in self.graph.parameters:
            yield f"{self.typed(given.value)} = parameter {given.spec.name}"
        for constant in self.graph.constants:
            shown = constant.array.item() if constant.array.ndim == 0 else "…"
            yield f"{self.typed(constant.value)} = constant {shown}"
        part = ""
        for node in self.graph.nodes:
            if _part(node) != part:
                part = _part(node)
                yield f"# {part}"
            yield self.node(node)
        yield f"return {self.names(self.graph.outputs)}"
        for parameter, value in self.graph.writes.items():
            yield f"write {self.name(parameter)} <- {self.name(value)}"

    def node(self, node: Node) -> str:
        results = "; ".join(self.typed(v) for v in node.outputs)
        attrs = "".join(
            f" {k}={_plain(v)}" for k, v in sorted(node.attrs.items()) if k not in _HIDDEN and v not in ("", 0)
        )
        steps: tuple[Step, ...] = tuple(node.attrs.get("steps") or filter(None, (node.attrs.get("step"),)))
        how = "; ".join(
            s.describe(v.shape, v.dtype.itemsize).removeprefix(s.kind) for s, v in zip(steps, node.inputs, strict=False)
        )
        cause = node.attrs.get("cause", "")
        note = f"  # {cause}" if cause and "operand" not in cause and "result" not in cause else ""
        return f"{results} = {node.op} {self.names(node.inputs)}{attrs}{how}{note}"

    def typed(self, value: Value) -> str:
        layout = self.layouts.get(value)
        held = "" if layout is None else f" {layout}"
        return f"{self.name(value)}: {value.dtype.name} {value.shape}{held}"

    def name(self, value: Value) -> str:
        return f"%{self.numbers[value]}"

    def names(self, values: Iterable[Value]) -> str:
        return ", ".join(self.name(v) for v in values)


def _part(node: Node) -> str:
    """Return the part of the program that a node belongs to, e.g. ``forward of micro-batch 2 on stage 1``."""
    micro = "" if node.micro == NO_MICRO else f" of micro-batch {node.micro}"
    stage = "" if node.stage == EVERY_STAGE else f" on stage {node.stage}"
    return f"{node.phase}{micro}{stage}"


def _plain(given: Any) -> str:
    return str(given).replace(" ", "")
