"""The safetensors format: a length, a JSON header with type, shape and place of each tensor, then the values.

(Its description: https://huggingface.co/docs/safetensors, "Format".) The manifest is the entry ``simpar`` of the
header's ``__metadata__``.
"""

import json
from collections.abc import Mapping
from math import prod
from typing import IO, Any

from simpar.checkpoint.manifest import Manifest
from simpar.checkpoint.pieces import BFLOAT16, FileBytes, Piece, whole_box
from simpar.dtype import DTYPES
from simpar.errors import CheckpointError

__all__ = ["is_safetensors", "read_index", "write_header"]

_MOST_HEADER_BYTES = 100_000_000
_KEY = "simpar"
_NAMES = {
    "bool": "BOOL", "int8": "I8", "uint8": "U8", "int16": "I16", "uint16": "U16", "int32": "I32", "uint32": "U32",
    "int64": "I64", "uint64": "U64", "float16": "F16", "float32": "F32", "float64": "F64", BFLOAT16: "BF16",
}  # fmt: skip
_TYPES = {short: name for name, short in _NAMES.items()}


def is_safetensors(file: FileBytes) -> bool:
    """Return whether a file begins as one of this format does."""
    return file.size >= 9 and file.data[8:9] == b"{" and _header_bytes(file) <= _MOST_HEADER_BYTES


def _header_bytes(file: FileBytes) -> int:
    return int.from_bytes(file.data[:8], "little")


def read_index(file: FileBytes) -> tuple[dict[str, Piece], Manifest]:
    """Return what a file holds, without reading any values.

    The header is not trusted: every number in it is checked against the size of the file.

    Raises:
        CheckpointError: the file is cut short, or its header is broken.
    """
    length = _header_bytes(file)
    if 8 + length > file.size:
        raise CheckpointError(
            f"{file.path} is cut short: its header has {length} bytes, the file {file.size}. Save or copy it again."
        )
    try:
        header: dict[str, Any] = json.loads(bytes(file.data[8 : 8 + length]).decode())
        metadata = dict(header.pop("__metadata__", None) or {})
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{file.path}: the header is broken: {str(error)[:200]}. Save or copy it again."
        ) from None
    manifest = Manifest.from_json(metadata[_KEY]) if _KEY in metadata else Manifest()
    return {name: _piece(file, name, given, 8 + length, manifest) for name, given in header.items()}, manifest


def _piece(file: FileBytes, name: str, given: Any, begin: int, manifest: Manifest) -> Piece:
    try:
        type_name = _TYPES[given["dtype"]]
        shape = tuple(int(n) for n in given["shape"])
        start, stop = (int(n) for n in given["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(
            f"{file.path}: the entry of {name!r} is {str(given)[:120]}, which simpar cannot read; it knows the types "
            f"{', '.join(_TYPES)}."
        ) from None
    nbytes = prod(shape) * (2 if type_name == BFLOAT16 else DTYPES[type_name].itemsize)
    if stop - start != nbytes or start < 0 or any(n < 0 for n in shape):
        raise CheckpointError(
            f"{file.path}: {name!r} of shape {shape} takes {nbytes} bytes, but the header gives it {stop - start}."
        )
    if begin + stop > file.size:
        raise CheckpointError(
            f"{file.path} is cut short: {name!r} ends at byte {begin + stop}, the file at {file.size}. "
            "Save or copy it again."
        )
    placed = manifest.tensors.get(name)
    full, box, layout = shape, whole_box(shape), None
    if placed is not None and placed.full_shape is not None and placed.box is not None:
        full, box, layout = placed.full_shape, placed.box, placed.layout
        if tuple(high - low for low, high in box) != shape:
            raise CheckpointError(f"{file.path}: {name!r} has shape {shape}, but its manifest says box {box}.")
    crc32 = None if placed is None else placed.crc32
    return Piece(file, name, type_name, shape, ((begin + start, nbytes),), full, box, layout, crc32)


def write_header(out: IO[bytes], tensors: Mapping[str, tuple[str, tuple[int, ...]]], manifest: Manifest) -> None:
    """Write all that stands before the values.

    Args:
        out: an open file, at its beginning.
        tensors: type and shape of each tensor, in the order in which their values follow.
        manifest: what else is to be known; checksums do not change the length.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "np", _KEY: manifest.to_json()}}
    at = 0
    for name, (type_name, shape) in tensors.items():
        stop = at + prod(shape) * DTYPES[type_name].itemsize
        header[name] = {"dtype": _NAMES[type_name], "shape": shape, "data_offsets": (at, stop)}
        at = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that values begin on a multiple of 8
    out.write(len(text).to_bytes(8, "little") + text)
