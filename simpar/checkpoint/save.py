"""Saving: the Parameters of a network, whole or this rank's slices, in one file that appears complete or not."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4
from zlib import crc32

import numpy as np

from simpar.checkpoint import protobuf, safetensors
from simpar.checkpoint.manifest import Manifest, Placed
from simpar.checkpoint.pieces import Array, whole_box
from simpar.context import current
from simpar.errors import CheckpointError, DTypeError, NotYetError
from simpar.execute import gather_slices
from simpar.initializer import Filling
from simpar.layout import Box, Layout
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["Entry", "save_checkpoint", "write_file"]

_FORMATS = ("ckpt", "safetensors")


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor that is to be written.

    Args:
        name: its name.
        type_name: its element type.
        shape: of what is written.
        values: gives the values, when they are written.
        full_shape: of the whole, if what is written is a slice.
        box: which box of the whole.
        layout: how the whole is cut.
    """

    name: str
    type_name: str
    shape: tuple[int, ...]
    values: Callable[[], Array] = field(repr=False)
    full_shape: tuple[int, ...] | None = None
    box: Box | None = None
    layout: Layout | None = None


def save_checkpoint(
    save_obj: Any,
    ckpt_file_name: str | os.PathLike[str],
    integrated_save: bool = True,
    async_save: bool | str = False,
    append_dict: Mapping[str, Any] | None = None,
    enc_key: bytes | None = None,
    enc_mode: str = "AES-GCM",
    choice_func: Callable[[str], bool] | None = None,
    crc_check: bool = False,
    format: str = "ckpt",
    **kwargs: Any,
) -> None:
    """Save the Parameters of a network, or a list or dictionary of them, to one file.

    The file is written beside its place and then moved there: whoever looks finds the old one or the new one, whole.

    Args:
        save_obj: a Cell, a dictionary of Parameters or Tensors by name, or a list of ``{"name": …, "data": …}``.
        ckpt_file_name: the file; folders are made. Its ending, ``.ckpt`` or ``.safetensors``, decides the format.
        integrated_save: whether Parameters that are cut are put together first, which all ranks must call for; else
            each rank saves its slices, with a manifest of what they are.
        async_save: taken; it is saved before the call returns.
        append_dict: more to save: numbers, texts, Tensors by name.
        enc_key: refused: nothing is encrypted.
        enc_mode: taken; changes nothing.
        choice_func: says of each name whether it is saved.
        crc_check: whether a ``.ckpt`` file ends with a checksum of the whole, as MindSpore writes it; the manifest
            has one of each tensor in any case.
        format: what the file name's ending is to be, if it has none of the two.
        **kwargs: more of MindSpore's; taken, changes nothing.

    Raises:
        CheckpointError: the file cannot be written.
        DTypeError: something cannot be saved.
        NotYetError: ``enc_key`` is given.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint({"w": Parameter(Tensor([1.0]), "w")}, folder + "/w.ckpt")
    ...     [path.name for path in Path(folder).iterdir()]
    ['w.ckpt']
    """
    if enc_key is not None:
        raise NotYetError("save_checkpoint does not encrypt; leave out enc_key, and encrypt the file when it is saved.")
    path = _path(ckpt_file_name, format)
    tensors = _named(save_obj)
    texts: dict[str, str] = {}
    for name, value in (append_dict or {}).items():
        if isinstance(value, str):
            texts[name] = value
        elif isinstance(value, Tensor | int | float):  # bool is an int
            tensors[name] = value if isinstance(value, Tensor) else Tensor(value)
        else:
            raise DTypeError(f"append_dict[{name!r}] is {value!r}; give a number, a text or a Tensor.")
    chosen = {name: t for name, t in tensors.items() if choice_func is None or choice_func(name)}
    entries = [e for name, t in chosen.items() if (e := _entry(name, t, integrated_save)) is not None]
    write_file(path, entries, texts, crc_check)


def _path(given: str | os.PathLike[str], format: str) -> Path:
    path = Path(given)
    if format not in _FORMATS:
        raise CheckpointError(f"format is {format!r}; choose one of {', '.join(_FORMATS)}.")
    return path if path.suffix[1:] in _FORMATS else path.with_name(f"{path.name}.{format}")


