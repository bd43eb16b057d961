"""The scripts of MindSpore's tutorials as published: what they print on 8 ranks, against what they print on one device.

Those who have the folder ``sample_code`` compare with ``python -m tests.tutorials --published FOLDER``.
"""

import re
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from simpar.errors import LaunchError
from tests.cli.running import environment

__all__ = ["HEAD", "SCRIPTS", "Published", "compare", "losses_in", "make_images", "published_rows"]

RANKS, ROWS, TIMEOUT_S, RTOL = 8, 320, 150, 1e-4
HEAD = "| script | one device | 8 ranks | |\n|---|---|---|---|"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf"
_LOSS = re.compile(rf"epoch: *(\d+),? *step: *(\d+), (?:loss|forward_sum) is ({_NUMBER})")


@dataclass(frozen=True, slots=True)
class Published:
    """One script of the tutorials.

    Args:
        script: its path in ``sample_code``, with the function that pytest would call.
        shares_rows: each rank reads rows of its own, so one device reads batches 8 times as large.
        prints_array: it prints an array in place of losses; as many numbers are compared, in order of their size.
        why_not: why one device has nothing to compare; it is not run.
    """

    script: str
    shares_rows: bool = False
    prints_array: bool = False
    why_not: str = ""


_OPERATORS = "distributed_operator_parallel"
SCRIPTS = (
    *(
        Published(f"{_OPERATORS}/{name}.py::test_{name}")
        for name in (
            _OPERATORS,
            f"advanced_{_OPERATORS}",
            "distributed_mint_operator_parallel",
            "advanced_distributed_mint_operator_parallel",
        )
    ),
    Published("distributed_optimizer_parallel/distributed_optimizer_parallel.py"),
    Published("distributed_comm_fusion/fusion_example_cell.py"),
    Published("distributed_data_parallel/distributed_data_parallel.py", shares_rows=True),
    Published("distributed_gradient_accumulation/train.py"),
    Published("multiple_copy/train.py"),
    Published("distributed_pipeline_parallel/distributed_pipeline_parallel.py"),
    Published("sharding_propagation/train.py"),
    Published("shard_function_parallel/shard_function_example.py"),
    Published(
        "manual_parallel/train.py",
        why_not="the script does not sum the gradients of its slices: each rank has weights of its own after a step",
    ),
    Published("dataset_slice/train.py"),
    Published(
        "parallel_support_dynamic_shape/main.py",
        why_not="its gradient sums over rows: 8 ranks step as with an 8 times larger learning rate",
    ),
    Published("host_device/train.py", shares_rows=True),
    Published("comm_subgraph/train.py"),
    Published("startup_method/net.py", shares_rows=True),
    Published("disaster_recover/train.py", shares_rows=True),
    Published("fault_recover/train.py"),
    Published("graceful_exit/graceful_exit.py"),
    Published("high_dimension_tensor_parallel/high_dimension_tensor_parallel.py", prints_array=True),
    Published("recompute/example.py", prints_array=True),
    Published("distributed_pipeline_parallel/distributed_pipeline_parallel_inference.py", prints_array=True),
    Published("memory_offload/train.py", why_not="needs CIFAR-10"),
    Published("sapp/train.py", why_not="refused on 8 ranks: `recursive_programming`"),
    Published("multiple_mix/sapp_mix_train.py", why_not="refused on 8 ranks: `recursive_programming`"),
    Published("distributed_graph_partition/train.py", why_not="refused on 8 ranks: `Cell.place`"),
    Published("parameter_server/train.py", why_not="refused on 8 ranks: there are no parameter servers"),
)


def losses_in(printed: str) -> dict[tuple[int, int], float]:
    """Return what was printed per epoch and step, the mean over the ranks that printed it.

    >>> losses_in("epoch: 0, step: 10, loss is 2.0\\nepoch: 0, step: 10, loss is 3.0\\nepoch: 1 step: 5, loss is 1e-1")
    {(0, 10): 2.5, (1, 5): 0.1}
    """
    found = dict[tuple[int, int], list[float]]()
    for epoch, step, loss in _LOSS.findall(printed):
        found.setdefault((int(epoch), int(step)), []).append(float(loss))
    return {place: float(np.mean(losses)) for place, losses in sorted(found.items())}


