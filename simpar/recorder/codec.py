"""Events as bytes: how a rank sends a batch to rank 0.

A record is one byte for the kind, four for the length, and a body: packed numbers for ``StepFinished`` and
``SliceValues``, JSON for all others. A batch is records one after the other. There is no pickle: bytes from another
rank can only become events.
"""

import json
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

import numpy as np

from simpar.errors import RunStoreError
from simpar.recorder.events import EVENTS, Event, SliceValues, StepFinished

__all__ = ["decode_batch", "encode_event", "from_plain", "json_text", "to_plain"]

_HEAD = struct.Struct("<BI")  # kind, bytes of the body
_STEP = struct.Struct("<qddd?HI")  # step, start_s, end_s, loss, has a loss, bytes of the program's name, rows of times
_CODES = {kind: code for code, kind in enumerate(EVENTS)}
_VALUES = struct.Struct("<IqdddddQQHHHB")
# rank, step, minimum to norm, nans, infinities, bytes of both names, bins, axes of the tile


def encode_event(event: Event) -> bytes:
    """Return one event as a record; records joined are a batch.

    >>> from simpar.recorder.events import Scalar
    >>> list(decode_batch(encode_event(Scalar("lr", 3, 0.5)) * 2))[1]
    Scalar(name='lr', step=3, value=0.5)
    """
    if type(event) is StepFinished:
        body = _pack_step(event)
    elif type(event) is SliceValues:
        body = _pack_values(event)
    else:
        body = json.dumps(to_plain(event), separators=(",", ":"), default=_as_plain).encode()
    return _HEAD.pack(_CODES[type(event)], len(body)) + body


def _pack_step(event: StepFinished) -> bytes:
    name = event.program.encode()
    loss = event.loss
    rows = len(event.times)
    head = _STEP.pack(
        event.step, event.start_s, event.end_s, 0.0 if loss is None else loss, loss is not None, len(name), rows
    )
    return head + name + event.times.tobytes()


def _pack_values(event: SliceValues) -> bytes:
    e, program, parameter = event, event.program.encode(), event.parameter.encode()
    numbers = (e.rank, e.step, e.minimum, e.maximum, e.mean, e.std, e.norm, e.nans, e.infinities)
    head = _VALUES.pack(*numbers, len(program), len(parameter), len(e.histogram), e.tile.ndim)
    counts = np.array((*e.tile.shape, *e.histogram), np.int64)
    return head + program + parameter + counts.tobytes() + e.tile.tobytes()


def decode_batch(batch: bytes) -> Iterator[Event]:
    """Yield the events of a batch in the order in which they were encoded.

    Raises:
        RunStoreError: the batch is cut short or holds a kind that does not exist.
    """
    at = 0
    while at < len(batch):
        if at + _HEAD.size > len(batch):
            raise RunStoreError(f"a batch of {len(batch)} bytes ends within the head of a record at byte {at}.")
        code, length = _HEAD.unpack_from(batch, at)
        at += _HEAD.size
        if code >= len(EVENTS) or at + length > len(batch):
            raise RunStoreError(
                f"a batch of {len(batch)} bytes has, before byte {at}, a record of kind {code} and length {length}; "
                f"kinds go to {len(EVENTS) - 1}. Ranks must run the same version of simpar."
            )
        body = batch[at : at + length]
        packed = _PACKED.get(code)
        yield from_plain(EVENTS[code], json.loads(body)) if packed is None else packed(body)
        at += length


def _unpack_step(body: bytes) -> StepFinished:
    step, start_s, end_s, loss, has_loss, named, rows = _STEP.unpack_from(body)
    name = body[_STEP.size : _STEP.size + named].decode()
    times = np.frombuffer(body, np.float64, 2 * rows, _STEP.size + named).reshape(rows, 2)
    return StepFinished(name, step, start_s, end_s, loss if has_loss else None, times)


def _unpack_values(body: bytes) -> SliceValues:
    rank, step, low, high, mean, std, norm, nans, infinities, named, called, bins, axes = _VALUES.unpack_from(body)
    at = _VALUES.size + named + called
    program, parameter = body[_VALUES.size : _VALUES.size + named].decode(), body[_VALUES.size + named : at].decode()
    counts: list[int] = np.frombuffer(body, np.int64, axes + bins, at).tolist()
    tile = np.frombuffer(body, np.float32, offset=at + 8 * (axes + bins)).reshape(counts[:axes])
    told = (nans, infinities, tuple(counts[axes:]))
    return SliceValues(rank, program, parameter, step, low, high, mean, std, norm, *told, tile)


_PACKED: dict[int, Callable[[bytes], Event]] = {
    _CODES[StepFinished]: _unpack_step,
    _CODES[SliceValues]: _unpack_values,
}


# --- dataclasses as what JSON can hold ---


def to_plain(value: Any) -> Any:
    """Return dataclasses as dicts by field name and sequences as lists, all the way down; anything else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_plain(v) for v in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {k: to_plain(v) for k, v in cast("dict[str, Any]", value).items()}
    return value


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON that every reader takes: NaN and infinities, which JSON does not have, as text.

    >>> json_text({"loss": float("nan"), "shape": (2, 3)})
    '{"loss":"nan","shape":[2,3]}'
    """
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        _finite(to_plain(value)), indent=indent, separators=separators, allow_nan=False, default=_as_plain
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in cast("dict[str, Any]", value).items()}
    return [_finite(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


def _as_plain(value: Any) -> Any:
    """Write what JSON does not know: a number of numpy as a number, all else as its text."""
    return cast("Any", value).item() if isinstance(value, (np.number, np.bool_)) else str(value)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def from_plain(kind: Any, value: Any) -> Any:
    """Return what ``to_plain`` made of a value of this type, as that type again; sequences become tuples.

    >>> from simpar.layout import Layout
    >>> from_plain(Layout, to_plain(Layout((2, 4), (-1, 0)))) == Layout((2, 4), (-1, 0))
    True
    """
    if is_dataclass(kind):
        hints = _hints(cast("type", kind))
        return cast("type", kind)(**{name: from_plain(hints[name], v) for name, v in value.items()})
    origin = get_origin(kind)
    if origin is UnionType:
        kinds = [k for k in get_args(kind) if k is not NoneType]
        return value if value is None or isinstance(value, int) else from_plain(_only_sequence(kinds), value)
    if origin is tuple and isinstance(value, list):
        entry = get_args(kind)[0]
        return tuple(from_plain(entry, v) for v in cast("list[Any]", value))
    return _tuples(value)


def _only_sequence(kinds: list[Any]) -> Any:
    """Choose the member of a union that a value which is neither None nor a number can be."""
    return next((k for k in kinds if get_origin(k) is tuple or is_dataclass(k)), kinds[0])


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(v) for v in cast("list[Any]", value))
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in cast("dict[str, Any]", value).items()}
    return value
