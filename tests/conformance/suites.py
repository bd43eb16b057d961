"""Which of a folder's files are run: those that are about what simpar has.

The folder of parallel compilation is run whole. Of the others, the files that make Parameters, Cells or initial values,
and of the datasets those about sources and steps that simpar has.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Suite", "imagines_devices", "suite_of"]

_TOUCHES: Final = re.compile(r"\b(Parameter|initializer|ParameterTuple|CellList|SequentialCell|CellDict)\(|\bCell\b")
_ABOUT: Final = {
    "parallel": "parallel compilation",
    "parameter_feature": "Parameters as arguments, and their gradients",
    "nn": "Cells, layers, optimizers and schedules",
    "common": "Tensors made of arrays",
    "utils": "initial values, callbacks, checkpoints",
    "pynative_mode": "Cells that run at once",
    "ops": "operators in Cells",
    "ir": "Tensors",
    "communication": "collectives as operators",
    "optimizer": "groups of Parameters, recomputation, gradients",
    "train": "Model",
    "amp": "mixed precision",
    "mutable": "inputs of changing value",
    "dataset": "datasets",
}
_WHOLE: Final = ("parallel", "communication")
"""Folders of which every file is run."""
_LEFT_OUT: Final = ("nn/probability", "train/summary", "parallel/golden")
"""Folders below them about other things: random distributions, a format of log files."""
_DATASETS: Final = (
    "test_batch test_dataset_numpy_slices test_datasets_generator test_datasets_get_dataset_size test_datasets_mnist "
    "test_datasets_sharding test_epoch_ctrl test_get_col_names test_iterator test_map test_map_unified_approach "
    "test_normalize_op test_one_hot test_pyfunc test_rename test_repeat test_rescale_op test_resize test_reset "
    "test_sampler test_set_init_step test_shuffle test_skip test_take test_to_type test_type_cast test_zip "
    "test_project test_hwc2chw test_concat test_split"
)
"""The files about datasets of which simpar has something."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A folder of a checkout, and the files of it that are run."""

    folder: Path
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def about(self) -> str:
        return _ABOUT.get(self.name, "")


def suite_of(folder: Path, wanted: str = "") -> Suite:
    """Return the suite of a folder, or of one test file.

    Args:
        folder: of the checkout.
        wanted: words that the path of each file holds.
    """
    if not folder.is_dir():
        return Suite(folder.parent, (folder,))
    found = (path for path in sorted(folder.rglob("test_*.py")) if _is_run(folder, path))
    return Suite(folder, tuple(path for path in found if _holds(path, wanted.split())))


def imagines_devices(path: Path) -> bool:
    """Whether the programs of a file are planned for devices that nobody has; others run, on one."""
    return "parallel" in path.parts


def _holds(path: Path, words: Sequence[str]) -> bool:
    return all(word in str(path) for word in words)


def _is_run(folder: Path, path: Path) -> bool:
    if any(f"/{left}/" in str(path) for left in _LEFT_OUT):
        return False
    if folder.name == "dataset":
        return path.stem in _DATASETS.split()
    return folder.name in _WHOLE or _TOUCHES.search(path.read_text("utf-8")) is not None
