"""From the files of one cut to those of another, without running anything: for other ranks, or for one."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simpar.checkpoint.load import Checkpoint, load_param_into_net, merged, open_checkpoint, pieces_of
from simpar.checkpoint.pieces import Array, FromFiles, Piece, whole_box
from simpar.checkpoint.save import Entry, write_file
from simpar.checkpoint.strategies import (
    ParallelLayouts,
    Strategies,
    box_of,
    read_strategies,
    strategy_of,
    whole_of,
)
from simpar.errors import CheckpointError, DTypeError
from simpar.initializer import Draw
from simpar.layout import Box
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "ckpt_to_safetensors",
    "convert_checkpoint",
    "convert_checkpoint_by_rank",
    "convert_checkpoints",
    "load_segmented_checkpoints",
    "merge_sliced_parameter",
    "rank_list_for_convert",
    "rank_list_for_transform",
    "safetensors_to_ckpt",
    "transform_checkpoint_by_rank",
    "transform_checkpoints",
    "unified_safetensors",
]

Path_ = str | os.PathLike[str]


def merge_sliced_parameter(
    sliced_parameters: Sequence[Parameter], strategy: Mapping[str, ParallelLayouts] | None = None
) -> Parameter:
    """Return the whole Parameter of which each rank's slice is given.

    Args:
        sliced_parameters: one for each rank, in their order.
        strategy: what ``build_searched_strategy`` returned; slices are joined along axis 0 if None.

    Raises:
        CheckpointError: there are none, their names differ, or there are not as many as the strategy has ranks.
        DTypeError: they are no list of Parameters.

    >>> halves = [Parameter(Tensor([1.0]), "w"), Parameter(Tensor([2.0]), "w")]
    >>> merge_sliced_parameter(halves).asnumpy()
    array([1., 2.], dtype=float32)
    """
    if not isinstance(sliced_parameters, list) or not all(isinstance(p, Parameter) for p in sliced_parameters):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError("merge_sliced_parameter takes a list of Parameters, one for each rank.")
    if len({(p.name, p.shape[1:]) for p in sliced_parameters}) != 1:
        names = [f"{p.name} {p.shape}" for p in sliced_parameters]
        raise CheckpointError(f"slices of one Parameter have one name and one shape but for axis 0, not {names[:8]}.")
    first = sliced_parameters[0]
    parts = [p.asnumpy() for p in sliced_parameters]
    values = np.concatenate(parts) if not strategy else _joined(first.name, parts, strategy)
    return Parameter(Tensor(values), first.name, first.requires_grad, first.layerwise_parallel)


def _joined(name: str, parts: list[Array], strategy: Mapping[str, ParallelLayouts]) -> Array:
    if name not in strategy:
        raise CheckpointError(f"the strategy does not name {name!r}; it names {', '.join(list(strategy)[:8])}.")
    layout = strategy[name].strategy().layout
    if layout.size != len(parts):
        raise CheckpointError(f"{name!r} is cut over {layout.size} ranks, but {len(parts)} slices are given.")
    shape = whole_of(layout, parts[0].shape)
    whole = np.empty(shape, parts[0].dtype)
    for rank, part in enumerate(parts):
        whole[tuple(slice(low, high) for low, high in layout.box(shape, rank))] = part
    return whole


# --- which files ---


def rank_list_for_transform(
    rank_id: int, src_strategy_file: Path_ | None = None, dst_strategy_file: Path_ | None = None
) -> list[int]:
    """Return the ranks of whose files the file of one rank under other strategies is made.

    Args:
        rank_id: the rank whose file is to be made.
        src_strategy_file: how the files are cut; not at all if None.
        dst_strategy_file: how the new file is to be cut; not at all if None.

    Raises:
        CheckpointError: a file is missing.
        StrategyError: a file is no strategy file.
    """
    if src_strategy_file is None:
        return [0]
    source = read_strategies(src_strategy_file)
    target = read_strategies(dst_strategy_file)
    found: set[int] = set()
    for name, strategy in source.items():
        wanted = target.get(name)
        shape = strategy.shape or (None if wanted is None else wanted.shape) or _least_shape(strategy, wanted)
        box = whole_box(shape) if wanted is None else box_of(wanted, shape, rank_id)
        ranks = strategy.layout.size
        order = [rank_id % ranks, *range(ranks)] if dst_strategy_file is not None else list(range(ranks))
        first: dict[Box, int] = {}
        for rank in order:
            first.setdefault(box_of(strategy, shape, rank), rank)
        found |= {rank for held, rank in first.items() if _meet(held, box)}
    return sorted(found)


def _least_shape(one: Any, other: Any) -> tuple[int, ...]:
    """Return a shape that both strategies can cut, for files that do not say the shape."""
    sizes = [s.layout.size for s in (one, other) if s is not None]
    shape = (int(np.prod(sizes)) ** 2,) * len(one.tensor_map)
    rows = next((s.rows for s in (one, other) if s is not None and s.rows), ())
    return (sum(rows), *shape[1:]) if rows else shape


def _meet(one: Box, other: Box) -> bool:
    return all(max(a, c) < min(b, d) for (a, b), (c, d) in zip(one, other, strict=True))


def transform_checkpoint_by_rank(
    rank_id: int,
    checkpoint_files_map: Mapping[int, Path_],
    save_checkpoint_file_name: Path_,
    src_strategy_file: Path_ | None = None,
    dst_strategy_file: Path_ | None = None,
) -> None:
    """Write the file that one rank would have under other strategies.

    Args:
        rank_id: that rank.
        checkpoint_files_map: by rank the files that were saved, at least those of ``rank_list_for_transform``.
        save_checkpoint_file_name: the file to write.
        src_strategy_file: how they are cut; only needed for files without a manifest.
        dst_strategy_file: how the new file is to be cut; not at all if None.

    Raises:
        CheckpointError: a file is missing, broken, or does not hold what is needed.
        StrategyError: a file is no strategy file.
    """
    source = read_strategies(src_strategy_file)
    target = read_strategies(dst_strategy_file)
    opened = {rank: open_checkpoint(path) for rank, path in checkpoint_files_map.items()}
    _write(rank_id, opened, Path(save_checkpoint_file_name), source, target)


def _write(rank: int, opened: Mapping[int, Checkpoint], path: Path, source: Strategies, target: Strategies) -> None:
    texts = {name: text for c in opened.values() for name, text in c.manifest.texts.items()}
    entries = [_entry(found, target, rank) for found in pieces_of(opened, source).values()]
    write_file(path, entries, texts)


def _entry(found: Sequence[Piece], target: Strategies, rank: int) -> Entry:
    first, full = found[0], found[0].full_shape
    strategy = strategy_of(first.name, target)
    box = whole_box(full) if strategy is None else box_of(strategy, full, rank)
    shape = tuple(high - low for low, high in box)

    def values() -> Array:
        out = np.empty(shape, first.dtype.numpy)
        FromFiles(found).fill(out, Draw(full, tuple(box)))
        return out

    if shape == full:
        return Entry(first.name, first.dtype.name, shape, values)
    return Entry(first.name, first.dtype.name, shape, values, full, box, None)


def transform_checkpoints(
    src_checkpoints_dir: Path_,
    dst_checkpoints_dir: Path_,
    ckpt_prefix: str,
    src_strategy_file: Path_ | None = None,
    dst_strategy_file: Path_ | None = None,
    process_num: int = 1,
    output_format: str = "ckpt",
) -> None:
    """Write the files that all ranks would have under other strategies: ``rank_3/<prefix>3.ckpt`` …

    Args:
        src_checkpoints_dir: holds folders ``rank_0``, ``rank_1`` …; of each the last file counts.
        dst_checkpoints_dir: is given such folders.
        ckpt_prefix: what the new files' names begin with.
        src_strategy_file: how the files are cut; only needed for files without a manifest.
        dst_strategy_file: how the new files are to be cut; one whole file if None.
        process_num: taken; changes nothing.
        output_format: ``"ckpt"`` or ``"safetensors"``.

    Raises:
        CheckpointError: files are missing or broken.
        StrategyError: a file is no strategy file.
    """
    source = read_strategies(src_strategy_file)
    target = read_strategies(dst_strategy_file)
    opened = {rank: open_checkpoint(path) for rank, path in _rank_files(Path(src_checkpoints_dir)).items()}
    for rank in range(max((s.layout.size for s in target.values()), default=1)):
        path = Path(dst_checkpoints_dir) / f"rank_{rank}" / f"{ckpt_prefix}{rank}.{output_format}"
        _write(rank, opened, path, source, target)


def _rank_files(folder: Path, endings: Sequence[str] = (".ckpt", ".safetensors")) -> dict[int, Path]:
    """Return the last file of each folder ``rank_<n>``, by rank."""

    def numbers(path: Path) -> list[int]:
        return [int(n) for n in re.findall(r"\d+", path.name)]

    found: dict[int, Path] = {}
    for path in folder.glob("rank_*"):
        number = path.name.removeprefix("rank_")
        files = [p for p in path.iterdir() if p.suffix in endings] if path.is_dir() else []
        if number.isdigit() and files:
            found[int(number)] = max(files, key=numbers)
    if not found:
        raise CheckpointError(f"{folder} has no folders rank_0, rank_1 … with files that end in {', '.join(endings)}.")
    return dict(sorted(found.items()))


def unified_safetensors(
    src_dir: Path_, src_strategy_file: Path_ | None, dst_dir: Path_, *_: Any, **kwargs: Any
) -> None:
    """Write one file of whole Parameters, ``part0.safetensors``, out of the slices of all ranks.

    Args:
        src_dir: holds folders ``rank_0``, ``rank_1`` … of safetensors files.
        src_strategy_file: how they are cut; only needed for files without a manifest.
        dst_dir: the folder to write into.
        *_: more of MindSpore's; taken, changes nothing.
        **kwargs: the same.

    Raises:
        CheckpointError: files are missing or broken.
    """
    source = read_strategies(src_strategy_file)
    files = _rank_files(Path(src_dir), (".safetensors",))
    opened = {rank: open_checkpoint(path) for rank, path in files.items()}
    _write(0, opened, Path(dst_dir) / "part0.safetensors", source, {})


# --- other formats ---


def convert_checkpoint(source: Path_, target: Path_) -> None:
    """Write a checkpoint again in the format that another name's ending says; slices stay slices."""
    opened = open_checkpoint(source)
    entries = [_copied(p) for p in opened.pieces.values()]
    write_file(Path(target), entries, opened.manifest.texts)


