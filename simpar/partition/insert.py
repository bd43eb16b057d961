"""Insertion: where the layout of a value is not the one that is needed, the steps of a redistribution.

After this pass the graph says every movement of data: each step is a node of its own, named by its kind
(``all_gather``, ``reduce_scatter``, ...), that leaves the global value as it is and changes only its layout.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from simpar.errors import SimparError
from simpar.graph import Graph, Node, ParameterSpec, Value
from simpar.layout import NOT_CUT, Halo, HaloExchange, HaloReduce, Layout, Step, axis_size, plan_redistribution
from simpar.partition.assign import Assigned, Cut
from simpar.partition.strategy import PartitionOptions
from simpar.partition.totals import accumulated_terms, scattered

__all__ = ["Partitioned", "insert_redistribution"]


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A graph in which every operand has the layout that its node takes.

    Args:
        graph: the nodes, steps of redistributions among them; those carry ``step``, ``cause``, ``fusion`` and
            ``parameter`` as attributes.
        layouts: of every value, as it is made.
        device_num: how many devices a stage has.
        stages: how many stages there are.
        cuts: of the node that makes the key, its first result: how it takes operands and leaves results.
        dropped: of parameters, the layout in which an op takes them that was dropped, as nothing needs its result.
    """

    graph: Graph
    layouts: Mapping[Value, Layout]
    device_num: int
    cuts: Mapping[Value, Cut]
    stages: int = 1
    dropped: Mapping[Value, Layout] = field(default_factory=dict[Value, Layout])

    @property
    def halos(self) -> dict[Value, Halo]:
        """What ranks hold of the values of which they do not hold their slices."""
        found: dict[Value, Halo] = {}
        for node in self.graph.nodes:
            step, cut = node.attrs.get("step"), self.cuts.get(node.outputs[0]) if node.outputs else None
            if isinstance(step, HaloExchange):
                found[node.outputs[0]] = step.halo
            elif cut is not None and "step" not in node.attrs:
                made = zip(node.outputs, cut.halos[len(cut.operands) :], strict=False)  # a bucket has its first's cut
                found.update((v, halo) for v, halo in made if halo is not None)
        return found


def insert_redistribution(graph: Graph, assigned: Assigned, options: PartitionOptions) -> Partitioned:
    """Return the graph with a redistribution wherever a value is needed in another layout than it has.

    Results are delivered as inputs are given: with ``full_batch`` each rank gets the whole, with the data-parallel
    dataset strategy its share of axis 0 where that divides. Gradients of parameters stay as these are stored.
    """
    return _Inserter(graph, assigned, options).run()


Attrs = tuple[str, int, str]
"""Why a value moves, its fusion index, and the parameter it serves."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A gradient on its way: the node that made it, why it moves, and the steps that it still has to take."""

    node: Node
    attrs: Attrs
    steps: list[Step]


