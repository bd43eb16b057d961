"""The files of the front end, which is built into ``static/`` and shipped with the package."""

from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

from simpar.dashboard.problems import RequestError

__all__ = ["STATIC", "page"]

STATIC = Path(__file__).parent / "static"
"""Where ``web/`` is built into."""

_FILES = (".js", ".css", ".map", ".json", ".svg", ".png", ".ico", ".woff2", ".txt")

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>simpar: the inspector is not built</title>
<h1>The inspector is not built</h1>
<p>This simpar was installed from its sources without a front end. Build it with Node, in the folder of the sources:</p>
<pre>cd web
npm ci
npm run build</pre>
<p>Then reload this page. The data is there already: <a href="/api/runs">/api/runs</a>.</p>
"""


def page(path: str, static: Path = STATIC) -> Response:
    """Return a file of the front end; its start page for an address that the front end itself knows.

    Args:
        path: of the request; only names of files that were built lead to one.
        static: where they are.

    Raises:
        RequestError: a file of that name was not built.
    """
    if path.split("/")[0] == "api":
        raise RequestError(404, "no_page", f"there is no address {'/' + path[:200]!r}. See /api/openapi.json.")
    start = static / "index.html"
    if not start.is_file():
        return HTMLResponse(_NOT_BUILT)
    built = {f.relative_to(static).as_posix(): f for f in static.rglob("*") if f.is_file()}
    name = path.strip("/")
    if name in built and name != "index.html":
        is_named_by_hash = name.startswith("assets/")
        cache = "public, max-age=31536000, immutable" if is_named_by_hash else "no-cache"
        return FileResponse(built[name], headers={"cache-control": cache})
    if name.startswith("assets/") or name.endswith(_FILES):  # other addresses may hold points: names of parameters do
        raise RequestError(404, "no_page", f"there is no file {path[:200]!r} in the front end.")
    return FileResponse(start, media_type="text/html", headers={"cache-control": "no-cache"})