def _copied(piece: Piece) -> Entry:
    def values() -> Array:
        out = np.empty(piece.shape, piece.dtype.numpy)
        piece.copy_into(out, piece.box)
        return out

    whole = Entry(piece.name, piece.dtype.name, piece.shape, values)
    if not piece.is_cut:
        return whole
    return Entry(piece.name, piece.dtype.name, piece.shape, values, piece.full_shape, piece.box, piece.layout)


def ckpt_to_safetensors(file_path: Path_, save_path: Path_ | None = None, *_: Any, **kwargs: Any) -> None:
    """Write a ``.ckpt`` file, or all of a folder, as safetensors.

    Args:
        file_path: the file or folder.
        save_path: where to write; beside the files if None.
        *_: more of MindSpore's; taken, changes nothing.
        **kwargs: the same.
    """
    _convert_all(Path(file_path), save_path, ".ckpt", ".safetensors")


def safetensors_to_ckpt(file_path: Path_, save_path: Path_ | None = None, *_: Any, **kwargs: Any) -> None:
    """Write a safetensors file, or all of a folder, as ``.ckpt``; arguments as of ``ckpt_to_safetensors``."""
    _convert_all(Path(file_path), save_path, ".safetensors", ".ckpt")


def _convert_all(given: Path, save_path: Path_ | None, old: str, new: str) -> None:
    root = given if given.is_dir() else given.parent
    files = sorted(given.rglob("*" + old)) if given.is_dir() else [given]
    if not files:
        raise CheckpointError(f"{given} has no files that end in {old}.")
    for path in files:
        target = path if save_path is None else Path(save_path) / path.relative_to(root)
        convert_checkpoint(path, target.with_suffix(new))


def load_segmented_checkpoints(ckpt_file_dir: Path_, net: Any = None, **kwargs: Any) -> dict[str, Any]:
    """Return the Parameters of all files of a folder, of which each holds some; load them into a network if given."""
    files = sorted(p for p in Path(ckpt_file_dir).iterdir() if p.suffix in (".ckpt", ".safetensors"))
    if not files:
        raise CheckpointError(f"{ckpt_file_dir} has no files that end in .ckpt or .safetensors.")
    found = merged(files)
    if net is not None:
        load_param_into_net(net, found)
    return found


# MindSpore's newer names
rank_list_for_convert = rank_list_for_transform
convert_checkpoint_by_rank = transform_checkpoint_by_rank
convert_checkpoints = transform_checkpoints
