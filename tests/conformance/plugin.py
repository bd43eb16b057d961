"""The pytest plugin of one conformance run: the alias, imagined devices, stand-ins, and a report as JSON.

It is loaded by path into a process of its own, in which a checkout's ``tests`` may stand in the way of ours.
"""

import importlib.abc
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from simpar import context as simpar_context
from simpar.compile import making
from simpar.dtype import DType
from simpar.errors import MissingNameError
from simpar.mindspore import finder, install
from simpar.mindspore.names import DOORS
from simpar.planning import VirtualPlanner
from simpar.tensor import Tensor

REPORT = "SIMPAR_CONFORMANCE_REPORT"
"""The variable of the environment that names the file for the results."""
_HERE = os.path.dirname(__file__)
_LONGEST = 400
"""Characters of a message that are kept."""


class UnitTestDevices(VirtualPlanner):
    """Plays the devices that the context names at the moment: programs are planned, results are zeros."""

    def __init__(self) -> None:
        self.programs, self.strategy_file = [], ""

    @property
    def device_num(self) -> int:  # pyright: ignore
        return simpar_context.current().parallel.device_num or _checkout("rank_size", 1)

    @property
    def rank(self) -> int:  # pyright: ignore
        rank = simpar_context.current().parallel.global_rank
        return _checkout("rank_id", 0) if rank is None else rank

    def result(self, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return Tensor.wrap(np.zeros(shape, dtype.numpy))

    def asked(self, what: str) -> None:
        pass


def _checkout(what: str, otherwise: int) -> int:
    """Return what the checkout's own stand-in for the devices' library was told of its ranks."""
    hccl = sys.modules.get("hccl_test.manage.api")
    return getattr(hccl.Hccl(), what) if hccl else otherwise


class MissingName:
    """Stands for a name that a file imports and simpar does not have: the tests that use it fail, not the file.

    Args:
        text: what simpar says of the name.
    """

    def __init__(self, text: str) -> None:
        vars(self)["_text"] = text

    def _refuse(self, *_: object, **__: object) -> Any:
        raise MissingNameError(vars(self)["_text"])

    __call__ = __getattr__ = __getitem__ = __iter__ = __instancecheck__ = __mro_entries__ = _refuse


_IMPORTING = ("<module>", "_handle_fromlist")
"""Where a file's imports, and its lines outside of functions, ask for names."""


def _let_files_name(missing: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Let a module's own lines name what simpar does not have."""

    def found(shell: ModuleType, name: str) -> Any:
        try:
            return missing(shell, name)
        except MissingNameError as error:
            if sys._getframe(1).f_code.co_name not in _IMPORTING:
                raise
            return MissingName(str(error))

    return found


class _MissingModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives an empty module of missing names where a file imports a module of MindSpore's that simpar does not have."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        is_missing = fullname.startswith("mindspore.") and fullname not in DOORS
        return ModuleSpec(fullname, self, is_package=True) if is_missing else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__

        def missing(member: str) -> Any:
            if member.startswith("__"):
                raise AttributeError(member)
            return MissingName(f"{name}.{member} is not in simpar.")

        vars(module)["__getattr__"] = missing


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, modules: dict[str, dict[str, Any]]) -> None:
        self.modules = modules

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        return ModuleSpec(fullname, self) if fullname in self.modules else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(self.modules[module.__name__])


def _stand_ins() -> dict[str, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("simpar_stand_ins", os.path.join(_HERE, "stand_ins.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.STAND_INS


def _note_layouts(report: Callable[..., None]) -> Callable[..., None]:
    """Let each compilation leave the layouts it reported."""

    def noted(owner: Any, *rest: Any) -> None:
        report(owner, *rest)
        _LAYOUTS.append({name: list(layout) for name, layout in getattr(owner, "parameter_layout_dict", {}).items()})

    return noted


_RESULTS: list[dict[str, Any]] = []
_LAYOUTS: list[dict[str, Any]] = []
"""Of each compilation of the test that runs, what ``parameter_layout_dict`` holds."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Set the run up; the stand-ins come before pytest's own finder, which looks for every ``test_*.py``."""
    install()
    if os.environ["SIMPAR_CONFORMANCE_DEVICES"] == "imagined":
        simpar_context.current().planner = UnitTestDevices()
    finder._Shell.__getattr__ = _let_files_name(finder._Shell.__getattr__)  # pyright: ignore[reportAttributeAccessIssue]
    making.report_layouts = _note_layouts(making.report_layouts)
    sys.meta_path[:0] = [_StandIns(_stand_ins()), _MissingModules()]


@pytest.fixture(autouse=True)
def _fresh_folder(tmp_path: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test in an empty folder, beside which the checkout's data is where the tests look for it."""
    folder = tmp_path / "python"
    folder.mkdir()
    data = next((place / "ut" / "data" for place in request.path.parents if place.name == "tests"), None)
    if data is not None and data.is_dir():
        (tmp_path / "data").symlink_to(data)
    monkeypatch.chdir(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    made = yield
    report = made.get_result()
    if report.when == "call" or report.failed:
        error = None if call.excinfo is None else call.excinfo
        _keep(item.name, report.outcome, error)


def pytest_runtest_setup() -> None:
    _LAYOUTS.clear()


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        text = report.longreprtext.strip().splitlines()
        last = next((line[1:].strip() for line in reversed(text) if line.startswith("E ")), text[-1])
        kind, _, message = last.partition(": ")
        name = kind.rpartition(".")[2]
        _RESULTS.append({"test": "(import)", "outcome": "failed", "error": name, "message": message[:_LONGEST]})


def _keep(test: str, outcome: str, error: Any) -> None:
    result = {"test": test, "outcome": outcome, "error": "", "message": "", "layouts": list(_LAYOUTS)}
    if error is not None:
        result["error"] = error.type.__name__
        result["message"] = str(error.value)[:_LONGEST]
        where = error.traceback[-1]
        result["where"] = f"{os.path.basename(str(where.path))}:{where.lineno + 1}"
    _RESULTS.append(result)


def pytest_unconfigure() -> None:
    with open(os.environ[REPORT], "w", encoding="utf-8") as file:
        json.dump(_RESULTS, file)
