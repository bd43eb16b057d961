"""Who may ask: the outermost layer of the application.

A server on the loopback address can be reached by every page that is open in a browser of this machine. So each request
must name a host that we know (against DNS rebinding), carry a token that only the terminal showed, and, if it asks for
work, come from our own page. Nothing is ever shared with other origins: there are no CORS headers at all.

The token arrives once, in the address that the terminal prints; it becomes a cookie that scripts cannot read and that
other sites cannot send, and the address is replaced by one without it. Programs send ``Authorization: Bearer TOKEN``.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simpar.dashboard.models.base import SCHEMA

__all__ = ["HEADERS", "LOOPBACK", "MOST_BODY_BYTES", "Guard", "Rules"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names by which a browser on this machine may call the server."""

MOST_BODY_BYTES = 4 << 20
_MOST_ADDRESS_BYTES = 32 << 10
_TOO_LARGE = f"the body of the request is larger than {MOST_BODY_BYTES >> 20} MiB. Ask for less at once."
_TOKEN = "token"

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""What every answer carries."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request must fulfil.

    Args:
        token: that it must carry.
        hosts: names that it may call the server by, without port, in small letters.
    """

    token: str = field(repr=False)
    hosts: frozenset[str] = LOOPBACK

    @property
    def cookie(self) -> str:
        """The cookie's name: its own for each server, since cookies do not tell ports apart."""
        return f"simpar-{sha256(self.token.encode()).hexdigest()[:12]}"


class Guard:
    """Lets a request through to the application if it fulfils the rules, and answers it itself if not.

    Args:
        app: what is guarded.
        rules: what a request must fulfil.
    """

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # there is none here
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
        else:
            await self._app(scope, _limited(receive), send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        return (
            _wrong_host(headers, self._rules)
            or _too_long(scope)
            or _too_large(headers)
            or _cross_site(scope, headers)
            or _without_token(scope, headers, self._rules)
        )


def _wrong_host(headers: Headers, rules: Rules) -> Response | None:
    given = headers.getlist("host")
    name = _without_port(given[0]) if len(given) == 1 else ""
    if name in rules.hosts:
        return None
    return _problem(
        400,
        "unknown_host",
        f"this server does not answer to the name {name[:100]!r}, only to {', '.join(sorted(rules.hosts))}. If it is "
        f"meant to, start it with: simpar dashboard --allow-host {quote(name[:100], safe='.:[]-') or 'NAME'}",
    )


def _without_port(host: str) -> str:
    """Return the name in a Host header, in small letters.

    >>> _without_port("LocalHost:8000"), _without_port("[::1]:80"), _without_port("[::1]")
    ('localhost', '[::1]', '[::1]')
    """
    name, colon, port = host.strip().rpartition(":")
    is_port = bool(colon) and port.isdecimal() and (":" not in name or name.endswith("]"))
    return (name if is_port else host.strip()).lower().removesuffix(".")


def _too_long(scope: Scope) -> Response | None:
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) <= _MOST_ADDRESS_BYTES:
        return None
    return _problem(414, "too_large", f"the address is longer than {_MOST_ADDRESS_BYTES} bytes. Ask for less at once.")


def _cross_site(scope: Scope, headers: Headers) -> Response | None:
    """Refuse what another site's page asks: anything of the API, and whatever would do work."""
    is_work = scope["method"] not in ("GET", "HEAD")
    if not is_work and not scope["path"].startswith("/api"):
        return None
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = f"{scope.get('scheme', 'http')}://{headers['host']}".lower()
    is_foreign = (origin is not None and origin.lower() != own) or site not in (None, "same-origin", "none")
    is_unknown = is_work and origin is None and site is None and "authorization" not in headers
    if not is_foreign and not is_unknown:
        return None
    words = (
        "this request comes from another site's page" if is_foreign else "this request does not say where it is from"
    )
    return _problem(403, "cross_site", f"{words}. Open the inspector itself, or send Authorization: Bearer TOKEN.")


def _without_token(scope: Scope, headers: Headers, rules: Rules) -> Response | None:
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = [value for name, value in query if name == _TOKEN]
    is_page = scope["method"] == "GET" and not scope["path"].startswith("/api")
    if given and is_page and _is_equal(given[0], rules.token):
        return _moved_to_cookie(scope["path"], [(n, v) for n, v in query if n != _TOKEN], rules)
    if _is_equal(_bearer(headers), rules.token) or _is_equal(_cookies(headers).get(rules.cookie, ""), rules.token):
        return None
    words = "Open the address that `simpar dashboard` printed: it carries the token that this server asks for."
    if is_page:
        return HTMLResponse(f"<!doctype html><title>simpar</title><h1>No token</h1><p>{words}</p>", 401)
    return _problem(401, "no_token", f"{words} Programs send it as Authorization: Bearer TOKEN.")


def _moved_to_cookie(path: str, query: Iterable[tuple[str, str]], rules: Rules) -> Response:
    """Keep the token in a cookie, and go to the same address without it."""
    rest = urlencode(list(query))
    target = "/" + quote(path).lstrip("/\\") + (f"?{rest}" if rest else "")  # one slash: two would name another host
    answer = Response(status_code=303, headers={"location": target})
    answer.set_cookie(rules.cookie, rules.token, httponly=True, samesite="strict", path="/")
    return answer


def _bearer(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookies(headers: Headers) -> dict[str, str]:
    pairs = (part.strip().partition("=") for value in headers.getlist("cookie") for part in value.split(";"))
    return {name: value for name, _, value in pairs}


def _is_equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _problem(status: int, error: str, message: str) -> JSONResponse:
    return JSONResponse({"schema": SCHEMA, "error": error, "message": message, "where": []}, status)


# --- the size of a request ---


def _too_large(headers: Headers) -> Response | None:
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) <= MOST_BODY_BYTES:
        return None
    return _problem(413, "too_large", _TOO_LARGE)


def _limited(receive: Receive) -> Receive:
    """Let a body through as far as it may be long; one may come without its size announced."""
    came = 0

    async def receive_limited() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if came > MOST_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receive_limited
