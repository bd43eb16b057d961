"""Runs every check of simpar, in the order in which they fail fastest: ``python -m tests.check``.

Style (ruff), format (ruff), types (pyright), then the whole test suite, which holds the import contracts as well. Words
after the command go to pytest: ``python -m tests.check -x tests/layout``. ``--static`` leaves the test suite out.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
STATIC = (("ruff", "check"), ("ruff", "format", "--check"), ("pyright", "--pythonpath", sys.executable))


def main(arguments: list[str]) -> int:
    """Run the checks and return the exit code of the first that fails, else 0."""
    suite = ("pytest", *(a for a in arguments if a != "--static"))
    for command in STATIC if "--static" in arguments else (*STATIC, suite):
        print("==>", *command, flush=True)
        code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode
        if code:
            print(f"{command[0]} failed with exit code {code}.", file=sys.stderr)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
