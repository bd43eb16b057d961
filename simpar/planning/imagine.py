"""A recorded program under other layouts: the strategies that a change of layouts asks for, and the program cut so.

The user changes how a parameter is cut. The ops that use it must then be cut so as well: each index of their rules that
the parameter has takes the parameter's cut, the others keep theirs as far as the device axes are still free. A new
device matrix stretches every strategy with it, device axis by device axis. Everything else follows by the passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from simpar.errors import SimparError, StrategyError
from simpar.graph import Graph, Node, Strategy, Value, drop_unused, lookup, merge_equal
from simpar.layout import Axis, Layout, Rule, axis_size, refine
from simpar.partition import (
    Cut,
    OptimizerSharding,
    Partitioned,
    PartitionOptions,
    assign_layouts,
    fuse_collectives,
    insert_redistribution,
)
from simpar.pipeline import PipelineOptions, pipeline_graph

__all__ = ["Change", "Recorded", "compute_layouts", "cut_again", "imagine", "recorded_program"]

VIEWS = frozenset({"transpose", "cast", "reshape", "expand_dims", "squeeze"})
"""Ops through which a parameter's cut passes on to the op that computes with it."""

TensorMap = tuple[int | tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A program as it was traced, and as it was cut.

    Args:
        graph, options: before it was cut.
        partitioned: after.
        dev_mat: the device matrix that all its strategies have in common.
    """

    graph: Graph
    options: PartitionOptions
    partitioned: Partitioned
    dev_mat: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What to imagine otherwise.

    Args:
        dev_mat: the device matrix; None for the recorded one.
        maps: tensor maps over it, by the parameter's name.
        strategies: of ops by the number of their first result; None for the default.
        has_optimizer_shards: whether the parallel optimizer stores parameters cut; None for as recorded.
    """

    dev_mat: tuple[int, ...] | None = None
    maps: Mapping[str, TensorMap] = field(default_factory=dict[str, TensorMap])
    strategies: Mapping[int, Strategy | None] = field(default_factory=dict[int, Strategy | None])
    has_optimizer_shards: bool | None = None


def recorded_program(graph: Graph, options: PartitionOptions) -> Recorded:
    """Return a program ready to be imagined otherwise.

    Raises:
        SimparError: it cannot be cut as it was recorded.
    """
    graph = merge_equal(drop_unused(graph))
    pipeline = PipelineOptions(options.stages, options.scheduler, options.interleave)
    graph = pipeline_graph(graph, pipeline, options.device_num)
    partitioned = cut_again(graph, options)
    return Recorded(graph, options, partitioned, _common_dev_mat(partitioned, graph, options))


def cut_again(graph: Graph, options: PartitionOptions) -> Partitioned:
    """Return a program cut over the devices; its graph was checked when it was read."""
    inserted = insert_redistribution(graph, assign_layouts(graph, options), options)
    return fuse_collectives(inserted, options)


def compute_layouts(recorded: Recorded) -> dict[str, Layout]:
    """Return the layout in which the first op takes each parameter, over the common device matrix where that can be."""
    found: dict[str, Layout] = {}
    names = {p.value: p.spec.name for p in recorded.graph.parameters}
    for node in recorded.graph.nodes:
        cut = recorded.partitioned.cuts[node.outputs[0]]
        for value, layout in zip(node.inputs, cut.operands, strict=True):
            if value in names:
                found.setdefault(names[value], layout.resolved())
    stored = {p.spec.name: recorded.partitioned.layouts[p.value] for p in recorded.graph.parameters}
    return {name: _over(recorded.dev_mat, layout) or layout for name, layout in (stored | found).items()}


def _common_dev_mat(partitioned: Partitioned, graph: Graph, options: PartitionOptions) -> tuple[int, ...]:
    """Return the coarsest device matrix from which those of all strategies can be merged, as far as there is one."""
    common = options.whole
    for node in graph.nodes:
        for layout in partitioned.cuts[node.outputs[0]].operands if node.phase == "forward" else ():
            if layout.rank_list is None and prod(layout.cuts) > 1:
                common = refine(common, layout.dev_mat) or common
    return common


def _over(dev_mat: tuple[int, ...], layout: Layout) -> Layout | None:
    """Return a layout over a finer device matrix; None if it is not one."""
    if layout.rank_list is not None or refine(layout.dev_mat, dev_mat) != dev_mat:
        return None
    return layout.refined(dev_mat)


# --- from a change to a graph ---


def imagine(recorded: Recorded, change: Change) -> tuple[Graph, PartitionOptions, dict[str, str]]:
    """Return the graph and the options under a change, and what of it cannot be.

    Returns:
        The graph with other strategies, the options, and for each parameter (or op, by its label) that cannot be cut as
        asked, why; its change is left out.
    """
    return _Imaginer(recorded, change).run()


_GATHERS = frozenset({"enable_nd_tp", "ndtp_reduce_scatter_axis"})
"""The attributes by which a product gathers its operands and scatters its terms."""


class _Imaginer:
    """The walk; it keeps the operands' layouts of every op that is cut otherwise."""

    def __init__(self, recorded: Recorded, change: Change) -> None:
        self.recorded, self.change = recorded, change
        self.dev_mat = change.dev_mat or recorded.dev_mat
        self.chosen: dict[Value, Strategy | None] = {}
        self.stretched: dict[Value, Strategy | None] = {}
        self.problems: dict[str, str] = {}
        self.users: dict[Value, list[Node]] = {}
        for node in recorded.graph.nodes:
            for value in dict.fromkeys(node.inputs) if node.phase == "forward" else ():
                self.users.setdefault(value, []).append(node)

    def run(self) -> tuple[Graph, PartitionOptions, dict[str, str]]:
        graph, options = self.recorded.graph, self.recorded.options
        is_stretched = self.dev_mat != self.recorded.dev_mat
        for node in graph.nodes if is_stretched else ():
            if node.phase == "forward" and node.strategy is not None:
                self._stretch(node)
        for node in graph.nodes:
            if node.outputs and node.outputs[0].id in self.change.strategies:
                self.chosen[node.outputs[0]] = self.change.strategies[node.outputs[0].id]
        moved = self._cut_parameters()
        graph = replace(
            graph,
            nodes=tuple(self._node(node) for node in graph.nodes),
            arguments=tuple(replace(a, layout=None) if is_stretched else a for a in graph.arguments),
            parameters=tuple(
                replace(p, spec=replace(p.spec, layout=None))
                if is_stretched or self.chosen or p.spec.name in moved or p.spec.state_of in moved
                else p
                for p in graph.parameters
            ),
        )
        return graph, self._options(options), self.problems

    def _options(self, options: PartitionOptions) -> PartitionOptions:
        asked = self.change.has_optimizer_shards
        sharding = options.sharding if asked is None else (options.sharding or OptimizerSharding()) if asked else None
        return replace(options, device_num=prod(self.dev_mat), sharding=sharding)

    def _node(self, node: Node) -> Node:
        if not node.outputs or node.outputs[0] not in self.chosen:
            return node
        chosen = self.chosen[node.outputs[0]]
        attrs = node.attrs
        if chosen != self.stretched.get(node.outputs[0]):  # a strategy of its own is that of a plain product
            attrs = {k: v for k, v in node.attrs.items() if k not in _GATHERS}
        return replace(node, strategy=chosen, out_strategy=None, attrs=attrs)

    def _cut_parameters(self) -> set[str]:
        """Cut the ops that use a changed parameter as it is cut; return the parameters that were changed."""
        moved: set[str] = set()
        for given in self.recorded.graph.parameters:
            name = given.spec.name
            if name not in self.change.maps:
                continue
            try:
                layout = Layout(self.dev_mat, self.change.maps[name])
                layout.slice_shape(given.value.shape)
                self._follow(given.value, layout)
                moved.add(name)
            except SimparError as error:
                self.problems[name] = str(error)
        return moved

    def _follow(self, value: Value, layout: Layout) -> None:
        """Cut the ops that use a value as it is cut, and where they only look at it otherwise, those that use that."""
        for node in self.users.get(value, []):
            if node.outputs[0].id in self.change.strategies:
                continue  # the user's own word
            rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
            axes = self._axes(node, rule, node.inputs.index(value), layout)
            operands = tuple(Layout(self.dev_mat, _map(axes, operand)) for operand in rule.operands)
            for v, lay in zip(node.inputs, operands, strict=True):
                lay.slice_shape(v.shape)
            self.chosen[node.outputs[0]] = operands
            if node.op in VIEWS:
                self._follow(node.outputs[0], Layout(self.dev_mat, _map(axes, rule.results[0])))

    def _axes(self, node: Node, rule: Rule, place: int, layout: Layout) -> dict[str, tuple[int, ...]]:
        """Return the device axes that cut each factor of an op, if one operand is cut so."""
        axes = _heard(rule, rule.operands[place], layout)
        for factor in rule.whole & axes.keys():
            raise _needs_whole(node, rule, place, factor)
        own = {f for axis in rule.operands[place] for f in axis}
        for operand, lay in zip(rule.operands, self._operands(node), strict=True):
            for factor, cutting in ({} if lay is None else _heard(rule, operand, lay)).items():
                free = tuple(a for a in cutting if a not in {b for used in axes.values() for b in used})
                if factor not in own and factor not in axes and free:
                    axes[factor] = free
        return axes

    def _operands(self, node: Node) -> list[Layout | None]:
        """Return how an op takes its operands as far as is known, over the device matrix of the change."""
        chosen = self.chosen.get(node.outputs[0])
        if chosen is not None:
            return [lay if isinstance(lay, Layout) else None for lay in chosen]
        cut = self.recorded.partitioned.cuts[node.outputs[0]]
        return [_over(self.dev_mat, lay.resolved()) for lay in cut.operands]

    def _stretch(self, node: Node) -> None:
        """Cut an op over a new device matrix along the device axes that cut it before, as far as they are there."""
        cut: Cut = self.recorded.partitioned.cuts[node.outputs[0]]
        operands: list[Layout] = []
        waiting = cut.waiting if _GATHERS & node.attrs.keys() else cut.operands
        for value, layout in zip(node.inputs, waiting, strict=True):
            over = _over(self.recorded.dev_mat, layout.resolved())
            if over is None:
                self.chosen[node.outputs[0]] = None
                return
            kept = tuple(tuple(a for a in axes if a < len(self.dev_mat)) for axes in over.cutting_axes)
            stretched = Layout(self.dev_mat, kept)
            try:
                stretched.slice_shape(value.shape)
            except SimparError as error:
                self.problems[node.label] = str(error)
                self.chosen[node.outputs[0]] = None
                return
            operands.append(stretched)
        self.chosen[node.outputs[0]] = self.stretched[node.outputs[0]] = tuple(operands)


def _needs_whole(node: Node, rule: Rule, place: int, factor: str) -> StrategyError:
    """Return the error for a cut of an index that an op needs whole."""
    axis = next(i for i, axis in enumerate(rule.operands[place]) if factor in axis)
    return StrategyError(
        f"{node.label} needs axis {axis} of this parameter whole: its rule '{rule}' does not let {factor!r} be cut. "
        "Leave this axis uncut."
    )


def _heard(rule: Rule, operand: Sequence[Axis], layout: Layout) -> dict[str, tuple[int, ...]]:
    """Return the device axes that cut each factor of an operand that is cut so; major factors take theirs first."""
    axes: dict[str, tuple[int, ...]] = {}
    for axis, cutting in zip(operand, layout.cutting_axes, strict=True):
        free = list(cutting)
        for factor in axis:
            size, own = rule.sizes[factor], ()
            while free and size % axis_size(layout.dev_mat, free[0]) == 0 and (size > 1 or len(axis) == 1):
                size //= axis_size(layout.dev_mat, free[0])
                own = (*own, free.pop(0))
            if own:
                axes[factor] = own
            if size > 1:
                break
    return axes


def _map(axes: Mapping[str, tuple[int, ...]], operand: Sequence[Axis]) -> TensorMap:
    return tuple(tuple(a for f in axis for a in axes.get(f, ())) for axis in operand)
