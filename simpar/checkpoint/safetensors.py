"""The safetensors format, through its library: what a file holds and where, and writing one.

The library reads and checks headers; values stay in the file, mapped into memory, until they are asked for. The
manifest is the entry ``simpar`` of a file's metadata.
"""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, cast

from simpar.checkpoint.manifest import Manifest
from simpar.checkpoint.pieces import Array, FileBytes, Piece, whole_box
from simpar.dtype import DTYPES
from simpar.errors import CheckpointError

__all__ = ["is_safetensors", "read_index", "write_tensors"]

_MOST_HEADER_BYTES = 100_000_000
_KEY = "simpar"
_TYPES = {
    "BOOL": "bool", "I8": "int8", "U8": "uint8", "I16": "int16", "U16": "uint16", "I32": "int32", "U32": "uint32",
    "I64": "int64", "U64": "uint64", "F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16",
    "C64": "complex64",
}  # fmt: skip

Found = list[tuple[str, str, tuple[int, ...]]]
"""Name, type and shape of each tensor, in the order in which their values follow each other."""


def is_safetensors(file: FileBytes) -> bool:
    """Return whether a file begins as one of this format does."""
    return file.size >= 9 and file.data[8:9] == b"{" and _header_bytes(file) <= _MOST_HEADER_BYTES


def _header_bytes(file: FileBytes) -> int:
    return int.from_bytes(file.data[:8], "little")


def read_index(file: FileBytes) -> tuple[dict[str, Piece], Manifest]:
    """Return what a file holds, without reading any values.

    Raises:
        CheckpointError: the file is cut short, its header is broken, or it holds a type that simpar does not have.
    """
    found, metadata = _looked_into(file)
    manifest = Manifest.from_json(metadata[_KEY]) if _KEY in metadata else Manifest()
    pieces = {piece.name: piece for piece in _pieces(file, found, manifest)}
    saved = [name for name in manifest.tensors if name in pieces]  # in the order in which they were given
    return {name: pieces[name] for name in (*saved, *(pieces.keys() - saved))}, manifest


def _looked_into(file: FileBytes) -> tuple[Found, dict[str, str]]:
    from safetensors import SafetensorError, safe_open  # most programs read no checkpoint

    try:
        with cast("Any", safe_open)(file.path, "np") as opened:
            slices = ((name, opened.get_slice(name)) for name in opened.offset_keys())
            return [(name, s.get_dtype(), tuple(s.get_shape())) for name, s in slices], opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        text = str(error).removeprefix("Error while deserializing header: ")[:200]
        is_short = "not fully covered" in text or "invalid header length" in text
        what = f"is cut short, or longer than it says, at {file.size} bytes" if is_short else "has a broken header"
        raise CheckpointError(f"{file.path} {what}: {text}. Save or copy it again.") from None


def _pieces(file: FileBytes, found: Found, manifest: Manifest) -> Iterator[Piece]:
    at = 8 + _header_bytes(file)  # a file has no gaps, which the library has checked
    for name, short, shape in found:
        if short not in _TYPES:
            raise CheckpointError(
                f"{file.path}: {name!r} has type {short}, which simpar cannot read; it knows {', '.join(_TYPES)}."
            )
        piece = _piece(file, (name, _TYPES[short], shape), at, manifest)
        at += piece.nbytes
        yield piece
    if at != file.size:
        raise CheckpointError(f"{file.path} changed while it was read. Load it again.")


def _piece(file: FileBytes, given: tuple[str, str, tuple[int, ...]], begin: int, manifest: Manifest) -> Piece:
    name, type_name, shape = given
    nbytes = prod(shape) * DTYPES[type_name].itemsize
    placed = manifest.tensors.get(name)
    full, box, layout = shape, whole_box(shape), None
    if placed is not None and placed.full_shape is not None and placed.box is not None:
        full, box, layout = placed.full_shape, placed.box, placed.layout
        if tuple(high - low for low, high in box) != shape:
            raise CheckpointError(f"{file.path}: {name!r} has shape {shape}, but its manifest says box {box}.")
    crc32 = None if placed is None else placed.crc32
    return Piece(file, name, type_name, shape, ((begin, nbytes),), full, box, layout, crc32)


def write_tensors(path: Path, tensors: Mapping[str, Array], manifest: Manifest) -> None:
    """Write a file.

    Args:
        path: the file.
        tensors: contiguous arrays by name.
        manifest: what else is to be known, with the checksums.

    Raises:
        CheckpointError: the format has not the type of a tensor.
        OSError: it cannot be written.
    """
    from safetensors import SafetensorError, TensorSpec, serialize_file

    for name, array in tensors.items():
        if array.dtype.name not in _TYPES.values():
            raise CheckpointError(
                f"{name!r} has type {array.dtype.name}, which safetensors files cannot hold; they know "
                f"{', '.join(_TYPES.values())}. Cast it, or save a .ckpt file."
            )
    specs: dict[str, Any] = {
        name: TensorSpec(dtype=a.dtype.name, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
        for name, a in tensors.items()
    }
    try:
        serialize_file(specs, path, {"format": "np", _KEY: manifest.to_json()})
    except SafetensorError as error:
        raise OSError(str(error).removeprefix("Error while serializing: ")) from None
