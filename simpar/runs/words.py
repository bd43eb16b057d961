"""Times and ranks in words."""

from collections.abc import Sequence

__all__ = ["ranks_text", "seconds_text"]


def seconds_text(seconds: float) -> str:
    """Return a duration for people to read.

    >>> seconds_text(0.00125), seconds_text(12.5e-6), seconds_text(75), seconds_text(0)
    ('1.25 ms', '12.5 µs', '1 min 15 s', '0 s')
    """
    if not seconds:
        return "0 s"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def ranks_text(ranks: Sequence[int], most: int = 6) -> str:
    """Return ranks, the first few and the last.

    >>> ranks_text(range(1024), 4), ranks_text((0, 2))
    ('0, 1, 2, … 1023', '0, 2')
    """
    if len(ranks) <= most:
        return ", ".join(map(str, ranks))
    return ", ".join(map(str, ranks[: most - 1])) + f", … {ranks[-1]}"
