"""Files and functions stay short enough to be read in one go."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT, Source, sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Count a function's lines, less those of its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or 0) - docstring.lineno + 1)


@pytest.mark.parametrize("source", sources(), ids=lambda s: s.module)
def test_file_is_short(source: Source) -> None:
    lines = len(source.text.splitlines())
    assert lines <= MAX_FILE_LINES, (
        f"{source.path.relative_to(ROOT)} has {lines} lines; split it below {MAX_FILE_LINES}."
    )


@pytest.mark.parametrize("source", sources(), ids=lambda s: s.module)
def test_functions_are_short(source: Source) -> None:
    long = {f.name: lines_of(f) for f in functions(source) if lines_of(f) > MAX_FUNCTION_LINES}
    assert not long, f"{source.path.relative_to(ROOT)} has functions above {MAX_FUNCTION_LINES} lines: {long}."