def _named(given: Any) -> dict[str, Tensor]:
    """Return what is to be saved by name.

    Raises:
        DTypeError: it is nothing that can be saved.
    """
    if hasattr(given, "parameters_and_names"):
        return {p.name: p for _, p in given.parameters_and_names()}
    if isinstance(given, Mapping):
        found = dict(cast("Mapping[str, Any]", given))
    elif isinstance(given, list | tuple):
        found = {str(item["name"]): item["data"] for item in cast("Sequence[Mapping[str, Any]]", given)}
    else:
        raise DTypeError(f"save_checkpoint takes a Cell, a dictionary or a list, not {given!r}.")
    return {name: t if isinstance(t, Tensor) else Tensor(t) for name, t in found.items()}


def _entry(name: str, tensor: Tensor, integrated: bool) -> Entry | None:
    """Return how one Tensor is written; None for one that only ranks of another stage hold."""
    type_name = tensor.dtype.name
    if not isinstance(tensor, Parameter):
        return Entry(name, type_name, tensor.shape, tensor.asnumpy)
    full, layout = tensor.full_shape, tensor.layout
    if tensor.init is not None:
        filling = cast("Filling", tensor.init)
        return Entry(name, type_name, full, lambda: filling.fill(full, tensor.dtype, whole_box(full)))
    world, rank = current().world, current().rank
    if layout is not None and rank not in layout.ranks:
        return None
    if layout is None or tensor.shape == full:
        return Entry(name, type_name, tensor.shape, tensor.asnumpy)
    if integrated and world is not None and max(layout.ranks) < world.size:
        return Entry(name, type_name, full, lambda: gather_slices(world, layout, full, tensor.asnumpy()))
    return Entry(name, type_name, tensor.shape, tensor.asnumpy, full, layout.box(full, rank), layout)


# --- the file ---


def write_file(path: Path, entries: Sequence[Entry], texts: Mapping[str, str], crc_check: bool = False) -> None:
    """Write a checkpoint, so that it appears whole or not at all.

    Raises:
        CheckpointError: it cannot be written; what stood there before stands there still.
    """
    context = current()
    ranks = 1 if context.world is None else context.world.size
    placed = {e.name: Placed(0, e.full_shape, e.box, e.layout) for e in entries}
    manifest = Manifest(context.rank, ranks, placed, texts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(path) as beside:
            if path.suffix == ".safetensors":
                arrays = {e.name: _values(e) for e in entries}
                sums = {name: crc32(a.reshape(-1).view(np.uint8).data) for name, a in arrays.items()}
                safetensors.write_tensors(beside, arrays, manifest.with_sums(sums))
            else:
                with beside.open("xb") as out:
                    _write_ckpt(out, entries, manifest, crc_check)
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint {path} cannot be written: {error.strerror or error}. Choose another place."
        ) from None


@contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """Give the path of a file beside ``path`` that takes its place in the end, or vanishes if something fails."""
    beside = path.with_name(f".{path.name}.{uuid4().hex[:12]}.tmp")
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _values(entry: Entry) -> Array:
    values = np.ascontiguousarray(entry.values()).reshape(entry.shape)
    return values if values.dtype.byteorder != ">" else values.astype(values.dtype.newbyteorder("<"))


def _write_ckpt(out: IO[bytes], entries: Sequence[Entry], manifest: Manifest, crc_check: bool) -> None:
    sums: dict[str, int] = {}
    total = crc32(protobuf.header_bytes())
    out.write(protobuf.header_bytes())
    values = ((e.name, _values(e)) for e in entries)
    for name, value in chain(values, manifest.texts.items()):
        if not isinstance(value, str):
            sums[name] = crc32(value.tobytes())
        data = protobuf.value_bytes(name, value)
        total = crc32(data, total)
        out.write(data)
    data = protobuf.manifest_bytes(manifest.with_sums(sums))
    out.write(data + (protobuf.footer_bytes(crc32(data, total)) if crc_check else b""))
