"""Strategy files as checkpoints need them: which box of a Parameter each rank saved, or is to hold."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from simpar.checkpoint.pieces import Piece, whole_box
from simpar.errors import CheckpointError, StrategyError
from simpar.layout import (
    Box,
    Layout,
    ParameterStrategy,
    StrategyFile,
    message_field,
    numbers_field,
    parse,
    read_strategy_file,
    write_strategy_file,
)

__all__ = [
    "ParallelLayouts",
    "Strategies",
    "box_of",
    "build_searched_strategy",
    "full_shape_of",
    "group_bytes",
    "merge_pipeline_strategys",
    "placed_by",
    "read_strategies",
    "restore_group_info_list",
    "strategy_of",
]

Strategies = Mapping[str, ParameterStrategy]
Path_ = str | os.PathLike[str]

_RESTORE_RANKS = 2  # the field of the ranks in MindSpore's message of groups


@dataclass(frozen=True, slots=True)
class _Numbers:
    dim: list[int]


@dataclass(frozen=True, slots=True)
class ParallelLayouts:
    """How one Parameter is cut, under the names of MindSpore's message: ``dev_matrix[0].dim`` and so on."""

    dev_matrix: list[_Numbers]
    tensor_map: list[_Numbers]
    field: int
    opt_weight_shard_step: int
    opt_weight_shard_size: int
    param_split_shape: list[_Numbers]
    indices_offset: list[_Numbers]

    @classmethod
    def of(cls, strategy: ParameterStrategy) -> "ParallelLayouts":
        """Return a Parameter's strategy in this form."""
        axes = strategy.tensor_map
        is_plain = all(isinstance(e, int) for e in axes)
        rows = [e if isinstance(e, tuple) else (e,) for e in axes]
        maps = [[n for row in rows for n in row]] if is_plain else [list(row) for row in rows]
        return cls(
            [_Numbers(list(strategy.dev_mat))],
            [_Numbers(row) for row in maps],
            strategy.field,
            strategy.optimizer_step,
            strategy.optimizer_size,
            [_Numbers(list(strategy.rows))],
            [_Numbers([sum(strategy.rows[:i]) for i in range(len(strategy.rows))])],
        )

    def strategy(self) -> ParameterStrategy:
        """Return it as simpar has it."""
        maps = [tuple(m.dim) for m in self.tensor_map]
        entries = maps[0] if len(maps) == 1 else tuple(m[0] if len(m) == 1 else m for m in maps)
        dev_mat = tuple(self.dev_matrix[0].dim)
        return ParameterStrategy(
            dev_mat,
            entries,
            None,
            self.field,
            self.opt_weight_shard_step,
            self.opt_weight_shard_size,
            tuple(n for numbers in self.param_split_shape for n in numbers.dim),
        )


def read_strategies(path: Path_ | None) -> Strategies:
    """Return how a strategy file cuts each Parameter; nothing is cut without one.

    Raises:
        CheckpointError: there is no such file.
        StrategyError: it is no strategy file.
    """
    return {} if path is None else _file(path).parameters


def _file(path: Path_) -> StrategyFile:
    try:
        return read_strategy_file(Path(path).read_bytes())
    except OSError as error:
        raise CheckpointError(f"the strategy file {path} cannot be read: {error.strerror or error}.") from None


def build_searched_strategy(strategy_filename: Path_) -> dict[str, ParallelLayouts]:
    """Return how a strategy file cuts each Parameter, in MindSpore's form.

    Raises:
        CheckpointError: there is no such file.
        StrategyError: it is no strategy file.
    """
    return {name: ParallelLayouts.of(s) for name, s in read_strategies(strategy_filename).items()}


def merge_pipeline_strategys(src_strategy_dirs: Path_, dst_strategy_file: Path_) -> None:
    """Write what the strategy files of a folder, one for each stage of a pipeline, say together into one.

    Raises:
        CheckpointError: the folder has none.
        StrategyError: one is no strategy file.
    """
    paths = sorted(p for p in Path(src_strategy_dirs).glob("*") if p.suffix in (".ckpt", ".json"))
    if not paths:
        raise CheckpointError(f"the folder {src_strategy_dirs} has no strategy files, which end in .ckpt or .json.")
    files = [_file(path) for path in paths]
    operators = {name: o for f in files for name, o in f.operators.items()}
    parameters = {name: p for f in files for name, p in f.parameters.items()}
    target = Path(dst_strategy_file)
    target.parent.mkdir(parents=True, exist_ok=True)
    merged = StrategyFile(operators, parameters, files[0].stage)
    target.write_bytes(write_strategy_file(merged, is_json=target.suffix == ".json"))


