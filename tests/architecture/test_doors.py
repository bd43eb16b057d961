"""Rooms enter each other through the door, ``simpar.<room>``, and write imports in full."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import PACKAGE, Source, sources

ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Give the line and the module of every import, those inside functions as well."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def is_behind_a_door(module: str, seen_from: str) -> bool:
    parts = module.split(".")
    return parts[0] == "simpar" and len(parts) > 2 and parts[1] in ROOMS and parts[1] != seen_from


@pytest.mark.parametrize("source", sources(), ids=lambda s: s.module)
def test_other_rooms_are_entered_through_their_door(source: Source) -> None:
    room = (*source.module.split("."), "")[1]
    inside = [f"line {line}: {module}" for line, module in imported(source) if is_behind_a_door(module, room)]
    assert not inside, f"{source.module} imports {inside}; import from the room, and export there what is missing."


@pytest.mark.parametrize("source", sources(), ids=lambda s: s.module)
def test_imports_are_absolute(source: Source) -> None:
    assert not [line for line, module in imported(source) if module.startswith(".")]
