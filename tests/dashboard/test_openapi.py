"""The API's description: written down as it is, and kept by the API against whatever is asked."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from simpar.dashboard import make_app
from simpar.dashboard.app import make_api
from simpar.dashboard.openapi import openapi_text
from tests.dashboard.runs import write_run

WRITTEN = Path(__file__).parents[2] / "web" / "openapi.json"
TOKEN = "an-example-of-a-token"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip


def test_description_is_written_down_as_the_code_says() -> None:
    assert WRITTEN.read_text("utf-8") == openapi_text(), (
        "web/openapi.json is not what the code says: python -m simpar.dashboard.openapi > web/openapi.json"
    )


def test_every_field_and_question_is_described() -> None:
    described = make_api(Path()).openapi()
    for path, item in described["paths"].items():
        for operation in item.values():
            assert operation["description"], path
    for name, schema in described["components"]["schemas"].items():
        assert schema.get("description"), name


def test_answers_say_which_schema_they_follow() -> None:
    described = make_api(Path()).openapi()
    for item in described["paths"].values():
        for operation in item.values():
            for media, content in operation["responses"]["200"]["content"].items():
                if media == "application/json" and "$ref" in content.get("schema", {}):
                    name = content["schema"]["$ref"].rpartition("/")[2]
                    assert "schema" in described["components"]["schemas"][name]["required"], name


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the application with two runs, one of which cannot be read."""
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder, "run", (2, 2), steps=3)
    write_run(folder, "bad", (1, 1), steps=1).write_bytes(b"not a store")
    return make_app(folder, TOKEN)


schema = schemathesis.openapi.from_dict(make_api(Path()).openapi())


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_api_answers_as_it_says_whatever_it_is_asked(case: Any, app: Any) -> None:
    case.operation.app = app
    if "run" in (case.path_parameters or {}) and len(str(case.path_parameters["run"])) % 2:
        case.path_parameters["run"] = "run" if len(str(case.path_parameters["run"])) % 4 == 1 else "bad"
    case.call_and_validate(
        base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {TOKEN}"}, checks=CHECKS, app=app
    )
