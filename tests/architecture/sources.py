"""The package's modules, found on disk and parsed, for the tests of its shape."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "simpar"


@dataclass(frozen=True, slots=True)
class Source:
    """One module of simpar as text and as a syntax tree."""

    path: Path
    text: str

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(p for p in parts if p != "__init__")

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in self.module.split("."))

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


def sources() -> list[Source]:
    """Return every module of simpar, by path."""
    return [Source(path, path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]


def public_modules() -> list[str]:
    """Return the names of the modules that a user may import."""
    return [s.module for s in sources() if s.is_public]
