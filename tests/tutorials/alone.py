"""``python -m tests.tutorials.alone [--ranks N] SCRIPT[::FUNCTION]`` runs a MindSpore script unchanged on one device.

What only says how the work is cut is not heard: the options of ``set_auto_parallel_context`` and of ``AutoParallel``,
and with them every ``shard``, whose strategies count in parallel modes only. A script that gives each of N ranks rows
of its own, or a patch of each image, is given what all of them read together: N times as large batches, all patches.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar.context import setters
from simpar.dataset import Dataset, vision
from simpar.launch import run_file
from simpar.mindspore import installed
from simpar.parallel.auto_parallel import AutoParallel

__all__ = ["run_alone"]


def run_alone(script: str, ranks: int = 1) -> None:
    """Run a script on one device.

    Args:
        script: a file, or one of its functions, ``FILE::FUNCTION``.
        ranks: among how many the script shares its rows; 1 if all read the same.
    """
    with pytest.MonkeyPatch.context() as change, installed():
        change.setattr(setters, "_stored", _nothing)
        change.setattr(AutoParallel, "_set", _nothing)
        change.setattr(Dataset, "batch", _batch_of_all(ranks))
        change.setattr(vision.SlicePatches, "on_row", _joined_patches(vision.SlicePatches.on_row))
        run_file(script)


def _nothing(*_: object, **__: object) -> dict[str, Any]:
    return {}


def _batch_of_all(ranks: int) -> Callable[..., Dataset]:
    batch = Dataset.batch

    def larger(self: Dataset, batch_size: int, *args: Any, **options: Any) -> Dataset:
        return batch(self, batch_size * ranks, *args, **options)

    return larger


def _joined_patches(cut: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Return what gives each column all patches, joined in the last two axes, which are those that ranks share."""

    def joined(self: Any, row: Any, draws: Any) -> tuple[Any, ...]:
        patches, across = cut(self, row, draws), self._across
        rows = [np.concatenate(patches[i : i + across], axis=-1) for i in range(0, len(patches), across)]
        return (np.concatenate(rows, axis=-2),) * len(patches)

    return joined


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run a MindSpore script on one device.")
    parser.add_argument("script")
    parser.add_argument("--ranks", type=int, default=1)
    told = parser.parse_args()
    sys.argv = [told.script]  # without our own options
    run_alone(told.script, told.ranks)
