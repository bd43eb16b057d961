"""Checkpoints: Parameters in files, and back into networks that may be cut in any other way.

A file is safetensors or MindSpore's ``.ckpt``. Either carries a manifest: the box and the Parameter of each tensor.
What is loaded is an initializer that reads: a Parameter asks it for the box that its layout gives to the rank, and
those bytes are read and no others. So a network loads under any layout, before or after it was compiled.

Modules, in reading order: ``pieces`` (boxes in files, read when asked for), ``manifest``, ``safetensors`` and
``protobuf`` (the formats), ``save``, ``load``.
"""

from simpar.checkpoint.load import (
    Checkpoint,
    LoadedParameter,
    load_checkpoint,
    load_distributed_checkpoint,
    load_param_into_net,
    open_checkpoint,
)
from simpar.checkpoint.save import save_checkpoint

__all__ = [
    "Checkpoint",
    "LoadedParameter",
    "load_checkpoint",
    "load_distributed_checkpoint",
    "load_param_into_net",
    "open_checkpoint",
    "save_checkpoint",
]
