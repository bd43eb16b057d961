"""What each instruction of a program costs: processor time by op, and the dearest instructions."""

import time
from collections import defaultdict
from statistics import median
from typing import Any

from simpar.compile import Program

__all__ = ["print_collectives", "print_instructions"]


def print_instructions(program: Program, steps: int = 9, count: int = 40, *, silent: bool = False) -> None:
    """Run a program's calls one by one and print the medians of their processor times.

    All ranks must call it, those that are ``silent`` too. It reaches into the executor, which so need not carry a
    stopwatch.
    """
    executor: Any = program.executor
    calls: list[Any] = executor._calls
    spent: list[list[float]] = [[] for _ in calls]
    for _ in range(steps):
        for call, times in zip(calls, spent, strict=True):
            start = time.process_time_ns()
            call()
            times.append((time.process_time_ns() - start) / 1e6)
    each = [(median(times), describe(call)) for call, times in zip(calls, spent, strict=True)]
    if silent:
        return
    by_op: dict[str, list[float]] = defaultdict(list)
    for ms, (op, _) in each:
        by_op[op].append(ms)
    print(
        f"{len(calls)} calls, {sum(ms for ms, _ in each):.1f} ms, arena {executor.buffers.arena_bytes / 2**20:.1f} MiB"
    )
    for op, times in sorted(by_op.items(), key=lambda item: -sum(item[1])):
        print(f"  {sum(times):8.2f} ms  {len(times):4} x {op}")
    for ms, (op, shapes) in sorted(each, key=lambda item: -item[0])[:count]:
        print(f"  {ms:8.3f} ms  {op} {shapes}")


def describe(call: Any) -> tuple[str, str]:
    """Return the name of a call's kernel and its arrays' shapes; ``*`` marks one that is not contiguous."""
    if not hasattr(call, "func"):
        return getattr(call, "__qualname__", str(call)), ""
    arrays = [*call.args, *([call.keywords["out"]] if "out" in call.keywords else [])]
    flat = [a for x in arrays for a in (x if isinstance(x, tuple) else (x,))]
    shapes = " ".join(f"{getattr(a, 'shape', a)}{'' if a.flags.c_contiguous else '*'}" for a in flat)
    name = getattr(call.func, "__qualname__", str(call.func))
    keys = {k: v for k, v in call.keywords.items() if k != "out"}
    return name, f"{shapes} {keys or ''}"


def print_collectives(program: Program) -> None:
    """Print what moves between ranks in a step, in order."""
    for moved in program.plan.collectives:
        names = f"{len(moved.parameters)} parameters" if len(moved.parameters) > 1 else "".join(moved.parameters)
        print(f"  {moved.kind:14} {moved.message_bytes:9} bytes in {moved.group}: {moved.cause} {names}")
