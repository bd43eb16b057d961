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
    from simpar.dashboard.groups import device_axes_of, groups_of, run_dev_mat
    from simpar.dashboard.matrix import MATRIX_ASSUMPTIONS, Metric
    from simpar.dashboard.matrix import matrix as matrix_of
    from simpar.dashboard.memory import memory as memory_of
    from simpar.dashboard.models.measured import Timeline
    from simpar.dashboard.models.moving import Bucket, CollectiveItem
    from simpar.dashboard.models.moving import Matrix as MatrixAnswer
    from simpar.dashboard.models.programs import Chain, ChainStep
    from simpar.dashboard.movement import bucket_list, collective_list
    from simpar.dashboard.parameters import placed
    from simpar.dashboard.problems import RequestError
    from simpar.dashboard.redistributions import redistribution_list
    from simpar.dashboard.server import serve, serving
    from simpar.dashboard.store import OpenedRun, RunsFolder
    from simpar.dashboard.timeline import Stretch
    from simpar.dashboard.timeline import timeline as timeline_of
    from simpar.dashboard.view import main_program, program_view

__all__ = [
    "MATRIX_ASSUMPTIONS",
    "Bucket",
    "Chain",
    "ChainStep",
    "CollectiveItem",
    "MatrixAnswer",
    "Metric",
    "OpenedRun",
    "RequestError",
    "RunsFolder",
    "Stretch",
    "Timeline",
    "bucket_list",
    "collective_list",
    "device_axes_of",
    "groups_of",
    "main_program",
    "make_app",
    "matrix_of",
    "memory_of",
    "placed",
    "program_view",
    "redistribution_list",
    "run_dev_mat",
    "serve",
    "serving",
    "timeline_of",
]

_LATER = {
    "app": ("make_app",),
    "groups": ("device_axes_of", "groups_of", "run_dev_mat"),
    "matrix": ("MATRIX_ASSUMPTIONS", "Metric", "matrix_of"),
    "memory": ("memory_of",),
    "models.measured": ("Timeline",),
    "models.moving": ("Bucket", "CollectiveItem", "MatrixAnswer"),
    "models.programs": ("Chain", "ChainStep"),
    "movement": ("bucket_list", "collective_list"),
    "parameters": ("placed",),
    "problems": ("RequestError",),
    "redistributions": ("redistribution_list",),
    "server": ("serve", "serving"),
    "store": ("OpenedRun", "RunsFolder"),
    "timeline": ("Stretch", "timeline_of"),
    "view": ("main_program", "program_view"),
}

_OWN_NAMES = {"MatrixAnswer": "Matrix", "matrix_of": "matrix", "memory_of": "memory", "timeline_of": "timeline"}
"""What is called in its module as the module is."""


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is first used: the server for who serves, the answers for who shows them."""
    from importlib import import_module

    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"simpar.dashboard.{module}"), _OWN_NAMES.get(name, name))
    raise AttributeError(f"module 'simpar.dashboard' has no attribute {name!r}")
