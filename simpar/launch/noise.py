"""What MPI prints about an end that simpar has already explained, and how it is left out.

When a rank stops all others, Open MPI prints two framed paragraphs and MPICH a line, none of which says why. Text that
might be the beginning of such is held back until it is clear; everything else passes on at once, byte for byte.
"""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["NoiseFilter"]


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph of MPI's, known by its first line and by how its second begins."""

    first: bytes
    second: re.Pattern[bytes]
    last: re.Pattern[bytes]


_PARAGRAPHS: Final = (
    _Paragraph(
        b"-" * 74,
        re.compile(
            rb"MPI_ABORT was invoked on rank|Primary job\s+terminated normally|(?:prterun|mpirun|mpiexec)"
            rb" (?:has exited due to process rank|detected that one or more processes exited with non-zero)"
        ),
        re.compile(rb"-{74}(?:\n|\Z)"),
    ),
    _Paragraph(b"=" * 83, re.compile(rb"=   BAD TERMINATION"), re.compile(rb"for debugging suggestions(?:\n|\Z)")),
)
_LINES: Final = re.compile(
    rb"Abort\(\d+\) on node \d+ \(rank \d+ in comm \d+\): application called MPI_Abort"
    rb"|\[[\w.-]+:\d+\] PMIX ERROR: PMIX_ERR_UNREACH "  # a rank that is starting finds that all have ended
    rb"|prterun: [\w.]+:\d+: \w+: Assertion "  # Open MPI's launcher may crash while it stops the ranks
)
_BEGINNINGS: Final = (*(each.first for each in _PARAGRAPHS), b"Abort(", b"[", b"prterun: ", b"\0")
_SIGNAL: Final = re.compile(rb"EXIT STRING: ([^\n]*)")


class NoiseFilter:
    r"""Takes MPI's paragraphs about an abort out of a stream; of one about a signal a line remains.

    >>> stream = NoiseFilter()
    >>> stream.feed(b"loss 0.5\nAbort(1) on node 2 (rank 2 in comm 0): application called MPI_Abort(1)\nloss")
    b'loss 0.5\nloss'
    >>> stream.end()
    b''
    """

    __slots__ = ("_held", "_in_line", "is_stopping")

    def __init__(self) -> None:
        self._held = b""
        self._in_line = False
        self.is_stopping = False
        """Whether we are stopping the ranks ourselves, so that a signal is no news."""

    def feed(self, data: bytes) -> bytes:
        """Return what may be shown after ``data`` has come."""
        self._held += data
        shown = b""
        while self._held:
            ready, rest = self._split()
            if rest == self._held:
                break
            self._in_line = not self._held[: len(self._held) - len(rest)].endswith(b"\n")
            shown += ready
            self._held = rest
        return shown

    def end(self) -> bytes:
        """Return what is still held back, because the stream has ended or paused."""
        held, self._held = self._held, b""
        self._in_line = self._in_line if not held else not held.endswith(b"\n")
        return held.replace(b"\0", b"")

    @property
    def is_holding(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def _split(self) -> tuple[bytes, bytes]:
        """Return what of the held text may be shown now, and what stays held; all of it, to wait for more."""
        line, end, rest = self._held.partition(b"\n")
        if self._in_line or not any(each.startswith(line) or line.startswith(each) for each in _BEGINNINGS):
            return line + end, rest
        if not end:
            return b"", self._held
        for paragraph in _PARAGRAPHS:
            if line == paragraph.first:
                return self._split_paragraph(paragraph, line + end, rest)
        return (b"" if _LINES.match(line) else (line + end).replace(b"\0", b"")), rest

    def _split_paragraph(self, paragraph: _Paragraph, first: bytes, rest: bytes) -> tuple[bytes, bytes]:
        if b"\n" in rest and not paragraph.second.match(rest):
            return first, rest
        last = paragraph.last.search(rest)
        if last is None:
            return b"", self._held
        signal = None if self.is_stopping else _SIGNAL.search(rest, 0, last.end())
        return (b"a rank was ended by a signal: " + signal[1] + b"\n" if signal else b""), rest[last.end() :]
