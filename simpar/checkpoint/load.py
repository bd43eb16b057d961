"""Loading: the Parameters of files, and into networks, under whatever layout the network has now."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from zlib import crc32

import numpy as np

from simpar.checkpoint import protobuf, safetensors
from simpar.checkpoint.manifest import Manifest
from simpar.checkpoint.pieces import FileBytes, Piece, lazily
from simpar.checkpoint.strategies import Strategies, placed_by, read_strategies
from simpar.context import current
from simpar.dtype import DType
from simpar.errors import CheckpointError, DTypeError, MismatchError, NotYetError
from simpar.initializer import Filling
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "Checkpoint",
    "LoadedParameter",
    "load_checkpoint",
    "load_distributed_checkpoint",
    "load_param_into_net",
    "merged",
    "open_checkpoint",
    "pieces_of",
]

Path_ = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that was opened, of which no values were read.

    Args:
        file: its bytes.
        pieces: what it holds, by name.
        manifest: what it says of itself.
        crc32: the checksum at its end, if there is one.
        format: ``"ckpt"`` or ``"safetensors"``.
    """

    file: FileBytes
    pieces: Mapping[str, Piece]
    manifest: Manifest
    crc32: int | None
    format: str

    def damaged(self) -> list[str]:
        """Return the names of tensors whose values have another checksum than the file says; reads all values."""
        wrong = [p.name for p in self.pieces.values() if p.crc32 is not None and crc32(p.raw()) != p.crc32]
        return wrong + ([] if self.is_whole() else ["(the file as a whole)"])

    def is_whole(self) -> bool:
        """Return whether the checksum at the end, if there is one, is that of the file."""
        return self.crc32 is None or crc32(memoryview(self.file.data)[: self.file.size - 17]) == self.crc32


def open_checkpoint(path: Path_) -> Checkpoint:
    """Open a file of either format, and read what is in it, but no values.

    Raises:
        CheckpointError: there is no such file, it is cut short, or it is something else.
    """
    file = FileBytes(Path(path))
    if safetensors.is_safetensors(file):
        pieces, manifest = safetensors.read_index(file)
        return Checkpoint(file, pieces, manifest, None, "safetensors")
    if not file.size:
        raise CheckpointError(f"{path} is empty. Save or copy it again.")
    pieces, manifest, total = protobuf.read_index(file)
    return Checkpoint(file, pieces, manifest, total, "ckpt")


class LoadedParameter(Parameter):
    """A Parameter out of a file, which knows the pieces that it is made of.

    Args:
        pieces: boxes of one Parameter; its values are read when they are needed.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        first = pieces[0]
        self.pieces = tuple(pieces)
        is_slice = len(pieces) == 1 and first.is_cut
        if is_slice:
            values = np.empty(first.shape, first.dtype.numpy)
            first.copy_into(values, first.box)
            super().__init__(Tensor.wrap(values), first.name)
        else:
            super().__init__(Tensor(shape=first.full_shape, dtype=first.dtype, init=lazily(pieces)), first.name)


def load_checkpoint(
    ckpt_file_name: Path_,
    net: Any = None,
    strict_load: bool = False,
    filter_prefix: str | Sequence[str] | None = None,
    dec_key: bytes | None = None,
    dec_mode: str = "AES-GCM",
    crc_check: bool = False,
    specify_prefix: str | Sequence[str] | None = None,
    choice_func: Callable[[str], bool] | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Return the Parameters of a file by name, texts as text; load them into a network if there is one.

    Values are read from the file when they are needed: of a whole Parameter a rank reads the bytes of its own slice.

    Args:
        ckpt_file_name: a file of either format, of simpar or of MindSpore.
        net: a Cell to load them into.
        strict_load: see ``load_param_into_net``.
        filter_prefix: leaves out names that begin so.
        dec_key: refused: nothing is decrypted.
        dec_mode: taken; changes nothing.
        crc_check: whether all checksums that the file has are checked first.
        specify_prefix: leaves out names that do not begin so.
        choice_func: says of each name whether it is loaded.
        **kwargs: more of MindSpore's; taken, changes nothing.

    Raises:
        CheckpointError: the file is missing, cut short, damaged, something else, or nothing of it is chosen.
        NotYetError: ``dec_key`` is given.
    """
    if dec_key is not None:
        raise NotYetError("load_checkpoint does not decrypt; leave out dec_key, and decrypt the file before.")
    opened = open_checkpoint(ckpt_file_name)
    if crc_check and (wrong := opened.damaged()):
        raise CheckpointError(f"{ckpt_file_name} is damaged: the checksums of {', '.join(wrong[:5])} are others.")
    leave, take = _prefixes(filter_prefix), _prefixes(specify_prefix)

    def is_chosen(name: str) -> bool:
        if leave or take:
            return not name.startswith(leave) and (not take or name.startswith(take))
        return choice_func is None or choice_func(name)

    found: dict[str, Any] = {name: LoadedParameter([p]) for name, p in opened.pieces.items() if is_chosen(name)}
    found |= {name: text for name, text in opened.manifest.texts.items() if is_chosen(name)}
    if not found:
        raise CheckpointError(f"{ckpt_file_name} has no Parameter that is chosen. It has {_some(opened.pieces)}.")
    if net is not None:
        load_param_into_net(net, found, strict_load)
    return found


