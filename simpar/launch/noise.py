"""What MPI prints about an end that simpar has already explained, and how it is left out.

When a rank stops all others, Open MPI prints two framed paragraphs and MPICH a line, none of which says why. Text that
might be the beginning of such is held back until it is clear; everything else passes on at once, byte for byte.
"""

import re
from typing import Final

__all__ = ["NoiseFilter"]

_FRAME: Final = b"-" * 74
_FRAMED_NOISE: Final = re.compile(
    rb"MPI_ABORT was invoked on rank|Primary job\s+terminated normally|(?:prterun|mpirun|mpiexec)"
    rb" (?:has exited due to process rank|detected that one or more processes exited with non-zero)"
)
_LINE_NOISE: Final = re.compile(rb"Abort\(\d+\) on node \d+ \(rank \d+ in comm \d+\): application called MPI_Abort")
_LINE_STARTS: Final = (_FRAME, b"Abort(", b"\0")


class NoiseFilter:
    r"""Takes MPI's paragraphs about an abort out of a stream.

    >>> stream = NoiseFilter()
    >>> stream.feed(b"loss 0.5\nAbort(1) on node 2 (rank 2 in comm 0): application called MPI_Abort(1)\nloss")
    b'loss 0.5\nloss'
    >>> stream.end()
    b''
    """

    __slots__ = ("_held", "_in_line")

    def __init__(self) -> None:
        self._held = b""
        self._in_line = False

    def feed(self, data: bytes) -> bytes:
        """Return what may be shown after ``data`` has come."""
        self._held += data
        shown = b""
        while self._held:
            ready, rest = self._split()
            if rest == self._held:
                break
            self._in_line = not (self._held[: len(self._held) - len(rest)]).endswith(b"\n")
            shown += ready
            self._held = rest
        return shown

    def end(self) -> bytes:
        """Return what is still held back, because the stream has ended or paused."""
        held, self._held = self._held, b""
        return held.replace(b"\0", b"")

    @property
    def is_holding(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def _split(self) -> tuple[bytes, bytes]:
        """Return what of the held text may be shown now, and what stays held; equal to the held text to wait."""
        line, end, rest = self._held.partition(b"\n")
        if self._in_line or not any(start.startswith(line[:74]) or line.startswith(start) for start in _LINE_STARTS):
            return line + end, rest
        if not end:
            return b"", self._held
        if line.startswith(_FRAME):
            return self._split_frame(line + end, rest)
        return (b"" if _LINE_NOISE.match(line) else (line + end).replace(b"\0", b"")), rest

    def _split_frame(self, frame: bytes, rest: bytes) -> tuple[bytes, bytes]:
        inside, closing, after = rest.partition(_FRAME)
        if b"\n" in inside and not _FRAMED_NOISE.match(inside):
            return frame, rest
        if not closing or not after:
            return b"", self._held
        return b"", after.removeprefix(b"\n")
