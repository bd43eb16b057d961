"""Which cuts of the axes that windows move over MindSpore's compiler refuses; measured on MindSpore 2.10.

simpar by itself takes every cut whose halos reach no further than the neighbouring slices.
"""

from simpar.errors import StrategyError
from simpar.graph import Node
from simpar.layout import Assignment, Rule

__all__ = ["check_windows"]

_KERNELS = frozenset({"conv2d", "conv3d", "max_pool", "avg_pool"})
_OWN = "simpar itself can: run the script without the alias of MindSpore's names."


def check_windows(node: Node, rule: Rule, made: Assignment) -> None:
    """Check that MindSpore would cut the rows and columns of images so.

    Raises:
        StrategyError: it would not; the error says why.
    """
    for place, factor in enumerate(rule.reaches):
        parts = made.cut(factor)
        if parts == 1:
            continue
        why = _resize(node, factor) if node.op == "resize" else ""
        if node.op in _KERNELS and place == 2:
            why = "MindSpore cuts no last axis of volumes."
        elif node.op in _KERNELS:
            is_image = node.op in ("max_pool", "avg_pool") and len(node.inputs[0].shape) == 4
            pads = node.attrs["pads"][2 * place : 2 * place + 2]
            why = _pool(rule, factor, parts) if is_image else _window(rule, factor, parts, pads)
        if why:
            raise StrategyError(f"axis {factor!r} of rule '{rule}' is cut into {parts}, but {why} {_OWN}")


def _resize(node: Node, factor: str) -> str:
    if node.attrs["mode"] == "bilinear" and factor == "h":
        return "MindSpore cuts only the columns of a ResizeBilinear."
    if node.attrs["mode"] == "nearest" and node.attrs["align"]:
        return "MindSpore wants images whole where align_corners is True."
    return ""


def _pool(rule: Rule, factor: str, parts: int) -> str:
    """Return why the images of a pooling cannot be cut: MindSpore exchanges no halos for them."""
    reach = rule.reaches[factor]
    if reach.length > reach.step:
        return f"windows of {reach.length} with a stride of {reach.step} overlap, and MindSpore exchanges no halo here."
    return _uneven(rule, factor, parts)


def _window(rule: Rule, factor: str, parts: int, pads: tuple[int, ...]) -> str:
    reach, windows, image = rule.reaches[factor], rule.sizes[factor], rule.sizes[f"{factor}~"]
    if reach.length <= reach.step:
        padded = f"there is padding {pads} round windows of {reach.length} that do not overlap (stride {reach.step})."
        return padded if any(pads) else _uneven(rule, factor, parts)
    if not any(pads):
        return (
            f"MindSpore exchanges no halo of windows of {reach.length} with a stride of {reach.step} without padding."
        )
    own, each = image // parts, windows // parts
    for block in range(parts):
        start, stop = reach.span(block * each, (block + 1) * each)
        over = (block * own - start) if block else 0, (stop - (block + 1) * own) if block < parts - 1 else 0
        if min(over) < 0:
            return f"the windows of slice {block} leave {-min(over)} of its own indices out, which MindSpore cannot do."
    return ""


def _uneven(rule: Rule, factor: str, parts: int) -> str:
    own, step = rule.sizes[f"{factor}~"] // parts, rule.reaches[factor].step
    return f"a slice of {own} is no multiple of the stride {step}, as MindSpore wants it." if own % step else ""
