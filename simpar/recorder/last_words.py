"""The last batch of a rank that fails: left as a file, since rank 0 may hear no message any more.

Its main thread may wait in a collective for the very rank that fails. Its writing thread looks into the folder.
"""

import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["last_words", "leave_last_words"]

_NAME = "last-words-"
_HEARING_S = 2.0


def leave_last_words(folder: Path, rank: int, batch: bytes) -> None:
    """Leave the last batch of a rank, and wait a moment until rank 0 has written it into the store.

    Args:
        folder: one that this rank and rank 0 both see.
        rank: that fails.
        batch: its events.
    """
    draft, file = folder / f"draft-{rank}", folder / f"{_NAME}{rank}"
    draft.write_bytes(batch)
    draft.rename(file)  # so that nobody reads half of it
    until = time.monotonic() + _HEARING_S
    while file.exists() and time.monotonic() < until:
        time.sleep(0.01)


def last_words(folder: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Yield (file, rank, batch) of those that were left; whoever has written a batch deletes its file."""
    for file in folder.glob(f"{_NAME}*"):
        try:
            batch = file.read_bytes()
        except OSError:  # the ranks are being stopped, and their folder is cleared away
            continue
        yield file, int(file.name.removeprefix(_NAME)), batch
