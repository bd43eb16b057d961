"""What the results say: counts, and the reasons of failures, most frequent first."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tests.conformance.runner import Result
from tests.conformance.skips import judgement
from tests.conformance.suites import Suite

__all__ = ["judged", "page", "reason_of", "reasons", "summary"]

_MISSING = re.compile(r"(mindspore[\w.]*) is not in simpar")
_ATTRIBUTE = re.compile(r"has no (?:attribute|member) '?(\w+)'?")
_DETAILS = re.compile(r"\(?-?\d[\d., ()]*\)?|'[^']*'|`[^`]*`|\"[^\"]*\"")
_WORDS = 110
"""Characters of a reason that are shown."""


def judged(results: Sequence[Result]) -> list[Result]:
    """Return the results with the outcome ``backend`` or ``out of scope`` where a failure is none of simpar's."""
    return [_judged(r) if r.outcome == "failed" else r for r in results]


def _judged(result: Result) -> Result:
    outcome, reason = judgement(result)
    return replace(result, outcome=outcome, message=reason) if outcome else result


def _by_file(results: Sequence[Result]) -> dict[str, list[Result]]:
    files = defaultdict[str, list[Result]](list)
    for r in results:
        files[r.file].append(r)
    return dict(sorted(files.items()))


def summary(results: Sequence[Result]) -> str:
    """Return the counts of tests and of files in two lines."""
    tests, files = Counter(r.outcome for r in results), _by_file(results)
    whole = sum(all(r.outcome != "failed" for r in held) for held in files.values())
    only = sum(all(r.outcome in ("passed", "skipped") for r in held) for held in files.values())
    counts = ", ".join(f"{n} {outcome}" for outcome, n in tests.most_common())
    return f"tests: {counts}\nfiles: {only} of {len(files)} pass whole; {whole} without a failure of simpar's"


def reason_of(result: Result) -> str:
    """Return why a test failed, in words that are equal for equal reasons."""
    missing = _MISSING.search(result.message)
    if missing:
        return f"missing name {missing[1]}"
    attribute = _ATTRIBUTE.search(result.message)
    if attribute:
        return f"missing attribute {attribute[1]}"
    words = _DETAILS.sub("…", result.message.split("\n")[0])
    return f"{result.error}: {words[:_WORDS]}"


def reasons(results: Sequence[Result], limit: int = 150) -> str:
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


# --- docs/conformance.md ---

_HEAD = """# MindSpore's own tests, run on simpar

MindSpore's repository has unit tests. Those of its parallel compiler compile networks for devices that nobody has;
the others run on one device. They are run unchanged through the import alias, from a checkout of MindSpore that is not
part of simpar:

```
python -m tests.conformance CHECKOUT/tests/ut/python/{{{folders}}} --page docs/conformance.md
```

Of `parallel` and `communication` every file is run, of `dataset` those about sources and steps that simpar has, of the
others those that make Parameters, Cells or initial values. Each file runs in a process of its own.

**Passed** means that the test's own assertions hold. **Backend**: a test went as far as the text of a graph or another
thing that only MindSpore's C++ backend or Ascend has. **Out of scope**: it asks for what is no part of parallel
training, such as sparse Tensors or other formats of files. A name that a file imports and simpar does not have fails
the tests that use it. A few helpers that the tests import from elsewhere have stand-ins
(`tests/conformance/stand_ins.py`).

"""
_OUTCOMES = ("passed", "failed", "backend", "out of scope", "skipped")


def page(ran: Sequence[tuple[Suite, Sequence[Result]]]) -> str:
    """Return the page: counts of each suite, and for each file how many tests pass, and why others do not."""
    lines = [f"| folder | tests | {' | '.join(_OUTCOMES)} |", f"|---|--:|{'--:|' * len(_OUTCOMES)}"]
    for suite, results in ran:
        counts = Counter(r.outcome for r in results)
        numbers = " | ".join(str(counts[outcome]) for outcome in _OUTCOMES)
        lines.append(f"| `{suite.name}`: {suite.about} | {len(results)} | {numbers} |")
    text = _HEAD.format(folders=",".join(suite.name for suite, _ in ran)) + "\n".join(lines) + "\n"
    return text + "".join(_section(suite, results) for suite, results in ran)


def _section(suite: Suite, results: Sequence[Result]) -> str:
    told = summary(results).splitlines()[1].removeprefix("files: ")
    lines = [f"\n## `{suite.name}`: files that do not pass whole\n", f"Of the files, {told}.", ""]
    lines += ["| file | passed | first reason |", "|---|--:|---|"]
    for name, held in _by_file(results).items():
        others = [r for r in held if r.outcome not in ("passed", "skipped")]
        if others:
            first = min(others, key=lambda r: r.outcome != "failed")
            why = reason_of(first) if first.outcome == "failed" else first.message
            passed = sum(r.outcome == "passed" for r in held)
            lines.append(f"| `{name}` | {passed} of {len(held)} | {_cell(why)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(re.sub(r"/[\w./-]{8,}", "…", text).replace("|", "/").split())
