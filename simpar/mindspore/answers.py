"""What MindSpore's tests ask of a compiled Cell beside its layouts, answered from its plan."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from simpar import ops
from simpar.context import current
from simpar.errors import NotYetError
from simpar.nn import Cell
from simpar.ops import Primitive
from simpar.partition import Collective, Instruction, Plan

__all__ = ["GraphExecutor", "all_reduce_fusion", "parallel_ops", "plan_of", "strategies_of"]

_PLAN: Final = "_simpar_plan"
"""The attribute under which ``compile`` leaves the last plan of a Cell."""
_UNLISTED: Final = frozenset({"cast", "depend", "reshape"})
"""Ops that follow their operands in MindSpore, without a strategy."""


def plan_of(cell: Cell) -> Plan:
    """Return the last plan of a Cell, or of the Cell it wraps.

    Raises:
        NotYetError: it was not compiled.
    """
    for held in (cell, *cell.cells()):
        if _PLAN in vars(held):
            return vars(held)[_PLAN]
    raise NotYetError(f"{type(cell).__name__} was not compiled yet. Call its compile(...) first.")


def strategies_of(plan: Plan, with_outputs: bool = False) -> dict[str, list[list[int]]]:
    """Return how each op of the forward pass is cut, under MindSpore's names: ``Default/MatMul-op0``.

    What arrives cut is ``Default/_VirtualDataset-op0``.

    Args:
        plan: of the program.
        with_outputs: whether results are there too, as ``Default/_VirtualOutput-op0``: those of a prediction are.
    """
    classes, numbers, found = _class_names(), Counter[str](), dict[str, list[list[int]]]()
    for instruction in _forward(plan):
        kind = classes.get(instruction.op)
        if kind is None or instruction.op in _UNLISTED:  # None: a part of what is one op in MindSpore
            continue
        place = "/".join(("Default", *filter(None, instruction.scope.split("."))))
        name = f"{place}/{kind}"
        found[f"{name}-op{numbers[name]}"] = _cuts(plan, instruction)
        numbers[name] += 1
    fed = [list(plan.values[v].layout.cuts) for v in plan.arguments]
    found |= {"Default/_VirtualDataset-op0": fed} if fed else {}
    held = [v for v in plan.outputs if plan.values[v].shape] if with_outputs else []
    for number, value in enumerate(held):
        found[f"Default/_VirtualOutput-op{number}"] = [list(plan.values[value].layout.cuts)]
    return found


def _cuts(plan: Plan, instruction: Instruction) -> list[list[int]]:
    """Return how an op is cut; MindSpore says it of OneHot's result, and of the two values in it."""
    cut = [list(plan.values[v].layout.cuts) for v in (*instruction.inputs, *instruction.outputs)]
    return [cut[-1], [], []] if instruction.op == "one_hot" else cut[: len(instruction.inputs)]


def parallel_ops(plan: Plan, loops_once: bool = False) -> int:
    """Return for how many ops of the forward pass a strategy is found, and one more for what feeds it.

    A reshape of a reshape is one with it.

    Args:
        plan: of the program.
        loops_once: whether the members of a ``CellList`` count as one (``dp_algo_single_loop``).
    """
    classes, reshaped, counted = _class_names(), set[int](), Counter[tuple[str, str]]()
    for instruction in _forward(plan):
        if instruction.op not in classes or instruction.op == "depend" or reshaped.intersection(instruction.inputs):
            continue
        counted[instruction.scope, instruction.op] += 1
        reshaped.update(instruction.outputs if instruction.op == "reshape" else ())
    if loops_once:
        counted = {(re.sub(r"(?<![^.])[0-9]+(?![^.])", "*", scope), op): n for (scope, op), n in counted.items()}
    return sum(counted.values()) + bool(plan.arguments)


def _forward(plan: Plan) -> Iterator[Instruction]:
    """Give the user's ops: no collective, and no local step of a redistribution, which says what it is for."""
    ours = (i for i in plan.instructions if i.phase == "forward" and i.collective is None and i.inputs)
    return (i for i in ours if "cause" not in i.attrs)


def _class_names() -> dict[str, str]:
    """Return for each op the name of its object, which is how MindSpore names the op: of several the likest."""
    named = dict[str, str]()
    for name in ops.operations.__all__:
        kind = getattr(ops.operations, name)
        if isinstance(kind, type) and issubclass(kind, Primitive) and kind.op_name:
            is_likest = name.lower() == kind.op_name.replace("_", "")
            named[kind.op_name] = name if is_likest else named.get(kind.op_name, name)
    return named


def all_reduce_fusion(plan: Plan) -> dict[str, int]:
    """Return the number of the bucket in which the gradient of each Parameter is summed, from 1."""
    reduced = [i.collective for i in plan.instructions if _sums_gradients(i.collective)]
    return {name: place for place, c in enumerate(reversed(reduced), start=1) if c for name in c.parameters}


def _sums_gradients(collective: Collective | None) -> bool:
    return collective is not None and collective.kind == "all_reduce" and bool(collective.parameters)


class _BackendText(dict[str, Any]):
    """Stands for the graph as MindSpore's own compiler prints it; any look at it is refused."""

    def _refuse(self, *_: object) -> Any:
        raise NotYetError(
            "this is a graph as MindSpore's C++ compiler prints it, node by node, with names and inputs of its own. "
            "simpar's plan is another text: see `simpar plan --text`."
        )

    keys = values = items = get = _refuse
    __getitem__ = __iter__ = __contains__ = __len__ = _refuse


class GraphExecutor:
    """Answers for the C++ part of MindSpore's executor, by the names under which programs were compiled."""

    def get_strategy(self, phase: str) -> dict[str, list[list[int]]]:
        """Return how each op is cut."""
        return strategies_of(plan_of(current().others["phases"][phase]))

    def get_parallel_graph_info(self, phase: str) -> dict[str, Any]:
        """Return a value that refuses to be read: simpar has no graph of MindSpore's own nodes."""
        return _BackendText()

    def has_compiled(self, phase: str) -> bool:
        """Return whether a program has this name."""
        return phase in current().others.get("phases", {})
