"""Whether ranks may run what each compiled: they must call the same collectives, or some would wait for ever."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import zip_longest

from simpar.collectives import World
from simpar.context import DATA_PARALLEL, Context
from simpar.errors import PlanMismatchError
from simpar.partition import Plan

__all__ = ["compare_plans"]

Calls = list[tuple[tuple[int, ...], str, str]]
Letters = Counter[tuple[int, int, int, str]]
MESSAGES = "neighbor_exchange"

_OWN = re.compile(r" (?:group|to|source)=\([0-9, ]*\)| root=\d+|(?<== constant) .*")
"""What may differ between the plans of ranks that each train on their own part of the data."""


def compare_plans(world: World, plan: Plan, context: Context) -> None:
    """Check that the ranks' programs fit together.

    Ranks that share their tensors run one plan; in ``data_parallel`` mode one of the same ops, whose groups and
    constants may be a rank's own; in the modes of hand-written collectives the same collectives in each group.

    Raises:
        PlanMismatchError: they do not; it names the first difference, and the ranks.
    """
    if world.size == 1:
        return
    if context.is_partitioned:
        _compare_texts(world, plan.text, plan.digest)
    elif context.parallel.parallel_mode == DATA_PARALLEL:
        text = _shared_text(plan, context)
        _compare_texts(world, text, sha256(text.encode()).hexdigest())
    else:
        _compare_calls(world.communicator.gather_objects(_calls(plan)))
    if not context.is_partitioned:
        _compare_messages(world.communicator.gather_objects(_messages(plan)))


def _shared_text(plan: Plan, context: Context) -> str:
    """Return what is the same on ranks of ``data_parallel`` mode; the messages where Parameters are dealt to them."""
    if context.parallel.enable_parallel_optimizer:
        return "\n".join(f"{c.kind}, {c.message_bytes} bytes: {c.cause}" for c in plan.collectives)
    return _OWN.sub("", plan.text)


def _compare_texts(world: World, text: str, digest: str) -> None:
    digests = world.communicator.gather_objects(digest)
    if len(set(digests)) == 1:
        return
    texts: list[str] = world.communicator.gather_objects(text)
    odd = next(r for r, d in enumerate(digests) if d != digests[0])
    ranks = [r for r, d in enumerate(digests) if d == digests[odd]]
    ours, theirs = texts[0].splitlines(), texts[odd].splitlines()
    for number, (a, b) in enumerate(zip([*ours, "(nothing)"], [*theirs, "(nothing)"], strict=False), start=1):
        if a != b:
            raise PlanMismatchError(
                f"ranks traced different programs. Line {number} of the plan is `{a}` on rank 0 and `{b}` on "
                f"rank{'s' if len(ranks) > 1 else ''} {', '.join(map(str, ranks))}. Every rank must run the same ops "
                "in the same order: do not let the program depend on the rank."
            )
    raise PlanMismatchError(
        f"ranks {ranks} closed over other constants than rank 0. Build constants alike on every rank."
    )


def _calls(plan: Plan) -> Calls:
    """Return this rank's collectives in order: the group, what all its ranks must agree on, and where it stands."""
    found: Calls = []
    for instruction in plan.instructions:
        moved = instruction.collective
        if moved is not None and moved.kind != MESSAGES:
            values = ", ".join(f"{plan.values[v].dtype.numpy} {plan.values[v].slice_shape}" for v in instruction.inputs)
            found.append((moved.group, f"{moved.kind} of {values}", instruction.where))
    return found


def _compare_calls(calls: Sequence[Calls]) -> None:
    """Check that the ranks of each group call the same collectives on it, one after the other."""
    nothing = "nothing", ""
    for group in dict.fromkeys(call[0] for of_rank in calls for call in of_rank):
        of_group = {rank: [call[1:] for call in calls[rank] if call[0] == group] for rank in group}
        first = group[0]
        for rank in group[1:]:
            for number, (ours, theirs) in enumerate(zip_longest(of_group[first], of_group[rank], fillvalue=nothing)):
                if ours[0] != theirs[0]:
                    raise PlanMismatchError(
                        f"ranks of group {group} call different collectives: number {number + 1} of the program is "
                        f"{_told(ours)} on rank {first} and {_told(theirs)} on rank {rank}. Call the same collectives, "
                        "of the same shapes, in the same order on all ranks of a group."
                    )


def _messages(plan: Plan) -> tuple[Letters, Letters]:
    """Return what this rank sends and what it receives: from whom, to whom, the tag, and what."""
    sent: Letters = Counter()
    received: Letters = Counter()
    for ins in plan.instructions:
        if ins.op == MESSAGES:
            here, tag = plan.rank, ins.attrs["tag"]
            for to, v in zip(ins.attrs["to"], ins.inputs, strict=False):
                sent[here, to, tag, _words(plan, v)] += 1
            for source, v in zip(ins.attrs["source"], ins.outputs, strict=False):
                received[source, here, tag, _words(plan, v)] += 1
    return sent, received


def _words(plan: Plan, value: int) -> str:
    return f"{plan.values[value].dtype.name} {plan.values[value].slice_shape}"


def _compare_messages(told: Sequence[tuple[Letters, Letters]]) -> None:
    """Check that every message that a rank sends is received by another, and the reverse."""
    sent: Letters = Counter()
    received: Letters = Counter()
    for mine, others in told:
        sent += mine
        received += others
    for have, lack, what in ((sent, received, "receives"), (received, sent, "sends")):
        for source, to, _, words in have - lack:
            one, other = (source, to) if what == "receives" else (to, source)
            raise PlanMismatchError(
                f"rank {one} has a message of {words} {'for' if what == 'receives' else 'to come from'} rank {other}, "
                f"which {what} none like it. Let both name each other, with the same shape, type and tag."
            )


def _told(call: tuple[str, str]) -> str:
    what, where = call
    return f"{what} ({where})" if where else what
