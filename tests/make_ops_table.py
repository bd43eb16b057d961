"""Writes the tables of ``docs/ops.md`` anew from the records: ``python -m tests.make_ops_table``.

Rule and factors are those of a record's first example, whose attributes are shown; objects and functions are found in
``simpar.ops`` by the records they name.
"""

import ast
import inspect
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import FunctionType

from simpar import Tensor, ops
from simpar.graph import OPS, OpDef
from simpar.layout import Axis, Rule
from simpar.ops import functional, operations

PAGE = Path(__file__).parents[1] / "docs" / "ops.md"
BEGIN, END = "<!-- tables: python -m tests.make_ops_table -->\n", "<!-- end of tables -->\n"
FACES = ("record", "objects", "functions")
CUT = ("rule", "passes through", "partial", "whole", "a cut kernel is told")
GRADIENTS = ("_grad", "_grad_input", "_grad_weight", "_tn")


def main() -> None:
    PAGE.write_text(page_text(PAGE.read_text("utf-8")), "utf-8")


def page_text(page: str) -> str:
    """Return the page with its tables as the records are now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


def tables() -> str:
    """Return the tables: ops cut anywhere, ops with a rule of their own, records of gradients, collectives."""
    known = sorted(OPS.values(), key=lambda op: op.name)
    ruled = [op for op in known if op.rule is not None and not op.name.endswith(GRADIENTS)]
    of_gradients = [op for op in known if op.rule is not None and op.name.endswith(GRADIENTS)]
    anywhere = [op for op in ruled if _is_anywhere(op)]
    tables = {
        "Element by element: any axis may be cut": ((*FACES, "rule"), [(*_faces(op), _rule(op)) for op in anywhere]),
        "Ops with a rule of their own": (
            (*FACES, *CUT),
            [(*_faces(op), *_cut(op)) for op in ruled if op not in anywhere],
        ),
        "Records that only gradients use": ((FACES[0], *CUT), [(f"`{op.name}`", *_cut(op)) for op in of_gradients]),
        "Collectives that a program calls itself": (FACES[:2], [_faces(op)[:2] for op in known if op.rule is None]),
    }
    shown = "".join(f"\n## {title}\n\n{_table(*table)}" for title, table in tables.items())
    return f"{shown}\nFunctions that use several records: {_listed(_composed())}.\n\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


# --- what a rule says ---


def _bound(op: OpDef) -> Rule:
    return op.bind(op.examples[0].shapes, op.examples[0].attrs)


def _is_anywhere(op: OpDef) -> bool:
    """Whether the rule has leading axes only, which all pass through, and a slice needs no attributes of its own."""
    return not _bound(op).whole and all(f[0] == "_" for f in _bound(op).order) and op.localize is None


def _rule(op: OpDef) -> str:
    """Return a rule as text, leading axes as ``...`` and a scalar as ``()``."""
    rule = _bound(op)
    each = [_axes(axes, slot, rule) for slot, axes in enumerate((*rule.operands, *rule.results))]
    count = len(rule.operands)
    return f"`{', '.join(each[:count])} -> {', '.join(each[count:])}`"


def _axes(axes: Sequence[Axis], slot: int, rule: Rule) -> str:
    words = ["1" if not a else "..." if a[0][0] == "_" else a[0] if len(a) == 1 else f"({' '.join(a)})" for a in axes]
    shown = [f"{word}~" if (slot, place) in rule.images else word for place, word in enumerate(words)]
    return " ".join(dict.fromkeys(shown)) or "()"


def _cut(op: OpDef) -> tuple[str, ...]:
    """Return the cells that say what a cut of each factor means."""
    rule, example = _bound(op), op.examples[0]
    given = ", ".join(f"{name}={value}" for name, value in example.attrs.items())
    results = range(len(rule.results))
    lacking = {f: [i for i in results if f in rule.missing(i)] for f in rule.order if f not in rule.whole}
    passing = [f for f, lacks in lacking.items() if len(lacks) < len(results)]
    partial = [f"`{f}` ({rule.combine})" + _where(lacks, len(results)) for f, lacks in lacking.items() if lacks]
    return (
        _rule(op) + (f" for {given}" if given and callable(op.rule) else ""),
        _listed(dict.fromkeys("..." if f[0] == "_" else f for f in passing)),
        ", ".join(partial),
        _listed(sorted(rule.whole)),
        f"where its slice of `{op.offsets}` begins" if op.offsets else "attributes of its slice" if op.localize else "",
    )


def _where(lacks: Sequence[int], count: int) -> str:
    """Say which results are partial, if not all."""
    return "" if len(lacks) == count else f" in result {' and '.join(str(i + 1) for i in lacks)} of {count}"


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


# --- the names of a record ---


def _faces(op: OpDef) -> tuple[str, str, str]:
    objects = (name for name in operations.__all__ if getattr(getattr(ops, name), "op_name", "") == op.name)
    functions = (name for name, records in _functions().items() if records == {op.name})
    return f"`{op.name}`", _listed(sorted(objects)), _listed(sorted(functions))


def _composed() -> list[str]:
    return sorted(name for name, records in _functions().items() if len(records) > 1)


@cache
def _functions() -> dict[str, set[str]]:
    """Return the records that each function of ``simpar.ops`` applies, itself or through what it calls."""
    found = ((name, getattr(functional, name)) for name in functional.__all__)
    return {name: _records_of(f, 3) for name, f in found if isinstance(f, FunctionType)}


@cache
def _records_of(function: FunctionType, depth: int) -> set[str]:
    found: set[str] = set()
    for call in (n for n in ast.walk(ast.parse(dedent(inspect.getsource(function)))) if isinstance(n, ast.Call)):
        named = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if named in OPS:
            found.add(str(named))
        elif depth and isinstance(called := _called(function, call.func), FunctionType):
            found |= _records_of(called, depth - 1)
    return found


def _called(function: FunctionType, name: ast.expr) -> object:
    """Return what a call in a function calls: a function of simpar's ops, or a method of Tensor."""
    if isinstance(name, ast.Attribute):  # a change of type on the way is no use of `cast` that a reader looks for
        return getattr(Tensor, name.attr, None) if name.attr != "astype" or function.__name__ == "cast" else None
    called = function.__globals__.get(name.id) if isinstance(name, ast.Name) else None
    return called if getattr(called, "__module__", "").startswith("simpar.ops") else None


if __name__ == "__main__":
    main()
