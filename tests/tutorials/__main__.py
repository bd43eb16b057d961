"""``python -m tests.tutorials`` prints the losses of each tutorial's program, on one device and on 8 ranks.

With ``--published FOLDER`` it does so for the scripts as published: ``FOLDER`` is MindSpore's ``sample_code``.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from simpar.collectives import run_threads
from tests.tutorials import published
from tests.tutorials.programs import PROGRAMS
from tests.tutorials.programs_training import MORE

HEAD = "| program | one device | 8 ranks |\n|---|---|---|"
ALL = (*PROGRAMS, *MORE)


def in_words(losses: Sequence[float]) -> str:
    """Return losses with six digits."""
    return " ".join(f"{loss:.6g}" for loss in losses)


def row(program: Callable[[bool], list[float]]) -> str:
    """Return what one program came to."""
    (alone,) = run_threads(1, program, False)
    together = run_threads(8, program, True)[0]
    return f"| `{program.__name__}` | {in_words(alone)} | {in_words(together)} |"


def main() -> None:
    """Print the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.tutorials", description="Losses on one device and 8 ranks.")
    parser.add_argument("--published", type=Path, metavar="FOLDER", help="MindSpore's sample_code: compare its scripts")
    parser.add_argument("-k", default="", metavar="PART", help="only published scripts whose path contains PART")
    told = parser.parse_args()
    if told.published is None:
        rows = map(row, ALL)
    else:
        rows = (published.row(told.published, each) for each in published.published_rows(told.published, told.k))
    print(HEAD if told.published is None else published.HEAD, flush=True)
    for each in rows:
        print(each, flush=True)


if __name__ == "__main__":
    main()