class _Inserter:
    """The walk; it keeps the forms in which each value is at hand."""

    def __init__(self, graph: Graph, assigned: Assigned, options: PartitionOptions) -> None:
        self.graph, self.assigned, self.options = graph, assigned, options
        self.layouts: dict[Value, Layout] = {v: assigned.layouts[v] for v in graph.inputs}
        self.parameters = {p.value: p.spec for p in graph.parameters}
        self.parameter_of = graph.parameter_of
        self.nodes: list[Node] = []
        self.now: dict[Value, Value] = {}  # a result as it is kept, by the result of the old graph
        self.forms: dict[tuple[Value, str, int], list[Value]] = {}
        self.haloed: dict[tuple[Value, int], list[tuple[Halo, Value]]] = {}
        self.cuts: dict[Value, Cut] = {}
        self.begun: dict[Value, _Begun] = {}
        self.next_id = graph.next_id
        self.stage = graph.stages
        self.terms = accumulated_terms(graph) if options.shards_totals else {}

    def run(self) -> Partitioned:
        for node, cut in zip(self.graph.nodes, self.assigned.cuts, strict=True):
            if node.phase == "update":
                self._finish_gradients()
            self._node(node, cut)
        self._finish_gradients()
        graph = replace(
            self.graph,
            outputs=tuple(self._delivered(v) for v in self.graph.outputs),
            writes={p: self._written(p, v) for p, v in self.graph.writes.items()},
            gradients={p: self.now.get(g, g) for p, g in self.graph.gradients.items()},
        )
        nodes = tuple(self.nodes)  # after the outputs and writes have added theirs
        whole = replace(graph, nodes=nodes)
        options = self.options
        return Partitioned(whole, self.layouts, options.device_num, self.cuts, options.stages, self.assigned.dropped)

    def _node(self, node: Node, cut: Cut) -> None:
        left, taken, gathers = cut.halos[len(cut.operands) :], cut.halos, cut.gathers is not None
        given = zip(node.inputs, cut.operands, taken, strict=False)
        inputs = tuple(self._with_halo(node, self._needed(node, v, lay, gathers), halo) for v, lay, halo in given)
        self.nodes.append(replace(node, inputs=inputs))
        self.cuts[node.outputs[0]] = cut
        for value, made, halo in zip(node.outputs, cut.results, left, strict=True):
            self.layouts[value] = made
            kept = self.assigned.layouts[value]
            parameter = self.parameter_of.get(value)
            own = self._without_halo(node, value, halo)
            if parameter is not None:
                self._begin_gradient(value, own, self.parameters[parameter], kept, node)
            else:
                self.now[value] = self._moved(own, kept, node, self._why_kept(node, value, kept))

    def _why_kept(self, node: Node, value: Value, kept: Layout) -> Attrs:
        if value not in self.terms:
            return _why(node, self.layouts[value], kept), 0, ""
        spec = self.parameters[self.terms[value]]
        return f"gradient of {spec.name} in micro-batch {node.micro}", _own_bucket(spec), spec.name

    # --- halos ---

    def _with_halo(self, node: Node, value: Value, halo: Halo | None) -> Value:
        """Return an operand with the halo that the node's windows reach; several nodes may take the same."""
        if halo is None:
            return value
        forms = self.haloed.setdefault((value, node.stage), [])
        for known, form in forms:
            if known == halo:
                return form
        layout = self.layouts[value]
        step = HaloExchange(layout, layout, _axes_of(layout, halo), halo)
        made = self._taken(value, step, node, (f"halo of the windows of {node.label}", 0, ""))
        forms.append((halo, made))
        return made

    def _without_halo(self, node: Node, value: Value, halo: Halo | None) -> Value:
        """Return a result after its halo was sent back and added where it belongs."""
        if halo is None:
            return value
        layout = self.layouts[value]
        step = HaloReduce(layout, layout, _axes_of(layout, halo), halo)
        return self._taken(value, step, node, (f"halo of the windows of {node.label}, sent back", 0, ""))

    # --- gradients of parameters ---

    def _begin_gradient(self, value: Value, own: Value, spec: ParameterSpec, kept: Layout, node: Node) -> None:
        """Take the first step from a gradient's terms, ``own``, to the layout in which its parameter is stored.

        The others wait until a gradient is needed: then all take their second step, so that these can be fused too.
        """
        steps = self._steps(value, scattered(self.layouts[value], kept), node)
        if steps and steps[-1].after.is_partial:
            steps += self._steps(value, kept, node, steps[-1].after)
        self.now[value] = own
        self.begun[value] = _Begun(node, (f"gradient of {spec.name}", spec.comm_fusion, spec.name), steps)
        self._continue_gradient(value)

    def _continue_gradient(self, value: Value) -> None:
        begun = self.begun[value]
        if begun.steps:
            self.now[value] = self._taken(self.now[value], begun.steps.pop(0), begun.node, begun.attrs)
        if not begun.steps:
            del self.begun[value]

    def _finish_gradients(self) -> None:
        while self.begun:
            for value in tuple(self.begun):
                self._continue_gradient(value)

    # --- other values ---

    def _needed(self, node: Node, value: Value, layout: Layout, gathers: bool) -> Value:
        """Return an operand in the layout in which the node takes it; one that gathers does so when it runs."""
        if value in self.begun:
            self._finish_gradients()
        here = self.now.get(value, value)
        spec, sharding = self.parameters.get(value), self.options.sharding
        attrs = (f"operand of {node.label}: {self.layouts[here]} -> {layout}", 0, "")
        if spec is not None and gathers:
            attrs = (attrs[0], 0, spec.name)
        elif spec is not None:
            attrs = (
                f"parallel optimizer: {spec.name} is stored cut" if self._is_stored_cut(value, layout) else attrs[0],
                _own_bucket(spec) if sharding is not None and sharding.gathers_again else spec.comm_fusion,
                spec.name,
            )
        turn = f"{node.phase} {node.micro}" if spec is not None and self._gathers_again(spec) else ""
        forms = self.forms.setdefault((here, turn, node.stage), [])
        for form in forms:
            if self.layouts[form].same_slices(layout):
                return form
        moved = self._moved(here, layout, node, attrs)
        if moved is not here:
            forms.append(moved)
        return moved

    def _gathers_again(self, spec: ParameterSpec) -> bool:
        sharding = self.options.sharding
        return spec.comm_recompute or (sharding is not None and sharding.gathers_again)

    def _is_stored_cut(self, value: Value, layout: Layout) -> bool:
        stored = self.layouts[value].cuts
        return bool(stored) and stored[0] > layout.cuts[0] and stored[1:] == layout.cuts[1:]

    def _moved(self, value: Value, layout: Layout, node: Node, attrs: Attrs) -> Value:
        """Return the value in a layout, adding the steps that bring it there."""
        for step in self._steps(value, layout, node):
            value = self._taken(value, step, node, attrs)
        return value

    def _steps(self, value: Value, layout: Layout, node: Node, here: Layout | None = None) -> list[Step]:
        try:
            plan = plan_redistribution(here or self.layouts[value], layout, value.shape, value.dtype.itemsize)
        except SimparError as error:
            raise error.at(node.cited) from None
        return list(plan.steps)

    def _taken(self, value: Value, step: Step, node: Node, attrs: Attrs) -> Value:
        """Return the value after a step, which becomes a node."""
        cause, fusion, parameter = attrs
        moved = Value(self.next_id, value.shape, value.dtype)
        self.next_id += 1
        named = {"step": step, "cause": cause, "fusion": fusion, "parameter": parameter}
        how = (None, None, node.phase, node.scope, node.line, None, node.stage, node.micro, node.recompute)
        self.nodes.append(Node(step.kind, (value,), (moved,), named, *how))
        self.layouts[moved] = step.after
        return moved

    def _delivered(self, value: Value) -> Value:
        """Return an output in the layout in which the caller gets it."""
        here = self.now.get(value, value)
        if value in self.parameter_of or value in self.parameters:
            return here
        n = self.options.device_num
        is_rows = bool(value.shape) and value.shape[0] % n == 0 and self.options.dataset_strategy != "full_batch"
        entries = ((0,) if is_rows else (NOT_CUT,)) + (NOT_CUT,) * (len(value.shape) - 1)
        layout = Layout(self.options.whole, entries if value.shape else ())
        return self._moved(here, layout, Node("return", (here,), ()), ("result for the caller", 0, ""))

    def _written(self, parameter: Value, value: Value) -> Value:
        """Return what a parameter holds after the step, in the layout in which it is stored."""
        name = self.parameters[parameter].name
        here = self.now.get(value, value)
        node = Node("assign", (here,), (parameter,), phase="update", stage=self.stage[parameter])
        return self._moved(here, self.layouts[parameter], node, (f"new value of {name}", 0, name))


def _own_bucket(spec: ParameterSpec) -> int:
    """Return the fusion index where memory is to be saved: that of all Parameters, 1, would keep all values at once."""
    return 0 if spec.comm_fusion == 1 else spec.comm_fusion


def _axes_of(layout: Layout, halo: Halo) -> tuple[int, ...]:
    """Return the device axes along which the neighbours of a halo stand, major first."""
    cutting = {a for axis in halo.axes for a in layout.cutting_axes[axis] if axis_size(layout.dev_mat, a) > 1}
    return tuple(sorted(cutting, reverse=True))


def _why(node: Node, made: Layout, kept: Layout) -> str:
    """Return why a result is redistributed as soon as it is made."""
    if made.is_partial:
        return f"result of {node.label} is partial: a factor that it lacks was cut"
    return f"result of {node.label}: {made} -> {kept}"
