"""How commands show the inspector: its address in the terminal, and in the browser where there is one."""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import Parameter
from rich.console import Console

__all__ = ["Open", "has_desktop", "is_interactive", "serve_until_ctrl_c", "shown_meanwhile"]

Open = Annotated[bool | None, Parameter(name="--open", negative="--no-open")]
"""Whether to open the browser; if None, where a desktop and a terminal are."""


def is_interactive() -> bool:
    """Return whether someone sits at a terminal and can press Ctrl-C."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def has_desktop() -> bool:
    """Return whether a browser with windows can be expected; one that draws in the terminal would be in the way."""
    has_screen = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and has_screen


def serve_until_ctrl_c(
    folder: Path,
    out: Console,
    open_: bool | None = None,
    *,
    run: str = "",
    host: str = "127.0.0.1",
    port: int = 0,
    allowed: Iterable[str] = (),
) -> None:
    """Serve runs until Ctrl-C, and tell the address.

    Args:
        folder: of the runs.
        out: where the address is printed.
        open_: whether to open it in the browser; None where a desktop is.
        run: the id of the run that the address shows; by default the latest.
        host, port: to listen on.
        allowed: further names that browsers may call the server by.
    """

    def tell(address: str) -> None:
        _tell(folder, address + (f"&run={quote(run)}" if run else ""), out, open_)
        out.print("Ctrl-C ends it.", highlight=False)

    from simpar.dashboard import serve  # the server is slow to import: only who serves pays for it

    serve(folder, host, port, allowed, tell)
    out.print("ended", highlight=False)


@contextmanager
def shown_meanwhile(folder: Path, out: Console, open_: bool | None = None) -> Generator[Callable[[], None]]:
    """Serve runs for the length of a ``with`` block, and give a function that goes on with it until Ctrl-C."""
    from simpar.dashboard import serving

    with serving(folder) as address:
        _tell(folder, address, out, open_)

        def go_on() -> None:
            out.print(f"The inspector still answers: {address}", markup=False, highlight=False, soft_wrap=True)
            out.print("Ctrl-C ends it.", highlight=False)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()

        yield go_on


def _tell(folder: Path, address: str, out: Console, open_: bool | None) -> None:
    out.print(f"runs in {folder}", markup=False, highlight=False, soft_wrap=True)
    out.print(address, markup=False, highlight=False, soft_wrap=True)
    out.file.flush()  # before what the ranks print
    if has_desktop() if open_ is None else open_:
        webbrowser.open(address)
