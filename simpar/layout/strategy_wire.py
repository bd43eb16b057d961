"""Protocol-buffer bytes, as far as MindSpore's strategy checkpoints need them: numbers, text, messages in messages.

A message is a row of fields: a key (number and kind), then a varint, or a length and that many bytes. What comes from
a file is not trusted: each read checks that it stays inside, and the depth is that of the caller's own code.
(Encoding guide of protocol buffers, "Message structure"; https://protobuf.dev/programming-guides/encoding.)
"""

from collections.abc import Iterable, Iterator

from simpar.errors import StrategyError

__all__ = ["Fields", "fields_of", "message_field", "number_field", "numbers_field", "parse", "signed"]

Fields = dict[int, list[int | bytes]]
"""The values of each field of one message, by the field's number, in order."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MOST_VARINT = 10  # bytes of a number of 64 bits
_TOP = 1 << 64


def parse(data: bytes) -> Fields:
    """Return the fields of a message.

    Raises:
        StrategyError: these are not the bytes of a message.

    >>> parse(bytes([8, 150, 1, 18, 2, 104, 105]))
    {1: [150], 2: [b'hi']}
    """
    found: Fields = {}
    for number, value in fields_of(data):
        found.setdefault(number, []).append(value)
    return found


def fields_of(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field; those of fixed width as bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0 or kind not in (_VARINT, _EIGHT, _BYTES, _FOUR):
            raise StrategyError(_broken(at))
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = 8 if kind == _EIGHT else 4
        if kind == _BYTES:
            length, at = _varint(data, at)
        if at + length > len(data):
            raise StrategyError(_broken(at))
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a byte, and where the next field begins."""
    value = 0
    for place in range(_MOST_VARINT):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value % _TOP, at + place + 1
    raise StrategyError(_broken(at))


def _broken(at: int) -> str:
    return (
        f"byte {at} is not what a strategy checkpoint has there: the file is neither JSON nor such a checkpoint, or it "
        "is cut short. Choose the file that MindSpore, or simpar, saved."
    )


def signed(value: int) -> int:
    """Return a varint as the signed number that it stands for.

    >>> signed(2**64 - 1), signed(3)
    (-1, 3)
    """
    return value - _TOP if value >= _TOP >> 1 else value


# --- the other way ---


def number_field(number: int, value: int) -> bytes:
    """Return a field that holds a whole number, which may be negative.

    >>> number_field(1, 150).hex(), len(number_field(1, -1))
    ('089601', 11)
    """
    return _as_varint(number << 3 | _VARINT) + _as_varint(value % _TOP)


def numbers_field(number: int, values: Iterable[int]) -> bytes:
    """Return a repeated field of whole numbers, one key for each, as proto2 writes it."""
    return b"".join(number_field(number, v) for v in values)


def message_field(number: int, body: bytes | str) -> bytes:
    """Return a field that holds a message, or text."""
    data = body.encode() if isinstance(body, str) else body
    return _as_varint(number << 3 | _BYTES) + _as_varint(len(data)) + data


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
