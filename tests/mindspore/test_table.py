"""The tables of ``docs/mindspore.md`` are true: what they say is there is, and what is there stands in them."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from simpar.context.options import PARALLEL
from simpar.mindspore.names import DOORS
from simpar.parallel.auto_parallel import AutoParallel
from tests.mindspore.shown import SHOWN

TESTS = Path(__file__).parents[1]
PAGE = (Path(__file__).parents[2] / "docs" / "mindspore.md").read_text("utf-8")
ROW = re.compile(r"^\| `([\w.]+)` \| (\w+) \|(.*)\|$", re.MULTILINE)
STATES = ("works", "accepted", "refused")


def rows(heading: str) -> dict[str, str]:
    """Return interface and state of the table below a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return {name: state for name, state, _ in ROW.findall(section)}


WORKS = sorted({name for name, state, _ in ROW.findall(PAGE) if state == "works"})
EVERY = [(name, state) for name, state, _ in ROW.findall(PAGE)]
INTERFACES = [(name, state) for name, state in EVERY if name.startswith("mindspore.")]
OPTIONS = rows("Options of `set_auto_parallel_context`")
METHODS = rows("Methods of `AutoParallel`")


def found(path: str) -> object:
    """Return what stands at a path of MindSpore, or raise AttributeError."""
    module = max((p for p in DOORS if path == p or path.startswith(f"{p}.")), key=len)
    thing: object = importlib.import_module(module)
    for name in path.removeprefix(module).strip(".").split(".") if path != module else ():
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize(("name", "state"), EVERY)
def test_a_state_is_one_of_three(name: str, state: str) -> None:
    assert state in STATES


@pytest.mark.parametrize("name", [name for name, state in INTERFACES if state != "refused"])
def test_what_works_or_is_accepted_is_there(name: str) -> None:
    assert found(name) is not None


@pytest.mark.parametrize("name", [name for name, state in INTERFACES if state == "refused"] or ["mindspore.nowhere"])
def test_what_is_refused_is_not_there_or_refuses(name: str) -> None:
    if name.endswith(".place"):
        assert str(found(name).__doc__).startswith("Refuse:")
        return
    with pytest.raises(AttributeError, match="is not in simpar"):
        found(name)


def test_every_option_stands_in_the_table() -> None:
    assert sorted(name for name, state in OPTIONS.items() if state != "refused") == sorted(PARALLEL)


def test_every_method_of_auto_parallel_stands_in_the_table() -> None:
    own = {n for n, m in inspect.getmembers(AutoParallel, inspect.isfunction) if n in vars(AutoParallel)}
    public = {name for name in own if not name.startswith("_")} - {"compile", "construct"}
    assert sorted(name for name, state in METHODS.items() if state != "refused") == sorted(public)


@pytest.mark.parametrize("name", sorted(importlib.import_module("simpar.parallel").__all__))
def test_every_public_name_of_parallel_stands_in_the_table(name: str) -> None:
    own = {"auto_parallel", "full_tensor"}  # a module, and simpar's own
    assert name in own or any(path.rpartition(".")[2] == name for path, _ in INTERFACES)


def test_every_collective_stands_in_the_table() -> None:
    named = {path for path, _ in EVERY}
    classes = {"ReduceOp", "CommHandle", "WORLD_GROUPS", "ranks_of_group"}  # what the others take or return
    for door, path in (
        ("simpar.mint.distributed", "mindspore.mint.distributed"),
        ("simpar.communication.comm_func", "mindspore.communication.comm_func"),
        ("simpar.ops.exchanges", "mindspore.ops"),
        ("simpar.ops.messages", "mindspore.ops"),
        ("simpar.ops.communication", "mindspore.ops"),
    ):
        public = {name for name in importlib.import_module(door).__all__ if name[0].isalpha()} - classes
        assert {f"{path}.{name}" for name in public} <= named


def test_every_line_that_works_has_a_test_and_no_other_has() -> None:
    assert sorted(SHOWN) == WORKS


@pytest.mark.parametrize("name", WORKS)
def test_the_test_of_a_line_is_there_and_its_file_names_the_interface(name: str) -> None:
    path, _, test = SHOWN[name].partition("::")
    text = (TESTS / path).read_text("utf-8")
    functions = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert test in functions
    assert re.search(rf"\b{name.rpartition('.')[2]}\b", text), f"{path} does not use {name}"
