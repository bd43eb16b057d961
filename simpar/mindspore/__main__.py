"""``python -m simpar.mindspore SCRIPT ARGUMENTS`` runs a MindSpore script on simpar, unchanged."""

import os
import sys
from pathlib import Path

from simpar.launch import check_script, play
from simpar.mindspore import install
from simpar.mindspore.launcher import msrun_variables


def main() -> None:
    """Install the alias and run the script that the command line names."""
    usage = "usage: python -m simpar.mindspore SCRIPT[::FUNCTION] [ARGUMENTS]"
    if len(sys.argv) < 2:
        sys.exit(usage)
    if sys.argv[1] in ("-h", "--help"):
        print(usage)
        return
    check_script(Path(sys.argv[1]))
    install()
    os.environ.update(msrun_variables(os.environ))
    play(sys.argv[1], sys.argv[2:])


if __name__ == "__main__":
    main()
