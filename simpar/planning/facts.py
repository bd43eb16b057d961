"""What a plan says, as values: who holds what, what moves where and why, how much memory a rank needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from simpar.compile import placed_parameter
from simpar.execute import PlannedMemory, foresee_memory
from simpar.layout import Layout, Step
from simpar.partition import Collective, Instruction, Plan
from simpar.planning.planner import PlannedProgram
from simpar.recorder import ParameterPlaced

__all__ = ["PlannedArgument", "PlannedCollective", "PlannedGroup", "PlannedMove", "ProgramFacts", "facts_of"]

MOST_RANKS = 64
"""Larger groups are described, not listed."""

SLICE = "slice"
"""The step of a redistribution that sends nothing: each rank cuts its part out of what it holds."""


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """The ranks that take part in a collective together.

    Args:
        size: how many they are.
        count: how many such groups there are; None if the program names its groups itself.
        ranks: those of this rank's group; None if they are more than 64.
        text: the same in few words, e.g. ``"0, 4, 8, ..., 1020"``.
    """

    size: int
    count: int | None
    ranks: tuple[int, ...] | None
    text: str


@dataclass(frozen=True, slots=True)
class PlannedArgument:
    """One argument of a program; each rank is given its slice."""

    shape: tuple[int, ...]
    dtype: str
    layout: Layout
    slice_shape: tuple[int, ...]
    slice_bytes: int


@dataclass(frozen=True, slots=True)
class PlannedCollective:
    """One message of a step.

    Args:
        phase: ``"forward"``, ``"backward"`` or ``"update"``.
        kind: ``"all_reduce"``, ``"all_gather"``, ...
        cause: why it is there.
        where: the cell, op and line that it belongs to.
        fusion: the fusion index, 0 for none.
        parameters: names of those it serves.
        group: who takes part.
        message_bytes: what this rank hands to it.
        sent_bytes: what this rank sends to others.
    """

    phase: str
    kind: str
    cause: str
    where: str
    fusion: int
    parameters: tuple[str, ...]
    group: PlannedGroup
    message_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """One redistribution: a value that is needed in another layout than it has.

    Args:
        phase, cause, where: as of a collective.
        shape: of the whole value.
        before: the layout it has.
        after: the layout it is needed in.
        steps: the kinds of its steps, in order; ``"slice"`` sends nothing.
        sent_bytes: what this rank sends in all steps.
    """

    phase: str
    cause: str
    where: str
    shape: tuple[int, ...]
    dtype: str
    before: Layout
    after: Layout
    steps: tuple[str, ...]
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """All that a plan says of one rank.

    Args:
        program: its name.
        parallel_mode: in which it was compiled.
        digest: equal on ranks that run the same plan.
        arguments: what each call is given.
        parameters: parameters and optimizer states, as they are stored.
        redistributions: values that change their layout.
        collectives: the messages that these, and gradients, and the program itself, lead to.
        memory: what a rank needs.
        text: the plan itself.
    """

    program: str
    parallel_mode: str
    digest: str
    arguments: tuple[PlannedArgument, ...]
    parameters: tuple[ParameterPlaced, ...]
    redistributions: tuple[PlannedMove, ...]
    collectives: tuple[PlannedCollective, ...]
    memory: PlannedMemory
    text: str

    @property
    def sent_bytes(self) -> int:
        """What this rank sends to others in one step."""
        return sum(c.sent_bytes for c in self.collectives)


def facts_of(program: PlannedProgram) -> ProgramFacts:
    """Return what the plan of a program says."""
    plan = program.plan
    return ProgramFacts(
        program.name,
        program.parallel_mode,
        plan.digest,
        tuple(_argument(plan, number) for number in plan.arguments),
        tuple(placed_parameter(p) for p in plan.parameters),
        _moves(plan),
        tuple(_collective(plan, ins, ins.collective) for ins in plan.instructions if ins.collective is not None),
        foresee_memory(plan),
        plan.text,
    )


def _argument(plan: Plan, number: int) -> PlannedArgument:
    value = plan.values[number]
    return PlannedArgument(value.shape, value.dtype.name, value.layout, value.slice_shape, value.nbytes)


def _collective(plan: Plan, ins: Instruction, moved: Collective) -> PlannedCollective:
    in_stage = plan.device_num // plan.stages
    is_derived = bool(moved.steps) or len(moved.group) == plan.device_num
    between = plan.stages > 1 and not moved.steps  # from stage to stage, each rank with those in its place
    count = in_stage if between else in_stage // len(moved.group) if is_derived else None
    listed = moved.group if len(moved.group) <= MOST_RANKS else None
    group = PlannedGroup(len(moved.group), count, listed, ranks_text(moved.group))
    amounts = (moved.message_bytes, moved.volume_bytes)
    return PlannedCollective(
        ins.phase, moved.kind, moved.cause, ins.where, moved.fusion, moved.parameters, group, *amounts
    )


def ranks_text(ranks: Sequence[int], most: int = 8) -> str:
    """Return ranks as text, the first three and the last where they are many.

    >>> ranks_text(range(0, 1024, 4))
    '0, 4, 8, ..., 1020'
    """
    shown = ranks if len(ranks) <= most else ranks[:3]
    text = ", ".join(map(str, shown))
    return text if len(ranks) <= most else f"{text}, ..., {ranks[-1]}"


# --- redistributions: chains of steps ---


@dataclass(slots=True)
class _Chain:
    """A value on its way from one layout to another."""

    first: Instruction
    cause: str
    source: int
    target: int
    steps: list[str]
    sent_bytes: int


def _moves(plan: Plan) -> tuple[PlannedMove, ...]:
    """Return the redistributions of a plan: steps that follow each other for one cause belong together."""
    chains: list[_Chain] = []
    by_end: dict[int, _Chain] = {}
    for ins in plan.instructions:
        for source, target, cause, sent in _steps(plan, ins):
            chain = by_end.get(source)
            if chain is None or chain.cause != cause:
                chain = _Chain(ins, cause, source, source, [], 0)
                chains.append(chain)
            chain.target = target
            chain.steps.append(ins.op)
            chain.sent_bytes += sent
            by_end[target] = chain
    return tuple(_move(plan, chain) for chain in chains)


def _steps(plan: Plan, ins: Instruction) -> list[tuple[int, int, str, int]]:
    """Return source, target, cause and sent bytes of each member of a step; none for another instruction."""
    moved = ins.collective
    if moved is None:
        cause = str(ins.attrs.get("cause", ""))
        return [(ins.inputs[0], ins.outputs[0], cause, 0)] if ins.op == SLICE else []
    sent = [_sent(plan, step, number) for step, number in zip(moved.steps, ins.inputs, strict=bool(moved.steps))]
    causes = _causes(moved)
    return [(x, y, c, n) for x, y, c, n in zip(ins.inputs, ins.outputs, causes, sent, strict=False)]


def _sent(plan: Plan, step: Step, number: int) -> int:
    value = plan.values[number]
    return step.volume_bytes(value.shape, value.dtype.itemsize, plan.rank)


def _causes(moved: Collective) -> list[str]:
    """Return why each member of a bucket moves: the bucket's cause, in the words of that member."""
    if len(moved.steps) == 1 or len(moved.parameters) != len(moved.steps):
        return [moved.cause] * max(len(moved.steps), 1)
    words = "gradient of {}" if moved.cause.startswith("gradient") else "parallel optimizer: {} is stored cut"
    return [words.format(name) for name in moved.parameters]


def _move(plan: Plan, chain: _Chain) -> PlannedMove:
    source, target = plan.values[chain.source], plan.values[chain.target]
    return PlannedMove(
        chain.first.phase,
        chain.cause,
        chain.first.where,
        source.shape,
        source.dtype.name,
        source.layout,
        target.layout,
        tuple(chain.steps),
        chain.sent_bytes,
    )
