"""Compares the layouts that tests left with known ones: what every rank holds, not how it is written."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpar.layout import Layout
from tests.conformance.runner import Result

__all__ = ["Difference", "compared", "told"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A Parameter that is cut in another way than it is known to be."""

    test: str
    name: str
    ours: list[Any]
    known: list[Any]


def compared(results: Sequence[Result], known_file: Path) -> tuple[int, list[Difference], int]:
    """Return how many layouts are as known, those that are not, and of how many tests nothing can be said.

    Args:
        results: what tests left.
        known_file: a JSON object a line, one for each compilation: ``test`` (``file::name``), ``n`` (0 for the first of
            its test) and ``layouts``, as ``parameter_layout_dict`` holds them.
    """
    known = _known(known_file)
    equal, different, unknown = 0, list[Difference](), 0
    for result in results:
        name = f"{result.file.rpartition('/')[2]}::{result.test}"
        if not result.layouts or len(known.get(name, ())) != len(result.layouts):
            unknown += 1
            continue
        for ours, theirs in zip(result.layouts, known[name], strict=True):
            for parameter, one, other in _common(ours, theirs):
                if _same(one, other):
                    equal += 1
                else:
                    different.append(Difference(name, parameter, one[:6], other[:6]))
    return equal, different, unknown


def told(equal: int, different: Sequence[Difference], unknown: int) -> str:
    """Return the comparison in lines."""
    lines = [f"layouts: {equal} as known, {len(different)} not, {unknown} tests without known ones"]
    lines += [f"  {d.test} {d.name}: {d.ours}, known {d.known}" for d in different]
    return "\n".join(lines)


def _known(path: Path) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict[str, list[dict[str, Any]]](list)
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        if record.get("n") == 0:
            found[record["test"]] = []  # a later run of the same test
        if "layouts" in record:
            found[record["test"]].append(record["layouts"])
    return found


def _common(ours: dict[str, Any], known: dict[str, Any]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    return ((name, ours[name], known[name]) for name in ours if name in known)


def _same(one: list[Any], other: list[Any]) -> bool:
    """Compare slice shapes, whether the optimizer cuts further, and what each rank holds."""
    if list(one[2]) != list(other[2]) or bool(one[5]) != bool(other[5]):
        return False
    if len(one[1]) != len(other[1]):  # one of the two writes an axis as several
        return True
    first, second = (Layout(tuple(x[0]), tuple(x[1])) for x in (one, other))
    return first.same_slices(second)
