"""Shells of MindSpore's modules, and the finder that makes them when they are imported."""

import importlib
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from simpar.context import current
from simpar.errors import MissingImportError, MissingNameError, ModeError
from simpar.mindspore.names import DOORS

__all__ = ["install", "installed", "is_installed", "uninstall"]

_ROOT = "mindspore"


class _Shell(ModuleType):
    """Stands for a module of MindSpore; its names are those of simpar's doors."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return dir(self)
        if name.startswith("__"):
            raise AttributeError(name)
        found = _behind(self.__name__, name)
        if found is None or isinstance(found, ModuleType):  # MindSpore's own submodule, if it has one of that name
            path = f"{self.__name__}.{name}"
            found = importlib.import_module(path) if path in DOORS else found
        if found is None:
            raise MissingNameError(_missing(self.__name__, name))
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        """Take what Python and users set, but keep a function where a submodule of the same name is imported."""
        if isinstance(value, _Shell):
            held = _behind(self.__name__, name)
            value = value if held is None or isinstance(held, ModuleType) else held
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({name for name in _names(self.__name__) if not name.startswith("_")})


class _Finder(MetaPathFinder, Loader):
    """Finds the shells; it refuses the modules of MindSpore that ``DOORS`` does not know."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ROOT and not fullname.startswith(f"{_ROOT}."):
            return None
        if fullname not in DOORS:
            parent, _, name = fullname.rpartition(".")
            raise MissingImportError(_missing(parent, name), name=fullname)
        return ModuleSpec(fullname, self, origin="simpar", is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Shell(spec.name, f"simpar under the name of {spec.name}.")

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


def _behind(path: str, name: str) -> Any:
    """Return what the first door of a module path that offers a name holds under it, or None."""
    for door in DOORS[path]:
        module = importlib.import_module(door)
        if name in module.__all__:
            return getattr(module, name)
    return None


def _names(path: str) -> Iterator[str]:
    for door in DOORS[path]:
        yield from importlib.import_module(door).__all__
    depth = path.count(".") + 1
    yield from (p.rpartition(".")[2] for p in DOORS if p.startswith(f"{path}.") and p.count(".") == depth)


def _missing(path: str, name: str) -> str:
    """Say that simpar does not have a name, and which it has that look alike."""
    near = get_close_matches(name, set(_names(path)), n=4, cutoff=0.6)
    where = sorted(p for p in DOORS if p != path and _behind(p, name) is not None)
    hints = [f"The nearest names that are: {', '.join(near)}." if near else ""]
    hints.append(f"It is in {', '.join(where[:3])}." if where else "")
    hints.append("" if near or where else f"dir({path}) lists the names that are.")
    return " ".join([f"{path}.{name} is not in simpar.", *(h for h in hints if h)])


# --- the doors ---


def is_installed() -> bool:
    """Return whether ``import mindspore`` resolves to simpar."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def install() -> None:
    """Let ``import mindspore`` resolve to simpar from now on, also where MindSpore itself is installed.

    Restrictions that MindSpore's users know (numbers of devices) hold from now on as well.

    Raises:
        ModeError: MindSpore itself has been imported; the two do not mix in one process.

    >>> install()
    >>> import mindspore as ms
    >>> ms.Tensor([1.0, 2.0])
    Tensor(shape=[2], dtype=Float32, value=array([1., 2.], dtype=float32))
    >>> uninstall()
    """
    real = sys.modules.get(_ROOT)
    if real is not None and not isinstance(real, _Shell):
        raise ModeError(
            f"MindSpore itself was imported already, from {getattr(real, '__file__', 'an unknown place')}. Its objects "
            "and simpar's do not mix: call simpar.mindspore.install() before the first `import mindspore`."
        )
    current().mindspore = True
    if not is_installed():
        sys.meta_path.insert(0, _Finder())


def uninstall() -> None:
    """Undo ``install``: forget the shells, and let ``import mindspore`` find MindSpore itself again, or nothing."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for path in [p for p, module in sys.modules.items() if isinstance(module, _Shell)]:
        del sys.modules[path]
    current().mindspore = False


@contextmanager
def installed() -> Generator[None]:
    """Have the alias installed for a ``with`` block."""
    was = is_installed()
    install()
    try:
        yield
    finally:
        if not was:
            uninstall()
