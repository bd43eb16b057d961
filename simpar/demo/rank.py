"""What each rank of the demo runs: ``python -m simpar.demo.rank FOLDER STEPS SEED``."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from simpar import communication
from simpar.context import SEMI_AUTO_PARALLEL, current
from simpar.demo.digits import DATA, read
from simpar.demo.program import RESULT, train
from simpar.launch import print_whole_lines
from simpar.recorder import start_recording

__all__ = ["play"]

_LINES = 10
_BAR = 32  # characters of a loss as high as the first


def play(folder: Path, steps: int, seed: int) -> None:
    """Train as one of the ranks, recorded; rank 0 tells how it goes and writes the result as JSON."""
    print_whole_lines()
    communication.init()
    rank, size = communication.get_rank(), communication.get_group_size()
    context = current()
    if context.recorder is None:
        mailbox = context.world.mailbox() if size > 1 else None
        argv = ("--steps", str(steps), "--seed", str(seed))
        context.recorder = start_recording(
            "demo", argv, mode=SEMI_AUTO_PARALLEL, device_num=size, rank=rank, size=size, mailbox=mailbox
        )
    digits = read(folder / DATA)
    found = train(size, digits, steps, seed, _Progress(steps).tell if rank == 0 else lambda step, loss: None)
    context.recorder.close()
    if rank == 0:
        (folder / RESULT).write_text(json.dumps(asdict(found)), encoding="utf-8")


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
