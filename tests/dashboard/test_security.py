"""Who may ask the dashboard, and what every answer carries."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from simpar.dashboard import make_app
from simpar.dashboard.security import MOST_BODY_BYTES

TOKEN = "an-example-of-a-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
QUESTION = {"shape": [4], "source": {"dev_mat": [2], "tensor_map": [0]}, "target": {"dev_mat": [2], "tensor_map": [-1]}}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Give a browser that has not been here before."""
    app = make_app(tmp_path, TOKEN, ["lab.example"])
    with TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:81", "localhost:81", "LOCALHOST", "[::1]", "[::1]:81", "lab.example"]
)
def test_known_host_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/api/runs", headers={**BEARER, "host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "localhost.evil.example", "", "[::1", "127.0.0.1:x",
     "127.0.0.1@evil.example", "127.0.0.1:80:80"],
)  # fmt: skip
def test_foreign_host_is_told_which_option_would_allow_it(client: TestClient, host: str) -> None:
    answer = client.get("/api/runs", headers={**BEARER, "host": host})
    assert answer.status_code == 400
    assert "--allow-host" in answer.json()["message"]


def test_words_about_a_host_hold_no_html(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "<script>alert(1)</script>"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/api/runs", "/api/openapi.json", "/api/runs/x/stream"])
def test_api_without_a_token_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "no_token")


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", TOKEN[:-1], "ä"])
def test_wrong_token_is_refused(client: TestClient, given: str) -> None:
    assert client.get("/", params={"token": given}).status_code == 401
    headers = {b"authorization": f"Bearer {given}".encode()}
    assert client.get("/api/runs", headers=headers).status_code == 401


def test_token_moves_from_the_address_into_a_cookie(client: TestClient) -> None:
    answer = client.get("/tensors", params={"token": TOKEN, "run": "a b"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tensors?run=a+b")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/api/runs").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
def test_token_does_not_lead_to_another_site(client: TestClient, path: str) -> None:
    answer = client.get(f"http://127.0.0.1:8000{path}?token={TOKEN}")
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith(("//", "/\\"))


def test_token_is_no_key_to_the_api_when_it_stands_in_the_address(client: TestClient) -> None:
    assert client.get("/api/runs", params={"token": TOKEN}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:9999"}, {"origin": "https://127.0.0.1:8000"}, {}],
)  # fmt: skip
def test_work_for_another_site_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    client.get("/", params={"token": TOKEN})
    answer = client.post("/api/redistribution", json=QUESTION, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "cross_site")


@pytest.mark.parametrize("headers", [{"origin": "http://127.0.0.1:8000"}, {"sec-fetch-site": "same-origin"}])
def test_work_for_our_own_page_is_done(client: TestClient, headers: dict[str, str]) -> None:
    client.get("/", params={"token": TOKEN})
    assert client.post("/api/redistribution", json=QUESTION, headers=headers).status_code == 200


def test_data_is_not_given_to_another_site(client: TestClient) -> None:
    client.get("/", params={"token": TOKEN})
    assert client.get("/api/runs", headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/runs", "/api/none", "/nothing.js"])
@pytest.mark.parametrize("headers", [BEARER, {}, {**BEARER, "host": "evil.example"}])
def test_every_answer_carries_the_rules_for_browsers(client: TestClient, path: str, headers: dict[str, str]) -> None:
    found = client.get(path, headers={"origin": "http://127.0.0.1:8000", **headers}).headers
    assert "default-src 'self'" in found["content-security-policy"]
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"
    assert found["x-frame-options"] == "DENY"
    assert found["referrer-policy"] == "no-referrer"
    assert not [name for name in found if name.startswith("access-control-")]


def test_preflight_of_another_site_is_refused(client: TestClient) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = client.options("/api/plan", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fapp.py", "/..%5capp.py", "/static/app.py",
     "/api/runs/..", "/api/runs/%2e%2e", "/api/runs/..%2f..", "/api/runs/%2fetc", "/api/runs/.%00", "/app.py"],
)  # fmt: skip
def test_no_path_leads_out_of_the_folders(client: TestClient, path: str) -> None:
    answer = client.get(f"http://127.0.0.1:8000{path}", headers=BEARER)
    assert "import" not in answer.text
    assert "root:" not in answer.text
    if path.startswith("/api"):
        assert answer.status_code == 404


def test_large_body_is_refused(client: TestClient) -> None:
    body = b"[" + b" " * MOST_BODY_BYTES + b"]"
    answer = client.post("/api/plan", content=body, headers={**BEARER, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_large_body_that_does_not_tell_its_size_is_refused(client: TestClient) -> None:
    parts = (b" " * (1 << 20) for _ in range(5))
    answer = client.post("/api/plan", content=parts, headers={**BEARER, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_long_address_is_refused(client: TestClient) -> None:
    assert client.get("/api/runs", params={"x": "y" * 33_000}, headers=BEARER).status_code == 414


def test_form_of_another_site_is_no_question(client: TestClient) -> None:
    answer = client.post("/api/plan", data={"parameters": "[]"}, headers=BEARER)
    assert answer.status_code == 422


def test_web_sockets_are_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/runs"):
        pass


def test_token_is_not_shown_when_rules_are_printed() -> None:
    from simpar.dashboard.security import Rules

    assert TOKEN not in repr(Rules(TOKEN))


def test_servers_on_one_machine_have_cookies_of_their_own() -> None:
    from simpar.dashboard.security import Rules

    assert Rules("one").cookie != Rules("two").cookie
