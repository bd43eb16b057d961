"""The program that ``simpar demo`` runs: a classifier of handwritten digits, data parallel x tensor parallel.

Read ``program`` first: the network, its strategies, the training; it is written as a user would write it. ``digits`` is
the data, ``rank`` what each rank runs.
"""

from simpar.demo.digits import DATA, split, write
from simpar.demo.program import RANKS, RESULT, Result, train

__all__ = ["DATA", "RANKS", "RESULT", "Result", "split", "train", "write"]