def _prefixes(given: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if not given else (given,) if isinstance(given, str) else tuple(given)


def _some(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "") or "none"


def load_param_into_net(
    net: Any, parameter_dict: Mapping[str, Any], strict_load: bool = False, remove_redundancy: bool = False
) -> tuple[list[str], list[str]]:
    """Give a network's Parameters the values of others of the same names.

    Args:
        net: a Cell; compiled, each rank keeps its slices; not compiled yet, it will.
        parameter_dict: Parameters by name; whole ones, or this rank's slices.
        strict_load: whether types must be the same, and names whole; else floats are converted, and where no name
            fits, those are tried that lack a common prefix.
        remove_redundancy: taken; changes nothing.

    Returns:
        The names of the network's Parameters that were not loaded, and of the given ones that were not used.

    Raises:
        CheckpointError: a given slice is not that of this rank.
        DTypeError: something else is given, perhaps for one Parameter.
        MismatchError: a shape or type differs.
    """
    if not hasattr(net, "parameters_and_names") or not isinstance(parameter_dict, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"load_param_into_net takes a Cell and a dictionary, not {net!r} and {parameter_dict!r:.80}.")
    own: dict[str, Parameter] = {p.name: p for _, p in net.parameters_and_names()}
    given = {name: value for name, value in parameter_dict.items() if isinstance(value, Tensor)}
    wrong = [p.name for _, p in net.parameters_and_names() if p.name in parameter_dict and p.name not in given]
    if wrong:
        raise DTypeError(f"Parameter {wrong[0]!r} cannot be loaded from {parameter_dict[wrong[0]]!r}: give a Tensor.")
    pairs = {name: name for name in own if name in given}
    if not strict_load:
        pairs |= _by_suffix([n for n in own if n not in pairs], [n for n in given if n not in own])
    for name, source in pairs.items():
        _load(own[name], given[source], strict_load)
    used = set(pairs.values())
    return [n for n in own if n not in pairs], [n for n in parameter_dict if n not in used]


def _by_suffix(own: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Pair names that would be equal, did the network's not begin with one prefix that the others lack."""
    for name in given:
        longer = [n for n in own if n.endswith("." + name)]
        if len(longer) == 1:
            prefix = longer[0].removesuffix(name)
            return {prefix + n: n for n in given if prefix + n in own}
    return {}


def _load(target: Parameter, new: Tensor, strict: bool) -> None:
    if target.layout is not None and current().rank not in target.layout.ranks:
        return  # another stage's
    cut = isinstance(new, LoadedParameter) and len(new.pieces) == 1 and new.pieces[0].is_cut
    if cut:
        _load_slice(target, cast("LoadedParameter", new).pieces[0], strict)
        return
    if new.shape != target.full_shape and new.shape != target.shape:
        raise MismatchError(
            f"Parameter {target.name!r} has shape {target.full_shape} in the network, but {new.shape} in the "
            "checkpoint. Load it into a network of the same sizes, or leave it out with choice_func."
        )
    if new.init is not None:
        filling = cast("Filling", new.init)
        target.set_data(Tensor(shape=new.shape, dtype=_type(target, new.dtype, strict), init=filling))
    else:
        kind = _type(target, new.dtype, strict)
        target.set_data(
            Tensor(new.asnumpy().astype(kind.numpy, copy=False)), slice_shape=new.shape != target.full_shape
        )


def _load_slice(target: Parameter, piece: Piece, strict: bool) -> None:
    """Load what a rank saved of its own."""
    if piece.full_shape != target.full_shape:
        raise MismatchError(
            f"Parameter {target.name!r} has shape {target.full_shape} in the network, but {piece.full_shape} in "
            f"{piece.file.path}. Load it into a network of the same sizes."
        )
    wanted = piece.box if target.layout is None else target.layout.box(target.full_shape, current().rank)
    values = np.empty([high - low for low, high in wanted], _type(target, piece.dtype, strict).numpy)
    if piece.copy_into(values, wanted) < values.size:
        raise CheckpointError(
            f"{piece.file.path} holds box {piece.box} of Parameter {target.name!r}, but rank {current().rank} holds "
            f"{wanted}. Give load_distributed_checkpoint the files of all ranks."
        )
    target.set_data(Tensor(values), slice_shape=True)


def _type(target: Parameter, given: DType, strict: bool) -> DType:
    """Return the type to load as; that of the network where floats, or whole numbers, may be converted."""
    if given == target.dtype or (not strict and given.is_float == target.dtype.is_float):
        return target.dtype
    raise MismatchError(
        f"Parameter {target.name!r} holds {target.dtype}, but the checkpoint has {given}. Convert it, or leave it out."
    )


# --- the slices of all ranks ---


def load_distributed_checkpoint(
    network: Any,
    checkpoint_filenames: Sequence[Path_] | None = None,
    predict_strategy: Any = None,
    train_strategy_filename: Path_ | None = None,
    strict_load: bool = False,
    dec_key: bytes | None = None,
    dec_mode: str = "AES-GCM",
    format: str = "ckpt",
    unified_safetensors_dir: Path_ | None = None,
    **kwargs: Any,
) -> tuple[list[str], list[str]] | None:
    """Load the files that all ranks of a training saved into a network that may be cut in any other way.

    Each rank reads the bytes of its own slices, from as many files as these lie in.

    Args:
        network: a Cell, compiled or not, on any number of ranks.
        checkpoint_filenames: the files of all ranks, in their order.
        predict_strategy: taken; the network's own layouts count.
        train_strategy_filename: the strategy file of the training; only needed for files without a manifest.
        strict_load: see ``load_param_into_net``.
        dec_key: refused: nothing is decrypted.
        dec_mode: taken; changes nothing.
        format: taken; each file tells its own.
        unified_safetensors_dir: a folder of safetensors files instead of ``checkpoint_filenames``.
        **kwargs: more of MindSpore's; taken, changes nothing.

    Returns:
        What ``load_param_into_net`` does.

    Raises:
        CheckpointError: files are missing, cut short or foreign, or together do not hold what is needed.
        NotYetError: ``dec_key`` is given.
    """
    if dec_key is not None:
        raise NotYetError("load_distributed_checkpoint does not decrypt; leave out dec_key.")
    files = list(checkpoint_filenames or ())
    if unified_safetensors_dir is not None:
        files = sorted(Path(unified_safetensors_dir).rglob("*.safetensors"))
    if not files:
        raise CheckpointError(
            "load_distributed_checkpoint was given no files; give those of all ranks, in their order."
        )
    strategies = read_strategies(train_strategy_filename)
    return load_param_into_net(network, merged(files, strategies), strict_load)


def merged(files: Sequence[Path_], strategies: Strategies = MappingProxyType({})) -> dict[str, Any]:
    """Return the whole Parameters of which files hold slices; values are read when they are needed."""
    opened = {rank: open_checkpoint(path) for rank, path in enumerate(files)}
    texts = {name: text for checkpoint in opened.values() for name, text in checkpoint.manifest.texts.items()}
    return {**{name: _of_pieces(found) for name, found in pieces_of(opened, strategies).items()}, **texts}


def pieces_of(opened: Mapping[int, Checkpoint], strategies: Strategies) -> dict[str, list[Piece]]:
    """Return by name the pieces that the files of all ranks hold.

    Args:
        opened: the files, by the rank that saved each.
        strategies: how the training cut each Parameter, for files that do not say it.
    """
    found: dict[str, list[Piece]] = {}
    for rank, checkpoint in opened.items():
        for name, piece in checkpoint.pieces.items():
            found.setdefault(name, []).append(placed_by(piece, strategies, rank))
    return found


def _of_pieces(found: Sequence[Piece]) -> LoadedParameter:
    if len({p.full_shape for p in found}) > 1:
        first, other = found[0], next(p for p in found if p.full_shape != found[0].full_shape)
        raise CheckpointError(
            f"{first.name!r} has shape {first.full_shape} in {first.file.path}, but {other.full_shape} in "
            f"{other.file.path}. Give files of one training."
        )
    boxes = {p.box: p for p in reversed(found)}
    return LoadedParameter(list(boxes.values()))
