"""Assignment: a layout for every value, from the strategies of the ops.

One walk over the nodes, in order. Each node gets an assignment of device axes to the factors of its rule: the user's
strategy, MindSpore's default, or what its operands already have. From it follow the layouts that the node takes and
leaves, partial where a cut factor is missing from the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from simpar.errors import LayoutError, SimparError, StrategyError
from simpar.graph import Graph, Node, OpDef, ParameterInput, Value, lookup
from simpar.layout import Assignment, Halo, Layout, Rule, follow, halo_of, repeated, tightened
from simpar.partition.arriving import argument_layout, check_dataset_strategy, dataset_entries
from simpar.partition.dropped import check_dropped
from simpar.partition.gathering import Gathering, gathering
from simpar.partition.out_strategy import wanted_result
from simpar.partition.restrictions import BATCH_ONLY, check_restrictions
from simpar.partition.strategy import (
    FOLLOWERS,
    JOINED,
    PartitionOptions,
    chosen_assignment,
    default_assignment,
    storage_layout,
)
from simpar.partition.terms import is_term, stay_partial, terms_that_pass
from simpar.partition.totals import accumulated_terms, scattered_term
from simpar.partition.turns import check_turns, taking_turns
from simpar.partition.unknown import (
    Divisors,
    argument_divisors,
    check_images,
    check_unknown,
    divisors_of,
)

__all__ = ["Assigned", "Cut", "assign_layouts"]

_AMONG_ALIKE = "among_alike"
"""The op for what a collective makes of a value that all ranks hold alike."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How one node is cut.

    Args:
        operands: the layouts it takes its operands in.
        results: those it leaves its results in.
        halos: for each operand and then each result, what ranks hold instead of their slices, if they do.
        gathers: how a product gathers its operands and scatters its result; None for most nodes.
        asked: the layouts of the operands that a strategy asks for, where they must be joined first.
    """

    operands: tuple[Layout, ...]
    results: tuple[Layout, ...]
    halos: tuple[Halo | None, ...]
    gathers: Gathering | None = None
    asked: tuple[Layout, ...] | None = None

    @property
    def waiting(self) -> tuple[Layout, ...]:
        """The layouts in which the operands wait for the node: as it takes them, or to be gathered."""
        return self.asked or (self.operands if self.gathers is None else self.gathers.waiting)


@dataclass(frozen=True, slots=True)
class Assigned:
    """What assignment decided.

    Args:
        layouts: of each value, in which it is kept: a result may have to be redistributed into it when it is made.
        cuts: one for each node of the graph.
        dropped: in which layout an op takes a parameter that was dropped, of parameters that no other forward op takes.
    """

    layouts: Mapping[Value, Layout]
    cuts: tuple[Cut, ...]
    dropped: Mapping[Value, Layout] = field(default_factory=dict[Value, Layout])


def assign_layouts(graph: Graph, options: PartitionOptions, traced: Graph | None = None) -> Assigned:
    """Return a layout for every value of the graph, and the cut of every node.

    Args:
        graph: what is to be cut.
        options: over how many devices, and how.
        traced: the graph before the ops went whose results nothing needs. They lay down Parameters all the same: where
            a gradient alone is asked for, the last product of the forward pass is such an op.

    Raises:
        StrategyError: a strategy does not fit its op, the devices, or another input; the error names the cell and op.
    """
    return _Assigner(graph, options).run(traced)


class _Assigner:
    """The walk; it keeps what is known so far."""

    def __init__(self, graph: Graph, options: PartitionOptions) -> None:
        self.graph, self.options = graph, options
        self.layouts: dict[Value, Layout] = {}
        self.parameters = {p.value: p for p in graph.parameters}
        self.parameter_of = graph.parameter_of
        self.by_name: dict[str, Layout] = {}
        self.uses: dict[Value, Layout] = {}
        self.dropped: dict[Value, Layout] = {}
        self.taken: dict[Value, dict[Value, Layout]] = {}
        self.summed: dict[Value, Layout] = {}  # of a result whose terms are scattered, the layout that it had whole
        self.lazy = stay_partial(graph)
        self.terms = accumulated_terms(graph) if options.shards_totals else {}
        self.unknown: dict[Value, Mapping[int, int]] = {}
        self.next_takes: dict[Value, Layout] = {}  # by the result of a node that looks at an operand of the next one

    def run(self, traced: Graph | None) -> Assigned:
        check_dataset_strategy(self.graph.arguments, self.options)
        check_turns(self.graph if traced is None else traced)
        entries = dataset_entries(self.graph.arguments)
        for argument in self.graph.arguments:
            i = entries.get(argument.value)
            self.layouts[argument.value] = argument_layout(argument, i, self.options)
            if argument.unknown and self.options.mindspore:
                self.unknown[argument.value] = argument_divisors(argument, i, self.options)
        for constant in self.graph.constants:
            self.layouts[constant.value] = repeated(self.options.whole, len(constant.value.shape))
        for given in self.graph.parameters:
            if given.spec.layout is not None:
                self._store(given, given.spec.layout)
        if traced is not None:
            check_dropped(traced, self.graph, self.options)
            self._place_by_dropped(traced)
        cuts = self._cuts()
        for value in self.parameters.keys() - self.layouts.keys():
            written = self.layouts.get(self.graph.writes.get(value, value))
            whole = repeated(self.options.whole, len(value.shape))
            self._store(self.parameters[value], whole if written is None else written.resolved())
        return Assigned(self.layouts, cuts, self.dropped)

    def _cuts(self) -> tuple[Cut, ...]:
        """Cut the nodes in order, and at last those that look at a value as another node takes it."""
        nodes = self.graph.nodes
        late = {i for i, node in enumerate(nodes) if node.attrs.get("side") == "in"}
        cuts = {i: self._node(node) for i, node in enumerate(nodes) if i not in late}
        for i in sorted(late):
            (value,) = nodes[i].inputs
            users = (j for j in range(i + 1, len(nodes)) if value in nodes[j].inputs and j not in late)
            user = next(users, None)
            if user is not None:
                self.next_takes[nodes[i].outputs[0]] = cuts[user].operands[nodes[user].inputs.index(value)]
            cuts[i] = self._node(nodes[i])
        return tuple(cuts[i] for i in range(len(nodes)))

    def _place_by_dropped(self, traced: Graph) -> None:
        """Let forward ops that were dropped say how the parameters are stored that no other forward op takes.

        A reshape says it only of what nothing else takes.
        """
        kept = [node for node in self.graph.nodes if node.phase == "forward"]
        dropped = [node for node in traced.nodes if node.phase == "forward" and lookup(node.op).rule is not None]
        for silent in (FOLLOWERS, frozenset[str]()):
            held = {v for node in kept if node.op not in silent for v in node.inputs}
            left = {
                p.spec.name: p for p in self.graph.parameters if p.value not in held and p.value not in self.layouts
            }
            names = {p.value: p.spec.name for p in traced.parameters if p.spec.name in left}
            for node in dropped if names else ():
                if node.op not in silent:
                    self._place_by(node, left, names)

    def _place_by(self, node: Node, left: dict[str, ParameterInput], names: Mapping[Value, str]) -> None:
        """Store the parameters that are left and that a node takes as it takes them."""
        taken = [i for i, v in enumerate(node.inputs) if names.get(v) in left]
        if not taken:
            return
        rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
        assignment = self._unplaced(node, rule)
        for i in taken:
            given = left.pop(names[node.inputs[i]])
            compute = self.dropped[given.value] = self._awaited(node, rule, assignment, i)
            self._store(given, storage_layout(compute, given.value, given.spec, self.options.sharding))

    def _unplaced(self, node: Node, rule: Rule) -> Assignment:
        """Return how a node is cut as far as that does not follow from its operands."""
        if node.strategy is not None:
            return chosen_assignment(node, rule, self.options.device_num)
        return default_assignment(node, rule, [None] * len(node.inputs), self.options)

    def _awaited(self, node: Node, rule: Rule, assignment: Assignment, i: int) -> Layout:
        """Return the layout in which an operand waits for a node: as it is taken, or to be gathered."""
        found = gathering(node, rule, self.options.device_num)
        return assignment.operand(rule, i) if found is None else found.waiting[i]

    # --- one node ---

    def _node(self, node: Node) -> Cut:
        definition = lookup(node.op)
        try:
            cut = self._cut(node, definition)
        except SimparError as error:
            kind = StrategyError if node.strategy is not None and isinstance(error, LayoutError) else type(error)
            raise error.at(node.cited, kind) from None
        if node.phase == "forward":
            self.taken[node.outputs[0]] = dict(zip(node.inputs, cut.operands, strict=True))
        for value, made in zip(node.outputs, cut.results, strict=True):
            self.layouts[value] = kept = self._kept(node, value, made, cut.gathers)
            if node.phase == "forward" and made.is_partial and kept.cuts != made.cuts:
                self.summed[value] = made.resolved()
        return cut

    def _cut(self, node: Node, definition: OpDef) -> Cut:
        known = [self._known(node, v) for v in node.inputs]
        is_cut = any(layout is not None and max(layout.cuts, default=1) > 1 for layout in known)
        if definition.rule is None or (node.op == _AMONG_ALIKE and is_cut):
            what = "collective" if definition.rule else node.op
            raise StrategyError(
                f"a hand-written {what} of a value that is cut moves data between ranks, but in semi_auto_parallel "
                "mode simpar cuts the whole program itself. Use it in hybrid_parallel or data_parallel mode, or write "
                "the op with a strategy instead."
            )
        rule = definition.bind([v.shape for v in node.inputs], node.attrs)
        assignment = self._assignment(node, rule, known)
        if self.options.mindspore and node.phase == "forward":
            check_restrictions(node, rule, assignment, self.options.device_num)
        self._place_parameters(node, rule, assignment)
        if self.unknown and node.phase == "forward":
            self._check_unknown(node, definition, rule, assignment)
        asked = None
        if node.op in FOLLOWERS | JOINED:  # the strategy was for the operand alone
            given, assignment = assignment, tightened(rule, assignment)
            asked = tuple(given.operand(rule, i) for i in range(len(known))) if assignment != given else None
        terms = terms_that_pass(definition, rule, assignment, known)
        operands = tuple(
            replace(assignment.operand(rule, i), partial=terms, combine="sum")
            if is_term(lay, terms)
            else assignment.operand(rule, i)
            for i, lay in enumerate(known)
        )
        made = [assignment.result(rule, i) for i in range(len(node.outputs))]
        results = tuple(replace(lay, partial=(*lay.partial, *terms)) if terms else lay for lay in made)
        halos = tuple(halo_of(rule, slot, lay) for slot, lay in enumerate((*operands, *results)))
        return Cut(operands, results, halos, gathering(node, rule, self.options.device_num), asked)

    def _check_unknown(self, node: Node, definition: OpDef, rule: Rule, assignment: Assignment) -> None:
        divisors = self._divisors(node, rule)
        if divisors and taking_turns(node):
            raise StrategyError(
                "interleaved_parallel needs lengths that are known. Leave it out, or give set_inputs them."
            )
        check_images(definition, rule, divisors)
        if node.strategy is not None:
            check_unknown(definition, rule, divisors, assignment)
        for value, axes in zip(node.outputs, rule.results, strict=True):
            firsts = ((i, axis[0]) for i, axis in enumerate(axes) if axis)
            self.unknown[value] = {i: divisors[f] for i, f in firsts if f in divisors}

    def _divisors(self, node: Node, rule: Rule) -> Divisors:
        return divisors_of(rule, [self.unknown.get(v, {}) for v in node.inputs])

    def _assignment(self, node: Node, rule: Rule, known: Sequence[Layout | None]) -> Assignment:
        """Return the user's strategy, MindSpore's default, or what follows from the operands."""
        if node.op == "cast" and node.phase == "forward" and node.inputs[0] in self.parameters:
            ahead = self._taken_ahead(node.outputs[0])
            if ahead is not None:  # a Parameter is cut as the op behind the cast takes it
                return follow(rule, [ahead], self.options.device_num)
        if node.strategy is not None and not (self.options.mindspore and node.op in BATCH_ONLY):
            return chosen_assignment(node, rule, self.options.device_num)
        plain = [None if lay is None else lay.resolved() for lay in known]
        if node.op == "reshape" and plain[0] is None and node.phase == "forward":
            plain[0] = self._taken_beside(node)
        divisors = self._divisors(node, rule) if self.unknown else None
        return default_assignment(node, rule, plain, self.options, self._wanted(node), divisors)

    def _taken_beside(self, reshape: Node) -> Layout | None:
        """Return the layout in which another op takes a Parameter that is reshaped; None if no other op does."""
        value = reshape.inputs[0]
        others = (n for n in self.graph.nodes if value in n.inputs and n.phase == "forward" and n.op not in FOLLOWERS)
        user = next(others, None)
        if user is None or lookup(user.op).rule is None:
            return None
        rule = lookup(user.op).bind([v.shape for v in user.inputs], user.attrs)
        return self._awaited(user, rule, self._unplaced(user, rule), user.inputs.index(value))

    def _taken_ahead(self, value: Value) -> Layout | None:
        """Return the layout in which the first op that takes a value will take it, if that is known already."""
        user = next((n for n in self.graph.nodes if value in n.inputs and n.phase == "forward"), None)
        if user is None or lookup(user.op).rule is None:
            return None
        if user.op == "cast":
            return self._taken_ahead(user.outputs[0])
        rule = lookup(user.op).bind([v.shape for v in user.inputs], user.attrs)
        return self._awaited(user, rule, self._unplaced(user, rule), user.inputs.index(value))

    def _known(self, node: Node, value: Value) -> Layout | None:
        """Return the layout in which an operand is at hand.

        A node that autodiff made finds what its forward node used in the layout in which that node took it. Where that
        node scattered its result, the cotangent is gathered first.
        """
        if node.outputs[0] in self.next_takes:
            return self.next_takes[node.outputs[0]]
        if node.adjoint_of is not None and value in self.taken.get(node.adjoint_of, {}):
            return self.taken[node.adjoint_of][value]
        if node.adjoint_of in self.summed and self.graph.cotangents.get(value) == node.adjoint_of:
            return self.summed[node.adjoint_of]
        given = self.parameters.get(value)
        if value not in self.layouts and given is not None and given.spec.state_of in self.by_name:
            self._store(given, self.by_name[given.spec.state_of or ""].without(given.spec.lost_axis))
        return self.layouts.get(value)

    def _place_parameters(self, node: Node, rule: Rule, assignment: Assignment) -> None:
        """Let a parameter that no op has used yet be stored as this one takes it."""
        for i, value in enumerate(node.inputs):
            given = self.parameters.get(value)
            if given is None:
                continue
            compute = self._awaited(node, rule, assignment, i)
            if self.options.mindspore and node.phase == "forward" and node.op not in FOLLOWERS:
                self._check_use(given, compute)
            if value in self.layouts:
                continue
            compute.slice_shape(value.shape)  # says which axis does not divide
            sharding = self.options.sharding if node.phase != "update" else None
            self._store(given, storage_layout(compute, value, given.spec, sharding))

    def _check_use(self, given: ParameterInput, compute: Layout) -> None:
        """Check that every op takes a parameter in one layout, as MindSpore wants it.

        Raises:
            StrategyError: this one takes it in another.
        """
        first = self.uses.setdefault(given.value, compute)
        if not first.same_slices(compute):
            raise StrategyError(
                f"Parameter {given.spec.name!r} is used in the layout {first} by one op and in {compute} by this one. "
                "MindSpore wants one layout for all ops that use a Parameter: give them strategies that agree. simpar "
                "itself redistributes: run the script without the alias of MindSpore's names."
            )

    def _store(self, given: ParameterInput, layout: Layout) -> None:
        self.layouts[given.value] = layout
        self.by_name[given.spec.name] = layout

    def _kept(self, node: Node, value: Value, made: Layout, gathers: Gathering | None) -> Layout:
        """Return the layout in which a result is kept."""
        if value in self.parameter_of:
            return self.layouts.get(self.parameter_of[value], made.resolved())
        if self.terms.get(value) in self.layouts and made.is_partial:
            return scattered_term(made, self.layouts[self.terms[value]])
        if value in self.lazy and made.is_partial:
            return made
        if node.out_strategy is not None:
            return wanted_result(node, made if gathers is None else gathers.made, self.options.mindspore)
        if gathers is not None:
            return gathers.made
        return self._wanted(node, value) or made.resolved()

    def _wanted(self, node: Node, value: Value | None = None) -> Layout | None:
        """Return the layout of the value whose cotangent a result is, if it is one."""
        primal = self.graph.cotangents.get(value or node.outputs[0])
        if primal is None or primal not in self.layouts or primal in self.parameters:
            return None
        return self.layouts[primal].resolved()
