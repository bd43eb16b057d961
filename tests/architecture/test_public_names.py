"""Each public module says in ``__all__`` what it offers, and holds it. (Ruff keeps the lists sorted.)"""

import importlib

import pytest

from tests.architecture.sources import public_modules


@pytest.mark.parametrize("module", public_modules())
def test_module_offers_what_it_says(module: str) -> None:
    loaded = importlib.import_module(module)
    offered = getattr(loaded, "__all__", None)
    assert offered is not None, f"{module} has no __all__: list its public names there, or start its name with '_'."
    assert len(set(offered)) == len(offered), f"{module}.__all__ names something twice."
    missing = [name for name in offered if not hasattr(loaded, name)]
    assert not missing, f"{module}.__all__ names {missing}, which the module does not hold."
