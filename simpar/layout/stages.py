"""Layouts on the stages of a pipeline: the ranks are split into as many consecutive blocks of equal size.

Within a stage, layouts count the stage's own devices from 0, as MindSpore's do. To run, to record and to draw them they
name real ranks: one stage's block, or all blocks for what every stage holds for itself.
"""

from dataclasses import replace
from functools import lru_cache

from simpar.errors import LayoutError
from simpar.layout.layout import Layout, repeated

__all__ = ["EVERY_STAGE", "off_stage", "on_stage"]

EVERY_STAGE = -1
"""The stage of what each stage of a pipeline does, or holds, for itself; the only one where there is no pipeline."""


@lru_cache(maxsize=4096)
def on_stage(layout: Layout, stage: int, stages: int) -> Layout:
    """Return a layout of one stage's devices as a layout of ranks.

    Args:
        layout: of the devices of a stage, counted from 0.
        stage: which one, or ``EVERY_STAGE``.
        stages: how many there are.

    >>> on_stage(Layout((2,), (0, -1)), stage=1, stages=2).rank_list
    (2, 3)
    >>> on_stage(Layout((2,), (0, -1)), EVERY_STAGE, stages=2)
    Layout(dev_mat=(2, 2), tensor_map=(0, -1), rank_list=None, partial=(), combine='sum')
    """
    if stages == 1:
        return layout
    n = layout.size
    if stage != EVERY_STAGE:
        return replace(layout, rank_list=tuple(stage * n + r for r in layout.ranks))
    ranks = None if layout.rank_list is None else tuple(s * n + r for s in range(stages) for r in layout.ranks)
    return replace(layout, dev_mat=(stages, *layout.dev_mat), rank_list=ranks)


def off_stage(layout: Layout, stages: int, device_num: int) -> tuple[Layout, int]:
    """Return a layout of ranks as one of the devices of a stage, and that stage: the reverse of ``on_stage``.

    Args:
        layout: of ranks.
        stages: how many stages there are.
        device_num: how many devices a stage has.

    Raises:
        LayoutError: it is neither of one stage nor the same on every stage.

    >>> off_stage(Layout((2,), (0, -1), rank_list=(2, 3)), stages=2, device_num=2)
    (Layout(dev_mat=(2,), tensor_map=(0, -1), rank_list=None, partial=(), combine='sum'), 1)
    """
    if layout.size == device_num:
        stage = layout.ranks[0] // device_num
        local = tuple(r - stage * device_num for r in layout.ranks)
        if sorted(local) == list(range(device_num)):
            return replace(layout, rank_list=local), stage
    if layout.size == stages * device_num and layout.is_repeated:
        return repeated((device_num,), len(layout.tensor_map)), EVERY_STAGE
    last = len(layout.dev_mat) - 1
    used = {a for axes in layout.cutting_axes for a in axes} | set(layout.partial)
    if layout.size == stages * device_num and layout.dev_mat[0] == stages and last not in used:
        local = tuple(layout.ranks[:device_num])
        return replace(layout, dev_mat=layout.dev_mat[1:], rank_list=local), EVERY_STAGE
    raise LayoutError(
        f"a layout over the ranks of dev_mat {layout.dev_mat} does not fit {stages} stages of {device_num} devices. "
        "Compile the programs that share a Parameter under the same pipeline_stages."
    )
