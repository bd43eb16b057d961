"""Pieces: boxes of Parameters that lie in files, and the values of any box out of them.

A file is mapped into memory, so that only what is looked at is read from the disk, and a file that is replaced or
removed meanwhile stays readable as it was.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType, as_dtype
from simpar.errors import CheckpointError
from simpar.initializer import Draw, Filling, Initializer
from simpar.layout import Box, Layout

__all__ = ["FileBytes", "FromFiles", "Piece", "lazily", "whole_box"]

Array = NDArray[Any]
Shape = tuple[int, ...]


class FileBytes:
    """The bytes of a file, and how many of them were read as values.

    Args:
        path: the file.

    Raises:
        CheckpointError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values_bytes = 0
        """Bytes that were copied out as values, by all readers of this object."""
        try:
            with path.open("rb") as file:
                self.size = file.seek(0, 2)
                self.data: mmap.mmap | bytes = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""
                )
        except OSError as error:
            raise CheckpointError(f"the checkpoint {path} cannot be read: {error.strerror or error}.") from None


@dataclass(frozen=True, slots=True)
class Piece:
    """A box of one Parameter in a file.

    Args:
        file: the bytes of the file.
        name: the Parameter's name.
        type_name: the element type, e.g. ``"float32"``.
        shape: of what the file holds.
        parts: offset and length in bytes of the values, in one part or several.
        full_shape: of the whole Parameter.
        box: which box of the whole the file holds.
        layout: how the Parameter was cut when it was saved, if the file says so.
        crc32: the checksum of the values, if the file says so.
    """

    file: FileBytes = field(repr=False)
    name: str
    type_name: str
    shape: Shape
    parts: tuple[tuple[int, int], ...]
    full_shape: Shape
    box: Box
    layout: Layout | None = None
    crc32: int | None = None

    @property
    def dtype(self) -> DType:
        """The element type of the values as they are read."""
        return as_dtype(self.type_name)

    @property
    def is_cut(self) -> bool:
        """Whether the file holds less than the whole."""
        return self.shape != self.full_shape

    @property
    def nbytes(self) -> int:
        """How many bytes the values take in the file."""
        return sum(length for _, length in self.parts)

    def raw(self) -> bytes:
        """Return the bytes of the values."""
        return b"".join(self.file.data[start : start + length] for start, length in self.parts)

    def copy_into(self, out: Array, wanted: Box) -> int:
        """Write the elements that also lie in ``wanted``, whose values ``out`` is; return how many there are."""
        both = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(self.box, wanted, strict=True)]
        if any(low >= high for low, high in both):
            return 0
        here = tuple(slice(low - first, high - first) for (low, high), (first, _) in zip(both, self.box, strict=True))
        there = tuple(slice(low - first, high - first) for (low, high), (first, _) in zip(both, wanted, strict=True))
        found = self._view()[here]
        self.file.values_bytes += found.nbytes
        out[there] = found
        return found.size

    def _view(self) -> Array:
        held = self.dtype.numpy
        if len(self.parts) == 1:
            return np.ndarray(self.shape, held, self.file.data, self.parts[0][0])
        return np.frombuffer(self.raw(), held).reshape(self.shape)


def whole_box(shape: Sequence[int]) -> Box:
    """Return the box of a whole tensor."""
    return tuple((0, n) for n in shape)


class FromFiles(Initializer):
    """Fills with the values of a checkpoint: of each box only the bytes that it needs.

    Args:
        pieces: boxes of one Parameter, which together cover what will be asked for; of equal boxes one is read.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        super().__init__(name=pieces[0].name)
        self._pieces = tuple({p.box: p for p in reversed(pieces)}.values())

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box.

        Raises:
            CheckpointError: the files do not hold all of it.
        """
        found = sum(p.copy_into(out, draw.box) for p in self._pieces)
        if found < prod(high - low for low, high in draw.box):
            first = self._pieces[0]
            raise CheckpointError(
                f"{first.name}: box {draw.box} of shape {draw.shape} is asked for, but {_files(self._pieces)} only "
                f"{'holds' if len(self._pieces) == 1 else 'hold'} {', '.join(str(p.box) for p in self._pieces[:4])}. "
                "Give the files of all ranks to load_distributed_checkpoint."
            )


def _files(pieces: Sequence[Piece]) -> str:
    names = list(dict.fromkeys(str(p.file.path) for p in pieces))
    return ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")


def lazily(pieces: Sequence[Piece]) -> Filling:
    """Return what fills a Tensor later with the values of these pieces of one Parameter."""
    return Filling(FromFiles(pieces), pieces[0].full_shape)
