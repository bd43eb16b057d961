"""The passes, in order: from a traced graph to the plan of one rank. Begin to read simpar here.

Each pass is a function of a value that returns another; what holds after it is checked before the next. With 4 devices
and ``matmul.shard(((2, 1), (1, 2)))``, ``y = x @ w`` of x (8, 4) and w (4, 6) goes this way:

- ``pipeline_graph``: with stages or micro-batches, each node gets its place and its turn (here there are none);
- ``propagate_strategies``, in ``auto_parallel`` mode: ops without a strategy take that of their neighbours;
- ``assign_layouts``: on the device matrix (2, 2), rows of x are cut by device axis 1, columns of w by device axis 0, so
  y has the tensor map (1, 0);
- ``insert_redistribution``: x comes whole, so a ``slice`` takes its rows first; in the backward pass, the gradient of w
  lacks the rows, so it is partial over device axis 1, and an ``all_reduce`` sums it;
- ``widen_sums``: 16-bit gradients are cast, summed as float32 and cast back (here all are 32 bits);
- ``repeat_forward``: Cells that are recomputed do part of their forward pass once more (here there are none);
- ``fuse_collectives``: gradients that are summed in the same group share a message;
- ``localize``: on rank 3, x is (4, 4), w is (4, 3), and the sum is in the group of ranks {1, 3}.
"""

import os
from dataclasses import replace
from pathlib import Path

from simpar.context import SHARDING_PROPAGATION, Context
from simpar.errors import NotYetError, StrategyError
from simpar.graph import Graph, drop_unused, merge_equal, verify_graph
from simpar.partition import (
    Partitioned,
    PartitionOptions,
    Plan,
    assign_layouts,
    assign_uncut,
    fuse_collectives,
    insert_redistribution,
    localize,
    repeat_forward,
    verify_partitioned,
    widen_sums,
)
from simpar.pipeline import PipelineOptions, pipeline_graph

__all__ = ["compile_graph", "partition_graph", "save_files", "save_group", "with_files"]


def partition_graph(graph: Graph, options: PartitionOptions) -> Partitioned:
    """Return the graph cut over the devices, every movement of data a node of its own.

    Raises:
        StrategyError: a strategy or a stage does not fit; the error names cell, op and line.
        LayoutError: an axis does not divide.
        NotYetError: strategies are to be searched by cost.
    """
    traced = verify_graph(graph, "tracing")
    graph = _needed(traced)
    pipeline = PipelineOptions(options.stages, options.scheduler, options.interleave, options.mindspore)
    ordered = pipeline_graph(graph, pipeline, options.device_num)
    if ordered is not graph:
        graph = verify_graph(ordered, "pipeline_graph", infer=False)
        graph = _searched(graph, options) if options.search else graph
    elif options.search:  # through all ops of the program, also those whose results nothing needs
        traced = _searched(traced, options)
        graph = _needed(traced)
    assigned = assign_layouts(graph, options, traced) if options.is_partitioned else assign_uncut(graph, options)
    partitioned = verify_partitioned(insert_redistribution(graph, assigned, options), "insert_redistribution")
    partitioned = verify_partitioned(widen_sums(partitioned, options), "widen_sums")
    repeated = repeat_forward(partitioned)
    partitioned = partitioned if repeated is partitioned else verify_partitioned(repeated, "repeat_forward")
    return verify_partitioned(fuse_collectives(partitioned, options), "fuse_collectives")


def _needed(traced: Graph) -> Graph:
    graph = verify_graph(drop_unused(traced), "drop_unused")
    return verify_graph(merge_equal(graph), "merge_equal")


def _searched(graph: Graph, options: PartitionOptions) -> Graph:
    if options.search != SHARDING_PROPAGATION:
        raise NotYetError(
            f"search_mode={options.search!r} searches strategies by their cost, which simpar cannot do yet. Set "
            f"search_mode={SHARDING_PROPAGATION!r} and give the ops that matter a strategy with .shard(...); all "
            "others follow."
        )
    from simpar.search import propagate_strategies  # most programs do without

    return propagate_strategies(graph, options)


def compile_graph(graph: Graph, options: PartitionOptions, rank: int) -> Plan:
    """Return the plan of one rank; errors as of ``partition_graph``."""
    return localize(partition_graph(graph, options), rank)


# --- strategy files: imported where a program uses them ---


def with_files(graph: Graph, context: Context) -> Graph:
    """Return the graph with the strategies of the files that the context names, if it names any."""
    options = context.parallel
    if context.planner is not None and (given := context.planner.strategy_file):  # counts more than the script's own
        if not context.is_partitioned:
            raise StrategyError(
                f"the strategy file {given!r} cuts operators, which parallel_mode={options.parallel_mode!r} does not. "
                'Plan without it, or set parallel_mode="semi_auto_parallel" in the script.'
            )
        options = replace(options, strategy_ckpt_load_file=given, operator_load_file=given)
    if not context.is_partitioned or not (options.strategy_ckpt_load_file or options.operator_load_file):
        return graph
    from simpar.compile.strategy_files import load_strategies

    return load_strategies(graph, options)


def save_group(plan: Plan, context: Context) -> None:
    """Write which ranks hold the same slices as this one to the files that the context and the environment name.

    A checkpoint of any of them can stand for that of another; ``restore_group_info_list`` reads the file.
    """
    names = {context.parallel.group_ckpt_save_file, os.environ.get("GROUP_INFO_FILE", "")} - {""}
    if not names or not plan.parameters:
        return
    from simpar.checkpoint import group_bytes

    stored = [p.value.layout for p in plan.parameters if p.spec.state_of is None]
    same = [set(layout.replicas(plan.rank)) for layout in stored] if context.is_partitioned else []
    everyone = set(range(plan.device_num))
    for path in map(Path, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(group_bytes(sorted(everyone.intersection(*same))))


def save_files(partitioned: Partitioned, plan: Plan, context: Context) -> None:
    """Write the strategy files that the context names, if it names any."""
    options = context.parallel
    if options.strategy_ckpt_save_file or options.operator_save_file:
        from simpar.compile.strategy_files import save_strategies

        save_strategies(partitioned, plan, options, context.counters.get("program", 0))
