"""What the overview says of a run in sentences: the worst first, each with a link to its evidence."""

from collections.abc import Callable, Iterator
from math import isfinite

from simpar.dashboard.agreement import parted
from simpar.dashboard.models.programs import Chain
from simpar.dashboard.models.runs import Finding, Link
from simpar.dashboard.parameters import placed
from simpar.dashboard.redistributions import redistribution_list
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import latest_side_by_side, timing
from simpar.dashboard.view import main_program
from simpar.recorder import OPTIMIZER_STATE, bytes_text

__all__ = ["findings"]

_MOST = 5
_LEVELS = ("error", "warning", "note")
_SHARE_WORTH_A_WORD = 0.3
_LATE_WORTH_A_WORD = 0.1
_SAVED_WORTH_A_WORD = 64 << 10  # bytes


def findings(opened: OpenedRun) -> tuple[Finding, ...]:
    """Return at most five findings, worst first."""
    found = [finding for find in _FINDERS for finding in find(opened)]
    return tuple(sorted(found, key=lambda f: _LEVELS.index(f.level))[:_MOST])


def _failed(opened: OpenedRun) -> Iterator[Finding]:
    for failure in opened.run.failures()[:1]:
        first_line = (failure.message.splitlines() or [""])[0]
        yield Finding(
            level="error",
            text=f"rank {failure.rank} failed: {failure.error}: {first_line}",
            link=Link(page="overview", select={"rank": str(failure.rank)}),
        )
    if opened.info.state == "killed":
        yield Finding(
            level="error",
            text=f"the run stopped without a word after {opened.info.steps} steps of rank 0",
            link=Link(page="timeline", select={}),
        )


def _parted(opened: OpenedRun) -> Iterator[Finding]:
    for d in parted(opened)[:2]:
        yield Finding(level="error", text=str(d), link=Link(page="tensors", select={"parameter": d.parameter}))


def _not_finite(opened: OpenedRun) -> Iterator[Finding]:
    if opened.info.last_loss is not None and not isfinite(opened.info.last_loss):
        first = next(step for step, loss in opened.run.losses() if not isfinite(loss))
        text = f"the loss is {opened.info.last_loss}; step {first} is the first without a finite one"
        yield Finding(level="error", text=text, link=Link(page="overview", select={"step": str(first)}))


def _mismatches(opened: OpenedRun) -> Iterator[Finding]:
    program = main_program(opened)
    if program is None:
        return
    costly = [c for c in redistribution_list(opened, program).chains if c.cause == "mismatch" and c.sent_bytes]
    if not costly:
        return
    worst = max(costly, key=lambda c: c.sent_bytes)
    total = sum(c.sent_bytes for c in costly)
    number = "1 redistribution comes" if len(costly) == 1 else f"{len(costly)} redistributions come"
    yield Finding(
        level="warning",
        text=f"{number} from layouts that disagree: a rank sends {bytes_text(total)} a step for "
        f"{'it' if len(costly) == 1 else 'them'}, {bytes_text(worst.sent_bytes)} of it for {_name(worst)}",
        link=Link(page="redistribution", select={"program": program, "chain": str(worst.id)}),
    )


def _name(chain: Chain) -> str:
    if chain.parameters:
        return chain.parameters[0]
    return f"the {chain.why.partition(': ')[0]}"


def _communication(opened: OpenedRun) -> Iterator[Finding]:
    program = main_program(opened)
    times = None if program is None else timing(opened, program)
    if program is None or times is None or times.share < _SHARE_WORTH_A_WORD:
        return
    longest = int(times.mean_s.argmax())
    text = (
        f"rank 0 has a collective under way in {times.share:.0%} of a step; the longest takes "
        f"{times.mean_s[longest] * 1e3:.3g} ms of {times.step_s * 1e3:.3g} ms"
    )
    select = {"program": program, "collective": str(longest)}
    yield Finding(level="warning", text=text, link=Link(page="communication", select=select))


def _late(opened: OpenedRun) -> Iterator[Finding]:
    program = main_program(opened)
    side = None if program is None else latest_side_by_side(opened, program)
    if program is None or side is None or len(side.ranks) < 2 or not side.start_s.size:
        return
    waits = side.wait_s  # (ranks, steps, collectives)
    per_rank = [float(w[w == w].sum()) for w in waits]
    whole = float((side.end_s[side.end_s == side.end_s]).max() - side.start_s[side.start_s == side.start_s].min())
    least = min(range(len(per_rank)), key=per_rank.__getitem__)
    others = (sum(per_rank) - per_rank[least]) / (len(per_rank) - 1)
    if whole <= 0 or others - per_rank[least] < _LATE_WORTH_A_WORD * whole:
        return
    text = (
        f"rank {side.ranks[least]} is the one that others wait for: they spend {others / whole:.0%} of the time "
        f"waiting, it {per_rank[least] / whole:.0%}"
    )
    yield Finding(level="warning", text=text, link=Link(page="timeline", select={"rank": str(side.ranks[least])}))


def _copies(opened: OpenedRun) -> Iterator[Finding]:
    """Say what the parallel optimizer would save where states are kept several times."""
    repeated = [p for p in placed(opened) if p.copies > 1 and p.shape and "layerwise_parallel" not in p.flags]
    states = [p for p in repeated if p.kind == OPTIMIZER_STATE]
    saved = sum(p.slice_bytes - p.slice_bytes // p.copies for p in states if p.shape[0] % p.copies == 0)
    if saved < _SAVED_WORTH_A_WORD:
        return
    text = (
        f"{len(states)} optimizer states are kept in several copies; the parallel optimizer would save a rank "
        f"{bytes_text(saved)} of them"
    )
    yield Finding(level="note", text=text, link=Link(page="memory", select={"class": OPTIMIZER_STATE}))


_FINDERS: tuple[Callable[[OpenedRun], Iterator[Finding]], ...] = (
    _failed, _parted, _not_finite, _mismatches, _late, _communication, _copies,
)  # fmt: skip
