"""The inspector: a web server on this machine that shows recorded runs, live and finished.

It reads run stores and nothing else of a training. What it computes on top is layout mathematics: no request makes it
run a user's code, open a file that the client names, or speak to another machine.

Read it in this order:

- `models`: the answers, as typed values; the front end is written against them;
- `store`: the runs below one folder, opened safely, with a mark that changes when a run grows;
- `overview`, `parameters`, `programs`, `moving`, `times`, `memory`: the answers, computed from a run;
- `whatif`: the answers to questions about imagined layouts;
- `stream`: what arrives while a run is watched; `export`: a run for other tools;
- `security`: who may ask; `routes`, `app`: the addresses and the application;
- `server`: the server that ``simpar dashboard`` starts; `openapi`: its description as a file.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simpar.dashboard.app import make_app
    from simpar.dashboard.server import serve, serving

__all__ = ["make_app", "serve", "serving"]


def __getattr__(name: str) -> Any:
    """Import the server when it is first asked for: the rest of simpar does without."""
    from importlib import import_module

    if name in __all__:
        return getattr(import_module(f"simpar.dashboard.{'app' if name == 'make_app' else 'server'}"), name)
    raise AttributeError(f"module 'simpar.dashboard' has no attribute {name!r}")
