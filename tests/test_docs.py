"""The documents are true: their programs run and print what stands below them, their files exist, their tables are new.

In ``docs/*.md`` a block of ``python`` is run, after those above it; if its first line is a comment that names a file,
it is saved under that name as well. A block of ``text`` right below holds what it prints. In a block of ``console``,
lines with a ``$`` are run, the others are what they print. ``...`` stands for anything; spaces at the ends of lines and
empty lines do not count.
"""

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import Any

import pytest

from simpar.cli import main
from simpar.context import Context, entered
from simpar.graph import OPS
from tests.cli.running import simpar
from tests.launch.needing import has_mpi
from tests.make_ops_table import PAGE, page_text

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
RUN_PAGES = [page for page in PAGES if re.search("^```(python|console)$", page.read_text("utf-8"), re.MULTILINE)]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page: its language, its text, the line where it begins, and what stands right below it."""

    language: str
    text: str
    line: int
    below: str


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        below = re.match(r"\n+```text\n(.*?)^```$", page[found.end() :], re.DOTALL | re.MULTILINE)
        yield Block(found[1], found[2], page[: found.start()].count("\n") + 1, below[1] if below else "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Enter a folder whose modules can be imported; forget its modules and the ops that the page makes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(OPS)
    yield tmp_path
    for name in set(OPS) - known:
        del OPS[name]
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_happens(page: Path, folder: Path) -> None:
    text = page.read_text("utf-8")
    if "$ simpar run" in text and not has_mpi():
        pytest.skip("no MPI is installed")
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(text):
        where = f"{page.name}, line {block.line}"
        if block.language == "python":
            if named := _FILE.match(block.text):
                (folder / named[1]).write_text(block.text, "utf-8")
            check(printed_by(block.text, names, where), block.below, where)
        elif block.language == "console":
            for command, expected in commands(block.text):
                check(output_of(command), expected, f"{where}: {command}")


def printed_by(program: str, names: dict[str, Any], where: str) -> str:
    """Run a block in the page's names and return what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), entered(Context()):
        exec(compile(program, where, "exec"), names)
    return out.getvalue()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Give each command with what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def output_of(command: str) -> str:
    """Run a ``simpar`` command; one that starts no ranks runs in this process, which is faster."""
    program, *arguments = shlex.split(command)
    assert program == "simpar", f"a page shows only the simpar command, not {program}"
    if arguments[0] == "run":
        ran = simpar(*arguments, SIMPAR_RECORD="1")
        assert ran.returncode == 0, ran.stderr
        return ran.stdout
    out = io.StringIO()
    with contextlib.redirect_stdout(out), entered(Context()), contextlib.suppress(SystemExit):
        main(arguments)
    return out.getvalue()


def check(printed: str, expected: str, where: str) -> None:
    got, want = ("".join(f"{line.rstrip()}\n" for line in t.splitlines() if line.strip()) for t in (printed, expected))
    assert OutputChecker().check_output(want, got, ELLIPSIS), f"{where} shows\n{want}\nbut what is printed is\n{got}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = re.findall(r"`((?:simpar|tests|docker|docs|scenarios|benchmarks|\.ci)/[\w/.]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_table_of_the_ops_is_that_of_their_records() -> None:
    page = PAGE.read_text("utf-8")
    assert page == page_text(page), "run: python -m tests.make_ops_table"
