"""The application: the API, the pages of the front end, and what stands guard before both."""

import logging
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from simpar.dashboard import routes_values
from simpar.dashboard.models.base import Problem
from simpar.dashboard.models.measured import Delta, StreamEvent
from simpar.dashboard.pages import STATIC, page
from simpar.dashboard.problems import RequestError
from simpar.dashboard.routes import NotModified, router
from simpar.dashboard.security import LOOPBACK, Guard, Rules
from simpar.dashboard.store import RunsFolder
from simpar.dashboard.stream import Watched
from simpar.dashboard.workshop import Workshop
from simpar.errors import SimparError

__all__ = ["make_api", "make_app"]

_log = logging.getLogger(__name__)

_SMALL_BYTES = 4 << 10  # answers below go as they are
_AS_THEY_ARE = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")  # numbers hardly get smaller


def make_app(
    folder: Path,
    token: str | None = None,
    hosts: Iterable[str] = (),
    *,
    watched: Watched | None = None,
    static: Path = STATIC,
) -> Guard:
    """Return the whole application, guarded.

    Args:
        folder: of the runs.
        token: that requests must carry; a random one if None.
        hosts: names, beside those of the loopback address, that the server may be called by.
        watched: the streams of this server.
        static: where the front end is built.
    """
    rules = Rules(token or secrets.token_urlsafe(24), LOOPBACK | {h.lower() for h in hosts})
    return Guard(make_api(folder, watched, static), rules)


def make_api(folder: Path, watched: Watched | None = None, static: Path = STATIC) -> FastAPI:
    """Return the application without its guard: what its description is written from."""
    api = FastAPI(
        title="simpar inspector",
        version="1",
        description="What recorded runs held and moved, what imagined layouts would. Sizes are bytes, times seconds.",
        docs_url=None,  # their pages load scripts from other machines
        redoc_url=None,
        openapi_url="/api/openapi.json",
        separate_input_output_schemas=True,
    )
    api.state.folder, api.state.watched = RunsFolder(folder), watched or Watched()
    api.state.workshop = Workshop()
    api.include_router(router)
    api.include_router(routes_values.router)
    _handle_problems(api)
    api.add_middleware(GZipMiddleware, minimum_size=_SMALL_BYTES, compresslevel=4, exclude_content_types=_AS_THEY_ARE)

    def get_page(path: str) -> Response:
        return page(path, static)

    api.openapi = lambda: _with_events(FastAPI.openapi(api))
    api.add_api_route("/{path:path}", get_page, methods=["GET", "HEAD"], include_in_schema=False)
    return api


def _with_events(described: dict[str, Any]) -> dict[str, Any]:
    """Describe the events of the stream as well: no address answers with one of them alone."""
    for model in (StreamEvent, Delta):
        schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        parts: dict[str, Any] = schema.pop("$defs", {})
        described["components"]["schemas"].update({**parts, model.__name__: schema})
    return described


def _handle_problems(api: FastAPI) -> None:
    """Have every error answered as a ``Problem``, without a word about the inside."""

    @api.exception_handler(RequestError)
    def _(request: Request, error: RequestError) -> Response:
        retry = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
        return problem(error.status, error.error, error.message, headers=retry)

    @api.exception_handler(NotModified)
    def _(request: Request, error: NotModified) -> Response:
        return Response(status_code=304, headers={"etag": error.etag, "cache-control": "private, no-cache"})

    @api.exception_handler(SimparError)
    def _(request: Request, error: SimparError) -> Response:
        return problem(422, "layout", str(error))

    @api.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()[:20]
        where = tuple(".".join(map(str, e["loc"]))[:200] for e in found)
        words = "; ".join(f"{at}: {e['msg'][:200]}" for at, e in zip(where, found, strict=True))
        return problem(422, "bad_request", words, where)

    @api.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> Response:
        name = {404: "no_page", 405: "bad_method", 413: "too_large"}.get(error.status_code, "bad_request")
        return problem(error.status_code, name, str(error.detail), headers=dict(error.headers or {}))

    @api.exception_handler(Exception)
    def _(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, "internal", "the server failed to answer; its log says why. This is a mistake of simpar's.")


def problem(
    status: int, error: str, message: str, where: tuple[str, ...] = (), headers: dict[str, str] | None = None
) -> Response:
    """Return an error as an answer."""
    found = Problem(error=error, message=message, where=where)
    return JSONResponse(found.model_dump(mode="json", by_alias=True), status, headers)
