"""A strategy file of MindSpore's, or simpar's, laid over a recorded program: matched by names, the rest listed."""

from collections.abc import Iterable
from math import prod

from simpar.dashboard.models.repartition import ImportAnswer, ProblemItem
from simpar.dashboard.repartition import recorded, strategy_base
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.view import common_dev_mat
from simpar.errors import LayoutError, SimparError
from simpar.graph import Node, lookup
from simpar.layout import Layout, StrategyFile, assign_by_strategy, read_strategy_file, refine
from simpar.ops import primitive_names
from simpar.planning import Recorded

__all__ = ["import_strategies"]

_MOST_LISTED = 1000

TensorMap = tuple[int | tuple[int, ...], ...]


def import_strategies(opened: OpenedRun, program: str | None, data: bytes) -> ImportAnswer:
    """Return what a strategy file says about the parameters and operators of a program.

    Raises:
        StrategyError: the bytes are not those of a strategy file.
    """
    file, base = read_strategy_file(data), strategy_base(opened, program)
    problems: list[ProblemItem] = []
    shapes = {p.name: p.shape for p in base.parameters}
    layouts = _layouts(file, shapes, problems)
    _, found = recorded(opened, program)
    size = max((lay.size for lay in layouts.values()), default=prod(base.dev_mat))
    operands, unmatched = (
        ({}, list(file.operators)) if isinstance(found, str) else _operands(file, found, size, problems)
    )
    every = [*layouts.values(), *(lay for operator in operands.values() for lay in operator)]
    dev_mat = common_dev_mat(lay.dev_mat for lay in every) or base.dev_mat
    maps = {name: over for name, lay in layouts.items() if (over := _over(lay, dev_mat, name, problems)) is not None}
    strategies: dict[str, tuple[TensorMap, ...] | None] = {}
    for place, operator in operands.items():
        over = [_over(lay, dev_mat, f"operator {place}", problems) for lay in operator]
        if None not in over:
            strategies[str(place)] = tuple(m for m in over if m is not None)
    return ImportAnswer(
        dev_mat=dev_mat,
        maps=maps,
        strategies=strategies,
        unknown=_listed([*(n for n in file.parameters if n not in shapes), *unmatched]),
        missing=_listed(n for n in shapes if n not in file.parameters),
        problems=tuple(problems[:_MOST_LISTED]),
    )


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)[:_MOST_LISTED]


def _layouts(file: StrategyFile, shapes: dict[str, tuple[int, ...]], problems: list[ProblemItem]) -> dict[str, Layout]:
    """Return the layouts of parameters that are in both; what cannot be goes to the problems."""
    found: dict[str, Layout] = {}
    for name, strategy in file.parameters.items():
        if name not in shapes:
            continue
        try:
            strategy.layout.slice_shape(shapes[name])
            found[name] = strategy.layout
        except SimparError as error:
            problems.append(ProblemItem(where=name, message=str(error)))
    return found


def _operands(
    file: StrategyFile, found: Recorded, size: int, problems: list[ProblemItem]
) -> tuple[dict[int, tuple[Layout, ...]], list[str]]:
    """Return the operands' layouts by the operator that a name means, and the names that mean none."""
    by_name = _by_name(found)
    operands: dict[int, tuple[Layout, ...]] = {}
    unmatched: list[str] = []
    for name, strategy in file.operators.items():
        node = by_name.get(_plain(name))
        if node is None:
            unmatched.append(name)
            continue
        try:
            rule = lookup(node.op).bind([v.shape for v in node.inputs], node.attrs)
            assignment = assign_by_strategy(rule, strategy.strategy, size)
            layouts = tuple(assignment.operand(rule, i) for i in range(len(node.inputs)))
            for lay, value in zip(layouts, node.inputs, strict=True):
                lay.slice_shape(value.shape)
            operands[node.outputs[0].id] = layouts
        except SimparError as error:
            problems.append(ProblemItem(where=name, message=str(error)))
    return operands, unmatched


def _by_name(found: Recorded) -> dict[str, Node]:
    """Return operators by the names that strategy files have for them: their type and their parameter."""
    names = {p.value: p.spec.name for p in found.graph.parameters}
    primitives = primitive_names()
    by_name: dict[str, Node] = {}
    for node in found.graph.nodes:
        for value in node.inputs if node.phase == "forward" else ():
            for kind in (node.op, primitives.get(node.op, "")) if value in names else ():
                by_name.setdefault(_plain(f"{kind}_{names[value]}"), node)
    return by_name


def _plain(name: str) -> str:
    return name.lower().replace("batchmatmul_", "matmul_")


def _over(layout: Layout, dev_mat: tuple[int, ...], where: str, problems: list[ProblemItem]) -> TensorMap | None:
    """Return the tensor map of a layout over the device matrix of all; None, and a problem, if it has none."""
    try:
        if refine(layout.dev_mat, dev_mat) != dev_mat:
            raise LayoutError(
                f"its device matrix {layout.dev_mat} does not go into {dev_mat}, which the others have in common. "
                "Choose its cuts on the page."
            )
        return layout.refined(dev_mat).tensor_map
    except SimparError as error:
        problems.append(ProblemItem(where=where, message=str(error)))
        return None
