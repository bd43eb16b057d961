"""``python -m simpar.mindspore SCRIPT ARGUMENTS`` runs a MindSpore script on simpar, unchanged."""

import sys
from pathlib import Path

from simpar.launch import check_script, play
from simpar.mindspore import install


def main() -> None:
    """Install the alias and run the script that the command line names."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m simpar.mindspore SCRIPT [ARGUMENTS]")
    check_script(Path(sys.argv[1]))
    install()
    play(sys.argv[1], sys.argv[2:])


if __name__ == "__main__":
    main()
