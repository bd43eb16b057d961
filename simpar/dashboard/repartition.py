"""Answers about a recorded program that is cut another way: partitioned again here, never run.

A program is read once and kept; each way to cut it is tallied once and kept. What takes longer than a page likes to
wait is worked on by a thread, and the answer says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.repartition import (
    MovementItem,
    OperatorItem,
    ProblemItem,
    RepartitionAnswer,
    RepartitionQuestion,
    SideAsked,
    SideItem,
    StrategyBase,
    StrategyParameter,
)
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.strip import strip
from simpar.dashboard.view import common_dev_mat, program_view
from simpar.dashboard.workshop import Workshop
from simpar.errors import LayoutError, SimparError, StrategyError
from simpar.graph import Node, lookup
from simpar.layout import Layout
from simpar.ops import primitive_names
from simpar.partition import Cut, Partitioned, decode_program
from simpar.planning import (
    Change,
    Difference,
    Recorded,
    Tally,
    compare,
    compute_layouts,
    cut_again,
    imagine,
    recorded_program,
    tally,
)

__all__ = ["Side", "change_of", "operator_item", "recorded", "repartition", "strategy_base", "tallied"]

_MOST_RANKS = 1 << 20
_MOST_MOVEMENTS = 500
_MOST_PROBLEMS = 50

_NOT_KEPT = (
    "this run was recorded by a simpar that did not keep programs as they were before they were cut. Record it again, "
    "or use `simpar plan SCRIPT -n N --record`."
)
_STAGES = "its pipeline has several stages, and simpar cuts only programs of one stage again."
_NOT_CUT = "each rank runs a program of its own in this mode; only semi_auto_parallel programs are cut by strategies."


@dataclass(frozen=True, slots=True)
class Side:
    """One way to cut a program.

    Args:
        change: against the recorded way.
        problems: what of it cannot be.
        cut: None if the program cannot be cut so at all.
        tally: of it.
        error: why not.
    """

    change: Change
    problems: Mapping[str, str]
    cut: Partitioned | None
    tally: Tally | None
    error: str | None = None


def recorded(opened: OpenedRun, program: str | None) -> tuple[str, Recorded | str]:
    """Return the name of a program and the program as it was recorded, or why it cannot be cut again."""
    view = program_view(opened, program)
    name = view.compiled.program

    def read() -> Recorded | str:
        data = opened.run.source(name)
        if not data:
            return _NOT_KEPT
        graph, options = decode_program(data)
        if options.stages > 1:
            return _STAGES
        return recorded_program(graph, options) if options.is_partitioned else _NOT_CUT

    return name, opened.answers.get((opened.name, "recorded", name, view.compiled.digest), read)


def strategy_base(opened: OpenedRun, program: str | None) -> StrategyBase:
    """Return a program as it can be planned; its parameters only, if it cannot be cut again."""
    if program is None and not opened.run.programs():
        return _without_program(opened, "", "the run compiled no program.")
    name, found = recorded(opened, program)
    if isinstance(found, str):
        return _without_program(opened, name, found)
    layouts = compute_layouts(found)
    parameters = tuple(
        StrategyParameter(
            name=p.spec.name,
            shape=p.value.shape,
            dtype=p.value.dtype.name,
            layout=LayoutItem.of(layouts[p.spec.name]),
        )
        for p in found.graph.parameters
        if p.spec.state_of is None
    )
    nodes = [n for n in found.graph.nodes if n.phase == "forward"]
    return StrategyBase(
        program=name,
        can_partition=True,
        reason="",
        dev_mat=found.dev_mat,
        has_optimizer_shards=found.options.sharding is not None,
        parameters=parameters,
        operators=tuple(operator_item(found, found.partitioned, n) for n in nodes),
    )


def _without_program(opened: OpenedRun, name: str, reason: str) -> StrategyBase:
    placed = [p for p in opened.run.parameters() if p.kind == "parameter"]
    dev_mat = common_dev_mat(p.storage.dev_mat for p in placed) or (1,)
    return StrategyBase(
        program=name,
        can_partition=False,
        reason=reason,
        dev_mat=dev_mat,
        has_optimizer_shards=False,
        parameters=tuple(
            StrategyParameter(
                name=p.name, shape=p.shape, dtype=p.dtype, layout=LayoutItem.of(_over(dev_mat, p.storage))
            )
            for p in placed
        ),
        operators=(),
    )


def _over(dev_mat: tuple[int, ...], layout: Layout) -> Layout:
    try:
        return layout.refined(dev_mat)
    except (LayoutError, AssertionError):
        return layout


def operator_item(of: Recorded, cut: Partitioned, node: Node) -> OperatorItem:
    """Return one operator as a program cut one way takes its operands."""
    names = {p.value: p.spec.name for p in of.graph.parameters}
    made = cut.cuts[node.outputs[0]]
    operands = made.operands
    definition = lookup(node.op)
    of_result = definition.rule and definition.bind([v.shape for v in node.inputs], node.attrs).by_result
    numbers = tuple(lay.cuts for lay in (made.results[:1] if of_result else operands))
    return OperatorItem(
        id=node.outputs[0].id,
        op=node.op,
        primitive=primitive_names().get(node.op, ""),
        scope=node.scope,
        line=node.line,
        operands=tuple(LayoutItem.of(lay) for lay in operands),
        is_chosen=node.strategy is not None,
        strategy=numbers if node.strategy is not None else None,
        parameters=tuple(names[v] for v in node.inputs if v in names),
    )


# --- one way, or two ---


def change_of(asked: SideAsked, found: Recorded) -> Change:
    """Return what a side asks to change.

    Raises:
        LayoutError: the device matrix has too many ranks.
    """
    if asked.dev_mat is not None and prod(asked.dev_mat) > _MOST_RANKS:
        raise LayoutError(
            f"dev_mat {asked.dev_mat} has {prod(asked.dev_mat)} ranks; at most {_MOST_RANKS} are reckoned with. Make "
            "it smaller."
        )
    known = {n.outputs[0].id for n in found.graph.nodes if n.outputs and n.phase == "forward"}
    over = asked.dev_mat or found.dev_mat
    strategies = {
        int(place): None if maps is None else tuple(Layout(over, m) for m in maps)
        for place, maps in asked.strategies.items()
    }
    unknown = strategies.keys() - known
    if unknown:
        raise StrategyError(
            f"there is no operator {min(unknown)} in this program. GET its strategy lists the operators."
        )
    dev_mat = None if asked.dev_mat == found.dev_mat else asked.dev_mat
    return Change(dev_mat, dict(asked.maps), strategies, asked.has_optimizer_shards)


def tallied(found: Recorded, change: Change) -> Side:
    """Return a program cut one way."""
    problems: Mapping[str, str] = {}
    try:
        if change == Change():
            return Side(change, {}, found.partitioned, tally(found.partitioned))
        graph, options, problems = imagine(found, change)
        cut = cut_again(graph, options)
        return Side(change, problems, cut, tally(cut))
    except SimparError as error:
        return Side(change, problems, None, None, str(error))


def repartition(opened: OpenedRun, question: RepartitionQuestion, workshop: Workshop) -> RepartitionAnswer:
    """Return what one or two ways to cut a program lead to.

    Raises:
        RequestError: the program cannot be cut again.
        SimparError: the question asks for an operator or a size that cannot be.
    """
    name, found = recorded(opened, question.program)
    if isinstance(found, str):
        raise RequestError(409, "no_source", f"the program {name!r} cannot be cut again: {found}")
    digest = program_view(opened, name).compiled.digest
    asked = [question.a, *([] if question.b is None else [question.b])]
    changes = [change_of(side, found) for side in asked]
    sides: list[Side] = []
    for side, change in zip(asked, changes, strict=True):
        key = (opened.name, name, digest, side.model_dump_json())
        made = workshop.ask(key, lambda change=change: tallied(found, change))
        if made is None:
            return _working(name)
        sides.append(made)
    return _answer(name, found, sides, question.focus)


def _working(name: str) -> RepartitionAnswer:
    return RepartitionAnswer(
        program=name, state="working", a=None, b=None, movements=(), left_out=0, strip=None, operators=()
    )


def _answer(name: str, found: Recorded, sides: list[Side], focus: str | None) -> RepartitionAnswer:
    tallies = [s.tally or Tally((), 0, None) for s in sides]
    differences = compare(tallies[0], tallies[-1])
    shown = sides[-1]
    return RepartitionAnswer(
        program=name,
        state="done",
        a=_side(found, sides[0]),
        b=_side(found, sides[1]) if len(sides) > 1 else None,
        movements=tuple(_movement(d) for d in differences[:_MOST_MOVEMENTS]),
        left_out=max(0, len(differences) - _MOST_MOVEMENTS),
        strip=strip(found, shown.cut, tallies[0], tallies[-1], focus) if focus is not None and shown.cut else None,
        operators=_changed(found, shown),
    )


def _side(found: Recorded, side: Side) -> SideItem:
    made, memory = side.tally, None if side.tally is None else side.tally.memory
    kinds: dict[str, int] = {}
    for m in () if made is None else made.movements:
        kinds[m.kind] = kinds.get(m.kind, 0) + 1
    return SideItem(
        ranks=prod(side.change.dev_mat or found.dev_mat),
        error=side.error,
        problems=tuple(ProblemItem(where=w, message=m) for w, m in list(side.problems.items())[:_MOST_PROBLEMS]),
        sent_bytes=0 if made is None else made.sent_bytes,
        messages=0 if made is None else made.messages,
        kinds=kinds,
        largest_group=1 if made is None else made.largest_group,
        parameter_bytes=0 if memory is None else memory.parameter_bytes,
        optimizer_bytes=0 if memory is None else memory.optimizer_bytes,
        activation_bytes=0 if memory is None else memory.arena_bytes + memory.constant_bytes,
        memory_bytes=None if memory is None else memory.total_bytes,
    )


def _movement(d: Difference) -> MovementItem:
    example = d.b or d.a
    assert example is not None, "a difference has at least one side"
    return MovementItem(
        change=d.change,
        kind=example.kind,
        phase=example.phase,
        why=example.cause,
        scope=example.scope,
        line=example.line,
        maker=example.maker,
        reader=example.reader,
        parameter=example.parameter,
        shape=example.shape,
        before=LayoutItem.of(example.before),
        after=LayoutItem.of(example.after),
        count=d.count,
        group_size_a=None if d.a is None else d.a.group_size,
        group_size_b=None if d.b is None else d.b.group_size,
        sent_a=d.sent_a,
        sent_b=d.sent_b,
    )


def _changed(found: Recorded, side: Side) -> tuple[OperatorItem, ...]:
    """Return the operators that are cut otherwise than recorded."""
    if side.cut is None:
        return ()
    before, after = found.partitioned.cuts, side.cut.cuts
    nodes = {n.outputs[0]: n for n in side.cut.graph.nodes if n.phase == "forward" and n.outputs[0] in after}
    return tuple(
        operator_item(found, side.cut, node)
        for value, node in nodes.items()
        if node.strategy is not None
        and (len(before[value].operands) != len(after[value].operands) or not _is_same(before[value], after[value]))
    )


def _is_same(one: Cut, two: Cut) -> bool:
    return all(a.size == b.size and a.same_slices(b) for a, b in zip(one.operands, two.operands, strict=True))
