"""What MindSpore's compiler refuses, and where it does not do what a strategy says: held under MindSpore's own names.

Measured on MindSpore 2.10; simpar by itself takes all of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import gcd, prod

from simpar.errors import StrategyError
from simpar.graph import Node, lookup
from simpar.layout import Assignment, Layout, Rule, assign_by_strategy
from simpar.partition.window_restrictions import check_windows

__all__ = ["BATCH_ONLY", "MINDSPORE_ONLY", "check_restrictions", "is_refused", "mindspore_default"]

BATCH_ONLY = frozenset({"celu", "hard_swish", "sinc"})
"""Ops that MindSpore knows no cuts of: it cuts the batch, whatever the strategy says."""
_NO_DEFAULT = frozenset(
    {"cholesky", "l2_normalize", "layer_norm", "log_softmax", "reverse", "softmax", "sort", "top_k"}
)
"""Ops without a strategy that MindSpore refuses where the first axis must be whole; others it leaves whole."""
_SERVER = 8
"""How many devices share a server."""
MINDSPORE_ONLY = "simpar itself can: run the script without the alias of MindSpore's names."
"""How the refusals end of what only MindSpore refuses."""


def mindspore_default(node: Node, rule: Rule, device_num: int) -> Assignment | None:
    """Return how MindSpore cuts an op without a strategy; None where it is the first axis, as far as that divides.

    Raises:
        StrategyError: its choice does not fit the op.
    """
    axis = rule.operands[0][0] if rule.operands and rule.operands[0] else ()
    cut = gcd(rule.length(axis), device_num)
    if node.op in _NO_DEFAULT and set(axis) & rule.whole and cut > 1:
        raise StrategyError(
            f"{node.op} has no strategy, so MindSpore cuts axis 0 of its input {node.inputs[0].shape}, which this op "
            f"needs whole, and refuses its own choice. Give it a strategy, with 1 for axis 0. {MINDSPORE_ONLY}"
        )
    if rule.by_result:
        axes = len(rule.results[0])
        cut = device_num if axes > len(rule.operands[0]) else cut
        return assign_by_strategy(rule, ((cut, *(1,) * (axes - 1)),), device_num)
    is_cut_so = all(n % cut == 0 or cut % n == 0 for n in (rule.sizes[f] for f in axis[:1]))
    if node.op == "reshape" and rule.operands[0] and is_cut_so:  # whether or not the cut passes through
        return assign_by_strategy(rule, ((cut, *(1,) * (len(rule.operands[0]) - 1)),), device_num, loose=True)
    return None


def check_restrictions(node: Node, rule: Rule, made: Assignment, device_num: int) -> None:
    """Check that MindSpore would take the cut of an op.

    Raises:
        StrategyError: it would not.
    """
    if node.strategy is not None:
        _check_op(node, rule, made, device_num)
        check_windows(node, rule, made)
    if device_num % _SERVER == 0 and device_num & (device_num - 1):
        _check_servers(rule, made)


def is_refused(node: Node, rule: Rule, made: Assignment, device_num: int) -> bool:
    """Return whether MindSpore would refuse a cut of an op that is to get a strategy."""
    try:
        check_restrictions(replace(node, strategy=node.strategy or ()), rule, made, device_num)
    except StrategyError:
        return True
    return False


def _check_op(node: Node, rule: Rule, made: Assignment, device_num: int) -> None:
    cuts = {f: n for f in rule.order if (n := made.cut(f)) > 1}
    used, offsets = prod(cuts.values()), lookup(node.op).offsets
    if node.op == "gather_elements" and offsets in cuts and _picked(node, rule) in cuts:
        raise StrategyError(
            f"the axis that GatherD picks from is cut into {cuts[offsets]}, and that of its indices too; MindSpore "
            f"wants that of the indices whole. Write 1 there. {MINDSPORE_ONLY}"
        )
    if node.op == "gather" and offsets in cuts and len(cuts) > 1 and used < device_num:
        raise StrategyError(
            f"rows of the table are cut into {cuts[offsets]} and other axes too, together into {used} parts for "
            f"{device_num} devices. MindSpore repeats a Gather over devices only if its rows alone are cut: make the "
            f"parts {device_num}, or cut nothing but the rows. {MINDSPORE_ONLY}"
        )
    if node.op in ("gather", "gather_batched") and any(isinstance(e, Layout) for e in node.strategy or ()):
        raise StrategyError(
            f"MindSpore's Gather takes no Layouts. Give it numbers, e.g. ((1, 1), (8,)). {MINDSPORE_ONLY}"
        )
    if node.op == "gather_batched" and offsets in cuts:
        raise StrategyError(
            f"the axis that Gather takes from is cut into {cuts[offsets]}; with batch_dims MindSpore wants it whole. "
            f"Write 1 there. {MINDSPORE_ONLY}"
        )
    if node.op == "tensor_scatter":
        _check_scatter(node, rule, cuts)
    if node.op == "solve_triangular" and cuts and cuts != dict.fromkeys(rule.operands[0][0], device_num):
        raise StrategyError(
            f"MindSpore cuts a SolveTriangular on the first axis alone, of batches, and into as many parts as there "
            f"are devices, {device_num}. Cut both inputs so, or write 1 everywhere. {MINDSPORE_ONLY}"
        )
    if node.op == "gather_fields" and "f" in cuts:
        _check_fields(rule, cuts, used < device_num)
    if node.op == "gather" and offsets in cuts and len(node.inputs[1].shape) > 1:
        _check_indices(rule, cuts, offsets)
    if node.op == "sparse_softmax_cross_entropy" and used not in (1, device_num):
        raise StrategyError(
            f"MindSpore cuts the batch of SparseSoftmaxCrossEntropyWithLogits over all {device_num} devices or not at "
            f"all, not into {used} parts. {MINDSPORE_ONLY}"
        )


def _picked(node: Node, rule: Rule) -> str:
    """Return the factor of the indices along the axis that is picked from."""
    axis: int = node.attrs["axis"]
    return next(iter(rule.operands[1][axis]), "")


def _check_scatter(node: Node, rule: Rule, cuts: Mapping[str, int]) -> None:
    """Check that the axes that are numbered are whole where elements are not joined by arithmetic."""
    numbered = rule.operands[0][: node.inputs[1].shape[-1]]
    cut = {f for axis in numbered for f in axis if f in cuts}
    if cut and node.attrs["how"] in ("update", "max", "min") and not node.attrs.get("rows"):
        raise StrategyError(
            f"the first {len(numbered)} axes of shape {node.inputs[0].shape} are those that the indices number, and "
            f"MindSpore wants them whole where elements are replaced. Write 1 there. {MINDSPORE_ONLY}"
        )


def _check_fields(rule: Rule, cuts: Mapping[str, int], repeats: bool) -> None:
    """Check that a manual split is cut into its fields, over all devices, and its indices no further."""
    lead = {f for axis in rule.operands[1][:-1] for f in axis}
    if repeats or cuts["f"] != rule.sizes["f"] or lead & cuts.keys():
        raise StrategyError(
            f"the manual_split of {rule.sizes['f']} fields is cut into {cuts['f']}; MindSpore wants one cut for each "
            f"field, all devices used, and the other axes of the indices whole. {MINDSPORE_ONLY}"
        )


def _check_indices(rule: Rule, cuts: Mapping[str, int], rows: str) -> None:
    """Check how indices of several axes are cut that look up rows of a table whose rows are cut."""
    columns = {f for axis in rule.operands[0] for f in axis if f in cuts} - {rows}
    first, *others = (bool(set(axis) & cuts.keys()) for axis in rule.operands[1])
    if (first and columns) or (any(others) and not first):
        raise StrategyError(
            f"rows of the table are cut, and indices of {1 + len(others)} axes too; MindSpore wants the first axis "
            f"of the indices cut and the columns of the table whole. {MINDSPORE_ONLY}"
        )


def _check_servers(rule: Rule, made: Assignment) -> None:
    """Check the groups of ranks that would talk to each other: servers of 8 take part with 1, 2, 4 or 8."""
    for layout in _layouts(rule, made):
        for axes in (layout.repeated_axes, layout.partial):
            group = layout.group(0, axes)
            for count in _per_server(group):
                if count & (count - 1):
                    raise StrategyError(
                        f"with the device matrix {layout.dev_mat}, ranks {group} talk to each other, {count} in "
                        f"one server of {_SERVER}; MindSpore takes 1, 2, 4 or 8. Choose cuts whose last device axes are"
                        f" powers of 2. {MINDSPORE_ONLY}"
                    )


def _layouts(rule: Rule, made: Assignment) -> Iterator[Layout]:
    yield from (made.operand(rule, i) for i in range(len(rule.operands)))
    yield from (made.result(rule, i) for i in range(len(rule.results)))


def _per_server(group: Sequence[int]) -> Iterator[int]:
    servers = [rank // _SERVER for rank in group]
    yield from (servers.count(s) for s in set(servers))
