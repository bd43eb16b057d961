"""Every public module, class, function and method says what it is."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import Source, sources

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt]) -> Iterator[Documented]:
    """Give the public definitions of a module, and those of its public classes."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_") and not is_overload(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def is_overload(node: Documented) -> bool:
    """Tell whether a definition only adds a type, or a setter, to one that is documented elsewhere."""
    names = {ast.unparse(d).split(".")[-1] for d in node.decorator_list}
    return bool(names & {"overload", "setter", "override"})


@pytest.mark.parametrize("source", [s for s in sources() if s.is_public], ids=lambda s: s.module)
def test_public_names_are_documented(source: Source) -> None:
    assert ast.get_docstring(source.tree), f"{source.module} has no docstring."
    silent = [node.name for node in public(source.tree.body) if not ast.get_docstring(node)]
    assert not silent, f"{source.module} does not document {silent}."
