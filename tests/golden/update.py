"""Writes golden files anew, on purpose: ``python -m tests.golden.update mlp_column_row``, or ``all``.

Read the difference (``git diff tests/golden``) as carefully as code: each line is a promise to users.
"""

import sys
from pathlib import Path

from simpar.context import Context, entered
from tests.golden.programs import PROGRAMS

FOLDER = Path(__file__).parent


def main(names: list[str]) -> None:
    unknown = set(names) - {*PROGRAMS, "all"}
    if unknown or not names:
        sys.exit(f"name golden files to write anew: {', '.join(PROGRAMS)}, or all; not {sorted(unknown)}.")
    for name in PROGRAMS if "all" in names else names:
        with entered(Context()):
            (FOLDER / f"{name}.txt").write_text(PROGRAMS[name](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
