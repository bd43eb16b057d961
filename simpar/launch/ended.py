"""Some ranks have ended and others run on: perhaps they wait for ever, and nobody but the launcher can say so."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["EndedWatch", "mark_ended"]

_QUIET_S = 4.0
"""How long no rank may have ended before something is said."""
_MARK = "ended-"
_MOST = 8


def mark_ended(folder: Path, rank: int) -> None:
    """Leave a mark that a rank has ended as it should; only MPI's own end is still to come.

    Raises:
        OSError: the folder is gone, since a rank has failed.
    """
    (folder / f"{_MARK}{rank}").touch()


class EndedWatch:
    """Notices that some ranks have ended while others run on.

    Whether these wait in a collective for those, or only have more to do, cannot be known here: they are left alone.

    Args:
        folder: where ranks that end leave their marks.
        n: how many ranks there are.
        clock: seconds.
    """

    def __init__(self, folder: Path, n: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._n, self._clock = folder, n, clock
        self._count, self._since_s = 0, clock()
        self._has_told = n == 1

    def look(self) -> str:
        """Return what there is to say, once; else nothing."""
        if self._has_told:
            return ""
        ended = sorted(int(mark.name.removeprefix(_MARK)) for mark in self._folder.glob(f"{_MARK}*"))
        if len(ended) != self._count:
            self._count, self._since_s = len(ended), self._clock()
        if len(ended) in (0, self._n) or self._clock() - self._since_s < _QUIET_S:
            return ""
        self._has_told = True
        others = sorted(set(range(self._n)).difference(ended))
        verb, run = "have" if len(ended) > 1 else "has", "run" if len(others) > 1 else "runs"
        return (
            f"{_named(ended)} of {self._n} {verb} ended, {_named(others)} still {run}. "
            "If there is only more to do, all is well. But a collective that waits for a rank that has ended waits for "
            "ever: every rank must call the same collectives and run the same number of steps. "
            "Ctrl-C stops all ranks, --timeout does so by itself."
        )


def _named(ranks: Sequence[int]) -> str:
    """Name ranks in a sentence.

    >>> _named([0, 1, 3]), _named([2])
    ('ranks 0, 1 and 3', 'rank 2')
    """
    if len(ranks) == 1:
        return f"rank {ranks[0]}"
    shown = [str(rank) for rank in ranks] if len(ranks) <= _MOST else [str(rank) for rank in ranks[: _MOST - 1]]
    last = shown.pop() if len(ranks) <= _MOST else f"{len(ranks) - len(shown)} more"
    return f"ranks {', '.join(shown)} and {last}"
