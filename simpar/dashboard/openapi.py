"""The description of the API as a file: ``python -m simpar.dashboard.openapi > web/openapi.json``.

The front end's types are generated from it; a test fails when the file is not what the code says.
"""

import json
import sys
from pathlib import Path

from simpar.dashboard.app import make_api

__all__ = ["openapi_text"]


def openapi_text() -> str:
    """Return the description of the API as JSON, the same each time."""
    return json.dumps(make_api(Path()).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_text())
