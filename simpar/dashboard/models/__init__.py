"""The answers of the dashboard, as typed values: what ``web/openapi.json`` is written from.

Sizes are bytes, times seconds, and say so in their names. Layouts are sent, never slices: these follow by arithmetic.

Read it in this order: `base`, `runs`, `programs`, `moving`, `measured`, `planning`.
"""

__all__: list[str] = []
