"""MindSpore's ``.ckpt`` format: a protocol-buffer message with one field per Parameter.

``Checkpoint { repeated Value value = 1 }``, ``Value { tag = 1; tensor = 2 }``, ``TensorProto { repeated dims = 1;
tensor_type = 2; tensor_content = 3 }``. A large Parameter may stand in several values of one tag. The manifest is a
field of a number that MindSpore does not use, which its reader passes over, and so is a first field that says that it
follows, by which a file that is cut short is told from one without. With ``crc_check``, ``crc_num`` and the
checksum of all values follow at the end.
"""

from collections.abc import Iterator
from math import prod

from simpar.checkpoint.manifest import Manifest
from simpar.checkpoint.pieces import Array, FileBytes, Piece, whole_box
from simpar.dtype import DTYPES
from simpar.errors import CheckpointError
from simpar.layout import message_field, numbers_field

__all__ = ["footer_bytes", "header_bytes", "manifest_bytes", "read_index", "value_bytes"]

_MANIFEST_FIELD, _FOLLOWS_FIELD = 1000, 1001
_FOOTER, _FOOTER_BYTES = b"crc_num", 17
_TYPES = {repr(dtype): name for name, dtype in DTYPES.items()}
_TEXT = "str"


def read_index(file: FileBytes) -> tuple[dict[str, Piece], Manifest, int | None]:
    """Return what a file holds, without reading any values, and the checksum at its end if there is one.

    Raises:
        CheckpointError: the file is cut short, or is something else.
    """
    stop, total = file.size, None
    if file.size > _FOOTER_BYTES and file.data[stop - _FOOTER_BYTES :][: len(_FOOTER)] == _FOOTER:
        total = int.from_bytes(file.data[stop - 10 : stop], "big")
        stop -= _FOOTER_BYTES
    manifest, texts, is_due = Manifest(), dict[str, str](), False
    found: dict[str, tuple[str, tuple[int, ...], list[tuple[int, int]]]] = {}
    for number, start, length in _fields(file, 0, stop):
        if number == _MANIFEST_FIELD:
            manifest = Manifest.from_json(bytes(file.data[start : start + length]).decode(errors="replace"))
            is_due = False
        elif number == _FOLLOWS_FIELD:
            is_due = True
        elif number == 1:
            tag, type_name, shape, content = _value(file, start, start + length)
            if type_name == _TEXT:
                texts[tag] = bytes(file.data[content[0] : sum(content)]).decode("utf-32-le", errors="replace")
            else:
                found.setdefault(tag, (type_name, shape, []))[2].append(content)
        else:
            raise CheckpointError(_foreign(file))
    if is_due:
        raise CheckpointError(f"{file.path} is cut short: its manifest is missing. Save or copy it again.")
    if not found and not texts and not manifest.tensors:
        raise CheckpointError(_foreign(file))
    pieces = {tag: _piece(file, tag, *rest, manifest) for tag, rest in found.items()}
    return pieces, Manifest(manifest.rank, manifest.ranks, manifest.tensors, {**manifest.texts, **texts}), total


def _value(file: FileBytes, start: int, stop: int) -> tuple[str, str, tuple[int, ...], tuple[int, int]]:
    """Return tag, type, shape, and place of the values of one entry."""
    tag, type_name, dims, content = "", "", list[int](), None
    for number, at, length in _fields(file, start, stop):
        if number == 1:
            tag = bytes(file.data[at : at + length]).decode(errors="replace")
        elif number == 2:
            for inner, begin, size in _fields(file, at, at + length):
                if inner == 1:
                    dims.extend([begin] if size < 0 else _packed(file, begin, begin + size))
                elif inner == 2:
                    type_name = bytes(file.data[begin : begin + size]).decode(errors="replace")
                elif inner == 3:
                    content = (begin, size)
    if not tag or content is None or type_name not in (*_TYPES, _TEXT):
        raise CheckpointError(_foreign(file))
    return tag, _TYPES.get(type_name, _TEXT), tuple(dims), content


def _piece(
    file: FileBytes, tag: str, type_name: str, dims: tuple[int, ...], parts: list[tuple[int, int]], manifest: Manifest
) -> Piece:
    nbytes = sum(length for _, length in parts)
    shape = () if dims == (0,) and nbytes else dims  # MindSpore's way to write a number
    if prod(shape) * DTYPES[type_name].itemsize != nbytes:
        raise CheckpointError(f"{file.path}: {tag!r} of shape {shape} and type {type_name} has {nbytes} bytes.")
    placed = manifest.tensors.get(tag)
    full, box, layout = shape, whole_box(shape), None
    if placed is not None and placed.full_shape is not None and placed.box is not None:
        full, box, layout = placed.full_shape, placed.box, placed.layout
    crc = None if placed is None else placed.crc32
    return Piece(file, tag, type_name, shape, tuple(parts), full, box, layout, crc)


def _fields(file: FileBytes, at: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, offset and length of each field of a message; of a number its value and -1."""
    while at < stop:
        key, at = _varint(file, at, stop)
        number, kind = key >> 3, key & 7
        value, at = _varint(file, at, stop)
        if number == 0 or kind not in (0, 2):
            raise CheckpointError(_foreign(file))
        if kind == 0:
            yield number, value, -1
            continue
        if at + value > stop:
            raise CheckpointError(
                f"{file.path} is cut short, or no checkpoint: a field ends at byte {at + value}, what it stands in at "
                f"{stop}. Save or copy the file again."
            )
        yield number, at, value
        at += value


def _packed(file: FileBytes, at: int, stop: int) -> Iterator[int]:
    while at < stop:
        value, at = _varint(file, at, stop)
        yield value


def _varint(file: FileBytes, at: int, stop: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= stop:
            break
        byte = file.data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise CheckpointError(_foreign(file))


def _foreign(file: FileBytes) -> str:
    return (
        f"{file.path} is no checkpoint, or cut short: it is neither safetensors nor a .ckpt file of MindSpore. Choose "
        "a file that save_checkpoint wrote."
    )


# --- the other way ---


def header_bytes() -> bytes:
    """Return the field that says that a manifest follows."""
    return numbers_field(_FOLLOWS_FIELD, [1])


def value_bytes(name: str, value: Array | str) -> bytes:
    """Return the field of one Parameter, or of a text."""
    if isinstance(value, str):
        dims, type_name, content = (1,), _TEXT, value.encode("utf-32-le")
    else:
        type_name = next(shown for shown, held in _TYPES.items() if held == value.dtype.name)
        dims, content = value.shape, value.tobytes()
    tensor = numbers_field(1, dims) + message_field(2, type_name) + message_field(3, content)
    return message_field(1, message_field(1, name) + message_field(2, tensor))


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the field of the manifest."""
    return message_field(_MANIFEST_FIELD, manifest.to_json())


def footer_bytes(crc: int) -> bytes:
    """Return the end of a file with a checksum of all that stands before."""
    return _FOOTER + crc.to_bytes(10, "big")
