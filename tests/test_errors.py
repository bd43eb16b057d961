"""One tree of errors, each also the built-in error that MindSpore raises for the same mistake."""

import builtins
import re

import pytest

from simpar import errors
from simpar.errors import ContextKeyError, SimparError

NAMES = [name for name in errors.__all__ if name != "SimparError" and issubclass(getattr(errors, name), Exception)]
TREE = (errors.__doc__ or "").split("SimparError", 1)[1].split("\n\n")[0]
DRAWN: dict[str, str] = dict(re.findall(r"── (\w+) (.*)", TREE))
BUILTINS = [
    (name, builtin)
    for name, rest in DRAWN.items()
    for listed in re.findall(r"\(([\w, ]+)\)$", rest)
    for builtin in listed.split(", ")
]


def test_the_tree_at_the_head_of_the_file_shows_every_error() -> None:
    assert sorted(DRAWN) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_error_is_a_simpar_error(name: str) -> None:
    assert issubclass(getattr(errors, name), SimparError)


@pytest.mark.parametrize(("name", "builtin"), BUILTINS)
def test_error_is_the_built_in_error_that_the_tree_says(name: str, builtin: str) -> None:
    assert issubclass(getattr(errors, name), getattr(builtins, builtin))


@pytest.mark.parametrize(
    ("name", "builtin"),
    [("DTypeError", "TypeError"), ("StrategyError", "RuntimeError"), ("ContextError", "ValueError")],
)
def test_tree_names_the_built_in_errors(name: str, builtin: str) -> None:
    assert (name, builtin) in BUILTINS


def test_key_error_shows_its_message_without_quotes() -> None:
    assert str(ContextKeyError("comm_fusion has no 'sum'.")) == "comm_fusion has no 'sum'."
