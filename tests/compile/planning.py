"""Plans of programs for any number of devices, without ranks."""

from collections.abc import Callable, Sequence
from typing import Any

import simpar as ms
from simpar import Tensor
from simpar.compile import partition_graph
from simpar.compile.options import partition_options
from simpar.compile.tree import flatten
from simpar.context import Context, current, entered
from simpar.graph import Graph, Trace, tracing
from simpar.partition import Partitioned, Plan, argument_shape, localize

__all__ = ["partitioned", "plan_of", "plans_of", "semi_auto", "trace_of"]

Build = Callable[[], tuple[Callable[..., Any], Sequence[Tensor]]]
"""Makes a function and this rank's arguments, in a context whose options are set."""


def semi_auto(n: int, **options: Any) -> dict[str, Any]:
    """Return the options of semi_auto_parallel mode on ``n`` devices, with the whole batch on each."""
    return {"parallel_mode": "semi_auto_parallel", "device_num": n, "full_batch": True, **options}


def trace_of(function: Callable[..., Any], args: Sequence[Tensor]) -> Graph:
    """Return the graph of a function under the present options."""
    options, trace = partition_options(current()), Trace()
    with tracing(trace):
        given = [
            Tensor.wrap(trace.argument(argument_shape(t.shape, i, options), t.dtype, f"x{i}"))
            for i, t in enumerate(args)
        ]
        results, _, _ = flatten(function(*given))
        return trace.graph([trace.bind(r.operand()) for r in results])


def partitioned(build: Build, **options: Any) -> Partitioned:
    """Return a program cut over devices."""
    with entered(Context()):
        ms.set_seed(1)
        ms.set_auto_parallel_context(**options)
        function, args = build()
        return partition_graph(trace_of(function, args), partition_options(current()))


def plans_of(build: Build, **options: Any) -> list[Plan]:
    """Return the plan of every rank."""
    made = partitioned(build, **options)
    return [localize(made, rank) for rank in range(made.device_num * made.stages)]


def plan_of(build: Build, **options: Any) -> Plan:
    """Return the plan of rank 0."""
    return localize(partitioned(build, **options), 0)
