"""``python -m simpar.launch.rank SCRIPT ARGUMENTS``: how ``simpar run`` starts each rank."""

import sys

from simpar.launch.script import play

__all__: list[str] = []

if __name__ == "__main__":
    play(sys.argv[1], sys.argv[2:])
