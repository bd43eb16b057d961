"""Files as MindSpore writes them, without a manifest."""

from pathlib import Path

import numpy as np

from simpar.checkpoint import open_checkpoint
from simpar.checkpoint.protobuf import value_bytes


def without_manifest(path: Path) -> None:
    """Write a ``.ckpt`` file again without its manifest."""
    opened = open_checkpoint(path)
    found: list[bytes] = []
    for name, piece in opened.pieces.items():
        out = np.empty(piece.shape, piece.dtype.numpy)
        piece.copy_into(out, piece.box)
        found.append(value_bytes(name, out))
    path.write_bytes(b"".join(found))
