"""Runs MindSpore's own test files, unchanged, through the import alias, and says which pass and why others do not.

``python -m tests.conformance FOLDER ...`` takes folders of a checkout of MindSpore, ``tests/ut/python/parallel`` for
instance. Each file runs in a process of its own: those of ``parallel`` for imagined devices, others on one.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.layouts import compared, told
from tests.conformance.report import judged, page, reasons, summary
from tests.conformance.runner import Result, run_files
from tests.conformance.suites import Suite, suite_of

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names, print a summary and return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="of a checkout, or one test file")
    parser.add_argument("-k", default="", metavar="WORDS", help="only files whose path holds all these words")
    parser.add_argument("-n", type=int, default=2, metavar="COUNT", help="how many processes at a time")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each file")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write docs/conformance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to this file")
    parser.add_argument("--layouts", type=Path, metavar="FILE", help="known layouts to compare with, as JSON lines")
    given = parser.parse_args(arguments)
    suites = [suite_of(folder.resolve(), given.k) for folder in given.folders]
    ran = [(suite, _run(suite, given)) for suite in suites]
    results = [result for _, found in ran for result in found]
    if given.page:
        given.page.write_text(page(ran), encoding="utf-8")
    if given.json:
        given.json.write_text(json.dumps([r.as_dict() for r in results], indent=1), encoding="utf-8")
    for suite, found in ran:
        print(f"{suite.name}: {summary(found)}")
    print(reasons(results))
    if given.layouts:
        print(told(*compared(results, given.layouts)))
    return 0


def _run(suite: Suite, given: argparse.Namespace) -> list[Result]:
    return judged(
        run_files(
            suite.folder,
            suite.files,
            at_once=given.n,
            timeout_s=given.timeout,
            tell=lambda line: print(f"{suite.name}/{line}", file=sys.stderr),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
