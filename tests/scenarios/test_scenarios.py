"""Every scenario on 1, on 8 and on 2 or 4 ranks: the same losses, and the loss that its first lines promise."""

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launch.needing import needs_mpi

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(path.stem for path in (ROOT / "scenarios").glob("*.py"))
SHORT = {"comm_fusion": ("--steps", "2", "--layers", "12"), "gpt": ("--steps", "2"), "redistribution": ("--steps", "1")}
"""What keeps a run short; five steps for those that are not named."""
COUNTS = [(name, n) for at, name in enumerate(SCENARIOS) for n in (2 + 2 * (at % 2), 8)]
"""On how many ranks each is run: starting ranks is most of the time that these tests take."""


def play(command: tuple[str, ...]) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SIMPAR_RECORD": "0", "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@functools.cache
def alone(name: str, *arguments: str) -> str:
    """Return what a scenario prints without MPI, on one rank."""
    return play((sys.executable, str(ROOT / "scenarios" / f"{name}.py"), *arguments))


def on_ranks(name: str, n: int, *arguments: str) -> str:
    script = str(ROOT / "scenarios" / f"{name}.py")
    return play((sys.executable, "-m", "simpar", "run", script, "-n", str(n), "--", *arguments))


def loss_of(output: str) -> float:
    """Return the loss of the last line; no other line may state it."""
    stated = re.findall(r"^final loss (.*)$", output, re.MULTILINE)
    assert len(stated) == 1, output
    assert output.endswith(f"final loss {stated[0]}\n")
    return float(stated[0])


def docstring_of(name: str) -> str:
    tree = ast.parse((ROOT / "scenarios" / f"{name}.py").read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or ""


@needs_mpi
@pytest.mark.parametrize(("name", "n"), COUNTS)
def test_a_scenario_ends_on_many_ranks_with_the_loss_of_one(name: str, n: int) -> None:
    arguments = SHORT.get(name, ("--steps", "5"))
    loss = loss_of(on_ranks(name, n, *arguments))
    assert loss == pytest.approx(loss_of(alone(name, *arguments)), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_with_the_loss_that_its_first_lines_promise(name: str) -> None:
    promised = re.search(r"on 1, 2, 4 and 8 ranks: (\d+\.(\d+))", docstring_of(name))
    assert promised is not None
    half_a_digit = 0.5 * 10.0 ** -len(promised[2])
    assert loss_of(alone(name)) == pytest.approx(float(promised[1]), abs=1.1 * half_a_digit)


@pytest.mark.parametrize("name", SCENARIOS)
def test_another_seed_gives_another_loss(name: str) -> None:
    if name == "redistribution":
        pytest.skip("what comes back from the journey is the tensor, whatever it holds")
    arguments = SHORT.get(name, ("--steps", "5"))
    assert loss_of(alone(name, *arguments, "--seed", "1")) != loss_of(alone(name, *arguments))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_short_and_says_what_it_teaches(name: str) -> None:
    lines = (ROOT / "scenarios" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert 30 <= len(lines) <= 120
    assert "hat it teaches:" in docstring_of(name)


@needs_mpi
def test_communication_fusion_turns_a_message_for_each_gradient_into_two() -> None:
    said = on_ranks("comm_fusion", 2, *SHORT["comm_fusion"])
    assert "not fused: 12 messages with gradients a step (256 to 256 bytes)" in said
    assert "\nfused: 2 messages with gradients a step (1536 to 1536 bytes)" in said


@needs_mpi
def test_the_parallel_optimizer_leaves_a_rank_its_part_of_weights_and_states() -> None:
    said = on_ranks("parallel_optimizer", 2, "--steps", "1")
    whole = 4 * (64 * 256 + 256 * 256 + 256 + 1)
    half = 4 * ((64 * 256 + 256 * 256 + 256) // 2 + 1)  # scale, of one element, stays whole
    for rank in (0, 1):
        assert f"rank {rank}: weights {whole} B, Adam states {2 * whole} B (100.0%" in said
        assert f"rank {rank}: weights {half} B, Adam states {2 * half} B (50.0%" in said
