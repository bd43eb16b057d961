"""Products whose operands wait in finer slices than the product takes them in.

Each rank gathers what it needs just before it multiplies, and scatters its terms right after. MindSpore writes it in
three ways, here for ``x @ w`` of x (m, k) and w (k, n):

- 2-D tensor parallelism, ``enable_nd_tp`` with the Layouts ``x (m, (X, Y))`` and ``w (X, Y)``: x is gathered along Y,
  the terms are scattered along X, and the result is ``(m, (Y, X))``.
- 3-D tensor parallelism, ``enable_nd_tp`` with ``x ((..., Z, Y), X)`` and ``w ((X, Z), Y)``: x is gathered along Y, w
  along Z, the terms are scattered along X, and the result is ``((..., Z, X), Y)``.
- the strategy ``((a, b), (a, b))`` on a * b ranks: x is gathered along b, w along a, and the result is cut (a, b).

In a device matrix of x * y * z ranks no rank ever keeps more than its share of any operand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from simpar.errors import StrategyError
from simpar.graph import Node
from simpar.layout import Assignment, Layout, Rule

__all__ = ["Gathering", "gathering"]


@dataclass(frozen=True, slots=True)
class Gathering:
    """How a product gathers and scatters.

    Args:
        assignment: how it computes.
        waiting: the layouts in which its operands wait.
        made: the layout in which its result is kept.
    """

    assignment: Assignment
    waiting: tuple[Layout, Layout]
    made: Layout


def gathering(node: Node, rule: Rule, device_num: int) -> Gathering | None:
    """Return how a product with a strategy gathers its operands; None for any other node.

    Raises:
        StrategyError: ``enable_nd_tp`` is set, but the strategy is none of those that it is for.
    """
    if node.op != "matmul" or node.strategy is None or len(node.strategy) != 2:
        return None
    x, w = node.strategy
    if node.attrs.get("enable_nd_tp"):
        if not isinstance(x, Layout) or not isinstance(w, Layout):
            raise StrategyError(
                f"enable_nd_tp needs a Layout for each operand, but the strategy is {node.strategy}. Write, for axes x "
                "and y of a device matrix, shard((layout('None', ('x', 'y')), layout('x', 'y')))."
            )
        return _by_layouts(rule, x, w, node.attrs.get("ndtp_reduce_scatter_axis"))
    is_turned = node.attrs.get("transpose_a") or node.attrs.get("transpose_b")
    is_plain = not is_turned and all(len(v.shape) == 2 for v in node.inputs)
    if is_plain and x == w and not isinstance(x, Layout) and 1 < prod(x) == device_num:
        return _by_numbers(rule, x, node)
    return None


def _by_numbers(rule: Rule, cuts: tuple[int, ...], node: Node) -> Gathering:
    """Return how operands that are both cut (a, b) over a * b ranks are gathered."""
    waiting = Layout(cuts, (1, 0))
    for v in node.inputs:
        waiting.slice_shape(v.shape)  # says which axis does not divide
    assignment = Assignment(waiting.dev_mat, {"i": (1,), "j": (0,)})
    return Gathering(assignment, (waiting, waiting), assignment.result(rule, 0))


def _by_layouts(rule: Rule, x: Layout, w: Layout, scatter_axis: int | None) -> Gathering:
    """Return how MindSpore's n-dimensional tensor parallelism gathers and scatters.

    Args:
        rule: of the product, with factors i, k and j.
        x, w: the layouts of its operands.
        scatter_axis: the axis of the result over which a 3-D product scatters its terms; None for the rows.
    """
    if (x.dev_mat, x.rank_list) != (w.dev_mat, w.rank_list):
        raise StrategyError(f"the Layouts have the device matrices {[x.dev_mat, w.dev_mat]}; use one.")
    if scatter_axis is not None and not 0 <= scatter_axis < len(rule.results[0]):
        raise StrategyError(
            f"ndtp_reduce_scatter_axis is {scatter_axis}; the result has the axes 0 to {len(rule.results[0]) - 1}."
        )
    cuts = [_of_factors(rule, i, lay) for i, lay in enumerate((x, w))]
    rows, inner, columns = cuts[0]["i"], cuts[0]["k"], cuts[1]["j"]
    is_cube = len(cuts[1]["k"]) > 1 or len(columns) > 1
    shared = cuts[1]["k"][:1]
    ways = (shared,) if is_cube else (shared, shared + columns)
    lead = {f: a for f, a in cuts[0].items() if f not in ("i", "k")}
    if inner not in ways or len(columns) > 1 or len(cuts[1]["k"]) > 2 or _differs(lead, cuts[1]):
        raise StrategyError(_wrong(x, w))
    if is_cube and columns and rows[-1:] == columns:
        rows = rows[:-1]
    axes = {**lead, "i": rows, "k": shared, "j": columns}
    assignment = Assignment(x.dev_mat, axes, x.rank_list)
    made = assignment.result(rule, 0).resolved()
    kept = list(made.cutting_axes)
    over_rows = rule.results[0].index(("i",)) if scatter_axis is None else scatter_axis
    place = over_rows if is_cube else -1
    kept[place] = (*kept[place], *shared)
    return Gathering(assignment, (x, w), replace(made, tensor_map=tuple(kept)))


def _of_factors(rule: Rule, operand: int, layout: Layout) -> dict[str, tuple[int, ...]]:
    return {axis[0]: a for axis, a in zip(rule.operands[operand], layout.cutting_axes, strict=True) if axis}


def _differs(lead: dict[str, tuple[int, ...]], other: dict[str, tuple[int, ...]]) -> bool:
    """Return whether the operands cut a leading axis that they share in two ways."""
    return any(other.get(f, axes) != axes for f, axes in lead.items())


def _wrong(x: Layout, w: Layout) -> str:
    def text(layout: Layout) -> Sequence[object]:
        return layout.tensor_map[-2:]

    return (
        f"enable_nd_tp takes x (..., (X, Y)) with w (X, Y), or x ((..., Z, Y), X) with w ((X, Z), Y), written for "
        f"operands that are not transposed; the Layouts have {text(x)} and {text(w)} on their last two axes, in the "
        f"device matrix {x.dev_mat}. Cut them so, or leave enable_nd_tp out."
    )
