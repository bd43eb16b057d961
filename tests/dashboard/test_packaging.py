"""What is shipped: the built front end is in the wheel and in the sdist, small, and asks nothing of other machines."""

import gzip
import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "simpar" / "dashboard" / "static"
KB = 1000

built = pytest.mark.skipif(
    not (STATIC / "index.html").is_file(), reason="the front end is not built: python hatch_build.py builds it"
)


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOK = load_hook()


def make(target: str, folder: Path) -> Path:
    """Build a distribution without building the front end anew."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    environment = os.environ | {"SIMPAR_WEB": "skip"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give the files of the wheel."""
    with zipfile.ZipFile(make("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def shipped(wheel: dict[str, bytes]) -> dict[str, bytes]:
    prefix = "simpar/dashboard/static/"
    return {name.removeprefix(prefix): content for name, content in wheel.items() if name.startswith(prefix)}


@built
def test_wheel_carries_the_front_end_and_no_sources(wheel: dict[str, bytes]) -> None:
    assert "index.html" in shipped(wheel)
    assert not [name for name in wheel if name.endswith((".map", ".svelte", ".ts")) or name.startswith("web/")]


@built
def test_files_that_the_start_page_names_are_in_the_wheel(wheel: dict[str, bytes]) -> None:
    page = shipped(wheel)["index.html"].decode()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named
    assert {name.removeprefix("./") for name in named} <= set(shipped(wheel))


@built
def test_front_end_is_small(wheel: dict[str, bytes]) -> None:
    files = shipped(wheel)
    assert sum(map(len, files.values())) < 1000 * KB
    assert sum(len(gzip.compress(c)) for n, c in files.items() if n.endswith(".js")) < 300 * KB
    assert sum(len(c) for n, c in files.items() if n.endswith(".woff2")) < 120 * KB


@built
def test_front_end_asks_nothing_of_other_machines(wheel: dict[str, bytes]) -> None:
    """No file loads anything by an address; the names of XML's vocabularies are never fetched."""
    for name, content in shipped(wheel).items():
        if name.endswith((".html", ".css", ".svg")):
            text = content.decode().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"(?:https?:)?//[\w.-]+\.\w", text), name


@built
def test_sdist_installs_without_node(tmp_path: Path) -> None:
    with tarfile.open(make("sdist", tmp_path)) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"hatch_build.py", "web/package-lock.json", "simpar/dashboard/static/index.html"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_lock_file_names_no_registry() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text
    assert '"integrity"' in text


def test_front_end_without_sources_is_taken_as_it_is(tmp_path: Path) -> None:
    assert not HOOK.is_fresh(tmp_path)
    static = tmp_path / "simpar" / "dashboard" / "static"
    static.mkdir(parents=True)
    (static / "index.html").write_text("built")
    assert HOOK.is_fresh(tmp_path)


def test_front_end_is_built_anew_when_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    static = tmp_path / "simpar" / "dashboard" / "static"
    static.mkdir(parents=True)
    (static / "index.html").write_text("built")
    (static / "build.json").write_text(f'{{"sources": "{HOOK.digest(tmp_path)}"}}')
    assert HOOK.is_fresh(tmp_path)
    (tmp_path / "web" / "src" / "main.ts").write_text("changed")
    assert not HOOK.is_fresh(tmp_path)


def test_missing_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(HOOK.CannotBuildError, match="the folder web/ is missing"):
        HOOK.build(tmp_path)
