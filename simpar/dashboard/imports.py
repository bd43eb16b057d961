"""A strategy file of MindSpore's, or simpar's, laid over a recorded program: matched by names, the rest listed."""

from simpar.dashboard.models.repartition import ImportAnswer, OperatorItem, ProblemItem, StrategyBase
from simpar.dashboard.repartition import strategy_base
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.view import common_dev_mat
from simpar.errors import LayoutError, SimparError
from simpar.layout import Layout, StrategyFile, read_strategy_file, refine

__all__ = ["import_strategies"]

_MOST_LISTED = 1000


def import_strategies(opened: OpenedRun, program: str | None, data: bytes) -> ImportAnswer:
    """Return what a strategy file says about the parameters and operators of a program.

    Raises:
        StrategyError: the bytes are not those of a strategy file.
    """
    file, base = read_strategy_file(data), strategy_base(opened, program)
    layouts, problems = _layouts(file)
    known = {p.name: p for p in base.parameters}
    dev_mat = common_dev_mat([lay.dev_mat for name, lay in layouts.items() if name in known]) or base.dev_mat
    maps: dict[str, tuple[int | tuple[int, ...], ...]] = {}
    for name in known.keys() & layouts.keys():
        try:
            maps[name] = _fitted(layouts[name], dev_mat, known[name].shape)
        except SimparError as error:
            problems.append(ProblemItem(where=name, message=str(error)))
    strategies, unmatched = _operators(file, base)
    unknown = [name for name in file.parameters if name not in known] + unmatched
    return ImportAnswer(
        dev_mat=dev_mat,
        maps=maps,
        strategies=strategies,
        unknown=tuple(unknown[:_MOST_LISTED]),
        missing=tuple(n for n in known if n not in file.parameters)[:_MOST_LISTED],
        problems=tuple(problems[:_MOST_LISTED]),
    )


def _layouts(file: StrategyFile) -> tuple[dict[str, Layout], list[ProblemItem]]:
    found: dict[str, Layout] = {}
    problems: list[ProblemItem] = []
    for name, strategy in file.parameters.items():
        try:
            found[name] = strategy.layout
        except SimparError as error:
            problems.append(ProblemItem(where=name, message=str(error)))
    return found, problems


def _fitted(layout: Layout, dev_mat: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int | tuple[int, ...], ...]:
    """Return the tensor map of a layout over the device matrix of all.

    Raises:
        LayoutError: it has none, or the shape is another.
    """
    if refine(layout.dev_mat, dev_mat) != dev_mat:
        raise LayoutError(
            f"its device matrix {layout.dev_mat} does not go into {dev_mat}, which the others have in common. Choose "
            "its cuts on the page."
        )
    layout.slice_shape(shape)
    return layout.refined(dev_mat).tensor_map


def _operators(file: StrategyFile, base: StrategyBase) -> tuple[dict[str, tuple[tuple[int, ...], ...]], list[str]]:
    """Return cuts by the id of the operator that a name means, and the names that mean none."""
    by_name: dict[str, OperatorItem] = {}
    for op in base.operators:
        for parameter in op.parameters:
            for kind in (op.op, op.primitive):
                by_name.setdefault(f"{kind}_{parameter}".lower().replace("batchmatmul", "matmul"), op)
    found: dict[str, tuple[tuple[int, ...], ...]] = {}
    unmatched: list[str] = []
    for name, strategy in file.operators.items():
        op = by_name.get(name.lower().replace("batchmatmul", "matmul"))
        if op is None or len(strategy.strategy) != len(op.operands):
            unmatched.append(name)
        else:
            found[str(op.id)] = strategy.strategy
    return found, unmatched
