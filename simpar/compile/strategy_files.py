"""Strategies from a file, and into one: ``strategy_ckpt_config``, and the strategy files of ``AutoParallel``.

A *parameter strategy file* names an op by its type and the Parameter it takes, ``MatMul_dense.weight``, so that it fits
another program with the same Parameters; ops without a Parameter are not in it. An *operator strategy file* names every
op by the Cell it stands in, its type and its number there, ``dense/MatMul-0``. Both have the form of MindSpore's files.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from simpar import ops
from simpar.compile.reported import shard_group
from simpar.context import ParallelOptions
from simpar.errors import StrategyError
from simpar.graph import Graph, Node, Value, lookup
from simpar.layout import (
    Layout,
    OperatorStrategy,
    ParameterStrategy,
    StrategyFile,
    axis_size,
    read_strategy_file,
    write_strategy_file,
)
from simpar.partition import Partitioned, Plan, PlannedParameter

__all__ = ["load_strategies", "save_strategies"]


def load_strategies(graph: Graph, options: ParallelOptions) -> Graph:
    """Return the graph with the strategies of the files that the options name; they win over those in the program.

    Raises:
        StrategyError: a file is missing, or is no strategy file.
    """
    if options.strategy_ckpt_load_file:
        graph = _with_strategies(graph, _read(options.strategy_ckpt_load_file), _parameter_keys(graph))
    if options.operator_load_file:
        graph = _with_strategies(graph, _read(options.operator_load_file), _operator_keys(graph))
    return graph


def save_strategies(partitioned: Partitioned, plan: Plan, options: ParallelOptions, count: int) -> None:
    """Write the files that the options name: JSON for a name that ends in ``.json``, else protocol buffers.

    A program without Parameters leaves them as they are.

    Args:
        partitioned: the program, cut.
        plan: of this rank.
        options: which files, and whether of trainable Parameters only.
        count: how many files this run has written, this one included.
    """
    if not plan.parameters:
        return
    graph = partitioned.graph
    if options.strategy_ckpt_save_file:
        wanted = {
            p.spec.name: _parameter(p, plan.rank, options.optimizer_weight_shard_size < 0)
            for p in plan.parameters
            if p.spec.state_of is None and (p.spec.requires_grad or not options.strategy_ckpt_only_trainable_params)
        }
        keys = {i: [k for k in found if k.partition("_")[2] in wanted] for i, found in _parameter_keys(graph).items()}
        _write(options.strategy_ckpt_save_file, StrategyFile(_operators(partitioned, keys), wanted, count))
    if options.operator_save_file:
        _write(options.operator_save_file, StrategyFile(_operators(partitioned, _operator_keys(graph)), {}, count))


# --- which op is which ---


@lru_cache(1)
def _types() -> dict[str, list[str]]:
    """Return MindSpore's names for the ops that simpar's records are, the usual one last."""
    found: dict[str, list[str]] = {}
    for name in ops.__all__:
        kind: Any = getattr(ops, name)
        if isinstance(kind, type) and issubclass(kind, ops.Primitive) and kind.op_name:
            found.setdefault(kind.op_name, []).append(name)
    return {op: sorted(names, key=lambda n: n.lower() == op.replace("_", "")) for op, names in found.items()}


def _forward(graph: Graph) -> Iterator[tuple[int, Node]]:
    """Give the ops that can have a strategy, with their places."""
    for i, node in enumerate(graph.nodes):
        if node.phase == "forward" and node.op in _types() and lookup(node.op).rule is not None:
            yield i, node


def _parameter_keys(graph: Graph) -> dict[int, list[str]]:
    """Return the names that each op may have in a parameter strategy file, the usual one last."""
    names = {p.value: p.spec.name for p in graph.parameters}
    for node in graph.nodes:
        if node.op == "cast" or node.attrs.keys() & {"step", "steps"}:  # the Parameter in another form
            pairs = zip(node.inputs, node.outputs, strict=True)
            names.update({made: names[given] for given, made in pairs if given in names})
    found: dict[int, list[str]] = {}
    for i, node in _forward(graph):
        name = next((names[v] for v in node.inputs if v in names), None)
        if name is not None and node.op != "cast":
            found[i] = [f"{kind}_{name}" for kind in _types()[node.op]]
    return found


def _operator_keys(graph: Graph) -> dict[int, list[str]]:
    """Return the name of each op in an operator strategy file."""
    seen: Counter[tuple[int, str]] = Counter()
    found: dict[int, list[str]] = {}
    for i, node in _forward(graph):
        place = f"{node.scope.replace('.', '/')}/{_types()[node.op][-1]}".lstrip("/")
        found[i] = [f"{place}-{seen[node.micro, place]}"]
        seen[node.micro, place] += 1
    return found


# --- in and out ---


def _with_strategies(graph: Graph, file: StrategyFile, keys: dict[int, list[str]]) -> Graph:
    nodes = list(graph.nodes)
    for i, names in keys.items():
        given = next((file.operators[n] for n in reversed(names) if n in file.operators), None)
        if given is not None:
            nodes[i] = replace(nodes[i], strategy=given.strategy)
    return replace(graph, nodes=tuple(nodes))


def _operators(partitioned: Partitioned, keys: dict[int, list[str]]) -> dict[str, OperatorStrategy]:
    made: dict[str, OperatorStrategy] = {}
    for i, names in keys.items():
        node = partitioned.graph.nodes[i]
        cut = partitioned.cuts.get(node.outputs[0])
        if cut is not None and names and names[-1] not in made:
            rows = tuple(_cuts(lay, v) for lay, v in zip(cut.operands, node.inputs, strict=True) if v.shape)
            made[names[-1]] = OperatorStrategy(rows, max(node.stage, 0))
    return made


def _cuts(layout: Layout, value: Value) -> tuple[int, ...]:
    return layout.cuts if len(layout.cuts) == len(value.shape) else (1,) * len(value.shape)


def _parameter(parameter: PlannedParameter, rank: int, by_all: bool) -> ParameterStrategy:
    compute, group = parameter.compute.resolved(), shard_group(parameter, rank)
    repeats = prod(axis_size(compute.dev_mat, a) for a in compute.repeated_axes)
    step, size = (group[1] - group[0], -1 if by_all and len(group) == repeats else len(group)) if group else (0, 0)
    shape = parameter.value.shape
    rows = compute.lengths[0] if compute.lengths else ()
    return ParameterStrategy(compute.dev_mat, compute.tensor_map, shape, 0, step, size, rows)


def _read(name: str) -> StrategyFile:
    try:
        return read_strategy_file(Path(name).read_bytes())
    except OSError as error:
        raise StrategyError(
            f"the strategy file {name!r} cannot be read: {error.strerror}. Give the file that a run saved with "
            "strategy_ckpt_save_file, or with AutoParallel.save_param_strategy_file."
        ) from None


def _write(name: str, strategies: StrategyFile) -> None:
    """Write a file whole: ranks that write the same one do not mix their bytes."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}.{os.getpid()}-{id(strategies)}")
    own.write_bytes(write_strategy_file(strategies, is_json=path.suffix == ".json"))
    own.replace(path)
