"""Where each value lives: which values share memory, how long they are needed, at which byte they begin.

Three kinds of memory: *state* (parameters, kept between steps), *constants*, and one *arena* for everything that a
step makes, in which values that are never needed at the same time overlap. All offsets are found once, before the first
step.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Block", "Lifetimes", "place_blocks"]

ALIGNMENT = 64
"""Bytes; a cache line, and what the widest vector loads like best."""


@dataclass(slots=True)
class Block:
    """A run of bytes in the arena that one value, or several side by side, occupy.

    Args:
        parts: the values in it, each with its bytes, in order.
        birth, death: the instructions before and after which the bytes are free.
        offset: where it begins, once placed.
    """

    parts: list[tuple[int, int]]
    birth: int
    death: int
    offset: int = 0
    starts: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def nbytes(self) -> int:
        """Bytes of all parts, rounded up to the alignment."""
        return _rounded(sum(n for _, n in self.parts))


def _rounded(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def place_blocks(blocks: Iterable[Block]) -> int:
    """Give every block an offset such that blocks alive at the same time do not overlap; return the bytes needed.

    The largest block first, each into the lowest gap that is free during its life (greedy by size, Pisarchyk and Lee,
    2020); values within a block stand side by side.

    >>> a, b, c = Block([(0, 64)], 0, 1), Block([(1, 128)], 2, 3), Block([(2, 64)], 1, 2)
    >>> place_blocks([a, b, c]), a.offset, b.offset, c.offset
    (192, 0, 0, 128)
    """
    placed: list[_Placed] = []
    total = 0
    for size, block in sorted(((b.nbytes, b) for b in blocks), key=lambda pair: (-pair[0], pair[1].birth)):
        at = block.offset = _lowest_gap(block, size, placed)
        insort(placed, (at, at + size, block.birth, block.death))
        total = max(total, at + size)
        for value, nbytes in block.parts:
            block.starts[value] = at
            at += nbytes
    return total


_Placed = tuple[int, int, int, int]
"""First byte, last byte, birth and death of a block: plain numbers, as every block is compared with all before it."""


def _lowest_gap(block: Block, size: int, placed: Sequence[_Placed]) -> int:
    """Return the lowest offset with ``size`` bytes free; ``placed`` is sorted by offset."""
    at, birth, death = 0, block.birth, block.death
    for start, end, born, dies in placed:
        if born <= death and birth <= dies:
            if start - at >= size:
                break
            at = max(at, end)
    return at


@dataclass(slots=True)
class Lifetimes:
    """From which instruction to which each value is needed; values that share memory live as one.

    Args:
        birth: of each value, the instruction that makes it; -1 for inputs.
        last_use: of each value, the last instruction that reads it.
    """

    birth: dict[int, int]
    last_use: dict[int, int]
    _owner: dict[int, int] = field(default_factory=dict[int, int])

    def share(self, value: int, owner: int) -> None:
        """Let ``value`` live in the memory of ``owner``."""
        root = self.owner(owner)
        if root != value:
            self._owner[value] = root
            self.birth[root] = min(self.birth[root], self.birth[value])
            self.last_use[root] = max(self.last_use.get(root, -1), self.last_use.get(value, self.birth[value]))

    def owner(self, value: int) -> int:
        """Return the value in whose memory ``value`` lives."""
        while value in self._owner:
            value = self._owner[value]
        return value

    def death(self, value: int) -> int:
        """Return the last instruction that reads a value, or anything that shares its memory."""
        root = self.owner(value)
        return max(self.last_use.get(root, -1), self.birth[root])

    def shares(self) -> Mapping[int, int]:
        """Return, for each value without memory of its own, whose memory it lives in."""
        return {v: self.owner(v) for v in self._owner}