def numbers_in(printed: str, times: int) -> dict[tuple[int, int], float]:
    """Return the decimal numbers that were printed, each ``times`` times, from the smallest to the largest.

    >>> numbers_in("[[2.5 -1.0]]", 1)
    {(0, 0): -1.0, (1, 0): 2.5}
    """
    numbers = sorted(map(float, re.findall(rf"(?=[-+.\d]*\.)({_NUMBER})", printed)))
    return {(i, 0): number for i, number in enumerate(np.repeat(numbers, times).tolist())}


def make_images(folder: Path, rows: int = ROWS) -> None:
    """Write small pictures of noise around one picture per digit as MNIST's two files of training."""
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 10, rows).astype(np.uint8)
    images = (draws.integers(0, 128, (10, 28, 28))[labels] + draws.integers(0, 128, (rows, 28, 28))).astype(np.uint8)
    folder.mkdir(parents=True)
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, rows) + labels.tobytes())
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, rows, 28, 28) + images.tobytes())


def compare(one: Mapping[tuple[int, int], float], many: Mapping[tuple[int, int], float]) -> str:
    """Return in words whether all losses of two runs are the same, to a part in 10,000."""
    if not one or list(one) != list(many):
        return f"not comparable: {len(one)} and {len(many)} losses"
    if np.allclose(list(one.values()), list(many.values()), rtol=RTOL, atol=0):
        return f"equal, all {len(one)}" if len(one) > 1 else "equal"
    return "**different**"


def published_rows(folder: Path, only: str = "") -> "list[Published]":
    """Return the known scripts that a folder holds, those whose path contains ``only``.

    Raises:
        LaunchError: it holds none.
    """
    there = [each for each in SCRIPTS if only in each.script and (folder / each.script.partition("::")[0]).is_file()]
    if not there:
        raise LaunchError(f"{folder} holds no known script of the tutorials: give MindSpore's folder sample_code.")
    return there


def row(folder: Path, each: Published) -> str:
    """Return what one script came to, both ways, in a line of the table."""
    if each.why_not:
        return f"| `{each.script}` | | | {each.why_not} |"
    script, shared = str(folder.resolve() / each.script), ["--ranks", str(RANKS)] if each.shares_rows else []
    both = [
        _printed("tests.tutorials.alone", *shared, script),
        _printed("simpar", "run", script, "-n", str(RANKS), "--mindspore", "--no-record"),
    ]
    one, many = map(losses_in, both)
    verdict = compare(one, many) + ("; 8 ranks: the mean of theirs" if each.shares_rows else "")
    if each.prints_array:
        one, many = numbers_in(both[0], RANKS), numbers_in(both[1], 1)
        verdict = "the array, " + compare(one, many)
    return f"| `{each.script}` | {_three(list(one.values()))} | {_three(list(many.values()))} | {verdict} |"


def _three(losses: Sequence[float]) -> str:
    """Return the first, the middle and the last with six digits."""
    return " ".join(f"{losses[i]:.6g}" for i in sorted({0, len(losses) // 2, len(losses) - 1}) if losses)


def _printed(*command: str) -> str:
    """Return what a command printed in a folder of its own, with images; why it failed goes to the screen."""
    with TemporaryDirectory() as folder:
        images = Path(folder) / "MNIST_Data" / "train"
        make_images(images)
        try:
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=folder,
                env=environment(DATA_PATH=str(images)),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"{' '.join(command)}: not done after {TIMEOUT_S} s", file=sys.stderr, flush=True)
            return ""
    if done.returncode:
        print(f"{' '.join(command)}:\n{done.stderr[-700:]}", file=sys.stderr, flush=True)
    return done.stdout
