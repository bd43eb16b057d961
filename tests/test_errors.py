"""One tree of errors, each also the built-in error that MindSpore raises for the same mistake."""

import pytest

from simpar import errors
from simpar.errors import ContextKeyError, SimparError

BUILTIN = {
    "ContextError": ValueError,
    "ContextKeyError": KeyError,
    "DTypeError": TypeError,
    "LaunchError": RuntimeError,
    "LayoutError": ValueError,
    "ModeError": RuntimeError,
    "MpiMissingError": RuntimeError,
    "NotYetError": NotImplementedError,
    "ParameterError": ValueError,
    "ParameterNameError": ValueError,
    "PlanMismatchError": RuntimeError,
    "RuleError": ValueError,
    "RunStoreError": ValueError,
    "StrategyError": RuntimeError,
    "TraceError": RuntimeError,
    "ValueDependentError": RuntimeError,
    "VerifyError": RuntimeError,
    "WorldError": RuntimeError,
}
NAMES = [name for name in errors.__all__ if name != "SimparError"]


@pytest.mark.parametrize("name", NAMES)
def test_error_is_a_simpar_error_and_a_built_in_one(name: str) -> None:
    assert issubclass(getattr(errors, name), (SimparError))
    assert issubclass(getattr(errors, name), BUILTIN[name])


@pytest.mark.parametrize("name", NAMES)
def test_error_stands_in_the_tree_at_the_head_of_the_file(name: str) -> None:
    assert f"── {name} " in (errors.__doc__ or "")


def test_key_error_shows_its_message_without_quotes() -> None:
    assert str(ContextKeyError("comm_fusion has no 'sum'.")) == "comm_fusion has no 'sum'."
