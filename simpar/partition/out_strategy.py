"""The layout in which the user wants the result of an op: ``out_strategy``."""

from dataclasses import replace

from simpar.errors import LayoutError, StrategyError
from simpar.graph import Node
from simpar.layout import Layout

__all__ = ["wanted_result"]


def wanted_result(node: Node, made: Layout, is_strict: bool) -> Layout:
    """Return the layout that ``out_strategy`` asks for.

    Args:
        node: whose first result is wanted so.
        made: the layout that follows from the operands.
        is_strict: whether only what MindSpore's compiler takes is allowed.

    Raises:
        StrategyError: it does not fit the result.
    """
    assert node.out_strategy is not None, "only nodes with an out_strategy want a result"
    wanted = node.out_strategy[0]
    if is_strict and node.op == "reshape":  # MindSpore does not look at it
        return made.resolved()
    layout = wanted if isinstance(wanted, Layout) else _by_numbers(node, wanted, made)
    try:
        layout.slice_shape(node.outputs[0].shape)
    except LayoutError as error:
        raise StrategyError(f"{node.cited}: out_strategy: {error}") from None
    if is_strict:
        _check_out_strategy(node, layout, made)
    return layout


def _by_numbers(node: Node, wanted: tuple[int, ...], made: Layout) -> Layout:
    shape = node.outputs[0].shape
    if len(wanted) != len(shape):
        raise StrategyError(
            f"{node.cited}: out_strategy {wanted} must have one number for each axis of the result {shape}."
        )
    tensor_map = tuple(_axes_for(made, axis, cut) for axis, cut in enumerate(wanted))
    if any(axes is None for axes in tensor_map):
        raise StrategyError(
            f"{node.cited}: out_strategy {wanted} asks for cuts that the device matrix {made.dev_mat} of the op does "
            "not have. "
            f"Ask for the cuts the result has, {made.cuts}, or for an axis cut over the ranks that hold its terms as "
            "well."
        )
    return Layout(made.dev_mat, tuple(axes or () for axes in tensor_map), made.rank_list)


_SCATTERED = {"matmul": -2, "gather": 0}
"""The ops whose result MindSpore lets a strategy choose, and the axis over which their terms may be scattered."""

_BY_CUTS = frozenset({"transpose", "tile"})
"""The ops for whose result MindSpore takes any Layout that cuts it into as many slices."""

_AS_MADE = frozenset({"bias_add"})
"""The ops for whose result MindSpore takes the Layout that it has."""


def _check_out_strategy(node: Node, layout: Layout, made: Layout) -> None:
    """Check that MindSpore's compiler would take a layout of the result: its own, or with its terms scattered.

    Raises:
        StrategyError: it would not.
    """
    own, axes = made.resolved(), list(made.cutting_axes)
    is_layout = node.out_strategy is not None and isinstance(node.out_strategy[0], Layout)
    if is_layout and node.op in _BY_CUTS | _AS_MADE:
        _check_equal(node, layout, own)
        return
    if node.op not in _SCATTERED:
        raise StrategyError(
            f"{node.cited}: MindSpore takes an out_strategy for MatMul, BatchMatMul and Gather alone; leave it out. "
            "simpar itself takes it: run the script without the alias of MindSpore's names."
        )
    row = _SCATTERED[node.op]
    axes[row] = (*axes[row], *_terms(node, made))
    scattered = replace(own, tensor_map=tuple(axes))
    if not own.same_slices(layout) and not scattered.same_slices(layout):
        raise StrategyError(
            f"{node.cited}: MindSpore's out_strategy may be {own}, the layout of the result, or {scattered}, with its "
            f"terms scattered, not {layout}. simpar itself takes it: run the script without the alias."
        )


def _terms(node: Node, made: Layout) -> tuple[int, ...]:
    """Return the device axes of the terms, in the order in which a Layout of the strategy names them, if one does."""
    layouts = (entry for entry in node.strategy or () if isinstance(entry, Layout))
    named = (axes for layout in layouts for axes in layout.cutting_axes)
    return next((axes for axes in named if set(axes) == set(made.partial)), made.partial)


def _check_equal(node: Node, layout: Layout, own: Layout) -> None:
    is_equal = layout.cuts == own.cuts if node.op in _BY_CUTS else layout.same_slices(own)
    if not is_equal:
        raise StrategyError(
            f"{node.cited}: MindSpore's out_strategy must cut the result as it is made, {own}, not {layout}. simpar "
            "itself takes it: run the script without the alias."
        )


def _axes_for(made: Layout, axis: int, cut: int) -> tuple[int, ...] | None:
    """Return the device axes that cut a result's axis into ``cut``: its own, and those over which it is partial."""
    own = made.cutting_axes[axis]
    choices = ((), own, (*own, *made.partial))
    return next((axes for axes in choices if Layout(made.dev_mat, (axes,)).cuts[0] == cut), None)
