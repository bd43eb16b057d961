"""The server that ``simpar dashboard`` starts: uvicorn, on one address, with one token."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import uvicorn

from simpar.dashboard.app import make_app
from simpar.dashboard.stream import Watched
from simpar.errors import LaunchError

__all__ = ["Server", "serve", "serving"]

_GRACE_S = 2
_START_S = 10.0
_NICE = 10


class Server(uvicorn.Server):
    """Uvicorn that ends open streams before it waits for connections to close, and drops in silence what lasts longer.

    Args:
        config: of uvicorn.
        watched: the streams.
    """

    def __init__(self, config: uvicorn.Config, watched: Watched) -> None:
        super().__init__(config)
        self._watched = watched

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the server."""
        self._watched.is_ending.set()
        await super().shutdown(sockets)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to end; requests that are dropped then are no errors to tell of."""
        log = logging.getLogger("uvicorn.error")
        log.addFilter(self._is_told)
        try:
            super().run(sockets)
        finally:
            log.removeFilter(self._is_told)

    def _is_told(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        is_dropped = isinstance(error, asyncio.CancelledError) or record.msg.startswith("Cancel %s running task")
        return not (self._watched.is_ending.is_set() and is_dropped)


def serve(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    allowed: Iterable[str] = (),
    tell: Callable[[str], object] = print,
) -> None:
    """Serve the runs below a folder until Ctrl-C.

    Args:
        folder: of the runs.
        host: the address to listen on.
        port: 0 for a free one.
        allowed: further names that the server may be called by.
        tell: is given the address to open, token included, once the server listens.

    Raises:
        LaunchError: the address cannot be listened on.
    """
    listening, server, address = _prepare(folder, host, port, allowed)
    tell(address)
    with listening, _giving_way(), contextlib.suppress(KeyboardInterrupt):
        server.run([listening])


@contextmanager
def serving(folder: Path, host: str = "127.0.0.1", port: int = 0, allowed: Iterable[str] = ()) -> Generator[str]:
    """Serve in a thread for the length of a ``with`` block, and give the address to open, token included.

    For tests and notebooks; the arguments are those of ``serve``.
    """
    listening, server, address = _prepare(folder, host, port, allowed)

    def run() -> None:
        with _giving_way():
            server.run([listening])

    thread = threading.Thread(target=run, name="simpar-dashboard", daemon=True)
    thread.start()
    until = time.monotonic() + _START_S
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(_START_S)
        listening.close()


@contextmanager
def _giving_way() -> Generator[None]:
    """Let programs of normal priority go first, ranks above all, while this thread and those that it starts serve.

    Only Linux gives priorities to threads; elsewhere, ranks that this process starts would go last as well.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(before, _NICE))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # who may not raise it again ends with it
            os.setpriority(os.PRIO_PROCESS, 0, before)


def _prepare(folder: Path, host: str, port: int, allowed: Iterable[str]) -> tuple[socket.socket, Server, str]:
    listening = _listen(host, port)
    token, watched = secrets.token_urlsafe(24), Watched()
    own = _name_in_address(host)
    app = make_app(folder, token, (own, *allowed), watched=watched)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is who is connected
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    shown = "127.0.0.1" if _is_any(host) else own
    return listening, Server(config, watched), f"http://{shown}:{listening.getsockname()[1]}/?token={quote(token)}"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise LaunchError(
            f"the dashboard cannot listen on {host}, port {port}: {why}. Choose another with --port, or leave it out "
            f"for a free one."
        ) from error
    return listening


def _name_in_address(host: str) -> str:
    """Return a host as it stands in an address: an IPv6 number in brackets."""
    return f"[{host}]" if ":" in host else host


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
