"""Recorded runs in a notebook or a script: who held what, what moved and when, as pictures, tables and text.

>>> from simpar import runs
>>> runs.names(folder="no/such/folder")
()

``runs.latest()`` and ``runs.find(name)`` give a ``RecordedRun``, whose methods (``devices``, ``tensor``, ``memory``,
``timeline``, ``loss``, ``collectives``, ``buckets``, ``matrix``, ``redistributions``, ``redistribution``) each give a
``View``. What they show is computed by ``simpar.dashboard``, of which no server
is started; ``simpar.picture`` draws it.

Read it in this order:

- `view`: one view, which shows itself; `recorded`: a run and its views;
- `wall`: where the ranks stand; `glyph`: what a rank holds, as a sign;
- `ranks`, `memory`, `moving`, `times`, `steps`: the views, drawn; `blocks`: a tensor's ranks with characters.
"""

from simpar.runs.blocks import rank_blocks
from simpar.runs.recorded import RecordedRun, find, latest, names
from simpar.runs.view import View

__all__ = ["RecordedRun", "View", "find", "latest", "names", "rank_blocks"]
