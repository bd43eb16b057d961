"""Every case of ``cases_*.py``, over MPI and over threads; see ``harness`` for how to write one."""

from collections.abc import Callable

import pytest

from simpar.collectives import run_threads
from simpar.context import current
from tests.mpi.harness import Case, Failure, collect_cases, is_mpi_here, launch

CASES = collect_cases()
OVER_MPI = [pytest.param(name, n, id=f"{name}-{n}") for name, case in CASES.items() for n in case.ranks]
OVER_THREADS = [
    pytest.param(name, n, id=f"{name}-{n}") for name, case in CASES.items() if case.threads for n in case.ranks
]

Outcomes = Callable[[str, int], Failure | None]


@pytest.fixture(scope="session")
def outcome(request: pytest.FixtureRequest) -> Outcomes:
    """How a case ended on ``n`` ranks; the first question about ``n`` launches all chosen cases of that number."""
    if not is_mpi_here():
        pytest.skip("no MPI is installed")
    known: dict[int, dict[str, Failure | None]] = {}

    def find(name: str, n: int) -> Failure | None:
        if n not in known:
            chosen = [item.callspec.params for item in request.session.items if _is_over_mpi(item)]  # pyright: ignore
            known[n] = launch([params["name"] for params in chosen if params["n"] == n], n)
        return known[n][name]

    return find


def _is_over_mpi(item: pytest.Item) -> bool:
    return getattr(item, "originalname", "") == "test_over_mpi" and item.path.parent.name == "mpi"


@pytest.mark.parametrize(("name", "n"), OVER_MPI)
def test_over_mpi(name: str, n: int, outcome: Outcomes) -> None:
    failure = outcome(name, n)
    if failure is not None:
        pytest.fail(failure.text, pytrace=False)


@pytest.mark.parametrize(("name", "n"), OVER_THREADS)
def test_over_threads(name: str, n: int) -> None:
    run_threads(n, _play, CASES[name])


def _play(case: Case) -> None:
    case.function(current().world)
