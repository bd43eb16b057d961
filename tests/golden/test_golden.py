"""The plans of well-known programs, line by line; see ``update`` for how to change one."""

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.golden.programs import PROGRAMS

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_plan_is_the_golden_one(name: str) -> None:
    golden = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    changes = "\n".join(unified_diff(golden, PROGRAMS[name]().splitlines(), "golden", "now", lineterm=""))
    assert not changes, f"if the new plan is right: python -m tests.golden.update {name}\n{changes}"


def test_every_golden_file_has_a_program() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PROGRAMS)