# --- boxes ---


def box_of(strategy: ParameterStrategy, shape: Sequence[int], rank: int) -> Box:
    """Return the box of a Parameter that a rank stores, with the cut of the parallel optimizer.

    >>> box_of(ParameterStrategy((2, 2), (-1, 0), None, 0, 2, -1), (8, 4), rank=3)
    ((4, 8), (2, 4))
    """
    layout = strategy.layout
    place = rank % layout.size  # each stage of a pipeline counts its devices from 0
    box = layout.box(shape, place)
    parts = _optimizer_parts(strategy, layout)
    if parts == 1:
        return box
    step = max(strategy.optimizer_step, 1)
    number = sum(1 for r in layout.replicas(place) if r < place and (place - r) % step == 0) % parts
    (low, high), *rest = box
    length = (high - low) // parts
    return ((low + number * length, low + (number + 1) * length), *rest)


def _optimizer_parts(strategy: ParameterStrategy, layout: Layout) -> int:
    if strategy.optimizer_size < 0:
        return layout.size // prod(layout.cuts)
    return max(strategy.optimizer_size, 1)


def full_shape_of(strategy: ParameterStrategy, part: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the whole Parameter from that of what a rank stores."""
    layout = strategy.layout
    if len(layout.cuts) != len(part):
        raise CheckpointError(
            f"a Parameter of {len(part)} axes was saved, but its strategy {strategy.tensor_map} has "
            f"{len(layout.cuts)}. Give the strategy file of the same training."
        )
    shape = whole_of(layout, part)
    if shape:
        shape[0] *= _optimizer_parts(strategy, layout)
    return tuple(shape)


def whole_of(layout: Layout, part: Sequence[int]) -> list[int]:
    """Return the shape of a whole tensor from that of a slice."""
    unequal = layout.lengths or ((),) * len(part)
    return [sum(own) if own else n * cut for n, cut, own in zip(part, layout.cuts, unequal, strict=True)]


def strategy_of(name: str, strategies: Strategies) -> ParameterStrategy | None:
    """Return how a Parameter is cut; a state of an optimizer, ``moment1.w``, is as its Parameter ``w``."""
    while name not in strategies and "." in name:
        name = name.partition(".")[2]
    return strategies.get(name)


def placed_by(piece: Piece, strategies: Strategies, rank: int) -> Piece:
    """Return a piece that a rank saved with the box that the strategies of the training give it.

    A piece of a file with a manifest knows it; a Parameter that no strategy names is whole.
    """
    strategy = strategy_of(piece.name, strategies)
    if strategy is None or piece.layout is not None or piece.box != whole_box(piece.shape):
        return piece
    full = full_shape_of(strategy, piece.shape)
    if strategy.shape == piece.shape and full != piece.shape:
        return piece  # put together when it was saved
    return replace(piece, full_shape=full, box=box_of(strategy, full, rank))


# --- the ranks that hold the same ---


def group_bytes(ranks: Sequence[int]) -> bytes:
    """Return the bytes of MindSpore's file of the ranks whose checkpoints are equal."""
    return message_field(_RESTORE_RANKS, numbers_field(1, ranks))


def restore_group_info_list(group_info_file_name: Path_) -> list[int]:
    """Return the ranks whose checkpoints equal that of the rank that wrote the file.

    A run writes it, when a program is compiled, where the environment names it: ``GROUP_INFO_FILE``.

    Raises:
        CheckpointError: there is no such file, or it is something else.
    """
    try:
        data = Path(group_info_file_name).read_bytes()
    except OSError as error:
        raise CheckpointError(f"the file {group_info_file_name} cannot be read: {error.strerror or error}.") from None
    try:
        ranks = parse(data)[_RESTORE_RANKS][0]
        return [int(r) for r in parse(ranks if isinstance(ranks, bytes) else b"")[1] if isinstance(r, int)]
    except (KeyError, StrategyError):
        raise CheckpointError(
            f"{group_info_file_name} names no ranks: it is not what a run writes to GROUP_INFO_FILE."
        ) from None
