"""What the results say: counts, and the reasons of failures, most frequent first."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.conformance.runner import Result

__all__ = ["reason_of", "reasons", "summary"]

_MISSING = re.compile(r"(mindspore[\w.]*) is not in simpar")
_ATTRIBUTE = re.compile(r"has no (?:attribute|member) '(\w+)'|has no attribute (\w+)")
_DETAILS = re.compile(r"\(?-?\d[\d., ()]*\)?|'[^']*'|`[^`]*`|\"[^\"]*\"")


def summary(results: Sequence[Result]) -> str:
    """Return the counts of tests and of files in two lines."""
    tests = Counter(r.outcome for r in results)
    files = defaultdict[str, set[str]](set)
    for r in results:
        files[r.file].add(r.outcome)
    whole = sum("failed" not in outcomes for outcomes in files.values())
    counts = ", ".join(f"{n} {outcome}" for outcome, n in tests.most_common())
    return f"tests: {counts}\nfiles: {whole} of {len(files)} without a failure"


def reason_of(result: Result) -> str:
    """Return why a test failed, in words that are equal for equal reasons."""
    missing = _MISSING.search(result.message)
    if missing:
        return f"missing name {missing[1]}"
    attribute = _ATTRIBUTE.search(result.message)
    if attribute:
        return f"missing attribute {attribute[1] or attribute[2]}"
    words = _DETAILS.sub("…", result.message.split("\n")[0])
    return f"{result.error}: {words[:110]}"


def reasons(results: Sequence[Result], limit: int = 100) -> str:
    """Return the reasons of failures, with the number of tests and files, most frequent first."""
    tests, files, example = Counter[str](), defaultdict[str, set[str]](set), dict[str, Result]()
    for r in results:
        if r.outcome == "failed":
            reason = reason_of(r)
            tests[reason] += 1
            files[reason].add(r.file)
            example.setdefault(reason, r)
    lines = [f"{'tests':>6} {'files':>6}  reason"]
    for reason, n in sorted(tests.items(), key=lambda item: (-len(files[item[0]]), -item[1]))[:limit]:
        shown = example[reason]
        lines.append(f"{n:6} {len(files[reason]):6}  {reason}  [{shown.file}::{shown.test} {shown.where}]")
    return "\n".join(lines)
