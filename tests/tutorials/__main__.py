"""``python -m tests.tutorials`` prints the losses of each tutorial's program, on one device and on 8 ranks."""

from collections.abc import Callable, Sequence

from simpar.collectives import run_threads
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


if __name__ == "__main__":
    print(HEAD)
    for each in ALL:
        print(row(each), flush=True)
