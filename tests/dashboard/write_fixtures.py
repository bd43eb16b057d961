"""Writes what the front end's arithmetic must reproduce: ``python -m tests.dashboard.write_fixtures``.

Random layouts with what `simpar.layout` says of them, and random redistributions with the bytes of their steps. The
same seed gives the same files, so that a test can tell whether they are up to date.
"""

import json
from dataclasses import replace
from math import prod
from pathlib import Path
from random import Random
from typing import Any

from simpar.layout import Layout, plan_redistribution

__all__ = ["FOLDER", "fixtures"]

FOLDER = Path(__file__).parents[2] / "web" / "tests" / "fixtures"
LAYOUTS, UNEQUAL, REDISTRIBUTIONS = 150, 12, 80


def fixtures() -> dict[str, str]:
    """Return the files by name."""
    random = Random(20)
    layouts = [_layout_case(random) for _ in range(LAYOUTS)]
    layouts += [_layout_case(Random(n), is_unequal=True) for n in range(UNEQUAL)]
    moves = [_redistribution_case(random) for _ in range(REDISTRIBUTIONS)]
    return {"layouts.json": _text(layouts), "redistributions.json": _text(moves)}


def _text(cases: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n"


def _plain(layout: Layout) -> dict[str, Any]:
    return {
        "dev_mat": layout.dev_mat,
        "tensor_map": layout.tensor_map,
        "rank_list": layout.rank_list,
        "partial": layout.partial,
        "combine": layout.combine,
        **({"lengths": layout.lengths} if layout.lengths else {}),
    }


def _layout(random: Random, dev_mat: tuple[int, ...], axes: int, *, is_partial: bool) -> Layout:
    """Give each device axis to a tensor axis, to the terms, or to nobody."""
    cutting: list[list[int]] = [[] for _ in range(axes)]
    partial: list[int] = []
    for a in random.sample(range(len(dev_mat)), len(dev_mat)):
        place = random.randrange(-2, axes)
        if place >= 0:
            cutting[place].append(a)
        elif place == -1 and is_partial:
            partial.append(a)
    return Layout(dev_mat, tuple(tuple(c) if c else -1 for c in cutting), partial=tuple(partial))


def _layout_case(random: Random, *, is_unequal: bool = False) -> dict[str, Any]:
    dev_mat = tuple(random.choice((1, 2, 2, 3, 4)) for _ in range(random.randint(1, 4)))
    layout = _layout(random, dev_mat, random.randint(0, 4), is_partial=True)
    if random.random() < 0.2:
        ranks = random.sample(range(layout.size), layout.size)
        layout = Layout(dev_mat, layout.tensor_map, tuple(ranks), layout.partial)
    shape = tuple(cut * random.randint(1, 5) for cut in layout.cuts)
    if is_unequal:
        lengths = tuple(tuple(random.randint(1, 9) for _ in range(cut)) for cut in layout.cuts)
        layout, shape = replace(layout, lengths=lengths), tuple(map(sum, lengths))
    some = random.sample(range(layout.size), min(4, layout.size))
    return {
        "layout": _plain(layout),
        "shape": shape,
        "cuts": layout.cuts,
        "repeated_axes": layout.repeated_axes,
        "slice_shape": layout.slice_shape(shape),
        "slice_index": [layout.slice_index(r) for r in layout.ranks],
        "ranks": [
            {
                "rank": r,
                "blocks": layout.blocks(r),
                "box": layout.box(shape, r),
                "replicas": layout.replicas(r),
                "groups": [layout.group(r, (a,)) for a in range(len(dev_mat))],
            }
            for r in some
        ],
    }


def _redistribution_case(random: Random) -> dict[str, Any]:
    dev_mat = tuple(random.choice((2, 2, 4)) for _ in range(random.randint(1, 3)))
    axes = random.randint(1, 3)
    source = _layout(random, dev_mat, axes, is_partial=True)
    target = _layout(random, dev_mat, axes, is_partial=False)
    shape = tuple(prod(dev_mat) * random.randint(1, 3) for _ in range(axes))
    plan = plan_redistribution(source, target, shape, 4)
    return {
        "shape": shape,
        "steps": [
            {
                "kind": step.kind,
                "before": _plain(step.before),
                "after": _plain(step.after),
                "device_axes": step.device_axes,
                "group_size": step.group_size,
                "sent_bytes": step.volume_bytes(shape, 4),
            }
            for step in plan.steps
        ],
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in fixtures().items():
        (FOLDER / name).write_text(text, "utf-8")
        print("wrote", FOLDER / name)
