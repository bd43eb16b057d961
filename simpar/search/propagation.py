"""Propagation: strategies spread from the ops that have one, along the values that they share with others.

From each configured op, breadth first, to the ops that take its results and to those that make its operands. An op that
is reached takes, of all the strategies that it can take, the one whose edge to the op from which it was reached costs
the least redistribution; of those that cost the same, one without a sum over ranks, and then the one that cuts most.
As MindSpore's costs have it, a convolution that takes what another op leaves is cut least, and so is what takes a value
that comes whole through a reshape; a convolution that is reached from its result may sum.
Ops of one operand that may be cut everywhere, and reshapes, pass on the layout that reaches them. What the user
configured stays, and is not passed through. A Parameter leads from each op that takes it to the others, and those that
share one with a configured op are decided first. The arguments come last, and ops to which nothing leads stay whole.

This is MindSpore's ``search_mode="sharding_propagation"``.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from simpar.errors import LayoutError, StrategyError
from simpar.graph import Graph, Node, Value, lookup
from simpar.layout import Assignment, Layout, Rule, follow
from simpar.partition import (
    Gathering,
    PartitionOptions,
    argument_layout,
    chosen_assignment,
    dataset_entries,
    gathering,
    is_refused,
    wanted_result,
)
from simpar.search.candidates import candidates, strategy_of
from simpar.search.moving import Cost, moving_cost

__all__ = ["propagate_strategies"]


def propagate_strategies(graph: Graph, options: PartitionOptions) -> Graph:
    """Return the graph in which every forward op has a strategy: from the configured ops, and then from the arguments.

    Raises:
        StrategyError: a strategy does not fit its op; or there is neither a configured op nor an argument, under
            MindSpore's names.
    """
    return _Propagation(graph, options).run()


@dataclass(frozen=True, slots=True)
class _Decided:
    """How a node is cut, whether it only passes on what reached it, and for a configured one what it does more.

    Args:
        assignment: how it is cut.
        passes_on: whether it takes what reaches it, whatever that is.
        gathers: how a product gathers its operands.
        wanted: the layout of the first result that its ``out_strategy`` asks for.
    """

    assignment: Assignment
    passes_on: bool = False
    gathers: Gathering | None = None
    wanted: Layout | None = None

    def operand(self, rule: Rule, index: int) -> Layout:
        """Return the layout in which an operand waits."""
        return self.assignment.operand(rule, index) if self.gathers is None else self.gathers.waiting[index]

    def result(self, rule: Rule, index: int) -> Layout:
        """Return the layout in which a result is kept."""
        if index == 0 and self.wanted is not None:
            return self.wanted
        return self.assignment.result(rule, index).resolved() if self.gathers is None else self.gathers.made


@dataclass(frozen=True, slots=True)
class _Edge:
    """A value between an op that is decided and one that is not.

    Args:
        end: ``"in"`` if it is an operand of the one to decide, ``"out"`` if a result.
        place: which one.
        layout: in which the op that is decided has it.
        shape: of the whole value.
    """

    end: str
    place: int
    layout: Layout
    shape: tuple[int, ...]

    def cost(self, rule: Rule, made: Assignment) -> Cost:
        """Return what moves along the edge if the op is cut so."""
        if self.end == "in":
            return moving_cost(self.layout, made.operand(rule, self.place), self.shape)
        return moving_cost(made.result(rule, self.place).resolved(), self.layout, self.shape)


@dataclass(frozen=True, slots=True)
class _Taste:
    """Which of several strategies that cost the same is taken: without a sum, and that cuts most, unless it says so."""

    cuts_least: bool = False
    may_sum: bool = False


_CONVOLUTIONS = frozenset({"conv2d", "conv2d_grad_input"})
_FOLLOWING = frozenset({"reshape", "depend"})
"""Ops that follow their operand without a strategy."""
_STATISTICS = frozenset({"channel_mean", "channel_spread", "follow_statistic"})


class _Propagation:
    """The walk; nodes go by their place in the graph."""

    def __init__(self, graph: Graph, options: PartitionOptions) -> None:
        self.graph, self.options = graph, options
        self.nodes = {i: n for i, n in enumerate(graph.nodes) if _takes_part(n)}
        self.rules = {i: lookup(n.op).bind([v.shape for v in n.inputs], n.attrs) for i, n in self.nodes.items()}
        self.maker = {v: (i, k) for i, n in self.nodes.items() for k, v in enumerate(n.outputs)}
        self.users: dict[Value, list[tuple[int, int]]] = {}
        for i, node in self.nodes.items():
            for k, v in enumerate(node.inputs):
                self.users.setdefault(v, []).append((i, k))
        self.parameters = {p.value for p in graph.parameters}
        entries = dataset_entries(graph.arguments)
        self.fed = {a.value: argument_layout(a, entries.get(a.value), options) for a in graph.arguments}
        self.decided: dict[int, _Decided] = {}
        self.queue: deque[int] = deque()
        self.is_at_arguments = False
        self.known: dict[object, Assignment] = {}

    def run(self) -> Graph:
        configured = [i for i, n in self.nodes.items() if n.strategy is not None]
        for i in configured:
            self.decided[i] = self._configured(i)
        sharing = [j for i in configured for j in self._share(i)]
        for i in (*configured, *sharing):
            self._spread(i)
        self._from_arguments(alone=not configured)
        for i in self.nodes.keys() - self.decided.keys():  # nothing led there
            self.decided[i] = self._whole(i)
        return replace(self.graph, nodes=tuple(self._with_strategy(i, n) for i, n in enumerate(self.graph.nodes)))

    def _configured(self, i: int) -> _Decided:
        node, rule, n = self.nodes[i], self.rules[i], self.options.device_num
        try:
            made = _Decided(chosen_assignment(node, rule, n), gathers=gathering(node, rule, n))
            if node.out_strategy is None:
                return made
            left = made.assignment.result(rule, 0) if made.gathers is None else made.gathers.made
            return replace(made, wanted=wanted_result(node, left, self.options.mindspore))
        except (StrategyError, LayoutError) as error:
            raise StrategyError(f"{node.cited}: {error}") from None

    def _from_arguments(self, alone: bool) -> None:
        """Spread from the arguments to what no configured op leads to; now their layouts count, too."""
        self.is_at_arguments = True
        fed = {v for node in self.graph.nodes for v in node.inputs}  # by a backward op alone, where no other is needed
        for argument, layout in self.fed.items():
            for i, operand in self.users.get(argument, ()):
                if i not in self.decided:
                    self._reach(i, operand, layout)
                    self._work()
        if alone and not fed & self.fed.keys() and self.nodes and self.options.mindspore:
            raise StrategyError(
                "no op has a strategy, and no op takes an argument, so there is nothing to propagate from. Give one op "
                "a strategy with .shard(...)."
            )

    # --- shared Parameters ---

    def _share(self, i: int) -> list[int]:
        """Decide the ops that take a Parameter that this one takes, through casts too; return them."""
        made, found = self.decided[i], list[int]()
        for k, value in enumerate(self.nodes[i].inputs):
            parameter = self._origin(value)
            for user, operand in self._readers(parameter) if parameter in self.parameters else ():
                if user not in self.decided:
                    self._reach(user, operand, made.operand(self.rules[i], k))
                    found.append(self.queue.pop())  # spreads after what was configured
        return found

    def _origin(self, value: Value) -> Value:
        """Return what a value was cast from."""
        maker = self.nodes[self.maker[value][0]] if value in self.maker else None
        return value if maker is None or maker.op != "cast" else self._origin(maker.inputs[0])

    def _readers(self, value: Value) -> Iterator[tuple[int, int]]:
        """Give the ops that take a value or a cast of it, and as which operand."""
        for user, operand in self.users.get(value, ()):
            if self.nodes[user].op == "cast":
                yield from self._readers(self.nodes[user].outputs[0])
            else:
                yield user, operand

    # --- the walk ---

    def _spread(self, i: int) -> None:
        self.queue.append(i)
        self._work()

    def _work(self) -> None:
        while self.queue:
            i = self.queue.popleft()
            node, rule, made = self.nodes[i], self.rules[i], self.decided[i]
            self.queue.extend(self._share(i))
            for k, value in enumerate(node.outputs):
                for user, operand in self.users.get(value, ()):
                    if user in self.decided or self._ends(i, user):
                        continue
                    if k == 0 and made.wanted is not None and not _passes_on(self.nodes[user], self.rules[user]):
                        self._decide(user, _Decided(self._cut_alike(user, operand, made.wanted)))
                        continue
                    self._reach(user, operand, made.result(rule, k), self._is_reshaped(i))
            for k, value in enumerate(node.inputs):
                maker = self.maker.get(value)
                if maker is not None and maker[0] not in self.decided and not self._ends(maker[0], i):
                    self._reach_back(*maker, made.operand(rule, k))

    def _ends(self, i: int, user: int) -> bool:
        """Return whether the walk ends between two ops, as in MindSpore.

        It does between two reshapes with a ``Depend`` between them (without one they are one reshape), and between a
        reshape and a concatenation. There the one that was not reached is left whole.
        """
        if not self._is_reshaped(i):
            return False
        if self.nodes[user].op == "concat":
            other = i if user in self.decided else user
            self.decided.setdefault(other, self._whole(other))
            return True
        return self.nodes[i].op == "depend" and self.nodes[user].op == "reshape"

    def _is_reshaped(self, i: int) -> bool:
        """Return whether a node is a reshape, or passes the result of one on."""
        node = self.nodes[i]
        if node.op == "depend" and node.inputs[0] in self.maker:
            return self._is_reshaped(self.maker[node.inputs[0]][0])
        return node.op == "reshape"

    def _whole(self, i: int) -> _Decided:
        """Return how an op is left to which nothing leads."""
        return _Decided(Assignment((self.options.device_num,), {}), passes_on=self.nodes[i].op in _FOLLOWING)

    def _reach(self, i: int, operand: int, layout: Layout, is_reshaped: bool = False) -> None:
        rule, n = self.rules[i], self.options.device_num
        if _passes_on(self.nodes[i], rule):
            made = follow(rule, [layout if k == operand else None for k in range(len(rule.operands))], n)
            self._decide(i, _Decided(made, passes_on=True))
            return
        least = self.nodes[i].op in _CONVOLUTIONS or (is_reshaped and layout.is_repeated)
        edges = [_Edge("in", operand, layout, self.nodes[i].inputs[operand].shape)]
        if self.is_at_arguments:
            edges += self._fed_beside(i, operand)
        self._decide(i, _Decided(self._cheapest(i, tuple(edges), _Taste(cuts_least=least))))

    def _cut_alike(self, i: int, operand: int, wanted: Layout) -> Assignment:
        """Return the least cut that cuts an operand into as many slices as an ``out_strategy``; whole if none does."""
        rule = self.rules[i]
        found = [made for _, made in candidates(rule, self.options.device_num, self.options.uses_all)]
        alike = [made for made in found if made.operand(rule, operand).cuts == wanted.cuts]
        return min(alike or found, key=lambda made: prod(made.cut(f) for f in rule.order))

    def _fed_beside(self, i: int, operand: int) -> list[_Edge]:
        """Return the edges of an op to other operands that are arguments."""
        inputs = enumerate(self.nodes[i].inputs)
        return [_Edge("in", k, self.fed[v], v.shape) for k, v in inputs if k != operand and v in self.fed]

    def _reach_back(self, i: int, result: int, layout: Layout) -> None:
        rule, n = self.rules[i], self.options.device_num
        if _passes_on(self.nodes[i], rule):
            made = follow(rule, [None] * len(rule.operands), n, layout)
            self._decide(i, _Decided(made, passes_on=True))
            return
        edge = _Edge("out", result, layout, self.nodes[i].outputs[result].shape)
        taste = _Taste(may_sum=self.nodes[i].op in _CONVOLUTIONS)
        self._decide(i, _Decided(self._cheapest(i, (edge,), taste)))

    def _decide(self, i: int, made: _Decided) -> None:
        self.decided[i] = made
        self.queue.append(i)

    def _cheapest(self, i: int, edges: tuple[_Edge, ...], taste: _Taste) -> Assignment:
        """Return the cheapest assignment; layers repeat, so each question is answered once."""
        node, rule = self.nodes[i], self.rules[i]
        lengths, reaches = (
            tuple(sorted(given.items(), key=lambda pair: pair[0])) for given in (rule.sizes, rule.reaches)
        )
        key = (node.op, repr(node.attrs), str(rule), lengths, reaches, rule.whole, edges, taste)
        if key not in self.known:
            n = self.options.device_num
            found = [made for _, made in candidates(rule, n, self.options.uses_all)]
            taken = [m for m in found if not is_refused(node, rule, m, n)] if self.options.mindspore else found
            self.known[key] = min(taken or found, key=lambda made: _rank(rule, made, edges, taste))
        return self.known[key]

    # --- what comes out ---

    def _with_strategy(self, i: int, node: Node) -> Node:
        if i not in self.decided or node.strategy is not None:
            return node
        made, rule = self.decided[i], self.rules[i]
        if not made.passes_on:
            return replace(node, strategy=strategy_of(rule, made.assignment))
        if node.op in _FOLLOWING:
            return node
        return replace(node, strategy=tuple(made.assignment.operand(rule, k) for k in range(len(rule.operands))))


def _rank(rule: Rule, made: Assignment, edges: tuple[_Edge, ...], taste: _Taste) -> tuple[Cost, bool, int]:
    """Return what strategies are compared by: the edges, whether ranks must sum, and how many parts the work has."""
    costs = [edge.cost(rule, made) for edge in edges]
    operations = 0 if taste.may_sum else sum(c.operations for c in costs)  # nor does a cut after the sum count then
    cost = Cost(sum(c.elements for c in costs), operations)
    parts = prod(made.cut(f) for f in rule.order)
    return cost, _sums(rule, made) and not taste.may_sum, parts if taste.cuts_least else -parts


def _sums(rule: Rule, made: Assignment) -> bool:
    return any(made.result(rule, k).is_partial for k in range(len(rule.results)))


def _takes_part(node: Node) -> bool:
    """Return whether an op may pass cuts on; the statistics of a batch are computed where the batch is."""
    return node.phase == "forward" and lookup(node.op).rule is not None and node.op not in _STATISTICS


def _passes_on(node: Node, rule: Rule) -> bool:
    """Return whether an op passes on the layout of its operand: a reshape, or one that may be cut everywhere."""
    if node.op in _FOLLOWING:
        return True
    tensors = [axes for axes, v in zip(rule.operands, node.inputs, strict=True) if v.shape]
    return len(tensors) == 1 and rule.results == (tensors[0],) and not (rule.whole or rule.reaches)
