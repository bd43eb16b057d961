"""What each rank of the demo runs: ``python -m simpar.demo.rank FOLDER STEPS SEED``."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from simpar import communication
from simpar.context import current
from simpar.demo.digits import DATA, read
from simpar.demo.program import RESULT, train
from simpar.launch import print_whole_lines

__all__ = ["play"]

_LINES = 10
_BAR = 32  # characters of a loss as high as the first


def play(folder: Path, steps: int, seed: int) -> None:
    """Train as one of the ranks; rank 0 tells how it goes, and leaves the result and where the run is recorded."""
    sys.argv = ["demo", "--steps", str(steps), "--seed", str(seed)]  # what the record of the run says
    print_whole_lines()
    communication.init()
    rank, size = communication.get_rank(), communication.get_group_size()
    found = train(
        size, read(folder / DATA), steps, seed, _Progress(steps).tell if rank == 0 else lambda step, loss: None
    )
    if rank == 0:
        left = {"run": str(current().recorder.path), "result": asdict(found)}
        (folder / RESULT).write_text(json.dumps(left), encoding="utf-8")


class _Progress:
    """Prints the loss now and then, as a number and as a bar."""

    def __init__(self, steps: int) -> None:
        self._steps, self._first = steps, 0.0

    def tell(self, step: int, loss: float) -> None:
        """Print the loss of a step, if it is time."""
        self._first = self._first or loss
        if step in (1, self._steps) or step * _LINES // self._steps != (step - 1) * _LINES // self._steps:
            bar = "█" * round(_BAR * min(1.0, loss / self._first))
            print(f"step {step:>{len(str(self._steps))}} of {self._steps}   loss {loss:.4f}  {bar}", flush=True)


if __name__ == "__main__":
    play(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
