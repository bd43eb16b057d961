"""Cuts of the axes that windows move over: under MindSpore's names, those that its compiler takes, and no others.

A fact is ``[kind, pad_mode, cut, kernel, stride, dilation, padding, length, taken]``: the second axis from the right of
images or the third of volumes is cut, and MindSpore 2.10 took that or refused it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import simpar.ops  # noqa: F401 - makes the records known
from simpar.dtype import float32
from simpar.errors import StrategyError
from simpar.graph import Node, Value, lookup
from simpar.layout import assign_by_strategy
from simpar.ops._windows import pads_of
from simpar.partition.window_restrictions import check_windows

FACTS: list[list[Any]] = json.loads((Path(__file__).parent / "facts" / "windows.json").read_text())
OPS = {"conv": ("conv2d", 2), "conv3d": ("conv3d", 3), "max": ("max_pool", 2), "avg": ("avg_pool", 2)}
OPS |= {"max3": ("max_pool", 3), "avg3": ("avg_pool", 3)}


def is_taken(op: str, axes: int, mode: str, cut: int, windows: tuple[int, int, int], pad: list[int], n: int) -> bool:
    kernel, stride, dilation = ((k, *(1,) * (axes - 1)) for k in windows)
    image = (2, 4, n, 8) if axes == 2 else (2, 4, n, 2, 2)
    around = (*pad, *(0,) * (2 * axes - 2)) if mode == "pad" else 0
    pads = pads_of(mode, around, image[2:], kernel, stride, dilation)
    attrs = {"stride": stride, "pads": pads, "dilation": dilation, "group": 1, "kernel": kernel, "count_pads": True}
    shapes = [image, (8, 4, *kernel)] if op.startswith("conv") else [image]
    entries = [(1, 1, cut, *(1,) * (axes - 1)), (1,) * (axes + 2)][: len(shapes)]
    rule = lookup(op).bind(shapes, attrs)
    node = Node(op, tuple(Value(i, s, float32) for i, s in enumerate(shapes)), (), attrs)
    try:
        check_windows(node, rule, assign_by_strategy(rule, entries, 8))
    except StrategyError:
        return False
    return True


@pytest.mark.parametrize("kind", OPS)
def test_mindspore_takes_the_same_cuts(kind: str) -> None:
    tried = 0
    for what, mode, cut, k, s, d, pad, n, taken in FACTS:
        if what == kind:
            tried += 1
            assert is_taken(*OPS[kind], mode, cut, (k, s, d), pad, n) == taken, (kind, mode, cut, k, s, d, pad, n)
    assert tried > 10


@pytest.mark.parametrize(
    ("mode", "align", "cuts", "message"),
    [
        ("bilinear", False, (1, 1, 2, 1), "cuts only the columns of a ResizeBilinear"),
        ("bilinear", True, (1, 1, 1, 2), ""),
        ("nearest", True, (1, 1, 1, 2), "wants images whole where align_corners is True"),
        ("nearest", False, (1, 1, 2, 2), ""),
    ],
)
def test_a_resize_is_cut_as_mindspore_lets_it(mode: str, align: bool, cuts: tuple[int, ...], message: str) -> None:
    attrs = {"mode": mode, "align": align, "half": False, "size": (16, 16)}
    rule = lookup("resize").bind([(2, 4, 8, 8)], attrs)
    node = Node("resize", (Value(0, (2, 4, 8, 8), float32),), (), attrs)
    made = assign_by_strategy(rule, (cuts,), 8)
    if not message:
        check_windows(node, rule, made)
        return
    with pytest.raises(StrategyError, match=message):
        check_windows(node, rule, made)
