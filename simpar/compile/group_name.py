"""The names that MindSpore's compiler gives to groups of ranks, as they stand in ``parameter_layout_dict``."""

from collections.abc import Sequence

__all__ = ["group_name"]

_FACTOR, _SEED, _MASK = 0xC6A4A7935BD1E995, 0xC70F6907, (1 << 64) - 1


def group_name(ranks: Sequence[int]) -> str:
    """Return how many ranks a group has, and a hash of which.

    >>> group_name((0, 1))
    '2-5004544844489628105'
    """
    return f"{len(ranks)}-{_hash('-'.join(map(str, ranks)).encode())}"


def _hash(data: bytes) -> int:
    """Return the 64-bit MurmurHash2 of A. Appleby that C++'s standard library uses for text."""
    value = (_SEED ^ (len(data) * _FACTOR)) & _MASK
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        part = int.from_bytes(data[at : at + 8], "little") * _FACTOR & _MASK
        value = (value ^ ((part ^ (part >> 47)) * _FACTOR)) * _FACTOR & _MASK
    if data[whole:]:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _MASK
    value = (value ^ (value >> 47)) * _FACTOR & _MASK
    return value ^ (value >> 47)
