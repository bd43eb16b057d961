"""Runs MindSpore's own test files, unchanged, through the import alias, and says which pass and why others do not.

``python -m tests.conformance FOLDER`` takes a folder of a checkout of MindSpore, ``tests/ut/python/parallel`` for
instance. Each file runs in a process of its own, for imagined devices.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.layouts import compared, told
from tests.conformance.report import judged, page, reasons, summary
from tests.conformance.runner import files_of, run_files

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names, print a summary and return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of a checkout, or one test file")
    parser.add_argument("-k", default="", metavar="WORDS", help="only files whose path holds all these words")
    parser.add_argument("-n", type=int, default=2, metavar="COUNT", help="how many processes at a time")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each file")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write docs/conformance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to this file")
    parser.add_argument("--layouts", type=Path, metavar="FILE", help="known layouts to compare with, as JSON lines")
    given = parser.parse_args(arguments)
    folder = given.folder.resolve()
    results = judged(
        run_files(
            folder,
            files_of(folder, given.k),
            at_once=given.n,
            timeout_s=given.timeout,
            tell=lambda line: print(line, file=sys.stderr),
        )
    )
    if given.page:
        given.page.write_text(page(results, folder), encoding="utf-8")
    if given.json:
        given.json.write_text(json.dumps([r.as_dict() for r in results], indent=1), encoding="utf-8")
    print(summary(results))
    print(reasons(results))
    if given.layouts:
        print(told(*compared(results, given.layouts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
